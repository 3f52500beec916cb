"""How complex the wildcards of a field may be: EventBridge refuses a rule that could follow too many at once.

Counted is what the engine counts: the beginnings of wildcard texts that one value could match at the same time. A
beginning with `*` at its end stays matched; repeated characters after a `*` add more.

Sources: `aws/event-ruler`, `MachineComplexityEvaluator`; EventBridge User Guide, `eb-create-pattern-operators` (its
`*:*:*:*:*:event-bus/*` is refused); recorded from AWS in September 2026 (`*a` five times is taken, ten times not).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

LIMIT: Final = 10
_STAR: Final = -1
_OTHER: Final = 256  # stands for every byte that no wildcard text holds
_BYTE: Final = re.compile(rb"\\(.)|(.)", re.DOTALL)


class _State(NamedTuple):
    """A beginning of a wildcard text. `owner`: the operator it counts for; its beginnings that are equal count once."""

    owner: str
    tokens: tuple[int, ...]
    position: int


def is_too_complex(wildcards: Iterable[tuple[str, str]]) -> bool:
    """Could one value match more than ten beginnings of these wildcard texts at once? Each comes with its owner.

    >>> is_too_complex([("", "*a*a*a*a*a")]), is_too_complex([("", "*:*:*:*:*:event-bus/*")])
    (False, True)
    """
    start = frozenset(_State(owner, _tokens(text), 0) for owner, text in wildcards)
    if sum(len(state.tokens) - _free(state.tokens) for state in start) < LIMIT:
        return False
    alphabet = {byte for state in start for byte in state.tokens if byte != _STAR} | {_OTHER}
    seen, work = {start}, [start]
    for states in work:  # grows while it is read
        for byte in alphabet:
            following = frozenset(after for state in states for after in _follow(state, byte))
            if _count(following) > LIMIT:
                return True
            if following not in seen:
                seen.add(following)
                work.append(following)
    return False


def _tokens(text: str) -> tuple[int, ...]:
    found = _BYTE.finditer(f'"{text}"'.encode("utf-8", "surrogatepass"))
    return tuple(_STAR if match[2] == b"*" else (match[1] or match[2])[0] for match in found)


def _free(tokens: tuple[int, ...]) -> int:
    """The tokens before the first `*`: of those a value matches one beginning at a time."""
    return tokens.index(_STAR) if _STAR in tokens else len(tokens)


def _follow(state: _State, byte: int) -> Iterable[_State]:
    owner, tokens, here = state
    if here and tokens[here - 1] == _STAR:
        yield state
    if here < len(tokens) and tokens[here] == _STAR:
        yield _State(owner, tokens, here + 1)
        here += 1  # a `*` may stand for nothing
    if here < len(tokens) and tokens[here] == byte:
        yield _State(owner, tokens, here + 1)


def _count(states: frozenset[_State]) -> int:
    """The beginnings, with those that a `*` which comes next adds."""
    stars = {_State(s.owner, s.tokens, s.position + 1) for s in states if s.tokens[s.position :][:1] == (_STAR,)}
    return len({_beginning(state) for state in states | stars})


def _beginning(state: _State) -> tuple[str, tuple[int, ...], int]:
    owner, tokens, here = state
    return (owner, tokens[:here], here) if here <= _free(tokens) + 1 else (owner, tokens, here)
