"""The columns of every frame, declared once, and how a frame is brought into that form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

TAG: Final = "tag:"
Tags = dict[str, str]


@dataclass(frozen=True, slots=True)
class Schema:
    """The name of the index, the columns a frame must have, and those that are filled in as missing."""

    index: str
    required: tuple[str, ...]
    optional: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns but the tags."""
        return self.required + self.optional


def _schema(index: str, required: str, optional: str) -> Schema:
    return Schema(index, tuple(required.split()), tuple(optional.split()))


SCHEMAS: Final = {
    "principals": _schema("arn", "name kind account path groups boundary tags_known", "trust instance_profiles"),
    "policies": _schema("policy", "name layer account attached_to document", "file where"),
    "nodes": _schema(
        "arn",
        "node_id account region kind platform name ping_status managed tags_known",
        "platform_name platform_version agent_version last_ping instance_profile state iam_role default_role",
    ),
    "documents": _schema("arn", "name owner account region platforms document_type tags_known", "shared_with content"),
}
TUPLES: Final = ("platforms", "shared_with", "groups", "instance_profiles", "attached_to")
_PLAIN: Final = frozenset({*TUPLES, "boundary", "trust", "document"})
# All other columns hold text that repeats, and are categorical.
_DTYPES: Final = {
    **dict.fromkeys(("node_id", "name", "path", "file", "where", "content"), "str"),
    **dict.fromkeys(_PLAIN, "object"),
    "managed": "boolean",
    "tags_known": "bool",
    "last_ping": "datetime64[ns, UTC]",
}
_KINDS: Final[dict[str, tuple[str, Any]]] = {
    "": ("text", str),
    **dict.fromkeys(TUPLES, ("a list of texts", list | tuple)),
    **dict.fromkeys(("managed", "tags_known"), ("True or False", bool | np.bool_)),
    **dict.fromkeys(("document", "trust", "last_ping"), ("anything", object)),
}
_MISSING: Final = {"file": "", "where": "$", "path": "/"} | dict.fromkeys(TUPLES, ())


def list_tags(frame: pd.DataFrame) -> list[str]:
    """The columns that are tags."""
    return [column for column in map(str, frame.columns) if column.startswith(TAG)]


def conform(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """A frame with the index, columns and dtypes of its schema; the one given is not changed.

    Columns `tag:<Key>` become categorical. Columns of no schema are kept as they are.

    Raises
    ------
    ValueError
        For another index, an index value that is missing or stands twice, a missing or doubled column, or a value of
        another kind.
    """
    _check(name, frame)
    known = SCHEMAS[name].columns
    tags = list_tags(frame)
    for column in [*known, *tags]:
        if column in frame:
            _check_values(name, frame[column])
    filled: dict[str, Any] = {column: [_MISSING.get(column)] * len(frame) for column in known if column not in frame}
    # Left to itself, pandas makes text of a column that holds texts and None, and NaN of the None.
    gaps = (_PLAIN | set(_MISSING)) & set(frame)
    filled |= {column: _fill(frame[column], _MISSING.get(column)) for column in known if column in gaps}
    dtypes = {column: _DTYPES.get(column, "category") for column in known} | dict.fromkeys(tags, "category")
    rest = [column for column in frame.columns if column not in known]
    return frame.assign(**filled)[[*known, *rest]].astype(dtypes)


def _check(name: str, frame: pd.DataFrame) -> None:
    schema = SCHEMAS[name]
    if frame.index.name != schema.index:
        raise ValueError(f"expected `{name}` with an index named `{schema.index}`, got `{frame.index.name}`")
    for axis, values in ((schema.index, frame.index), ("column", frame.columns)):
        is_text = isinstance(values.dtype, pd.StringDtype) and not values.hasnans
        if not_text := [] if is_text else [value for value in values if not isinstance(value, str)]:
            raise ValueError(f"expected every `{axis}` of `{name}` to be text, got `{not_text[0]}`")
        if not values.is_unique:
            twice = values[values.duplicated()][0]
            raise ValueError(f"expected every `{axis}` of `{name}` once, got `{twice}` more than once")
    if missing := [column for column in schema.required if column not in frame]:
        wanted = f"`{name}` with the columns {listed(schema.required)}"
        raise ValueError(f"expected {wanted}, got none named {listed(missing)}")


def _check_values(name: str, column: pd.Series[Any]) -> None:
    """Refuse what pandas would turn into something else: a number into the text `80.0`, a missing truth into True."""
    called, types = _KINDS.get(str(column.name), _KINDS[""])
    values = column.cat.categories if isinstance(column.dtype, pd.CategoricalDtype) else column
    settled = pd.StringDtype if types is str else (np.dtypes.BoolDType, pd.BooleanDtype)
    may_miss = column.name != "tags_known" or not column.hasnans
    if types is object or (isinstance(values.dtype, settled) and may_miss):
        return
    gaps = pd.isna(values) if column.name != "tags_known" else np.zeros(len(values), dtype=bool)
    if wrong := [value for value in values[~gaps] if not isinstance(value, types)]:
        raise ValueError(f"expected {called} in the column `{column.name}` of `{name}`, got `{wrong[0]!r}`")


def _fill(column: pd.Series[Any], missing: Any) -> pd.Series[Any]:
    rows = zip(column, column.isna(), strict=True)
    values = [missing if gap else tuple(value) if isinstance(value, list) else value for value, gap in rows]
    return pd.Series(values, column.index, "object")


def make_frame(name: str, columns: Mapping[str, Sequence[Any]]) -> pd.DataFrame:
    """A frame from columns of equal length, its index among them, or from none at all.

    `tags` is a mapping a row, None where they are not known. Columns of no schema are left out.
    """
    schema, tags = SCHEMAS[name], columns.get("tags", ())
    given = {**columns, "tags_known": [own is not None for own in tags]}
    index = pd.Index(pd.array(columns.get(schema.index, ()), dtype="str"), name=schema.index)
    known: dict[str, Any] = {column: given.get(column, ()) for column in schema.columns}
    return conform(name, pd.DataFrame(known | tag_columns(tags), index))


def frame_rows(name: str, rows: Mapping[str, Any]) -> pd.DataFrame:
    """A frame from records by their value in the index; an attribute is a column."""
    names = (*SCHEMAS[name].columns, "tags")
    columns: dict[str, Any] = {column: [getattr(row, column, None) for row in rows.values()] for column in names}
    return make_frame(name, columns | {SCHEMAS[name].index: list(rows)})


def tag_columns(tags: Sequence[Tags | None]) -> dict[str, pd.Categorical]:
    """`tag:<Key>` → its values, for one mapping a row; keys in alphabetical order."""
    found: dict[str, tuple[list[int], list[str]]] = {}
    for row, pairs in enumerate(tags):
        for key, value in pairs.items() if pairs else ():
            rows, values = found.setdefault(key, ([], []))
            rows.append(row)
            values.append(value)
    return {TAG + key: _spread(*found[key], len(tags)) for key in sorted(found)}


def _spread(rows: list[int], values: list[str], size: int) -> pd.Categorical:
    """Values at some rows of a column. Only they are touched, so that a rare tag costs nothing in a large frame."""
    codes, categories = pd.factorize(np.array(values, dtype=object), sort=True)
    column = np.full(size, -1, dtype=np.int64)
    column[rows] = codes
    return pd.Categorical.from_codes(column, pd.Index(categories, dtype="str"))


def listed(names: Iterable[object], most: int | None = None) -> str:
    """Names in backticks, for a message; of more than `most` the first, and `…`."""
    texts = [f"`{name}`" for name in names]
    return ", ".join(texts[:most]) + " …" * (most is not None and len(texts) > most)
