"""`{ $.selector = value }`: patterns for messages that are a JSON object.

Sources: CloudWatch Logs User Guide, `FilterAndPatternSyntax` and `matching-terms-json-log-events`; answers recorded
from AWS in September 2026 (named "recorded").
"""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from ssmlab.conditions.values import read_number
from ssmlab.logs.comparing import Scalar, read_comparison
from ssmlab.logs.reading import Condition, Reader, read_logic
from ssmlab.snapshots.schema import listed

_STEP: Final = re.compile(r"(\.\*|\[\*\])|\[([0-9]+)\]|\.([A-Za-z0-9_-]+)|\.?\['([^']+)'\]")
_BARE: Final = re.compile(r"[A-Za-z0-9_.+*-]+")
_WILD: Final = re.compile(r"\*|[0-9.]+\*|\*[0-9.]+")  # recorded: `ERR*` needs quotes; documented: `123.123.*`
_MOST_WILD: Final = 3  # selectors with a wildcard


class Wild(Enum):
    """A wildcard in a selector."""

    KEY = ".*"
    ITEM = "[*]"


Step = str | int | Wild


class Numeral(str):
    """A number of a JSON text, as it is written there: exact, and no work until it is asked for."""

    __slots__ = ()


def _refuse(name: str) -> Any:
    raise ValueError(f"`{name}` is no JSON")


_DECODER: Final = json.JSONDecoder(parse_int=Numeral, parse_float=Numeral, parse_constant=_refuse)


def read_object(message: str) -> dict[str, Any] | None:
    """The JSON object that a message is; of a repeated key the last counts (recorded). None if it is none.

    A message nested deeper than Python reads counts as none.
    """
    if not message.lstrip().startswith("{"):
        return None
    try:
        found = _DECODER.decode(message)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


@dataclass(frozen=True, slots=True)
class Selector:
    """The way to a value: keys, indexes from 0, wildcards."""

    text: str
    steps: tuple[Step, ...]

    def select(self, document: Any) -> list[Any]:
        """All values that the way leads to."""
        values = [document]
        for step in self.steps:
            values = [child for value in values for child in _children(value, step)]
        return values

    def scalars(self, document: Any) -> list[Scalar]:
        """The texts and numbers among them; null, booleans, arrays and objects are compared with nothing (recorded)."""
        return [_scalar(value) for value in self.select(document) if isinstance(value, str)]


def _children(value: Any, step: Step) -> Iterable[Any]:
    if isinstance(value, dict):
        if step is Wild.KEY:
            return value.values()
        return (value[step],) if isinstance(step, str) and step in value else ()
    if isinstance(value, list):
        if step is Wild.ITEM:
            return value
        return (value[step],) if isinstance(step, int) and step < len(value) else ()
    return ()


def _scalar(value: str) -> Scalar:
    return Scalar(str(value), read_number(value)) if isinstance(value, Numeral) else Scalar(value)


STATES: Final[dict[str, Callable[[list[Any]], bool]]] = {
    "IS NULL": lambda values: any(value is None for value in values),
    "IS TRUE": lambda values: any(value is True for value in values),
    "IS FALSE": lambda values: any(value is False for value in values),
    "NOT EXISTS": lambda values: not values,
}


@dataclass(frozen=True, slots=True)
class JsonPattern:
    """A condition on a JSON object; a message that is none never matches."""

    condition: Condition
    selectors: tuple[Selector, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The selectors, as `fields` names their values."""
        return tuple(selector.text for selector in self.selectors)

    def matches(self, message: str) -> bool:
        """Does a message match?"""
        document = read_object(message)
        return document is not None and self.condition(document)

    def spans(self, message: str) -> list[tuple[int, int]]:  # noqa: ARG002 - as of the other kinds
        """None: a value has no one place in the text."""
        return []

    def fields(self, message: str) -> dict[str, str]:
        """Selector → its first text or number, as written."""
        document = read_object(message)
        found = {selector.text: selector.scalars(document) for selector in self.selectors}
        return {name: scalars[0].text for name, scalars in found.items() if scalars}


def read_json_pattern(reader: Reader) -> JsonPattern:
    """A pattern in braces, up to its end."""
    reader.open("{", "}")
    selectors: dict[Selector, None] = {}

    def read_condition() -> Condition:
        where, selector = reader.position, _read_selector(reader)
        selectors[selector] = None
        count = sum(map(_count_wild, selectors))
        reader.check(count <= _MOST_WILD, f"expected at most {_MOST_WILD} selectors with a wildcard", where)
        if is_state := _read_state(reader):
            return lambda document: is_state(selector.select(document))
        holds = read_comparison(reader, _BARE, _WILD)
        return lambda document: any(map(holds, selector.scalars(document)))

    condition = read_logic(reader, read_condition)
    if not (reader.take_sign("}") and reader.is_at_end()):
        raise reader.expected("`&&`, `||` or a `}` that ends the pattern")
    return JsonPattern(condition, tuple(selectors))


def _read_state(reader: Reader) -> Callable[[list[Any]], bool] | None:
    found = reader.take(r"\s+(IS|NOT)\b\s*(\w*)")
    if found is None:
        return None
    name = f"{found[1]} {found[2]}"
    reader.check(name in STATES, f"expected one of {listed(STATES)}, got `{name.strip()}`", found.start(1))
    return STATES[name]


def _read_selector(reader: Reader) -> Selector:
    start, steps = reader.position, list[Step]()
    reader.need(r"\$(?=\.|\[')", "a selector such as `$.name` or `$.['a.b']`, or `(`")
    while step := reader.take(_STEP):
        wild, index, name, quoted = step.groups()
        steps.append(Wild(wild) if wild else int(index) if index else name or quoted)
    selector = Selector(reader.text[start : reader.position], tuple(steps))
    if not steps or reader.take(r"[.\[]"):
        reader.position -= bool(steps)
        raise reader.expected("`.name`, `.['name']`, `[number]`, `.*` or `[*]`")
    reader.check(_count_wild(selector) <= 1, "expected at most one wildcard in a selector", start)
    return selector


def _count_wild(selector: Selector) -> int:
    return sum(isinstance(step, Wild) for step in selector.steps)
