"""Events asked many patterns: what stands at a path is read once, and each value of it is compared once a pattern."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from ssmlab.events.patterns import Field, compile_pattern
from ssmlab.events.values import Value, read_fields

Flags = npt.NDArray[np.bool_]


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
        self._holders: dict[str, dict[Value, list[int]]] = {}  # path → value → the events that hold it
        self._nested: dict[str, set[int]] = {}  # path → the events that hold some of its values in elements of arrays

    def flags(self, pattern: Mapping[str, Any] | str) -> Flags:
        """Which events match? Raises `PatternError` as `matches`."""
        compiled, found = compile_pattern(pattern), self._mark(())
        paths = {field.path for branch in compiled.branches for field in branch.fields}
        self._read(paths - self._holders.keys())
        for branch in compiled.branches:
            found |= np.logical_and.reduce([self._hold(field) for field in branch.fields])
        for event in {event for path in paths for event in self._nested[path] if found[event]}:
            found[event] = compiled.matches(self.events[event])  # fields must hold in one element of an array
        return found

    def _mark(self, events: Iterable[int]) -> Flags:
        flags = np.zeros(len(self.events), dtype=np.bool_)
        flags[np.fromiter(events, np.intp)] = True
        return flags

    def _hold(self, field: Field) -> Flags:
        """Which events hold a field somewhere."""
        holders, nested = self._holders[field.path], self._nested[field.path]
        held = self._mark(chain.from_iterable(events for value, events in holders.items() if field.holds(value)))
        if field.takes_absence:
            held |= ~self._mark(chain.from_iterable(holders.values())) | self._mark(nested)
        return held

    def _read(self, paths: set[str]) -> None:
        steps = [path.split(".") for path in paths]
        wanted = {".".join(parts[: depth + 1]) for parts in steps for depth in range(len(parts))}
        holders: dict[str, dict[Value, list[int]]] = {path: defaultdict(list) for path in paths}
        nested: dict[str, set[int]] = {path: set() for path in paths}
        for number, event in enumerate(self.events if paths else ()):
            for path, leaves in read_fields(event, wanted).items():
                for value, places in leaves if path in paths else ():
                    holders[path][value].append(number)
                    nested[path] |= {number} if places else set()
        self._holders |= holders
        self._nested |= nested
