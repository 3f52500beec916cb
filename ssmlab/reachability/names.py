"""Names to rows: ARNs, or names and ids where they mean one thing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ssmlab.reachability.columns import Codes
from ssmlab.snapshots import Snapshot
from ssmlab.snapshots.changes import describe_unknown
from ssmlab.snapshots.schema import listed

Names = str | Sequence[str] | Codes | None


def find_principal(snapshot: Snapshot, name: str) -> int:
    """The row of a principal by ARN or name."""
    return _find_row(snapshot.principals, name, ("name",), "principal")


def find_node(snapshot: Snapshot, name: str) -> int:
    """The row of a node by ARN, id or name."""
    return _find_row(snapshot.nodes, name, ("node_id", "name"), "node")


def find_document(snapshot: Snapshot, name: str, node: int | None = None) -> int:
    """The row of a document by ARN, or by name; with a node, the one of its Region, its account's own before others."""
    frame = snapshot.documents
    if node is not None and name not in frame.index:
        account, region = (str(snapshot.nodes[column].iloc[node]) for column in ("account", "region"))
        near = frame[(frame["region"].astype(str) == region) & (frame["name"] == name)]
        own = near[near["account"].astype(str).isin(["", account])]
        name = next((found.index[0] for found in (own, near) if len(found) == 1), name)
    return _find_row(frame, name, ("name",), "document")


def find_rows(snapshot: Snapshot, frame: str, names: Names) -> Codes:
    """Row numbers in "principals", "nodes" or "documents"; a document's name means it in every Region.

    None: all; an array of row numbers: as it is.
    """
    index: pd.Index[Any] = getattr(snapshot, frame).index
    if names is None:
        return np.arange(len(index), dtype=np.int64)
    if isinstance(names, np.ndarray) and names.dtype.kind in "iu":
        return names
    listed = [names] if isinstance(names, str) else list(names)
    found = index.get_indexer(pd.Index(pd.array(listed, dtype="str")))
    parts = [[row] if row >= 0 else _named(snapshot, frame, name) for row, name in zip(found, listed, strict=True)]
    return np.array(list(dict.fromkeys(row for part in parts for row in part)), dtype=np.int64)


def _named(snapshot: Snapshot, frame: str, name: str) -> Sequence[int]:
    if frame != "documents":
        return [find_principal(snapshot, name) if frame == "principals" else find_node(snapshot, name)]
    same = np.flatnonzero((snapshot.documents["name"] == name).to_numpy(dtype=bool))
    return [int(row) for row in same] if len(same) else [find_document(snapshot, name)]


def _find_row(frame: pd.DataFrame, name: str, columns: Sequence[str], what: str) -> int:
    """The row of an ARN, or of a name or id that only one row has.

    Raises
    ------
    KeyError
        With the nearest known names, or with all ARNs that the name may mean.
    """
    if name in frame.index:
        return int(frame.index.get_loc(name))  # type: ignore[arg-type]
    ends = np.flatnonzero(frame.index.str.endswith(f":{name}"))  # `user/web-ops`, as answers print it
    if len(ends) == 1:
        return int(ends[0])
    found = np.flatnonzero(
        np.logical_or.reduce([(frame[column] == name).fillna(False).to_numpy(dtype=bool) for column in columns])
    )
    if len(found) == 1:
        return int(found[0])
    found = found if len(found) else ends
    if len(found):
        raise KeyError(f"`{name}` means {len(found)} {what}s, expected one of {listed(frame.index[found], 5)}")
    # ids and names before ARNs: they are what one mistypes
    known = [*(str(value) for column in columns for value in frame[column]), *frame.index]
    raise KeyError(describe_unknown(what, name, known, len(frame)))
