"""Event patterns, compiled: the ways through `$or`, each a set of fields that must all hold in one event.

Sources: EventBridge User Guide, `eb-event-patterns`; `aws/event-ruler`, the engine that AWS publishes; answers
recorded from AWS in September 2026 (named "recorded").
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

from ssmlab.events.complexity import is_too_complex
from ssmlab.events.operators import OPERATORS, Alternative, PatternError, expect, read_alternative
from ssmlab.events.values import Fields, Leaf, Object, Place, Value, parse_json, read_fields

MAX_LENGTH: Final = 4096  # of the API's shape; the quota page says 2,048, which can be raised
MAX_BRANCHES: Final = 1000
_RESERVED: Final = re.compile(  # beside the operators: what the engine keeps for itself
    "html|regex|[<>]=?|=|not-(wildcard|equals-ignore-case)|date-(on-or-)?(after|before)|in-date-range"
    "|ip-address-(not-)?in-range"
)
_MANY: Final = 64  # ways through arrays, from which on it pays to drop those that no longer differ


@dataclass(frozen=True, slots=True)
class Field:
    """A path of the pattern, and the alternatives of which one must hold."""

    path: str
    alternatives: tuple[Alternative, ...]

    @property
    def takes_absence(self) -> bool:
        """May the field be absent?"""
        return any(one.is_absence for one in self.alternatives)

    def holds(self, value: Value) -> bool:
        """Does a leaf pass?"""
        return any(one.check(value) for one in self.alternatives)


@dataclass(frozen=True, slots=True)
class Branch:
    """One way through the `$or`s of a pattern: all fields must hold. `ordered`: by path, as the engine takes them."""

    fields: tuple[Field, ...]
    ordered: tuple[Field, ...]

    def walk(self, event: Fields) -> int:
        """How many of the ordered fields hold together."""
        ways: set[Way] = {frozenset()}
        for number, field in enumerate(self.ordered):
            ways = _step(ways, field, event.get(field.path, []))
            if not ways:
                return number
            if len(ways) > _MANY:
                later = (leaf for other in self.ordered[number + 1 :] for leaf in event.get(other.path, []))
                arrays = {array for leaf in later for array, _ in leaf.places}
                ways = {frozenset(place for place in way if place[0] in arrays) for way in ways}
        return len(self.ordered)

    def matches(self, event: Fields) -> bool:
        """Do all fields hold, those of objects in an array in the same element?"""
        return self.walk(event) == len(self.ordered)


@dataclass(frozen=True, slots=True)
class Pattern:
    """An event pattern, compiled once.

    Attributes
    ----------
    text
        The pattern as JSON.
    branches
        The ways through `$or`; one of them must match.
    doubts
        Where AWS's documentation leaves open what the pattern means, in words, with the source.
    """

    text: str
    branches: tuple[Branch, ...]
    doubts: tuple[str, ...] = ()

    def matches(self, event: Mapping[str, Any] | str) -> bool:
        """Does an event match? See `matches`."""
        return self.matches_fields(read_fields(event))

    def matches_fields(self, event: Fields) -> bool:
        """The same, for an event that is read already."""
        return any(branch.matches(event) for branch in self.branches)


Way = frozenset[Place]  # the elements of arrays that the fields so far hold in


def _step(ways: set[Way], field: Field, leaves: Sequence[Leaf]) -> set[Way]:
    """The ways that are left, or new, when one more field must hold.

    A field is absent from a way if it stands in other elements only: so a field whose name sorts before those that
    chose the element must be absent everywhere (engine, recorded).
    """
    holding = {leaf.places for leaf in leaves if field.holds(leaf.value)}
    if not any(leaf.places for leaf in leaves):
        return ways if holding or (field.takes_absence and not leaves) else set()
    after = {way.union(places) for way, places in _join(ways, holding)}
    if field.takes_absence:
        after |= ways - {way for way, _ in _join(ways, {leaf.places for leaf in leaves})}
    return after


def _join(ways: set[Way], standing: Iterable[tuple[Place, ...]]) -> Iterator[tuple[Way, tuple[Place, ...]]]:
    """The ways and the places of leaves that stand in no two elements of one array.

    An array stands in one element of the arrays around it. So where a way leaves the places of a leaf, it lacks the
    next array, or stands elsewhere in it; what is further in needs no look.
    """
    through: dict[Place | None, list[Way]] = defaultdict(list, {None: list(ways)})
    for way in ways:
        for place in way:
            through[place].append(way)

    @cache
    def lacking(place: Place | None, array: int) -> list[Way]:
        return [way for way in through[place] if all(other != array for other, _ in way)]

    for places in standing:
        last = None
        for place in places:
            yield from ((way, places) for way in lacking(last, place[0]))
            last = place
        yield from ((way, places) for way in through[last])


def compile_pattern(pattern: Mapping[str, Any] | str) -> Pattern:
    """Read an event pattern, a dict or JSON text; of a field that stands twice the last array counts.

    Raises
    ------
    PatternError
        For a pattern that EventBridge refuses: `where` names the place, `reason` the rule.

    >>> compile_pattern({"source": ["aws.ssm"], "detail": {"status": []}})
    Traceback (most recent call last):
    ssmlab.events.operators.PatternError: detail.status: expected a value or an operator, got an empty array
    """
    if isinstance(pattern, str):
        return _compile_text(pattern)
    try:
        return _compile_text(json.dumps(pattern, separators=(",", ":"), ensure_ascii=False, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        if isinstance(error, PatternError):
            raise
        raise PatternError("", f"expected what JSON can hold: {error}") from None


def matches(pattern: Mapping[str, Any] | str, event: Mapping[str, Any] | str) -> bool:
    """Does an event match an event pattern, by EventBridge's rules?

    Parameters
    ----------
    pattern, event
        A dict or JSON text each. In JSON text numbers keep their digits, and of names that stand twice all are seen.

    Raises
    ------
    PatternError
        For a pattern that EventBridge refuses.
    EventError
        For an event that is no JSON object.

    Notes
    -----
    Sources: EventBridge User Guide, `eb-event-patterns`, `eb-create-pattern-operators`; the engine that AWS publishes.

    >>> matches({"detail": {"status": ["Failed", {"prefix": "Time"}]}}, '{"detail": {"status": "TimedOut"}}')
    True
    """
    return compile_pattern(pattern).matches(event)


@lru_cache(maxsize=1024)
def _compile_text(text: str) -> Pattern:
    expect(len(text) <= MAX_LENGTH, "", f"expected at most {MAX_LENGTH:,} characters, got {len(text):,}")
    body = parse_json(text, PatternError)
    expect(isinstance(body, Object), "", "expected an object")
    try:
        found = _add_object([{}], body, "", inside_or=False)
    except RecursionError:
        raise PatternError("", "nested too deeply") from None
    branches = tuple(_make_branch(fields) for fields in found)
    _check_wildcards(branches)
    alternatives = (one for branch in branches for field in branch.fields for one in field.alternatives)
    doubts = dict.fromkeys(doubt for one in alternatives for doubt in one.doubts)
    return Pattern(text, branches, tuple(doubts))


_Found = list[dict[str, Field]]


def _make_branch(fields: dict[str, Field]) -> Branch:
    return Branch(tuple(fields.values()), tuple(field for _, field in sorted(fields.items())))


def _add_object(found: _Found, body: Object, place: str, *, inside_or: bool, path: str = "") -> _Found:
    """The branches, each with the fields of one more object; a field that a branch has already is replaced (engine)."""
    expect(body.pairs, place, "expected at least one field, got an empty object")
    for name, value in body.pairs:
        where = f"{place}.{name}" if place else name
        if name == "$or":
            found = _add_or(found, value, where, path)
        elif inside_or and (name in OPERATORS or _RESERVED.fullmatch(name)):
            raise PatternError(where, f"`{name}` is a reserved word, which no field inside `$or` may have as its name")
        elif isinstance(value, Object):
            found = _add_object(found, value, where, inside_or=inside_or, path=f"{path}{name}.")
        else:
            field = _read_field(path + name, value, where)
            found = [{**fields, field.path: field} for fields in found]
    return found


def _add_or(found: _Found, choices: Any, where: str, path: str) -> _Found:
    expect(isinstance(choices, list) and len(choices) > 1, where, "expected an array of at least two objects")
    branches: _Found = []
    for number, choice in enumerate(choices):
        place = f"{where}[{number}]"
        expect(isinstance(choice, Object), place, "expected an object")
        branches += _add_object(found, choice, place, inside_or=True, path=path)
        most = f"expected at most {MAX_BRANCHES:,} combinations of all `$or`, got more"
        expect(len(branches) <= MAX_BRANCHES, where, most)
    return branches


def _read_field(path: str, values: Any, where: str) -> Field:
    expect(isinstance(values, list), where, "expected an object or an array: values always stand in an array")
    expect(values, where, "expected a value or an operator, got an empty array")
    return Field(path, tuple(read_alternative(value, f"{where}[{number}]") for number, value in enumerate(values)))


def _check_wildcards(branches: Iterable[Branch]) -> None:
    """Fields that the engine follows together are those of branches that are alike up to there."""
    together: dict[tuple[Any, ...], dict[tuple[str, str], None]] = defaultdict(dict)
    for branch in branches:
        for number, field in enumerate(branch.ordered):
            if found := {(one.source, text): None for one in field.alternatives for text in one.wildcards}:
                together[branch.ordered[:number], field.path] |= found
    for (_, path), wildcards in together.items():
        if is_too_complex(wildcards):
            raise PatternError(path, "the rule is too complex: use fewer `*`, or fewer repeated characters after one")
