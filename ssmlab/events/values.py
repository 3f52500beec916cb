"""What a JSON text holds for EventBridge: leaf values by type, numbers as the engine holds them, and where they stand.

An event is flattened: a path such as `detail.status` → its leaves, each with the elements of arrays of objects it
stands in. A dot in a name is as good as nesting; the elements of an array are values of the array's own path.

Sources: EventBridge User Guide, `eb-event-patterns`; `aws/event-ruler`, the engine that AWS publishes; answers
recorded from AWS in September 2026 (named "recorded").
"""

import json
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from itertools import count
from typing import Any, Final, NamedTuple

Place = tuple[int, int]  # an array of the event, and one of its elements


class Word(Enum):
    """`true`, `false` and `null`: never equal to 1, 0, "true" or ""."""

    TRUE = "true"
    FALSE = "false"
    NULL = "null"


@dataclass(frozen=True, slots=True)
class Unheld:
    """A number that no double holds to the last digit: present, but equal to none, itself included (recorded)."""

    text: str


Value = str | float | Word | Unheld


class Leaf(NamedTuple):
    """A value of an event, and the elements of arrays that it stands in, outermost first."""

    value: Value
    places: tuple[Place, ...] = ()


Fields = dict[str, list[Leaf]]
_MAX_DEPTH: Final = 1000  # as the engine's JSON reader, by default


class PlacedError(ValueError):
    """Something is not as it should be: the place in it, and what was expected there."""

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(where, reason)
        self.where, self.reason = where, reason

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


class EventError(PlacedError):
    """What should be an event is none: the place in it, and what was expected there.

    Attributes
    ----------
    where
        A path such as `detail.status`, or line and column of a text that is no JSON.
    """


class Object:
    """A JSON object as it was written: its names may stand twice."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        self.pairs = pairs

    def items(self) -> list[tuple[str, Any]]:
        """Names and values, in the order of the text."""
        return self.pairs


def read_number(text: str) -> float | Unheld:
    """A number of a JSON text, by value: `300`, `300.0` and `3.0e2` are one number.

    >>> read_number("3.0e2"), read_number("9007199254740993")
    (300.0, Unheld(text='9007199254740993'))
    """
    number = float(text)
    if len(text) <= 15 and "e" not in text and "E" not in text:  # so few digits every double tells apart
        return number
    try:
        is_held = Decimal(repr(number)) == Decimal(text)
    except ArithmeticError:  # an exponent that no number of this size can hold
        is_held = False
    return number + 0.0 if is_held else Unheld(text)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"`{name}` is no JSON")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=Object, parse_int=read_number, parse_float=read_number, parse_constant=_refuse_constant
)


def parse_json(text: str, error: Callable[[str, str], ValueError]) -> Any:
    """The value of a JSON text; `error` makes what is raised from a place and a reason."""
    try:
        return _DECODER.decode(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as bad:
        raise error(f"line {bad.lineno}, column {bad.colno}", f"expected JSON: {bad.msg}") from None
    except RecursionError:
        raise error("the text", "nested too deeply") from None
    except ValueError as bad:
        raise error("the text", str(bad)) from None


def _read_int(value: int) -> float | Unheld:
    return float(value) if -(2**53) <= value <= 2**53 else read_number(str(Decimal(value)))


def _read_float(value: float) -> float:
    if value - value != 0:  # NaN and Infinity are no JSON
        raise ValueError(value)
    return value


WORDS: Final = {True: Word.TRUE, False: Word.FALSE, None: Word.NULL}
_READERS: Final[dict[type, Callable[[Any], Value]]] = {
    str: str.__str__,
    float: _read_float,
    int: _read_int,
    bool: WORDS.__getitem__,
    type(None): WORDS.__getitem__,
    Decimal: lambda value: read_number(str(value)),
    Unheld: lambda value: value,
}


def read_fields(event: Any, wanted: Container[str] | None = None) -> Fields:
    """Path → leaves of an event, which is an object or its JSON text.

    Parameters
    ----------
    wanted
        Paths, with those above them; what stands elsewhere is not looked at.

    Raises
    ------
    EventError
        If it is no object, or holds what JSON does not know.

    >>> read_fields({"detail": {"status": "Success", "tries": [1, 2]}})
    {'detail.status': [Leaf(value='Success', places=())],
     'detail.tries': [Leaf(value=1.0, places=()), Leaf(value=2.0, places=())]}
    """
    body = parse_json(event, EventError) if isinstance(event, str) else event
    if not isinstance(body, Mapping | Object):
        raise EventError("the event", f"expected an object, got `{type(body).__name__}`")
    fields: Fields = {}
    arrays = count()
    work: list[tuple[str, Any, tuple[Place, ...]]] = [("", body, ())]
    for path, node, places in work:  # grows while it is read: nesting costs no recursion
        if len(places) + path.count(".") > _MAX_DEPTH:
            raise EventError("the event", f"nested more than {_MAX_DEPTH:,} deep")
        for name, value, inside in _children(path, node, places, arrays):
            if wanted is not None and name not in wanted:
                continue
            read = _READERS.get(type(value))
            if read is None and isinstance(value, list | tuple):
                work.append((name, value, inside))
            elif read is None and isinstance(value, Mapping | Object):
                work.append((f"{name}.", value, inside))
            else:
                fields.setdefault(name, []).append(Leaf(_read_leaf(read, value, name), places))
    return fields


def _children(
    path: str, node: Any, places: tuple[Place, ...], arrays: Iterator[int]
) -> Iterable[tuple[str, Any, tuple[Place, ...]]]:
    """What stands in a container. Values of an array stand in it as in its object; only containers are elements."""
    if isinstance(node, list | tuple):
        array = next(arrays)
        return [(path, value, (*places, (array, index))) for index, value in enumerate(node)]
    return [(f"{path}{name}", value, places) for name, value in node.items()]


def _read_leaf(read: Callable[[Any], Value] | None, value: Any, where: str) -> Value:
    try:
        # a subclass of a text or a number, such as a `StrEnum`, is what it derives from
        return (read or next(_READERS[kind] for kind in type(value).__mro__ if kind in _READERS))(value)
    except (StopIteration, ValueError):
        raise EventError(where, f"expected a JSON value, got `{value!r:.80}`") from None
