"""The operator table: what a value of a policy, a value of a request and one row make of each other.

Sources: IAM User Guide, `reference_policies_elements_condition_operators`; answers recorded from AWS in September
2026 (named "recorded").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final

from ssmlab.conditions.values import read_address, read_binary, read_bool, read_date, read_network, read_number
from ssmlab.patterns import Tokens, compile_glob, is_wild, plain_text, split_arn, split_segments
from ssmlab.patterns.arns import ARN_PARTS, compile_arn


class Unreadable(Enum):
    """What a policy value that its operator cannot read does to the condition."""

    NO_MATCH = "no match"  # recorded for numbers and dates
    FAILS_CLOSED = "fails closed"  # recorded for ARNs: an Allow does not apply, a Deny does
    OPEN = "open"  # IAM would not store it either, and nothing is recorded
    UNCLEAR = "unclear"  # IAM may store it, and what it means is not documented


_REFUSED: Final = (
    "the policy value `{}` cannot be read by `{}`: IAM would not store it; counted as recorded from AWS for inline"
    " session policies [answers recorded in September 2026]"
)
UNREADABLE: Final = {
    Unreadable.NO_MATCH: _REFUSED,
    Unreadable.FAILS_CLOSED: _REFUSED,
    Unreadable.OPEN: (
        "the policy value `{}` cannot be read by `{}`: IAM would not store it, and what it would do is not documented"
        " [IAM User Guide, reference_policies_elements_condition_operators]"
    ),
    Unreadable.UNCLEAR: (
        "the policy value `{}` cannot be read by `{}`, and what follows is not documented"
        " [IAM User Guide, reference_policies_elements_condition_operators]"
    ),
}


Matcher = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Operator:
    """One row of the table.

    `read` turns the request's text into something comparable (None: unreadable); `compile` turns a policy value, its
    variables filled in, into a function of that (or says what an unreadable one does). `strict`: an unreadable
    request value makes the negated form false too (recorded for IP and ARN operators). `variables`: whether `${…}` is
    filled in; None where the guide contradicts itself. `textual`: a text decides only by which of the policy's
    patterns its `read` form matches.
    """

    read: Callable[[str], Any]
    compile: Callable[[Tokens], Matcher | Unreadable]
    negated: bool = False
    wildcards: bool = False
    strict: bool = False
    variables: bool | None = False
    textual: bool = False


def _same(text: str) -> str:
    return text


def _lower(tokens: Tokens) -> Tokens:
    if not is_wild(tokens):
        return (plain_text(tokens).lower(),)  # as one text: a final sigma looks at its neighbours
    return tuple(token.lower() if isinstance(token, str) else token for token in tokens)


def _compared(
    read: Callable[[str], Any], compare: Callable[[Any, Any], bool], unreadable: Unreadable
) -> Callable[[Tokens], Matcher | Unreadable]:
    """A compiler for values without wildcards: read the policy's text, then compare the request's with it."""

    def compile_value(tokens: Tokens) -> Matcher | Unreadable:
        wanted = read(plain_text(tokens))
        return unreadable if wanted is None else lambda actual: compare(actual, wanted)

    return compile_value


def _compile_arn(tokens: Tokens) -> Matcher | Unreadable:
    segments = split_segments(tokens)
    if len(segments) == ARN_PARTS and segments[0] == ("arn",):
        return compile_arn(tokens).matches
    return Unreadable.UNCLEAR if is_wild(tokens) else Unreadable.FAILS_CLOSED


@dataclass(frozen=True, slots=True)
class Equal:
    """The matcher of one text; many of them are looked up at once."""

    text: str

    def __call__(self, actual: str) -> bool:
        """Is it this text?"""
        return actual == self.text


def _compile_text(tokens: Tokens) -> Matcher:
    if all(isinstance(token, str) for token in tokens):
        return Equal(plain_text(tokens))
    return compile_glob(tokens).matches


_equal: Final = lambda actual, wanted: actual == wanted  # noqa: E731
_STRING = Operator(_same, _compile_text, variables=True, textual=True)
_FOLDED = Operator(str.lower, lambda tokens: _compile_text(_lower(tokens)), variables=True, textual=True)
_LIKE = Operator(_same, _compile_text, wildcards=True, variables=True, textual=True)
_ARN = Operator(split_arn, _compile_arn, wildcards=True, strict=True, variables=True)
_IP, _NOT_IP = (
    Operator(read_address, _compared(read_network, lambda one, net: net.holds(one), odd), strict=True, negated=negated)
    for odd, negated in ((Unreadable.NO_MATCH, False), (Unreadable.OPEN, True))
)
_BOOL = Operator(read_bool, _compared(read_bool, _equal, Unreadable.NO_MATCH), variables=None)
_BINARY = Operator(read_binary, _compared(read_binary, _equal, Unreadable.NO_MATCH))
_ORDER: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "Equals": _equal,
    "LessThan": lambda actual, wanted: actual < wanted,
    "LessThanEquals": lambda actual, wanted: actual <= wanted,
    "GreaterThan": lambda actual, wanted: actual > wanted,
    "GreaterThanEquals": lambda actual, wanted: actual >= wanted,
}


def _ordered(read: Callable[[str], Any], compare: Callable[[Any, Any], bool], negated: bool = False) -> Operator:
    return Operator(read, _compared(read, compare, Unreadable.NO_MATCH), negated=negated)


def _negated(row: Operator) -> Operator:
    return replace(row, negated=True)


OPERATORS: Final[dict[str, Operator]] = {
    "StringEquals": _STRING,
    "StringNotEquals": _negated(_STRING),
    "StringEqualsIgnoreCase": _FOLDED,
    "StringNotEqualsIgnoreCase": _negated(_FOLDED),
    "StringLike": _LIKE,
    "StringNotLike": _negated(_LIKE),
    **{f"Numeric{name}": _ordered(read_number, compare) for name, compare in _ORDER.items()},
    "NumericNotEquals": _ordered(read_number, _equal, negated=True),
    **{f"Date{name}": _ordered(read_date, compare) for name, compare in _ORDER.items()},
    "DateNotEquals": _ordered(read_date, _equal, negated=True),
    "Bool": _BOOL,
    "BinaryEquals": _BINARY,
    "IpAddress": _IP,
    "NotIpAddress": _NOT_IP,
    "ArnEquals": _ARN,
    "ArnLike": _ARN,
    "ArnNotEquals": _negated(_ARN),
    "ArnNotLike": _negated(_ARN),
}
NULL: Final = "Null"
QUANTIFIERS: Final = ("ForAnyValue", "ForAllValues")


class OperatorError(ValueError):
    """A condition operator that does not exist."""


def parse_operator(name: str) -> tuple[str, str, bool]:
    """Cut `ForAnyValue:StringLikeIfExists` into set operator, operator and IfExists.

    Raises
    ------
    OperatorError
        If there is no such operator: it is refused by name, never treated as true or false.

    >>> parse_operator("ForAnyValue:StringLikeIfExists")
    ('ForAnyValue', 'StringLike', True)
    """
    quantifier, _, rest = name.rpartition(":")
    base = rest.removesuffix("IfExists")
    known = (base in OPERATORS and quantifier in ("", *QUANTIFIERS)) or name == NULL
    if not known:
        raise OperatorError(
            f"unknown condition operator `{name}`: expected one of {', '.join([*OPERATORS, NULL])},"
            " with or without IfExists, ForAnyValue: or ForAllValues:"
        )
    return quantifier, base, base != rest
