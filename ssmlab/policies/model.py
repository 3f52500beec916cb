"""`Policy` and `Statement`, frozen, and whether a statement covers an action and a resource.

Source: IAM User Guide, the `reference_policies_elements_*` pages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any

from ssmlab.conditions import UNRESOLVED, Condition
from ssmlab.patterns import ResourcePattern, Tokens, Value, action_matches, compile_resource, resolve
from ssmlab.patterns.texts import WILD_VALUE, Resolved
from ssmlab.truth import FALSE, NO, TRUE, UNKNOWN, YES, Verdict, agree, negate


@dataclass(frozen=True, slots=True)
class PolicyProblem:
    """Something that AWS would refuse: JSON path in the policy, and the rule."""

    where: str
    what: str


class State(StrEnum):
    """Can a statement be read?"""

    READABLE = "readable"
    UNREADABLE = "unreadable"  # AWS would refuse it
    UNKNOWN = "unknown"  # the policy's body was not collected


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement; `source` is its JSON, for showing.

    Of the `resources`, `texts` are those without wildcards and variables, `patterns` those with wildcards only,
    compiled, and `varied` those with variables, which read `resource_keys`.
    """

    index: int
    sid: str = ""
    effect: str = ""
    actions: tuple[str, ...] = ()
    not_action: bool = False
    resources: tuple[Tokens, ...] = ()
    texts: frozenset[str] = field(default=frozenset(), compare=False, repr=False)
    patterns: tuple[ResourcePattern, ...] = field(default=(), compare=False, repr=False)
    varied: tuple[Tokens, ...] = field(default=(), compare=False, repr=False)
    resource_keys: tuple[str, ...] = field(default=(), compare=False, repr=False)
    not_resource: bool = False
    principals: tuple[tuple[str, str], ...] = ()
    not_principal: bool = False
    conditions: tuple[Condition, ...] = ()
    state: State = State.READABLE
    source: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def covers_action(self, action: str) -> bool:
        """Does Action (or NotAction) take in `service:Action`?"""
        if self.state is State.UNKNOWN or not self.actions:
            return True
        return _any_matches(self.actions, action) is not self.not_action

    def decide_resource(self, arn: str, lookup: Callable[[str], Value]) -> Verdict:
        """Does Resource (or NotResource) take in an ARN? Without either element the policy speaks of what it is
        attached to.
        """
        if not self.resources:
            return YES
        best = YES if arn in self.texts else _best(pattern.match(arn) for pattern in self.patterns)
        if self.varied:
            varied = [resolve(tokens, lookup) for tokens in self.varied]
            best = _best([best, *(_match_resource(resolved, arn) for resolved in varied if resolved.readings)])
            if best.truth is (FALSE if self.not_resource else TRUE) and any(resolved.may_lack for resolved in varied):
                best = Verdict(UNKNOWN, (UNRESOLVED,))
        return Verdict(negate(best.truth), best.doubts) if self.not_resource else best


@lru_cache(maxsize=1 << 16)
def _any_matches(patterns: tuple[str, ...], action: str) -> bool:
    return any(action_matches(pattern, action) for pattern in patterns)


def _best(verdicts: Iterable[Verdict]) -> Verdict:
    """The truest, of equals one without doubts."""
    best = NO
    for verdict in verdicts:
        if verdict.truth > best.truth or (verdict.truth is best.truth and best.doubts and not verdict.doubts):
            best = verdict
            if best == YES:
                break
    return best


def _match_resource(resolved: Resolved, arn: str) -> Verdict:
    """One Resource, its variables filled in, against an ARN. Where one has no value it matches nothing.
    [reference_policies_variables]
    """
    verdict = agree((compile_resource(reading).match(arn) for reading in resolved.readings), WILD_VALUE)
    return Verdict(min(verdict.truth, UNKNOWN), verdict.doubts + resolved.doubts) if resolved.open else verdict


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy document, compiled."""

    name: str
    version: str
    statements: tuple[Statement, ...]
    problems: tuple[PolicyProblem, ...] = ()

    @classmethod
    def unknown(cls, name: str) -> Policy:
        """A policy whose body was not collected: it may allow and it may deny."""
        return cls(name, "", tuple(Statement(0, effect=effect, state=State.UNKNOWN) for effect in ("Allow", "Deny")))
