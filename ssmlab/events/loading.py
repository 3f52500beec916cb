"""Events from a file, as JSON."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ssmlab.snapshots.files import Folder, LoadError


def load_events(path: str | Path) -> list[Mapping[str, Any]]:
    r"""The events in a file: JSON objects, one after the other or in lists.

    Parameters
    ----------
    path
        Such as what a rule writes into a log group, a line an event.

    Raises
    ------
    LoadError
        For a file that cannot be read, is no JSON, or holds something else.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "events.json")
    ...     _ = file.write_text('[{"source": "aws.ssm"}]\n{"source": "aws.ec2"}')
    ...     load_events(file)
    [{'source': 'aws.ssm'}, {'source': 'aws.ec2'}]
    """
    folder = Folder(Path(path).parent)
    values = folder.read_file(folder.root / Path(path).name, exact=False) or []
    if folder.problems.first:
        raise folder.problems.first
    events = [event for _, value in values for event in (value if isinstance(value, list) else [value])]
    for number, event in enumerate(events):
        if not isinstance(event, dict):
            raise LoadError(str(path), f"event {number}", "an object", f"`{str(event)[:40]}`")
    return events
