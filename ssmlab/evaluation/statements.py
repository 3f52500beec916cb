"""Does one statement apply to one request: its Principal, its Resource, its conditions.

Sources: IAM User Guide, the `reference_policies_elements_*` pages; AWS Organizations User Guide on what RCPs reach.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from ssmlab.evaluation.policy_sets import Applied, Place
from ssmlab.evaluation.principals import Caller, decide_principal
from ssmlab.evaluation.requests import Lookup
from ssmlab.patterns import NOT_KNOWN, plain_text, variable_keys
from ssmlab.policies import State, Statement
from ssmlab.services import condition_doubts, rcp_applies
from ssmlab.truth import FALSE, NO, OPEN, TRUE, UNKNOWN, YES, Truth, Verdict

RCP_REACH: Final = (
    "whether resource control policies reach `{}` is not settled by the lists of services read"
    " [AWS Organizations User Guide, RCPs]"
)
UNREADABLE: Final = (
    "a statement that AWS would refuse ({}) counts neither as an allow nor as no deny"
    " [IAM User Guide, reference_policies_grammar]"
)


@dataclass(frozen=True, slots=True)
class OpenCondition:
    """What a conditional answer hangs on: a condition whose truth is not known, in a statement."""

    applied: Applied
    operator: str
    key: str
    values: tuple[str, ...]

    def __str__(self) -> str:
        return f"{f'{self.operator} {self.key} {list(self.values)}' if self.operator else self.key} ({self.applied})"


class Asked(NamedTuple):
    """Who asks for what, and how the request answers a key."""

    caller: Caller
    action: str
    resource: str
    lookup: Lookup


class Found(NamedTuple):
    """What one statement says of one request: does it apply, on which doubts, and where that counts."""

    applied: Applied
    truth: Truth
    doubts: tuple[str, ...]
    place: Place


def decide_statement(applied: Applied, asked: Asked) -> Found:
    """Does a statement, whose Action covers the call, apply to a resource, a caller and the values of its keys?"""
    statement, place, caught = applied.statement, applied.place, YES
    if statement.principals:
        caught, named = decide_principal(statement, asked.caller)
        place = ("grants", named) if place[0] == "resource" else place
    if caught.truth is FALSE or place[0] == "rcp":  # an RCP only ever takes away
        return Found(applied, FALSE, (), place)
    if statement.state is not State.READABLE:
        truth, doubts = _decide_state(applied)
    else:
        truth, doubts = decide_elements(statement, asked.resource, asked.lookup)
        if truth is not FALSE and statement.conditions:
            keys = (condition.keys[0] for condition in statement.conditions)
            doubts += condition_doubts(asked.action, asked.resource, keys)
    if truth is FALSE:
        return Found(applied, truth, doubts, place)
    if applied.layer != "rcp" and caught is YES:
        return Found(applied, truth, doubts, place)
    truth, doubts = min(truth, caught.truth), doubts + caught.doubts
    reaches = TRUE if applied.layer != "rcp" else rcp_applies(asked.action)
    if reaches is not TRUE and statement.state is not State.UNKNOWN:
        doubts += (RCP_REACH.format(asked.action),)
    return Found(applied, min(truth, reaches), doubts, place)


def _decide_state(applied: Applied) -> Verdict:
    """A statement that cannot be read: not collected, it may apply; refused by AWS, it allows nothing and may still
    deny.
    """
    if applied.statement.state is State.UNKNOWN:
        return OPEN
    return Verdict(FALSE if applied.statement.effect == "Allow" else UNKNOWN, (UNREADABLE.format(applied),))


def decide_elements(statement: Statement, resource: str, lookup: Lookup) -> Verdict:
    """Resource and every condition of a readable statement: all must hold."""
    verdict = statement.decide_resource(resource, lookup)
    if verdict.truth is FALSE and not verdict.doubts:
        return NO
    truth, doubts = verdict
    for condition in statement.conditions:
        found = condition.decide([lookup(key) for key in condition.keys])
        if found.truth is FALSE and not found.doubts:
            return NO
        truth, doubts = min(truth, found.truth), doubts + found.doubts
    return Verdict(truth, doubts)


def list_open(applied: Applied, asked: Asked) -> Iterable[OpenCondition]:
    """What is not settled in a statement that may apply: its conditions, its Resource, whether it reaches the call."""
    statement = applied.statement
    if statement.state is State.UNKNOWN:
        yield OpenCondition(applied, "", f"what {applied.policy} says (not collected)", ())
    elif statement.state is State.UNREADABLE:
        yield OpenCondition(applied, "", f"what {applied.policy} says (AWS would refuse it)", ())
    elif statement.decide_resource(asked.resource, asked.lookup).truth is UNKNOWN:
        unknown = [key for key in statement.resource_keys if asked.lookup(key) is NOT_KNOWN]
        written = tuple(plain_text(tokens) for tokens in statement.resources if not variable_keys(tokens))
        for key in unknown or ["Resource"]:
            yield OpenCondition(applied, "Resource", key, () if unknown else written)
    for condition in statement.conditions:
        if condition.decide([asked.lookup(key) for key in condition.keys]).truth is UNKNOWN:
            yield OpenCondition(applied, condition.operator, condition.key, condition.values)
    if decide_principal(statement, asked.caller)[0].truth is UNKNOWN:
        yield OpenCondition(applied, "NotPrincipal", "NotPrincipal", tuple(text for _, text in statement.principals))
    if applied.layer == "rcp" and statement.state is not State.UNKNOWN and rcp_applies(asked.action) is UNKNOWN:
        yield OpenCondition(applied, "RCP", asked.action.partition(":")[0], ())
