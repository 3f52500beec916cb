"""Why an event does not match a pattern: the first field that failed, in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final

from ssmlab.events.operators import show
from ssmlab.events.patterns import Branch, Field, compile_pattern
from ssmlab.events.values import Fields, Value, Word, read_fields


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The first field of a pattern that an event fails.

    Attributes
    ----------
    sentence
        What is wrong, in words.
    field
        The path, such as `detail.status`.
    wanted
        The alternatives of the pattern, as JSON.
    actual
        What the event holds there, as JSON; empty where the field is absent.
    """

    sentence: str
    field: str
    wanted: str
    actual: str


def explain_mismatch(pattern: Mapping[str, Any] | str, event: Mapping[str, Any] | str) -> Mismatch | None:
    """Say which field fails first, and why; None if the event matches.

    Of several ways through `$or` the one is told that lacks the fewest fields.

    Raises
    ------
    PatternError, EventError
        As in `matches`.

    >>> explain_mismatch({"detail": {"status": ["Success"]}}, {"detail": {"status": "success"}}).sentence
    '`detail.status` is "success", the pattern wants "Success": case matters'
    """
    compiled, fields = compile_pattern(pattern), read_fields(event)
    if compiled.matches_fields(fields):
        return None
    branch = min(compiled.branches, key=lambda branch: len(_failing(branch, fields)))
    failing = _failing(branch, fields)
    told = _tell(failing[0], fields) if failing else _tell_elements(branch, fields)
    if len(compiled.branches) == 1:
        return told
    return replace(told, sentence=f"{told.sentence} (the nearest of {len(compiled.branches)} ways through `$or`)")


def _failing(branch: Branch, event: Fields) -> list[Field]:
    """The fields that hold nowhere, in the pattern's order."""
    return [
        field
        for field in branch.fields
        if not any(field.holds(leaf.value) for leaf in event.get(field.path, ()))
        and not (field.takes_absence and _may_be_absent(field.path, event))
    ]


def _may_be_absent(path: str, event: Fields) -> bool:
    """Is there an element of an array, at least, in which the field is absent?"""
    return path not in event or any(leaf.places for leaf in event[path])


def _tell(field: Field, event: Fields) -> Mismatch:
    values = [leaf.value for leaf in event.get(field.path, ())]
    if not values:
        return _mismatch(field, values, f"is absent{_hint_absent(field.path, event)}")
    wanted = [one.exact for one in field.alternatives if one.exact is not None]
    hints = (hint for one in wanted for value in values for differs, hint in _HINTS if differs(one, value))
    return _mismatch(field, values, f"is {_join(map(show, values))}", next(hints, ""))


def _tell_elements(branch: Branch, event: Fields) -> Mismatch:
    """Every field holds somewhere, but not all in the same element of an array."""
    number = branch.walk(event)
    field, before = branch.ordered[number], branch.ordered[:number]
    values = [leaf.value for leaf in event.get(field.path, ())]
    others = [f"`{one.path}`" for one in before if any(leaf.places for leaf in event.get(one.path, ()))]
    where = (
        f"not in the element of an array that {', '.join(others)} hold in" if others else "in some element of an array"
    )
    return _mismatch(field, values, f"is {_join(map(show, values))}, but {where}")


def _mismatch(field: Field, values: list[Value], what: str, hint: str = "") -> Mismatch:
    sources = [one.source for one in field.alternatives]
    sentence = f"`{field.path}` {what}, the pattern wants {' or '.join(sources)}{hint}"
    return Mismatch(sentence, field.path, f"[{', '.join(sources)}]", _join(map(show, values)))


def _join(shown: Iterable[str]) -> str:
    """Values as they are shown, an array of many cut short."""
    first = list(islice(shown, _SHOWN + 1))
    return ", ".join(first if len(first) <= _SHOWN else [*first[:_SHOWN], "…"])


def _hint_absent(path: str, event: Fields) -> str:
    if any(other.startswith(f"{path}.") for other in event):
        return " as a value: it is an object, and patterns look at what stands inside"
    name = path.rpartition(".")[2]
    alike = [other for other in event if other.lower() == path.lower()]
    alike += [other for other in event if other.rpartition(".")[2] == name]
    return f" (there is `{alike[0]}`)" if alike else ""


def _looks(value: Value) -> frozenset[str]:
    """What a value of another type may be mistaken for."""
    return _LOOKS.get(value) or frozenset([value if isinstance(value, str) else show(value)])


def _are_alike(form: Callable[[str], str], one: Value, other: Value) -> bool:
    return isinstance(one, str) and isinstance(other, str) and form(one) == form(other)


_SHOWN: Final = 10
_LOOKS: Final[dict[Value, frozenset[str]]] = {
    Word.TRUE: frozenset(["true", "1"]),
    Word.FALSE: frozenset(["false", "0"]),
    Word.NULL: frozenset(["null", ""]),
}
# How a wanted and an actual value differ → what to say of it.
_HINTS: Final[tuple[tuple[Callable[[Value, Value], bool], str], ...]] = (
    (lambda one, other: _are_alike(str.lower, one, other), ": case matters"),
    (lambda one, other: _are_alike(str.strip, one, other), ": spaces count"),
    (lambda one, other: type(one) is not type(other) and bool(_looks(one) & _looks(other)), ": the types differ"),
)
