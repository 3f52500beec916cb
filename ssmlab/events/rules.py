"""Many rules over a stream of events: each field is looked up once for all of them.

A path of the rules is a column: value → the branches of all rules that it passes, as the bits of one number. So an
event costs a look-up and an AND per path, whatever the number of rules; a value seen before is never compared again.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from itertools import chain
from operator import or_
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from ssmlab.events.operators import Alternative, PatternError
from ssmlab.events.patterns import Branch, compile_pattern
from ssmlab.events.values import Fields, Value, read_fields
from ssmlab.snapshots.files import Call, Folder, LoadError, Pages

_CACHED: Final = 100_000  # values remembered per path, or sets of rules
_RULES: Final = Call("Rules", "Arn", dict.fromkeys(("Name", "EventPattern", "RoleArn"), "a text"))
_TARGETS: Final = Call("Targets", "Id")


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of an event bus.

    Attributes
    ----------
    pattern
        The event pattern, a dict or JSON text.
    targets
        What the rule starts, as `aws events list-targets-by-rule` prints it.
    role
        ARN of the role that the rule itself has.
    """

    name: str
    pattern: Mapping[str, Any] | str
    targets: tuple[Mapping[str, Any], ...] = ()
    role: str | None = None


class _Column:
    """A path, and which branches (bits) name it, take its absence, or are passed by a value of it."""

    def __init__(self, path: str) -> None:
        self.path, self.naming, self.absent = path, 0, 0
        self._exact, self._others = defaultdict[Value, int](int), defaultdict[Alternative, int](int)
        self.passing = lru_cache(_CACHED)(self._find)

    def add(self, one: Alternative, bit: int) -> None:
        self.naming |= bit
        self.absent |= bit * one.is_absence
        if one.exact is not None:
            self._exact[one.exact] |= bit
        else:
            self._others[one] |= bit

    def _find(self, value: Value) -> int:
        found = (bits for one, bits in self._others.items() if one.check(value))
        return reduce(or_, found, self._exact.get(value, 0))


class Rules:
    """Named rules, compiled once for streams of events.

    Raises
    ------
    PatternError
        If EventBridge refuses a rule's pattern; the place begins with the rule's name.
    ValueError
        If a name stands twice.

    >>> rules = Rules([Rule("failed", {"detail": {"status": ["Failed"]}}), Rule("ssm", {"source": ["aws.ssm"]})])
    >>> rules.match([{"source": "aws.ssm", "detail": {"status": "Failed"}}, {"source": "aws.ssm"}])
       event    rule
    0      0  failed
    1      0     ssm
    2      1     ssm
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(rules)
        if twice := [name for name, number in Counter(rule.name for rule in self.rules).items() if number > 1]:
            raise ValueError(f"rule `{twice[0]}` stands twice: expected every name once")
        self._branches: list[tuple[int, Branch]] = []  # rule and branch, by bit
        columns: dict[str, _Column] = {}
        for number, rule in enumerate(self.rules):
            for branch in _compile(rule):
                bit = 1 << len(self._branches)
                self._branches.append((number, branch))
                for part in branch.fields:
                    for one in part.alternatives:
                        columns.setdefault(part.path, _Column(part.path)).add(one, bit)
        self._columns = sorted(columns.values(), key=lambda column: -column.naming.bit_count())
        steps = [path.split(".") for path in columns]
        self._wanted = frozenset(".".join(parts[: depth + 1]) for parts in steps for depth in range(len(parts)))
        self._rules_of = lru_cache(_CACHED)(self._find)

    def match(self, events: Iterable[Mapping[str, Any] | str]) -> pd.DataFrame:
        """Which rules match which events.

        Returns
        -------
        DataFrame
            Columns `event` (place in the stream) and `rule` (its name, a categorical); a row a match, in order.

        Raises
        ------
        EventError
            For an event that is no JSON object.
        """
        found = [self._numbers(read_fields(event, self._wanted)) for event in events]
        places = np.repeat(np.arange(len(found)), [len(numbers) for numbers in found])
        codes = np.fromiter(chain.from_iterable(found), dtype="int64", count=len(places))
        names = pd.Categorical.from_codes(codes, pd.Index([rule.name for rule in self.rules], dtype="str"))
        return pd.DataFrame({"event": places, "rule": names})

    def matching(self, event: Mapping[str, Any] | str) -> tuple[Rule, ...]:
        """The rules that match one event, in order."""
        return tuple(self.rules[number] for number in self._numbers(read_fields(event, self._wanted)))

    def _numbers(self, event: Fields) -> tuple[int, ...]:
        bits, is_nested = self._passing(event)
        if is_nested:  # fields of objects in an array must hold in the same element, which bits do not tell
            return tuple(dict.fromkeys(rule for rule, branch in self._pick(bits) if branch.matches(event)))
        return self._rules_of(bits)

    def _find(self, bits: int) -> tuple[int, ...]:
        return tuple(dict.fromkeys(rule for rule, _ in self._pick(bits)))

    def _passing(self, event: Fields) -> tuple[int, bool]:
        """The branches whose every field holds somewhere; and whether "somewhere" may differ from field to field."""
        bits, is_nested = (1 << len(self._branches)) - 1, False
        for column in self._columns:
            if not bits & column.naming:
                continue
            passing = ~column.naming
            leaves = event.get(column.path)
            if leaves is None:
                passing |= column.absent
            else:
                for value, places in leaves:
                    passing |= column.passing(value)
                    if places:
                        is_nested = True
                        passing |= column.absent
            bits &= passing
        return bits, is_nested

    def _pick(self, bits: int) -> Iterable[tuple[int, Branch]]:
        while bits:
            lowest = bits & -bits
            yield self._branches[lowest.bit_length() - 1]
            bits ^= lowest


def _compile(rule: Rule) -> Sequence[Branch]:
    try:
        return compile_pattern(rule.pattern).branches
    except PatternError as error:
        raise PatternError(f"rule `{rule.name}`: {error.where}", error.reason) from None


def load_rules(path: str | Path) -> Rules:
    """The enabled rules with an event pattern that `aws events list-rules` printed; schedules are left out.

    Parameters
    ----------
    path
        A file, or a folder with files `list-rules.json` anywhere in it. Targets stand beside them, a file a rule in
        the printed form of `aws events list-targets-by-rule`: `list-targets-by-rule/<name>.json`. A name that several
        buses have is replaced by the ARN.

    Raises
    ------
    LoadError
        If there is no such file, or it holds something else.
    """
    root = Path(path)
    folder, below = Folder(root if root.is_dir() else root.parent), "**/" * root.is_dir()
    files = folder.find("**/list-rules*.json") if root.is_dir() else [folder.root / root.name]
    if not files:
        raise LoadError(str(path), "", "a file `list-rules.json`", "none")
    found = [(file.parent, one) for file in files for one in _read_records(folder, file, _RULES)]
    kept = [(place, one) for place, one in found if one.get("EventPattern") and one.get("State") != "DISABLED"]
    names = Counter(one.get("Name") for _, one in kept)
    beside = folder.find(f"{below}list-targets-by-rule/*.json")
    targets = {(file.parent.parent, file.stem): tuple(_read_records(folder, file, _TARGETS)) for file in beside}

    def read(place: Path, one: Mapping[str, Any]) -> Rule:
        name = str(one.get("Name"))
        label = name if names[one.get("Name")] == 1 else one["Arn"]
        return Rule(label, one["EventPattern"], targets.get((place, name), ()), one.get("RoleArn"))

    return Rules(read(*pair) for pair in kept)


def _read_records(folder: Folder, file: Path, call: Call) -> list[Mapping[str, Any]]:
    """The records in a file of one or several pages; what is wrong with any of them is an error."""
    found = folder.records(call, Pages(folder.read_file(file, exact=False) or [], complete=True))
    if folder.problems.first:
        raise folder.problems.first
    return [*found.items.values()]
