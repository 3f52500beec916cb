"""Events from a file, as JSON."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from ssmlab.snapshots.files import Folder, LoadError


class EventFile(list[Mapping[str, Any]]):
    """The events of a file, and what was left out of it: columns `file`, `where`, `severity`, `what`."""

    problems: pd.DataFrame


def load_events(path: str | Path) -> EventFile:
    r"""The events in a file: JSON objects, one after the other or in lists.

    Parameters
    ----------
    path
        Such as what a rule writes into a log group, a line an event.

    Raises
    ------
    LoadError
        For a file that cannot be read, is no JSON, or holds something else. Of a file that can be read in part, the
        list has the `problems`: file, where, severity and what.

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
    kept, problems = EventFile(), folder.problems.frame()
    damaged = [f"{where}." for where in problems["where"]]
    for place, event in (pair for spot, value in values for pair in _split(spot.where, value)):
        if not any(where.startswith((f"{place}.", f"{place}[")) for where in damaged):
            kept.append(event)
    if folder.problems.first and not kept:
        raise folder.problems.first
    for number, event in enumerate(kept):
        if not isinstance(event, dict):
            raise LoadError(str(path), f"event {number}", "an object", f"`{str(event)[:40]}`")
    kept.problems = problems
    return kept


def _split(place: str, value: Any) -> Iterable[tuple[str, Any]]:
    """The events of a JSON value, and where each stood."""
    within = enumerate(value) if isinstance(value, list) else None
    return [(place, value)] if within is None else ((f"{place}[{number}]", event) for number, event in within)
