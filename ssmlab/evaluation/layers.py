"""The order of layers, on one truth a layer.

Sources: IAM User Guide, `reference_policies_evaluation-logic` and its cross-account page, `access_policies_boundaries`;
recorded answers of September 2026 for session policies.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from ssmlab.truth import FALSE, TRUE, Truth


class Outcome(StrEnum):
    """The answer to one request, in the words of AWS's policy simulator; `CONDITIONAL` where it depends on what is
    not known.
    """

    EXPLICIT_DENY = "explicitDeny"
    IMPLICIT_DENY = "implicitDeny"
    CONDITIONAL = "conditional"
    ALLOWED = "allowed"


BINDING_CAPS: Final[dict[str, tuple[str, ...]]] = {
    # what the resource policy's Principal names -> layers that must allow too, in the resource's own account
    "user": (),
    "session": (),
    "role": ("boundary", "session"),
    "account": ("identity", "boundary", "session"),
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


def decide_layers(layers: Layers, *, cross_account: bool = False, resource_must_allow: bool = False) -> Outcome:
    """The order of layers: explicit deny anywhere, then SCP, then identity or resource policy within boundary and
    session.

    Parameters
    ----------
    cross_account
        Both the caller's account and the resource's must allow.
    resource_must_allow
        Role trust policies and KMS key policies: identity alone is not enough in the same account either.
    """
    own = min(layers.identity, layers.boundary, layers.session)
    shared = max((truth for _, truth in layers.grants), default=FALSE)
    overriding = max((min(truth, *_caps(layers, named)) for named, truth in layers.grants), default=FALSE)
    if layers.deny is TRUE:
        return Outcome.EXPLICIT_DENY
    in_account = overriding if resource_must_allow else max(own, overriding)
    granted = min(own, shared) if cross_account else in_account
    allowed = min(layers.scp, granted)
    if allowed is FALSE:
        return Outcome.IMPLICIT_DENY
    return Outcome.ALLOWED if allowed is TRUE and layers.deny is FALSE else Outcome.CONDITIONAL


def _caps(layers: Layers, named: str) -> tuple[Truth, ...]:
    return (TRUE, *(getattr(layers, layer) for layer in BINDING_CAPS[named]))
