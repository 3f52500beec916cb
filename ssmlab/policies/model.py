"""`Policy` and `Statement`, frozen, and whether a statement covers an action and a resource.

Source: IAM User Guide, the `reference_policies_elements_*` pages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ssmlab.conditions import UNRESOLVED, Condition
from ssmlab.patterns import (
    WILD_VALUE,
    ResourcePattern,
    Tokens,
    Value,
    action_matches,
    compile_resource,
    resolve,
    variable_keys,
)
from ssmlab.truth import FALSE, NO, UNKNOWN, YES, Verdict, agree, negate


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
    """One statement; `source` is its JSON, for showing. `patterns` are the `resources` without variables, compiled."""

    index: int
    sid: str = ""
    effect: str = ""
    actions: tuple[str, ...] = ()
    not_action: bool = False
    resources: tuple[Tokens, ...] = ()
    patterns: tuple[ResourcePattern | None, ...] = field(default=(), compare=False, repr=False)
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
        return any(action_matches(pattern, action) for pattern in self.actions) is not self.not_action

    @property
    def resource_keys(self) -> tuple[str, ...]:
        """The condition keys that variables in Resource read."""
        return tuple(dict.fromkeys(key for tokens in self.resources for key in variable_keys(tokens)))

    def decide_resource(self, arn: str, lookup: Callable[[str], Value]) -> Verdict:
        """Does Resource (or NotResource) take in an ARN? Without either element the policy speaks of what it is
        attached to.
        """
        if not self.resources:
            return YES
        both = zip(self.patterns, self.resources, strict=True)
        found = [pattern.match(arn) if pattern else _match_resource(tokens, arn, lookup) for pattern, tokens in both]
        known = [verdict for verdict in found if verdict is not None]
        best = max(known, key=lambda verdict: verdict.truth, default=NO)
        if len(known) < len(found) and self.not_resource is (best.truth is FALSE):
            best = Verdict(UNKNOWN, (UNRESOLVED,))
        return Verdict(negate(best.truth), best.doubts) if self.not_resource else best


def _match_resource(tokens: Tokens, arn: str, lookup: Callable[[str], Value]) -> Verdict | None:
    """One Resource against an ARN; None where a variable has no value: that resource matches nothing.
    [reference_policies_variables]
    """
    resolved = resolve(tokens, lookup)
    if not resolved.readings:
        return None
    verdict = agree((compile_resource(reading).match(arn) for reading in resolved.readings), WILD_VALUE)
    return Verdict(min(verdict.truth, UNKNOWN), verdict.doubts) if resolved.open else verdict


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
