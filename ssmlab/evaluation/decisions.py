"""`evaluate`: one principal, one action, one resource, every policy layer, and the reason.

Sources: as in `layers`; AWS Organizations User Guide on whom SCPs and RCPs bind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Generic, NamedTuple, TypeVar

from ssmlab.evaluation.layers import Layers, Outcome, Rule, decide_layers, find_open
from ssmlab.evaluation.policy_sets import DENY, Applied, Place, PolicySet
from ssmlab.evaluation.principals import Caller, parse_principal
from ssmlab.evaluation.requests import Lookup, Request, read_context
from ssmlab.evaluation.statements import Asked, Found, OpenCondition, decide_statement, list_open
from ssmlab.patterns import split_arn
from ssmlab.services import has_no_resources, is_shared, resource_doubts, sharing_doubts
from ssmlab.truth import FALSE, TRUE, UNKNOWN, Truth

Said = TypeVar("Said")


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
    if has_no_resources(request.action):
        request = replace(request, resource="*")
    account = request.resource_account or _account_of(request.resource) or caller.account
    return decide(caller, request.action, request.resource, account, read_context(request, caller, account), policies)


def decide(caller: Caller, action: str, resource: str, account: str, lookup: Lookup, policies: PolicySet) -> Decision:
    """As `evaluate`, for a caller that is parsed and keys that `lookup` answers (names in lower case)."""
    asked = Asked(caller, action, resource, lookup)
    found = find_statements(asked, policies)
    layers = _gather(found, policies, caller)
    rule = Rule(
        cross_account=caller.account not in ("", account),
        resource_must_allow=_must_allow(action.lower(), resource),
        is_shared=is_shared(action, resource),
    )
    return _answer(rule, layers, found, asked)


def find_statements(asked: Asked, policies: PolicySet) -> list[Found]:
    """What each statement says whose Action covers the call and whose layer binds the caller."""
    applying = (applied for applied in policies.relevant(asked.action) if is_bound(asked.caller, applied.layer))
    return [decide_statement(applied, asked) for applied in applying]


_TRUST_ACTIONS: Final = (
    *("sts:assumerole", "sts:assumerolewithsaml", "sts:assumerolewithwebidentity"),
    *("sts:tagsession", "sts:setsourceidentity"),
)


def _must_allow(action: str, resource: str) -> bool:
    """Is the resource's own policy needed in the same account too? A role's trust policy, the policy of a KMS key."""
    return action in _TRUST_ACTIONS or (action.startswith("kms:") and ":key/" in resource)


def is_bound(caller: Caller, layer: str) -> bool:
    """SCPs bind no service, no anonymous caller and no service-linked role; RCPs only the last not."""
    if layer == "scp":
        return caller.kind not in ("service", "anonymous") and not caller.is_service_linked
    return layer != "rcp" or not caller.is_service_linked


def _account_of(resource: str) -> str:
    parts = split_arn(resource)
    return parts[4] if parts else ""


def _gather(found: Sequence[Found], policies: PolicySet, caller: Caller) -> Layers:
    """One truth a layer from the truths of the statements: the best of each place."""
    best: dict[Place, Truth] = {}
    for item in found:
        if item.truth > best.get(item.place, FALSE):
            best[item.place] = item.truth
    said = arrange(best, policies, caller, never=FALSE, always=TRUE)
    grants = tuple((str(named), truth) for (layer, named), truth in best.items() if layer == "grants")
    scp = min(said.scps, default=TRUE)  # every level must allow
    return Layers(said.deny, scp, said.identity, said.boundary, said.session, grants)


class Arranged(NamedTuple, Generic[Said]):
    """What each layer says: the fields of `Layers`, SCPs by level."""

    deny: Said
    scps: tuple[Said, ...]
    identity: Said
    boundary: Said
    session: Said


def arrange(
    said: Mapping[Place, Said], policies: PolicySet, caller: Caller, *, never: Said, always: Said
) -> Arranged[Said]:
    """What each layer says, from what the statements of each place say together; `always` where there is no such layer,
    `never` where there is one that is silent.
    """
    levels = range(len(policies.scps or ()) if is_bound(caller, "scp") else 0)
    # GetFederationToken without a session policy: implicit deny
    no_session = never if caller.kind == "federated" else always
    return Arranged(
        said.get(DENY, never),
        tuple(said.get(("scp", level), never) for level in levels),
        always if caller.kind == "root" else said.get(("identity", 0), never),
        always if policies.boundary is None else said.get(("boundary", 0), never),
        no_session if policies.session is None else said.get(("session", 0), never),
    )


# --- The reason ---


def _answer(rule: Rule, layers: Layers, found: Sequence[Found], asked: Asked) -> Decision:
    outcome = decide_layers(layers, rule)
    if outcome is Outcome.EXPLICIT_DENY:
        denying = [item for item in found if item.place == DENY and item.truth is TRUE]
        certain = any(not item.doubts for item in denying)
        return Decision(outcome, _refs(denying), (), () if certain else _doubts(denying), layers)
    settled = {item.place for item in found if item.truth is TRUE}
    telling = [item for item in found if item.truth is not UNKNOWN or item.place not in settled]
    doubtful = (item for item in telling if item.doubts and not _outweighed(item, found))
    doubts = resource_doubts(asked.action, asked.resource) + _doubts(doubtful)
    if outcome is Outcome.IMPLICIT_DENY:
        return Decision(outcome, (), (), doubts, layers)
    doubts += sharing_doubts(asked.action, asked.resource, asked.caller.account)
    opening = find_open(layers, rule) if outcome is Outcome.CONDITIONAL else ()
    possible = [item for item in telling if item.truth is UNKNOWN and _field(item) in opening]
    deciding = [item for item in telling if item.truth is TRUE or item in possible]
    opened = {str(condition): condition for item in possible for condition in list_open(item.applied, asked)}
    return Decision(outcome, _refs(deciding), tuple(opened.values()), doubts, layers)


def _field(item: Found) -> tuple[str, ...]:
    return ("grants", str(item.place[1])) if item.place[0] == "grants" else item.place[:1]


def _outweighed(item: Found, found: Sequence[Found]) -> bool:
    """Does another statement of the same place say the same or more, and for certain?"""
    return any(other.truth is TRUE and not other.doubts and other.place == item.place for other in found)


def _refs(found: Iterable[Found]) -> tuple[Applied, ...]:
    return tuple(item.applied for item in found)


def _doubts(found: Iterable[Found]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(doubt for item in found for doubt in item.doubts))
