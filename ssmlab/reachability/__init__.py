"""Run Command's rule over whole frames: `reach`, `Reach`, and what differs between two."""

from ssmlab.reachability.comparing import count_changes
from ssmlab.reachability.questions import reach
from ssmlab.reachability.reach import Reach

__all__ = ["Reach", "count_changes", "reach"]
