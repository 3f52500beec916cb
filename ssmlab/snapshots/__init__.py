"""Files to frames: `load`, and the `Snapshot` it gives."""

from ssmlab.snapshots.files import LoadError
from ssmlab.snapshots.loading import load
from ssmlab.snapshots.snapshot import Attached, Snapshot, expect_snapshot

__all__ = ["Attached", "LoadError", "Snapshot", "expect_snapshot", "load"]
