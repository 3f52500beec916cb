"""Resources as columns: the value of each condition key once per distinct value, with a code a row.

A `Column` holds the distinct values of a key and, for each resource, which of them it has. Conditions are decided on
the values and spread over the rows by the codes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from ssmlab.evaluation.requests import CASE_TWINS
from ssmlab.explanation import last_part
from ssmlab.patterns import ABSENT, NOT_KNOWN, Ambiguous, Value, Vocabulary
from ssmlab.services import TAG_KEYS, aws_account
from ssmlab.snapshots.schema import TAG, list_tags

Codes = npt.NDArray[np.int64]
Texts = npt.NDArray[np.object_]
Truths = npt.NDArray[np.int8]
_FEW: Final = 16  # rows


@dataclass(frozen=True, slots=True)
class Column:
    """Distinct values of one key (or of several together, as tuples) and each row's place among them."""

    codes: Codes
    values: tuple[Any, ...]


def combine(parts: Iterable[Codes], rows: int) -> Codes:
    """One code for each distinct row of several code columns; numbered in order of first appearance."""
    total = reduce(_join, parts, np.zeros(rows, dtype=np.int64))
    return np.asarray(pd.factorize(total)[0], dtype=np.int64)


def _join(left: Codes, right: Codes) -> Codes:
    width = int(right.max(initial=0)) + 1
    if int(left.max(initial=0)) >= np.iinfo(np.int64).max // width:
        left = np.asarray(pd.factorize(left)[0], dtype=np.int64)
    return left * width + right


def first_rows(codes: Codes) -> Codes:
    """The first row of each code, for codes that all occur."""
    found = np.empty(int(codes.max(initial=-1)) + 1, dtype=np.int64)
    found[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    return found


def encode(series: pd.Series[Any]) -> tuple[Codes, tuple[Any, ...]]:
    """Codes from 1 and values of a series; code 0 and value None stand for missing."""
    if isinstance(series.dtype, pd.CategoricalDtype):
        codes, categories = np.asarray(series.cat.codes, dtype=np.int64), series.cat.categories
        if len(categories) > len(codes):  # a few rows of a large frame
            used, codes = np.unique(np.append(-1, codes), return_inverse=True)
            return codes[1:].astype(np.int64), (None, *np.asarray(categories[used[1:]], dtype=object))
        return codes + 1, (None, *np.asarray(categories, dtype=object))  # one by one, an index is slow
    codes, values = pd.factorize(series)
    return np.asarray(codes, dtype=np.int64) + 1, (None, *values)


@dataclass(frozen=True)
class Resources:
    """Nodes or documents, asked by condition key.

    Parameters
    ----------
    frame
        Index: ARN. Columns: `account`, `region`, `tags_known`, `tag:<Key>`…
    resource_type
        As the service authorization reference names it: "instance" (and managed-instance) or "document".
    given
        Keys that the request's context fixes and that therefore no resource answers.
    tag_keys
        Beginnings of the condition keys that read the resource's tags.
    """

    frame: pd.DataFrame
    resource_type: str
    given: frozenset[str] = frozenset()
    tag_keys: tuple[str, ...] = TAG_KEYS
    _columns: dict[tuple[str, ...], Column] = field(default_factory=dict, repr=False)
    _vocabularies: dict[Any, tuple[Vocabulary, Codes, Codes]] = field(default_factory=dict, repr=False)

    @cached_property
    def arns(self) -> Texts:
        """The ARN of each resource, as plain texts: taken one by one, faster than from the index."""
        return np.asarray(self.frame.index, dtype=object)

    @cached_property
    def names(self) -> Texts:
        """What each is called: its name, else the id at the end of its ARN."""
        return self.call(np.arange(len(self.frame)))

    def call(self, rows: Codes) -> Texts:
        """What some are called."""
        called = zip(self.frame["name"].array[rows].tolist(), self.frame.index[rows].tolist(), strict=True)
        return np.array(
            [name if isinstance(name, str) and name else last_part(arn) for name, arn in called], dtype=object
        )

    def answers(self, key: str) -> bool:
        """Does a resource of this type decide the key (lower case)?"""
        if key in self.given:
            return False
        if key == "ssm:documenttype":
            return self.resource_type == "document"
        return key in _SOURCES or key.startswith(self.tag_keys)

    def sources(self, key: str) -> Sequence[str]:
        """The columns of the frame that decide a key."""
        if not self.answers(key):
            return ()
        if key.startswith(self.tag_keys):
            return ("tags_known", *self._tag_columns(key))
        return _SOURCES.get(key, ("document_type",))

    def spell(self, tag: str) -> list[str]:
        """The keys of tags, as they are written, that a condition key takes for this one."""
        return [name[len(TAG) :] for name in self._spellings.get(tag.lower(), ())]

    def _tag_columns(self, key: str) -> Sequence[str]:
        return self._spellings.get(key.split("/", 1)[1], ())

    @cached_property
    def _spellings(self) -> dict[str, list[str]]:
        """The columns of a tag by its key in lower case; several where keys differ only by case."""
        found: dict[str, list[str]] = {}
        for name in list_tags(self.frame):
            found.setdefault(name[len(TAG) :].lower(), []).append(name)
        return found

    def column(self, keys: Sequence[str]) -> Column:
        """The distinct values of one or several keys; values are tuples, one entry a key."""
        wanted = tuple(keys)
        if not wanted:
            return Column(np.zeros(len(self.frame), dtype=np.int64), ((),))
        if wanted not in self._columns:
            self._columns[wanted] = self._read(wanted)
        return self._columns[wanted]

    def read(self, key: str, row: int) -> Value:
        """The value of a key on one resource, by row number."""
        column = self.column((key,))
        value: Value = column.values[column.codes[row]][0]
        return value

    def vocabulary(self, key: str, read: Callable[[str], str]) -> tuple[Vocabulary, Codes, Codes]:
        """The texts among the distinct values of a key, as `read` reads them, their places, and those of the others."""
        if (key, read) not in self._vocabularies:
            values = self.column((key,)).values
            is_text = np.array([isinstance(value, str) for (value,) in values], dtype=bool)
            places = np.flatnonzero(is_text)
            texts = Vocabulary([read(values[place][0]) for place in places])
            self._vocabularies[key, read] = (texts, places, np.flatnonzero(~is_text))
        return self._vocabularies[key, read]

    def shared(self, keys: Sequence[str], rows: Codes) -> tuple[Any, ...] | None:
        """The values that the resources of these rows all have; None where they differ."""
        column = self.column(keys)
        codes = column.codes[rows]
        few = {column.values[code] for code in codes[:_FEW]}  # where they differ, the first mostly tell
        found = {column.values[code] for code in np.unique(codes)} if len(few) == 1 < len(codes) else few
        return found.pop() if len(found) == 1 else None

    def inherit(self, before: Resources, changed: frozenset[str]) -> None:
        """Take over what was read from the same resources before, where none of the changed columns decides it."""
        for keys, column in before._columns.items():
            read = (name for key in keys for side in (before, self) for name in side.sources(key))
            if keys not in self._columns and changed.isdisjoint(read):
                self._columns[keys] = column

    def _read(self, keys: tuple[str, ...]) -> Column:
        if len(keys) == 1:
            codes, values = self._read_tag(keys[0]) if keys[0].startswith(self.tag_keys) else self._read_plain(keys[0])
            return Column(codes, tuple((value,) for value in values))
        parts = [self.column((key,)) for key in keys]
        codes = combine((part.codes for part in parts), len(self.frame))
        rows = first_rows(codes)
        return Column(codes, tuple(tuple(part.values[part.codes[row]][0] for part in parts) for row in rows))

    def _read_plain(self, key: str) -> tuple[Codes, tuple[Value, ...]]:
        if key != "aws:resourceaccount":
            codes, values = encode(self.frame[self.sources(key)[0]])
            return codes, tuple(NOT_KNOWN if value is None else str(value) for value in values)
        account, accounts = encode(self.frame["account"])
        region, regions = encode(self.frame["region"])
        codes = combine((account, region), len(self.frame))
        owners = ((accounts[account[row]], regions[region[row]]) for row in first_rows(codes))
        return codes, tuple(owner or aws_account(place) for owner, place in owners)

    def _read_tag(self, key: str) -> tuple[Codes, tuple[Value, ...]]:
        """A tag by its key without regard to case: absent or not known where no column has it, ambiguous where two
        do.
        """
        names = self._tag_columns(key)
        known = self.frame["tags_known"].to_numpy(dtype=bool)
        if len(names) == 1:
            codes, values = encode(self.frame[names[0]])
            return np.where(known | (codes > 0), codes, len(values)), (ABSENT, *map(str, values[1:]), NOT_KNOWN)
        read = [encode(self.frame[name]) for name in names]
        codes = combine([known.astype(np.int64), *(part for part, _ in read)], len(self.frame))
        found_values = []
        for row in first_rows(codes):
            found = {
                name: str(labels[part[row]]) for name, (part, labels) in zip(names, read, strict=True) if part[row]
            }
            found_values.append(_tag_value(found, bool(known[row])))
        return codes, tuple(found_values)


def _tag_value(found: dict[str, str], known: bool) -> Value:
    if len(found) > 1:
        return Ambiguous(tuple(found.values()), CASE_TWINS.format(", ".join(f"`{name[len(TAG) :]}`" for name in found)))
    if found:
        return next(iter(found.values()))
    return ABSENT if known else NOT_KNOWN


_SOURCES: Final = {
    "aws:requestedregion": ("region",),  # a command goes to the Region of its nodes and document
    "aws:resourceaccount": ("account", "region"),
}
