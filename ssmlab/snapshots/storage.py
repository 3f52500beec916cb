"""A snapshot as a folder of Parquet files, one a frame."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd

from ssmlab.snapshots.bodies import to_json, to_object
from ssmlab.snapshots.files import LoadError
from ssmlab.snapshots.schema import SCHEMAS, TUPLES, conform

_OTHERS: Final = {"organization": "account level target scp rcp", "noted": "file where severity what"}
_BODIES: Final = ("trust", "document")
_READERS: Final[dict[Any, Any]] = dict.fromkeys(TUPLES, tuple) | dict.fromkeys(_BODIES, to_object)
_MANAGEMENT: Final = "management_account"


def write_frames(path: Path, frames: Mapping[str, pd.DataFrame], management_account: str | None) -> None:
    """Write frames; policy documents become JSON text, the management account stands with the organization."""
    path.mkdir(parents=True, exist_ok=True)
    for name, frame in frames.items():
        bodies = {column: frame[column].map(to_json, na_action="ignore") for column in _BODIES if column in frame}
        stored = frame.assign(**bodies)
        stored.attrs = {_MANAGEMENT: management_account}
        stored.to_parquet(path / f"{name}.parquet")


def is_stored(path: Path) -> bool:
    """Is this a folder that `write_frames` wrote?"""
    return (path / "nodes.parquet").is_file()


def read_frames(path: Path) -> dict[str, Any]:
    """The frames, and the management account, under the names of `Snapshot`.

    Raises
    ------
    LoadError
        For a file that is missing, is no Parquet, or has not the columns it should have.
    """
    found: dict[str, Any] = {}
    for name in (*SCHEMAS, *_OTHERS):
        file = f"{name}.parquet"
        try:
            frame = pd.read_parquet(path / file)
            readers = {column: read for column, read in _READERS.items() if column in frame}
            bodies = {column: frame[column].map(read, na_action="ignore") for column, read in readers.items()}
            found[name] = conform(name, frame.assign(**bodies)) if name in SCHEMAS else frame[_OTHERS[name].split()]
        except (KeyError, OSError, ValueError, TypeError) as error:
            raise LoadError(file, "", f"the frame `{name}` of a snapshot", str(error)) from error
        found[_MANAGEMENT] = frame.attrs.get(_MANAGEMENT)
    return found
