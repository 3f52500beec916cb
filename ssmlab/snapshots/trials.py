"""A policy on trial: whom it binds, and a snapshot of only those, in which it is tried at once in a large one too."""

from collections.abc import Sequence
from typing import Final

from ssmlab.policies import Policy
from ssmlab.snapshots.bodies import to_json
from ssmlab.snapshots.changes import put_principals
from ssmlab.snapshots.iam import AS_BOUNDARY
from ssmlab.snapshots.snapshot import Attached, Snapshot

_NEW: Final = "arn:{}:iam::{}:user/new-user"


def write_policy(snapshot: Snapshot, policy: str) -> str:
    """The document of a policy as indented JSON text, with what AWS refuses in it, such as a key that stands twice."""
    return to_json(snapshot.policies["document"].loc[policy], "\n")


def list_holders(snapshot: Snapshot, policy: str) -> list[str]:
    """The ARNs of the principals that a policy binds, in any layer.

    Examples
    --------
    >>> import ssmlab
    >>> list_holders(ssmlab.load("data/sample"), "arn:aws:iam::123456789012:policy/Operator-Patching")
    ['arn:aws:iam::123456789012:user/op-ana', 'arn:aws:iam::123456789012:user/op-ben']
    """
    names = {policy, policy + AS_BOUNDARY}
    every = ((str(arn), _binding(snapshot.attached(arn))) for arn in snapshot.principals.index)
    return [arn for arn, policies in every if not names.isdisjoint(bound.name for bound in policies)]


def detach(snapshot: Snapshot, policy: str, principals: Sequence[str]) -> Snapshot:
    """The snapshot in which these principals hold an identity policy or a boundary no more, nor by a group."""
    holders = {str(arn): snapshot.attached(str(arn)) for arn in snapshot.principals.index if arn not in principals}
    held = tuple(arn for arn, of in holders.items() if policy in [bound.name for bound in of.identity])
    policies = snapshot.policies.copy()
    policies["attached_to"] = [held if name == policy else to for name, to in policies["attached_to"].items()]
    boundary = snapshot.principals["boundary"]
    is_taken = (boundary == policy.removesuffix(AS_BOUNDARY)) & boundary.index.isin(principals)
    people = snapshot.principals.assign(boundary=boundary.mask(is_taken, None))
    return snapshot.replace(policies=policies, principals=people)


def _binding(attached: Attached) -> list[Policy]:
    levels = [*(attached.scps or ()), *(attached.rcps or ())]
    return [*attached.identity, *(attached.boundary or ()), *(policy for level in levels for policy in level)]


def new_user(snapshot: Snapshot) -> str:
    """The ARN of a user that has no policies yet, in the account with most nodes."""
    arns = [*snapshot.nodes.index[:1], *snapshot.principals.index[:1], "arn:aws:iam::111122223333:user/x"]
    accounts = snapshot.nodes["account"].value_counts()
    return _NEW.format(arns[0].split(":")[1], accounts.index[0] if len(accounts) else arns[0].split(":")[4])


def narrow(snapshot: Snapshot, principals: Sequence[str]) -> Snapshot:
    """The snapshot with these principals only; one that is missing is added, with no policies and no tags."""
    frame = put_principals(snapshot.principals, principals)
    frame = frame.assign(tags_known=frame["tags_known"] | ~frame.index.isin(snapshot.principals.index))
    return snapshot.replace(principals=frame.loc[[*principals]])
