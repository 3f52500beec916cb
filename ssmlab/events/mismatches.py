"""Why an event does not match a pattern: the first field that failed, in a sentence."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
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
    failing, branch = min(((_failing(one, fields), one) for one in compiled.branches), key=lambda pair: len(pair[0]))
    field, where = (failing[0], "") if failing else _find_element(branch, fields)
    values = [leaf.value for leaf in fields.get(field.path, ())]
    sources, shown = [one.source for one in field.alternatives], _join(map(show, values))
    what = f"is {shown}{where}" if values else f"is absent{_hint_absent(field.path, fields)}"
    hint = "" if where else _hint(field, values)
    ways = len(compiled.branches)
    nearest = f" (the nearest of {ways} ways through `$or`)" if ways > 1 else ""
    sentence = f"`{field.path}` {what}, the pattern wants {' or '.join(sources)}{hint}{nearest}"
    return Mismatch(sentence, field.path, f"[{', '.join(sources)}]", shown)


def _failing(branch: Branch, event: Fields) -> list[Field]:
    """The fields that hold nowhere, in the pattern's order; absent is one also from an element of an array."""
    leaves = {field: event.get(field.path, []) for field in branch.fields}
    return [
        field
        for field, found in leaves.items()
        if not any(field.holds(leaf.value) for leaf in found)
        and not (field.takes_absence and (not found or any(leaf.places for leaf in found)))
    ]


def _find_element(branch: Branch, event: Fields) -> tuple[Field, str]:
    """Where every field holds somewhere: the one that does not in the same element of an array, and as which."""
    field, *before = branch.ordered[branch.walk(event) :: -1]
    others = [f"`{one.path}`" for one in before[::-1] if any(leaf.places for leaf in event.get(one.path, ()))]
    if not others:
        return field, ", but in some element of an array"
    return field, f", but not in the element of an array that {', '.join(others)} hold in"


def _hint(field: Field, values: list[Value]) -> str:
    wanted = [one.exact for one in field.alternatives if one.exact is not None]
    return next((hint for one in wanted for value in values for differs, hint in _HINTS if differs(one, value)), "")


def _join(shown: Iterable[str]) -> str:
    """Values as they are shown, an array of many cut short."""
    first = list(islice(shown, _SHOWN + 1))
    return ", ".join(first[:_SHOWN] + ["…"] * (len(first) > _SHOWN))


def _hint_absent(path: str, event: Fields) -> str:
    if any(other.startswith(f"{path}.") for other in event):
        return " as a value: it is an object, and patterns look at what stands inside"
    name = path.rpartition(".")[2]
    alike = [other for other in event if other.lower() == path.lower()]
    alike += [other for other in event if other.rpartition(".")[2] == name]
    return f" (there is `{alike[0]}`)" if alike else ""


def _are_alike(form: Callable[[Any], object], one: Value, other: Value) -> bool:
    return isinstance(one, str) and isinstance(other, str) and form(one) == form(other)


def _looks(value: Value) -> frozenset[str]:
    """What a value of another type may be mistaken for."""
    return _LOOKS.get(value) or frozenset([value if isinstance(value, str) else show(value)])


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
