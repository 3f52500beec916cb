"""Events from a file, as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ssmlab.snapshots import LoadError


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
    try:
        values = _read_values(Path(path).read_text("utf-8-sig").lstrip())
    except (OSError, ValueError, RecursionError) as error:
        raise LoadError(str(path), "", "JSON", str(error)) from None
    events = [event for value in values for event in (value if isinstance(value, list) else [value])]
    for number, event in enumerate(events):
        if not isinstance(event, dict):
            raise LoadError(str(path), f"event {number}", "an object", f"`{str(event)[:40]}`")
    return events


def _read_values(text: str) -> list[Any]:
    decoder, values, position = json.JSONDecoder(), list[Any](), 0
    while position < len(text):
        value, position = decoder.raw_decode(text, position)
        values.append(value)
        while position < len(text) and text[position].isspace():
            position += 1
    return values
