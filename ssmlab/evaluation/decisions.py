"""`evaluate`: one principal, one action, one resource, every policy layer, and the reason.

Sources: as in `layers`; AWS Organizations User Guide on whom SCPs and RCPs bind.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from ssmlab.evaluation.layers import Layers, Outcome, decide_layers
from ssmlab.evaluation.policy_sets import Applied, PolicySet
from ssmlab.evaluation.principals import Caller, parse_principal, principal_grant
from ssmlab.evaluation.requests import Lookup, Request, read_context
from ssmlab.patterns import NOT_KNOWN, plain_text, split_arn, variable_keys
from ssmlab.policies import State, Statement
from ssmlab.services import condition_doubts, needs_both_accounts, rcp_applies, resource_doubts
from ssmlab.truth import FALSE, NO, OPEN, TRUE, UNKNOWN, Truth, Verdict


@dataclass(frozen=True, slots=True)
class OpenCondition:
    """What a conditional answer hangs on: a condition whose truth is not known, in a statement."""

    applied: Applied
    operator: str
    key: str
    values: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.operator} {self.key} {list(self.values)} ({self.applied})"
            if self.operator
            else f"{self.key} ({self.applied})"
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer with its reason.

    Attributes
    ----------
    outcome
    determining_statements
        Those that decide it, each with `layer`, `policy`, `sid` and `index`; none for an implicit deny.
    open_conditions
        For a conditional answer: what is still open, and nothing that would not change it.
    doubts
        Where AWS's documentation leaves the answer open, in words, with the source.
    layers
        One truth a layer, as `decide_layers` saw it.
    """

    outcome: Outcome
    determining_statements: tuple[Applied, ...]
    open_conditions: tuple[OpenCondition, ...]
    doubts: tuple[str, ...]
    layers: Layers


def evaluate(request: Request, policies: PolicySet) -> Decision:
    """Decide one request.

    A key of the request that is neither in its context nor named as unknown is absent. (`reach` takes the keys of the
    request that are not given as unknown.)

    Returns
    -------
    Decision

    Raises
    ------
    ValueError
        If the principal is neither an ARN of a known kind, a service nor `*`.

    Examples
    --------
    >>> policy = {"Statement": [{"Effect": "Allow", "Action": "ssm:SendCommand", "Resource": "*",
    ...           "Condition": {"StringEquals": {"ssm:resourceTag/Env": "dev"}}}]}
    >>> request = Request("arn:aws:iam::123456789012:user/ana", "ssm:SendCommand",
    ...                   "arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef0",
    ...                   {"ssm:resourceTag/Env": "dev"})
    >>> evaluate(request, PolicySet(identity=[policy])).outcome.value
    'allowed'
    """
    caller = parse_principal(request.principal)
    account = request.resource_account or _account_of(request.resource) or caller.account
    return decide(caller, request.action, request.resource, account, read_context(request, caller, account), policies)


def decide(caller: Caller, action: str, resource: str, account: str, lookup: Lookup, policies: PolicySet) -> Decision:
    """As `evaluate`, for a caller that is parsed and keys that `lookup` answers (names in lower case)."""
    found = [
        Found(applied, *decide_statement(applied, action, resource, caller, lookup))
        for applied in policies.relevant(action)
        if is_bound(caller, applied.layer)
    ]
    layers = _gather(found, policies, caller)
    lowered = action.lower()
    outcome = decide_layers(
        layers,
        cross_account=caller.account not in ("", account) and needs_both_accounts(action, resource),
        resource_must_allow=lowered.startswith("kms:") or lowered in _TRUST_ACTIONS,
    )
    return _answer(outcome, layers, found, Asked(resource, lookup), resource_doubts(action, resource))


_TRUST_ACTIONS: Final = (
    "sts:assumerole",
    "sts:assumerolewithsaml",
    "sts:assumerolewithwebidentity",
    "sts:tagsession",
    "sts:setsourceidentity",
)


def is_bound(caller: Caller, layer: str) -> bool:
    """SCPs bind no service, no anonymous caller and no service-linked role; RCPs only the last not."""
    if layer == "scp":
        return caller.kind not in ("service", "anonymous") and not caller.is_service_linked
    return layer != "rcp" or not caller.is_service_linked


def _account_of(resource: str) -> str:
    parts = split_arn(resource)
    return parts[4] if parts else ""


class Found(NamedTuple):
    """What one statement says of one request: does it apply, on which doubts, and (resource policy) what its
    Principal names.
    """

    applied: Applied
    truth: Truth
    doubts: tuple[str, ...]
    named: str

    @property
    def is_deny(self) -> bool:
        """Does it speak as a Deny? A statement without a readable Effect may."""
        return self.applied.statement.effect != "Allow"


RCP_REACH = (
    "whether resource control policies reach `{}` is not settled by the lists of services read"
    " [AWS Organizations User Guide, RCPs]"
)
UNREADABLE = (
    "a statement that AWS would refuse ({}) counts neither as an allow nor as no deny"
    " [IAM User Guide, reference_policies_grammar]"
)


def decide_statement(
    applied: Applied, action: str, resource: str, caller: Caller, lookup: Lookup
) -> tuple[Truth, tuple[str, ...], str]:
    """Does a statement, whose Action covers the call, apply to a resource, a caller and the values of its keys?"""
    statement = applied.statement
    named = principal_grant(statement, caller) if statement.principals else "any"
    if named is None:
        return FALSE, (), ""
    if applied.layer == "rcp" and statement.effect == "Allow":
        return FALSE, (), named  # an RCP only ever takes away
    if statement.state is not State.READABLE:
        truth, doubts = _decide_state(applied)
    else:
        truth, doubts = decide_elements(statement, resource, lookup)
        if truth is not FALSE and statement.conditions:
            doubts += condition_doubts(action, resource, (condition.keys[0] for condition in statement.conditions))
    if applied.layer != "rcp" or truth is FALSE:
        return truth, doubts, named
    reaches = rcp_applies(action)
    doubts = doubts if reaches is TRUE or statement.state is State.UNKNOWN else (*doubts, RCP_REACH.format(action))
    return min(truth, reaches), doubts, named


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


def _gather(found: Sequence[Found], policies: PolicySet, caller: Caller) -> Layers:
    """One truth a layer from the truths of the statements."""
    deny = max((item.truth for item in found if item.is_deny), default=FALSE)
    allows: dict[tuple[str, int], Truth] = {}
    grants: dict[str, Truth] = {}
    for applied, truth, _, named in found:
        if applied.statement.effect == "Allow":
            place = (applied.layer, applied.level)
            allows[place] = max(allows.get(place, FALSE), truth)
            if applied.layer == "resource":
                grants[named or "any"] = max(grants.get(named or "any", FALSE), truth)
    levels = range(len(policies.scps or ()) if is_bound(caller, "scp") else 0)
    scp = min((allows.get(("scp", level), FALSE) for level in levels), default=TRUE)
    identity = TRUE if caller.kind == "root" else allows.get(("identity", 0), FALSE)
    boundary = TRUE if policies.boundary is None else allows.get(("boundary", 0), FALSE)
    no_session = (
        FALSE if caller.kind == "federated" else TRUE
    )  # GetFederationToken without a session policy: implicit deny
    session = no_session if policies.session is None else allows.get(("session", 0), FALSE)
    return Layers(deny, scp, identity, boundary, session, tuple(grants.items()))


# --- The reason ---


def _answer(outcome: Outcome, layers: Layers, found: Sequence[Found], asked: Asked, about: tuple[str, ...]) -> Decision:
    if outcome is Outcome.EXPLICIT_DENY:
        denying = [item for item in found if item.is_deny and item.truth is TRUE]
        certain = any(not item.doubts for item in denying)
        return Decision(outcome, _refs(denying), (), () if certain else _doubts(denying), layers)
    doubts = about + _doubts(
        item for item in found if item.doubts and _matters(item, layers) and not _outweighed(item, found)
    )
    if outcome is Outcome.IMPLICIT_DENY:
        return Decision(outcome, (), (), doubts, layers)
    deciding = [item for item in found if item.truth is not FALSE and _matters(item, layers)]
    possible = [item.applied for item in deciding if item.truth is UNKNOWN]
    opened = {str(condition): condition for applied in possible for condition in _open(applied, asked)}
    return Decision(outcome, _refs(deciding), tuple(opened.values()), doubts, layers)


def _matters(item: Found, layers: Layers) -> bool:
    """An Allow that is only possible says nothing where its layer allows for certain."""
    if item.is_deny:
        return True
    settled = {"scp": layers.scp, "identity": layers.identity, "boundary": layers.boundary, "session": layers.session}
    return item.truth is not UNKNOWN or settled.get(item.applied.layer, UNKNOWN) is not TRUE


def _outweighed(item: Found, found: Sequence[Found]) -> bool:
    """Does another statement of the same layer and effect say the same or more, and for certain?"""
    return any(
        other.truth is TRUE
        and not other.doubts
        and other.is_deny == item.is_deny
        and (other.applied.layer, other.applied.level) == (item.applied.layer, item.applied.level)
        for other in found
    )


def _refs(found: Iterable[Found]) -> tuple[Applied, ...]:
    return tuple(item.applied for item in found)


def _doubts(found: Iterable[Found]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(doubt for item in found for doubt in item.doubts))


class Asked(NamedTuple):
    """The resource, and how the request answers a key."""

    resource: str
    lookup: Lookup


def _open(applied: Applied, asked: Asked) -> Iterable[OpenCondition]:
    """The conditions (and the Resource) of a possible statement that are not settled."""
    statement = applied.statement
    if statement.state is State.UNKNOWN:
        yield OpenCondition(applied, "", f"what {applied.policy} says (not collected)", ())
    elif statement.state is State.UNREADABLE:
        yield OpenCondition(applied, "", f"what {applied.policy} says (AWS would refuse it)", ())
    elif statement.decide_resource(*asked).truth is UNKNOWN:
        unknown = [key for key in statement.resource_keys if asked.lookup(key) is NOT_KNOWN]
        written = tuple(plain_text(tokens) for tokens in statement.resources if not variable_keys(tokens))
        for key in unknown or ["Resource"]:
            yield OpenCondition(applied, "Resource", key, () if unknown else written)
    for condition in statement.conditions:
        if condition.decide([asked.lookup(key) for key in condition.keys]).truth is UNKNOWN:
            yield OpenCondition(applied, condition.operator, condition.key, condition.values)
