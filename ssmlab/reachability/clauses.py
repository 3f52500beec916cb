"""What the policies of all principals ask, each question once for all principals that it meets in the same way.

A *clause* is a statement together with the values that a principal and its request give the keys that no resource
answers. Its truth on a resource is that of `decide_elements` in a single decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ssmlab.evaluation.decisions import Arranged, arrange, is_bound
from ssmlab.evaluation.policy_sets import Place
from ssmlab.policies import State, Statement
from ssmlab.reachability.callers import Principal
from ssmlab.reachability.columns import Codes
from ssmlab.reachability.deciding import Binding, Decided, Decider
from ssmlab.services import rcp_applies
from ssmlab.truth import FALSE, TRUE, UNKNOWN, Truth

Numbers = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Clause:
    """A statement as some principals meet it: the binding of its Resource, and of each condition; `most`: how far it
    is known to reach the action.
    """

    statement: Statement
    resource: Binding
    conditions: tuple[Binding, ...]
    most: Truth = TRUE

    def decide(self, decider: Decider) -> list[Decided]:
        """Its parts over columns; it holds where all of them do."""
        conditions = zip(self.statement.conditions, self.conditions, strict=True)
        return [
            Decided.of((), np.array([self.most], dtype=np.int8)),
            decider.decide_resource(self.statement, self.resource),
            *(decider.decide_condition(condition, binding) for condition, binding in conditions),
        ]


# What each layer rests on: the clauses, by number, of which one must hold.
Way = Arranged[Numbers]
# A number below `len(Truth)` is no clause but that truth itself.
_NEVER: Final[Numbers] = (int(FALSE),)
_ALWAYS: Final[Numbers] = (int(TRUE),)


class Clauses:
    """The clauses of all principals, by number, and how each principal combines them.

    Attributes
    ----------
    principals
        Those whose clauses they are.
    items
        By number; None for the numbers that are truths.
    ways, way_of
        The different ways to combine clauses, and that of each principal.
    """

    def __init__(self, principals: Sequence[Principal], action: str, decider: Decider) -> None:
        self.principals = principals
        self.items: list[Clause | None] = [None] * len(Truth)
        self._action, self._decider = action, decider
        self._numbers: dict[Any, int] = {}
        self._kinds: dict[int, tuple[int, list[tuple[str, ...]]]] = {}
        self._contents: dict[Any, int] = {}
        ways: dict[Way, int] = {}
        self.way_of: Codes = np.array([ways.setdefault(self._way(p), len(ways)) for p in principals], dtype=np.int64)
        self.ways: list[Way] = [*ways]

    def number(self, statement: Statement, principal: Principal, most: Truth = TRUE) -> int:
        """The number of a statement's clause for a principal."""
        if statement.state is not State.READABLE:
            return int(FALSE if statement.state is State.UNREADABLE and statement.effect == "Allow" else UNKNOWN)
        kind, outer = self._kinds.get(id(statement)) or self._read_kind(statement)
        bindings = tuple(tuple(principal.lookup(key) for key in keys) for keys in outer) if any(outer) else ()
        name = (kind, bindings, most)
        if name not in self._numbers:
            resource, *conditions = bindings or [()] * len(outer)
            self._numbers[name] = len(self.items)
            self.items.append(Clause(statement, resource, tuple(conditions), most))
            self._decider.note(statement, resource)
        return self._numbers[name]

    def _read_kind(self, statement: Statement) -> tuple[int, list[tuple[str, ...]]]:
        """A number for what the statement says, and the keys that its Resource and each condition take from without."""
        content = (statement.not_resource, statement.resources, tuple(c.identity for c in statement.conditions))
        outer = [
            self._decider.outer(keys) for keys in (statement.resource_keys, *(c.keys for c in statement.conditions))
        ]
        self._kinds[id(statement)] = (self._contents.setdefault(content, len(self._contents)), outer)
        return self._kinds[id(statement)]

    def _way(self, principal: Principal) -> Way:
        policies, found = principal.policies, dict[Place, dict[int, None]]()
        for applied in policies.relevant(self._action):
            reaches = rcp_applies(self._action) if applied.layer == "rcp" else TRUE
            if reaches is FALSE or not is_bound(principal.caller, applied.layer):
                continue
            found.setdefault(applied.place, {})[self.number(applied.statement, principal, reaches)] = None
        said = {place: tuple(numbers) for place, numbers in found.items()}
        return arrange(said, policies, principal.caller, never=_NEVER, always=_ALWAYS)
