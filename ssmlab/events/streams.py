"""Events asked many patterns: what stands at a path is read once, and each value of it is compared once a pattern."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ssmlab.events.patterns import Field, compile_pattern
from ssmlab.events.values import Value, read_fields

Flags = npt.NDArray[np.bool_]


class _Column(NamedTuple):
    """The leaves of a path: which event holds which of the values; which events hold some in elements of arrays."""

    events: npt.NDArray[np.intp]
    codes: npt.NDArray[np.intp]
    values: Sequence[Value]
    nested: npt.NDArray[np.intp]


class Stream:
    """Events that are asked one pattern after the other.

    Raises
    ------
    EventError
        For an event that is no JSON object, when it is asked.

    >>> stream = Stream([{"source": "aws.ssm"}, {"source": "aws.ec2"}])
    >>> stream.flags({"source": ["aws.ssm"]}).tolist()
    [True, False]
    """

    def __init__(self, events: Iterable[Mapping[str, Any]]) -> None:
        self.events = [*events]
        self._columns: dict[str, _Column] = {}

    def flags(self, pattern: Mapping[str, Any] | str) -> Flags:
        """Which events match? Raises `PatternError` as `matches`."""
        compiled, found = compile_pattern(pattern), np.zeros(len(self.events), dtype=np.bool_)
        paths = {field.path for branch in compiled.branches for field in branch.fields}
        self._read(paths - self._columns.keys())
        for branch in compiled.branches:
            found |= np.logical_and.reduce([self._hold(field) for field in branch.fields])
        for event in {event for path in paths for event in self._columns[path].nested if found[event]}:
            found[event] = compiled.matches(self.events[event])  # fields must hold in one element of an array
        return found

    def _hold(self, field: Field) -> Flags:
        """Which events hold a field somewhere."""
        column, held = self._columns[field.path], np.zeros(len(self.events), dtype=np.bool_)
        passing = np.fromiter(map(field.holds, column.values), np.bool_, len(column.values))
        held[column.events[passing[column.codes]]] = True
        if field.takes_absence:
            held[np.setdiff1d(np.arange(len(held)), column.events)] = True
            held[column.nested] = True
        return held

    def _read(self, paths: set[str]) -> None:
        if not paths:
            return
        steps = [path.split(".") for path in paths]
        wanted = {".".join(parts[: depth + 1]) for parts in steps for depth in range(len(parts))}
        codes: dict[str, dict[Value, int]] = {path: {} for path in paths}
        rows: dict[str, list[tuple[int, int, bool]]] = {path: [] for path in paths}
        for number, event in enumerate(self.events):
            for path, leaves in read_fields(event, wanted).items():
                if path in paths:
                    known = codes[path]
                    rows[path] += [(number, known.setdefault(v, len(known)), bool(at)) for v, at in leaves]
        for path in paths:
            events, found, nested = np.array(rows[path], dtype=np.intp).reshape(-1, 3).T
            self._columns[path] = _Column(events, found, [*codes[path]], events[nested == 1])
