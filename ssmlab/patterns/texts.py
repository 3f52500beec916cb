"""Policy texts: wildcards and `${variables}`, and what fills the variables in.

Source: IAM User Guide, `reference_policies_variables`; answers recorded from AWS in September 2026 (named "recorded").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final


class Wild(Enum):
    """A wildcard of a policy text."""

    MANY = "*"
    ONE = "?"


@dataclass(frozen=True, slots=True)
class Variable:
    """A policy variable `${key, 'default'}`; `key` in lower case, since key names ignore case."""

    key: str
    default: str | None = None


Token = str | Wild | Variable
Tokens = tuple[Token, ...]


class Special(Enum):
    """What a condition key may hold beside a text (`str`) or several (`tuple`)."""

    ABSENT = "absent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """A key of which AWS sees one of these values, but no rule says which; `doubt` names the reason.

    With one candidate it is a value that counts, but rests on a doubt.
    """

    candidates: tuple[str | tuple[str, ...] | Special, ...]
    doubt: str


Value = str | tuple[str, ...] | Special | Ambiguous
ABSENT: Final = Special.ABSENT
NOT_KNOWN: Final = Special.UNKNOWN

WILD_VALUE = (
    "the value of a policy variable holds `*` or `?`; whether it counts as a wildcard there is not documented"
    " [IAM User Guide, reference_policies_variables]"
)

_VARIABLE = re.compile(r"\$\{([^{}]*)\}")


@lru_cache(maxsize=65536)
def parse_text(text: str, variables: bool = True) -> Tokens:
    """Read a policy text into tokens.

    Without `variables` (policy language 2008-10-17) `${…}` is plain text. `${*}`, `${?}` and `${$}` are the
    characters themselves.

    >>> parse_text("home/${aws:username}/*")
    ('home/', Variable(key='aws:username', default=None), '/', <Wild.MANY: '*'>)
    """
    tokens: list[Token] = []
    position = 0
    for match in _VARIABLE.finditer(text) if variables else ():
        tokens += _wildcards(text[position : match.start()])
        tokens.append(_variable(match.group(1)))
        position = match.end()
    return tuple(tokens + _wildcards(text[position:]))


def _wildcards(text: str) -> list[Token]:
    return [Wild(part) if part in ("*", "?") else part for part in re.split(r"([*?])", text) if part]


def _variable(inner: str) -> Token:
    if inner in ("*", "?", "$"):
        return inner
    key, _, default = (part.strip() for part in inner.partition(","))
    is_quoted = key and len(default) > 1 and default[0] == default[-1] == "'" and "'" not in default[1:-1]
    return Variable(key.lower(), default[1:-1]) if is_quoted else Variable(inner.strip().lower())


def variable_keys(tokens: Tokens) -> tuple[str, ...]:
    """The condition keys that the variables of a text read, in lower case."""
    return tuple(token.key for token in tokens if isinstance(token, Variable))


def is_wild(tokens: Iterable[Token]) -> bool:
    """Does a wildcard stand in a text?"""
    return any(isinstance(token, Wild) for token in tokens)


def literal(tokens: Tokens) -> Tokens:
    """The same text with `*` and `?` as plain characters, for operators that know no wildcards."""
    return tuple(token.value if isinstance(token, Wild) else token for token in tokens)


def plain_text(tokens: Tokens) -> str:
    """The text of tokens without variables."""
    return "".join(token.value if isinstance(token, Wild) else str(token) for token in tokens)


@dataclass(frozen=True, slots=True)
class Resolved:
    """A policy text with its variables filled in.

    `readings`: none if a variable has no value; two if a value holds a wildcard, which may count as such or not.
    `open`: a variable's value is not known; it stands as `*`, so that a text which cannot match is still known not to.
    `doubts`: why it is not known, where no rule says which of several it is.
    """

    readings: tuple[Tokens, ...]
    open: bool = False
    doubts: tuple[str, ...] = ()

    @property
    def may_lack(self) -> bool:
        """Has a variable no value, or may it have none?"""
        return self.open or not self.readings


def resolve(tokens: Tokens, lookup: Callable[[str], Value]) -> Resolved:
    """Fill in the variables. A multivalued key gives neither its value nor the default (recorded from AWS)."""
    taken: list[Token] = []
    is_open, doubts = False, list[str]()
    for token in tokens:
        if not isinstance(token, Variable):
            taken.append(token)
            continue
        value = lookup(token.key)
        if isinstance(value, Ambiguous) and len(value.candidates) == 1:
            value = value.candidates[0]
        if value is ABSENT and token.default is not None:
            value = token.default
        if isinstance(value, str):
            taken.append(value)
        elif value is NOT_KNOWN or isinstance(value, Ambiguous):
            taken.append(Wild.MANY)
            is_open = True
            doubts += [value.doubt] if isinstance(value, Ambiguous) else []
        else:
            return Resolved(())
    return Resolved(_readings(tokens, taken), is_open, tuple(doubts))


def _readings(tokens: Tokens, taken: Sequence[Token]) -> tuple[Tokens, ...]:
    """The value of a variable as plain text and, where it holds a wildcard, also as a pattern."""
    pairs = zip(tokens, taken, strict=True)
    parts = (
        _wildcards(after) if isinstance(before, Variable) and isinstance(after, str) else [after]
        for before, after in pairs
    )
    as_pattern = tuple(token for part in parts for token in part)
    as_text = tuple(token for token in taken if token != "")
    return (as_text,) if as_pattern == as_text else (as_text, as_pattern)
