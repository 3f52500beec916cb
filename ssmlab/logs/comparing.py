"""Comparing a value with what a pattern says: one table of operators for JSON and for space-delimited fields.

Sources: CloudWatch Logs User Guide, `FilterAndPatternSyntax`; answers recorded from AWS in September 2026 (named
"recorded").
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NamedTuple

from ssmlab.conditions.values import read_number
from ssmlab.logs.reading import Reader
from ssmlab.logs.regexes import Regex, read_regex

_INNER_STAR: Final = (
    "`*` inside a text is read as a plain character: the User Guide of 2020 says so, later ones do not speak of it "
    "[FilterAndPatternSyntax]"
)
_OPERATOR: Final = re.compile(r"!=|<=|>=|=|<|>")


class Scalar(NamedTuple):
    """A text or a number of a log event: as written, and its number if it has one."""

    text: str
    number: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A text; `*` at its start or end stands for anything.

    A `*` elsewhere is plain: "Ev*ent will only match the actual string Ev*ent" [User Guide of 2020].
    """

    text: str

    def matches(self, text: str) -> bool:
        """Is this the text, or does it start, end or hold as the `*` say?"""
        before, after = self.text.startswith("*"), self.text.endswith("*")
        core = self.text.removeprefix("*").removesuffix("*")
        if before and after:
            return core in text
        if before or after:
            return text.endswith(core) if before else text.startswith(core)
        return text == core


@dataclass(frozen=True, slots=True)
class Number:
    """A number without quotes: it equals numbers by value and texts as written (recorded)."""

    text: str
    value: Decimal

    def matches(self, text: str) -> bool:
        """Is it written alike?"""
        return text == self.text


Literal = Text | Number | Regex


def _equals(literal: Literal, scalar: Scalar) -> bool:
    by_value = isinstance(literal, Number) and scalar.number is not None and scalar.number == literal.value
    return by_value or literal.matches(scalar.text)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Scalar], bool]:
    return lambda literal, scalar: scalar.number is not None and compare(scalar.number, literal.value)


OPERATORS: Final[dict[str, Callable[[Any, Scalar], bool]]] = {
    "=": _equals,
    "!=": lambda literal, scalar: not _equals(literal, scalar),
    ">": _ordered(operator.gt),
    ">=": _ordered(operator.ge),
    "<": _ordered(operator.lt),
    "<=": _ordered(operator.le),
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """An operator and what a value is compared with."""

    operator: str
    literal: Literal

    def test(self, scalar: Scalar) -> bool:
        """Does the comparison hold?"""
        return OPERATORS[self.operator](self.literal, scalar)


def read_comparison(reader: Reader, bare: re.Pattern[str], wild: re.Pattern[str]) -> Comparison:
    """An operator and its literal; `bare` is what may stand without quotes, `wild` such with a `*` in it.

    Numbers alone can be greater or less.
    """
    reader.skip_space()
    sign = reader.take(_OPERATOR)
    if sign is None:
        raise reader.expected("one of " + ", ".join(f"`{name}`" for name in OPERATORS))
    reader.skip_space()
    where = reader.position
    literal = _read_literal(reader, bare, wild)
    if sign[0] not in ("=", "!=") and not isinstance(literal, Number):
        raise reader.error(f"expected a number behind `{sign[0]}`", where)
    return Comparison(sign[0], literal)


def _read_literal(reader: Reader, bare: re.Pattern[str], wild: re.Pattern[str]) -> Literal:
    start = reader.text[reader.position : reader.position + 1]
    if start == '"':
        return _read_text(reader, reader.string())
    if start == "%":
        return read_regex(reader)
    where, found = reader.position, reader.take(bare)
    if found is None or found[0] == "null":  # recorded: null is no literal
        reader.position = where
        raise reader.expected('a number, a text in `"`, or a regular expression in `%`')
    number = read_number(found[0])
    if number is None and "*" in found[0] and not wild.fullmatch(found[0]):
        raise reader.error(f'expected `"` round a text with `*`, got `{found[0]}`', where)
    return _read_text(reader, found[0]) if number is None else Number(found[0], number)


def _read_text(reader: Reader, text: str) -> Text:
    if "*" in text[1:-1]:
        reader.doubts.append(_INNER_STAR)
    return Text(text)
