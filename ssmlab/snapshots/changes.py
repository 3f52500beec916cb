"""What-if: frames with other tags and policies; the frames given are not changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ssmlab.snapshots.iam import PolicyRow, PrincipalRow, read_identity
from ssmlab.snapshots.schema import TAG, listed
from ssmlab.words import find_near

Codes = npt.NDArray[np.int64]


def describe_unknown(what: str, name: str, known: Iterable[str], count: int = 0) -> str:
    """That a name is not known, and which are nearest, else how many there are: `count`, where each has many names."""
    names = list(dict.fromkeys(known))
    near, many = find_near(name, names), count or len(names)
    there = f"; there {'is' if many == 1 else 'are'} {many:,}"
    return f"no {what} `{name}`" + (f", did you mean {listed(near)}?" if near else there)


def set_tags(nodes: pd.DataFrame, names: Iterable[str] | Codes, tags: Mapping[str, str | None]) -> pd.DataFrame:
    """The nodes with other tags on those of these ARNs, ids or row numbers; None removes a tag."""
    rows = names if isinstance(names, np.ndarray) else _find_rows(nodes, list(names))
    return nodes.assign(**{TAG + key: _set_value(nodes.get(TAG + key), len(nodes), rows, v) for key, v in tags.items()})


def _set_value(column: pd.Series[Any] | None, size: int, rows: Codes, value: str | None) -> pd.Categorical:
    """A column of tags with another value at some rows; the others are not touched."""
    values = pd.Categorical([None] * size, pd.Index([], dtype="str")) if column is None else column.array.copy()
    if value is not None and value not in values.categories:
        values = values.add_categories([value])
    values[rows] = value
    return values


def _find_rows(nodes: pd.DataFrame, names: Sequence[str]) -> Codes:
    """The rows of ARNs and ids, in the order of the names."""
    rows = nodes.index.get_indexer(pd.Index(list(names)))
    ids = [name for name, row in zip(names, rows, strict=True) if row < 0]
    if ids:
        having = pd.Series(np.flatnonzero(nodes["node_id"].isin(ids)))
        of_id = having.groupby(nodes["node_id"].iloc[having].array).agg(list)
        rows[rows < 0] = [_find_one(nodes, name, of_id.get(name, [])) for name in ids]
    return rows.astype(np.int64)


def _find_one(nodes: pd.DataFrame, name: str, rows: Sequence[int]) -> int:
    if not rows:
        raise KeyError(describe_unknown("node", name, [*nodes["node_id"], *nodes.index], len(nodes)))
    if len(rows) > 1:
        raise KeyError(f"`{name}` means {len(rows)} nodes, expected one of {listed(nodes.index[list(rows)], 5)}")
    return rows[0]


def put_policy(policies: pd.DataFrame, row: PolicyRow) -> pd.DataFrame:
    """The policies with one more, or in place of that of the same name, attached also to what that one was."""
    same = policies[(policies.index == row.name) & (policies["layer"] == row.layer)]["attached_to"]
    attached_to = dict.fromkeys(target for targets in (*same, row.attached_to) for target in targets)
    return _put(policies, row.name, replace(row, attached_to=tuple(attached_to)))


def put_principals(principals: pd.DataFrame, arns: Iterable[str]) -> pd.DataFrame:
    """The principals with those that are missing; of these nothing but the ARN is known."""
    groups = {group for own in principals["groups"] for group in own}
    for arn in arns:
        if arn in principals.index or arn in groups:
            continue
        row = read_identity(arn)
        if row is None:
            raise KeyError(describe_unknown("principal", arn, [*principals.index, *groups], len(principals)))
        principals = _put(principals, arn, row, tags_known=False)
    return principals


def _put(frame: pd.DataFrame, index: str, row: PolicyRow | PrincipalRow, **others: Any) -> pd.DataFrame:
    """The frame with a record as its last row. Its fields are not copied, so that repeated keys in them stay seen."""
    kept = frame[frame.index != index]
    values = {column: others.get(column, getattr(row, column, None)) for column in frame.columns}
    columns = {column: pd.Series([*kept[column], value], dtype="object") for column, value in values.items()}
    return pd.DataFrame(columns).set_axis(pd.Index([*kept.index, index], name=frame.index.name))
