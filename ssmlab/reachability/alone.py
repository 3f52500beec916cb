"""A policy by itself: what somebody would reach who has no other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ssmlab.evaluation.requests import ContextValue
from ssmlab.reachability.questions import reach
from ssmlab.reachability.reach import Reach
from ssmlab.snapshots import Snapshot

SOMEBODY: Final = "somebody"
_ABOVE: Final = ("scp", "rcp")  # layers that bind whoever it is


def reach_alone(
    snapshot: Snapshot,
    document: Mapping[str, Any] | str,
    context: Mapping[str, ContextValue | None] | None = None,
    action: str = "ssm:SendCommand",
    name: str = "policy",
) -> Reach:
    """What a user `somebody` in each account reaches whose only policy is this one; those of the organization bind.

    Parameters
    ----------
    name
        What the policy is called in explanations.

    Raises
    ------
    PolicyError
        For a text that is no JSON object.

    Examples
    --------
    >>> import ssmlab
    >>> everything = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    >>> reach_alone(ssmlab.load("data/sample"), everything).summary()["nodes"].to_list()
    [37, 16]
    """
    places = snapshot.nodes.drop_duplicates("account").index.str.split(":")
    people = [f"arn:{parts[1]}:iam::{parts[4]}:user/{SOMEBODY}" for parts in places]
    others = snapshot.policies[snapshot.policies["layer"].isin(_ABOVE)]
    bare = snapshot.replace(principals=snapshot.principals.iloc[:0], policies=others)
    return reach(bare.with_policy(document, name=name, principal=people), action, context)
