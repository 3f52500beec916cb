"""The order of layers, on one truth a layer.

Sources: IAM User Guide, `reference_policies_evaluation-logic` and its cross-account page, `access_policies_boundaries`;
recorded answers of September 2026 for session policies.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from itertools import product
from typing import Final, NamedTuple

from ssmlab.truth import FALSE, TRUE, UNKNOWN, Truth


class Outcome(StrEnum):
    """The answer to one request, in the words of AWS's policy simulator; `CONDITIONAL` where it depends on what is
    not known.
    """

    EXPLICIT_DENY = "explicitDeny"
    IMPLICIT_DENY = "implicitDeny"
    CONDITIONAL = "conditional"
    ALLOWED = "allowed"


BINDING_CAPS: Final[dict[str, tuple[str, ...]]] = {
    # what the resource policy's Principal names -> layers of the caller that must allow too, in the resource's own
    # account [reference_policies_evaluation-logic; recorded for roles and sessions]
    "user": (),
    "session": (),  # of a role, or of a federated user
    "role": ("boundary", "session"),
    "account": ("identity", "boundary", "session"),  # the account may then allow its own
    "service": (),
    "any": (),
}


class Layers(NamedTuple):
    """One truth a layer: is there a Deny anywhere; does each layer allow. `grants`: the resource policy, by what its
    Principal names.
    """

    deny: Truth
    scp: Truth = TRUE
    identity: Truth = FALSE
    boundary: Truth = TRUE
    session: Truth = TRUE
    grants: tuple[tuple[str, Truth], ...] = ()


class Rule(NamedTuple):
    """What a call needs beside the common order.

    Attributes
    ----------
    cross_account
        Both the caller's account and the resource's must allow. [reference_policies_evaluation-logic-cross-account]
    resource_must_allow
        Role trust policies and KMS key policies: identity alone is not enough in the same account either.
    is_shared
        Across accounts the owner has shared it, and its policy says nothing: a document. [ssm-share-documents]
    """

    cross_account: bool = False
    resource_must_allow: bool = False
    is_shared: bool = False


IN_ACCOUNT: Final = Rule()


def decide_layers(layers: Layers, rule: Rule = IN_ACCOUNT) -> Outcome:
    """The order of layers. [reference_policies_evaluation-logic]"""
    if layers.deny is TRUE:  # an explicit deny anywhere, RCPs included, beats everything
        return Outcome.EXPLICIT_DENY
    own = min(layers.identity, layers.boundary, layers.session)  # boundary and session only take away
    named = TRUE if rule.is_shared else max((truth for _, truth in layers.grants), default=FALSE)
    alone = max((min(truth, *_caps(layers, name)) for name, truth in layers.grants), default=FALSE)
    in_account = alone if rule.resource_must_allow else max(own, alone)
    granted = min(own, named) if rule.cross_account else in_account
    allowed = min(layers.scp, granted)  # SCPs bind whoever grants
    if allowed is FALSE:
        return Outcome.IMPLICIT_DENY
    return Outcome.ALLOWED if allowed is TRUE and layers.deny is FALSE else Outcome.CONDITIONAL


def _caps(layers: Layers, named: str) -> tuple[Truth, ...]:
    return (TRUE, *(getattr(layers, layer) for layer in BINDING_CAPS[named]))


def find_open(layers: Layers, rule: Rule) -> frozenset[tuple[str, ...]]:
    """The unknown fields that can change the outcome, in some case of the others: `("deny",)`, `("grants", "role")`."""
    places: list[tuple[str, ...]] = [(field,) for field in Layers._fields[:-1] if getattr(layers, field) is UNKNOWN]
    places += [("grants", named) for named, truth in layers.grants if truth is UNKNOWN]
    outcomes = {
        settled: decide_layers(_settle(layers, dict(zip(places, settled, strict=True))), rule)
        for settled in product((FALSE, TRUE), repeat=len(places))
    }
    return frozenset(
        place
        for number, place in enumerate(places)
        if any(outcomes[s] is not outcomes[*s[:number], TRUE, *s[number + 1 :]] for s in outcomes if s[number] is FALSE)
    )


def _settle(layers: Layers, settled: Mapping[tuple[str, ...], Truth]) -> Layers:
    fields = {place[0]: truth for place, truth in settled.items() if len(place) == 1}
    grants = tuple((named, settled.get(("grants", named), truth)) for named, truth in layers.grants)
    return layers._replace(**fields, grants=grants)
