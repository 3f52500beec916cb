"""How complex the wildcards of a field may be: EventBridge refuses a rule that could follow too many at once.

Counted is what the engine counts: the beginnings of wildcard texts that one value could match at the same time. A
beginning with `*` at its end stays matched; repeated characters after a `*` add more.

Sources: `aws/event-ruler`, `MachineComplexityEvaluator`; EventBridge User Guide, `eb-create-pattern-operators` (its
`*:*:*:*:*:event-bus/*` is refused); recorded from AWS in September 2026 (`*a` five times is taken, ten times not).
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

LIMIT: Final = 10
_STAR: Final = -1
_BYTE: Final = re.compile(rb"\\(.)|(.)", re.DOTALL)

_States = frozenset[int]  # beginnings, by number


def is_too_complex(wildcards: Iterable[tuple[str, str]]) -> bool:
    """Could one value match more than ten beginnings of these wildcard texts at once?

    Each text comes with the operator it stands in: up to its first `*`, what is equal in one operator counts once.

    >>> is_too_complex([("", "*a*a*a*a*a")]), is_too_complex([("", "*:*:*:*:*:event-bus/*")])
    (False, True)
    """
    machine = _Machine()
    for operator, text in wildcards:
        machine.add(operator, text)
    seen, work = set[_States](), [frozenset({0})]
    for states in work:  # grows while it is read
        for following in machine.follow(states) - seen:
            if len(machine.with_stars(following)) > LIMIT:
                return True
            seen.add(following)
            work.append(following)
    return False


class _Machine:
    """The beginnings of wildcard texts, and what follows on them."""

    def __init__(self) -> None:
        self.numbers: dict[object, int] = {}
        self.on_any: dict[int, set[int]] = defaultdict(set)  # the `*` that comes next, or itself
        self.on_byte: dict[int, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))

    def add(self, operator: str, text: str) -> None:
        found = _BYTE.finditer(f'"{text}"'.encode("utf-8", "surrogatepass"))
        tokens = [_STAR if match[2] == b"*" else (match[1] or match[2])[0] for match in found]
        before, here = None, 0
        for position, token in enumerate(tokens, 1):
            start = tuple(tokens[:position]) if _STAR not in tokens[: position - 1] else (text, position)
            after = self.numbers.setdefault((operator, start), len(self.numbers) + 1)
            if token == _STAR:
                self.on_any[here].add(after)
                self.on_any[after].add(after)
            else:
                self.on_byte[here][token].add(after)
                if before is not None:  # the `*` may stand for nothing
                    self.on_byte[before][token].add(after)
            before, here = (here if token == _STAR else None), after

    def follow(self, states: _States) -> set[_States]:
        """What may follow on these, byte by byte."""
        anyhow = frozenset[int]().union(*(self.on_any[state] for state in states))
        bytes_ = {byte for state in states for byte in self.on_byte[state]}
        return {anyhow} | {anyhow.union(*(self.on_byte[state][byte] for state in states)) for byte in bytes_}

    def with_stars(self, states: _States) -> _States:
        """With those that a `*` which comes next adds."""
        return states.union(*(self.on_any[state] for state in states))
