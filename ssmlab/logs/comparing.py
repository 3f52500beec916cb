"""Comparing a value with what a pattern says: one table of operators for JSON and for space-delimited fields.

Sources: CloudWatch Logs User Guide, `FilterAndPatternSyntax`; answers recorded from AWS in September 2026 (named
"recorded").
"""

import operator
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final, NamedTuple

from ssmlab.conditions.values import read_number
from ssmlab.logs.reading import Reader
from ssmlab.logs.regexes import read_regex
from ssmlab.snapshots.schema import listed

_INNER_STAR: Final = (
    "`*` inside a text is read as a plain character: the User Guide of 2020 says so, later ones do not speak of it "
    "[FilterAndPatternSyntax]"
)
_OPERATOR: Final = re.compile(r"!=|<=|>=|=|<|>")


class Scalar(NamedTuple):
    """A text or a number of a log event: as written, and its number if it has one."""

    text: str
    number: Decimal | None = None


class Literal(NamedTuple):
    """What a value is compared with: which texts it equals, and its number if it is one without quotes."""

    matches: Callable[[str], bool]
    number: Decimal | None = None


def _equals(literal: Literal, scalar: Scalar) -> bool:
    """A number equals numbers by value, and texts as it is written (recorded)."""
    return (literal.number is not None and scalar.number == literal.number) or literal.matches(scalar.text)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Literal, Scalar], bool]:
    return lambda literal, scalar: scalar.number is not None and compare(scalar.number, literal.number)


OPERATORS: Final[dict[str, Callable[[Literal, Scalar], bool]]] = {
    "=": _equals,
    "!=": lambda literal, scalar: not _equals(literal, scalar),
    ">": _ordered(operator.gt),
    ">=": _ordered(operator.ge),
    "<": _ordered(operator.lt),
    "<=": _ordered(operator.le),
}


def read_comparison(reader: Reader, bare: re.Pattern[str], wild: re.Pattern[str]) -> Callable[[Scalar], bool]:
    """An operator and its literal; `bare` is what may stand without quotes, `wild` such with a `*` in it.

    Numbers alone can be greater or less.
    """
    reader.skip_space()
    sign = reader.need(_OPERATOR, f"one of {listed(OPERATORS)}")[0]
    reader.skip_space()
    where, compare = reader.position, OPERATORS[sign]
    literal = _read_literal(reader, bare, wild)
    reader.check(sign in ("=", "!=") or literal.number is not None, f"expected a number behind `{sign}`", where)
    return lambda scalar: compare(literal, scalar)


def _read_literal(reader: Reader, bare: re.Pattern[str], wild: re.Pattern[str]) -> Literal:
    where, start = reader.position, reader.text[reader.position : reader.position + 1]
    if start == "%":
        return Literal(read_regex(reader).matches)
    if start == '"':
        text, number = reader.string(), None
    elif (found := reader.take(bare)) is None or found[0] == "null":  # recorded: null is no literal
        reader.position = where
        raise reader.expected('a number, a text in `"`, or a regular expression in `%`')
    else:
        text, number = found[0], read_number(found[0])
        is_plain = "*" not in text or wild.fullmatch(text)
        reader.check(is_plain, f'expected `"` round a text with `*`, got `{text}`', where)
    if "*" in text[1:-1]:
        reader.doubts.append(_INNER_STAR)
    return Literal(match_text(text), number)


def match_text(text: str) -> Callable[[str], bool]:
    """Which texts equal this one; `*` at its start or end stands for anything.

    A `*` elsewhere is plain: "Ev*ent will only match the actual string Ev*ent" [User Guide of 2020].
    """
    core = text.removeprefix("*").removesuffix("*")
    if text.startswith("*"):
        return (lambda other: core in other) if text.endswith("*") else lambda other: other.endswith(core)
    return (lambda other: other.startswith(core)) if text.endswith("*") else lambda other: other == core
