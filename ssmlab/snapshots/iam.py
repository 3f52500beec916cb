"""Principals and policies: what IAM told of an account, as rows.

Sources: shape of `iam get-account-authorization-details`; IAM User Guide, `access_policies_boundaries`, `id_groups`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pandas as pd

from ssmlab.patterns import split_arn
from ssmlab.snapshots.bodies import to_json, to_object
from ssmlab.snapshots.files import Call, Folder, Spot, show
from ssmlab.snapshots.schema import Tags, frame_rows, listed
from ssmlab.snapshots.tags import read_tags

AS_BOUNDARY: Final = " (boundary)"
_DETAILS: Final = "get-account-authorization-details"
_MANAGED: Final = Call("Policies", "Arn", {"PolicyVersionList": "a list"})
_GROUPS: Final = Call("GroupDetailList", "Arn", {"GroupName": "a text"})
_USERS, _ROLES = Call("UserDetailList", "Arn"), Call("RoleDetailList", "Arn")
_INLINE: Final = ("GroupPolicyList", "UserPolicyList", "RolePolicyList")
_IDENTITY: Final = re.compile(r"(user|role)(/|/.*/)([^/]+)")
Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """A policy and what it is attached to; `document` None: not collected."""

    name: str
    layer: str = "identity"
    account: str = ""
    attached_to: tuple[str, ...] = ()
    document: Any = None
    file: str = ""
    where: str = "$"


@dataclass(slots=True)
class PrincipalRow:
    """A user, role or account root; `tags` None: not collected."""

    name: str
    kind: str
    account: str
    path: str = "/"
    groups: tuple[str, ...] = ()
    boundary: str | None = None
    trust: Item | None = None
    instance_profiles: tuple[str, ...] = ()
    tags: Tags | None = field(default_factory=dict)


def read_identity(arn: str) -> PrincipalRow | None:
    """What the ARN of a user or role says; None for any other text.

    >>> read_identity("arn:aws:iam::123456789012:role/web/WebOps").path
    '/web/'
    """
    parts = split_arn(arn)
    match = _IDENTITY.fullmatch(parts[5]) if parts and parts[2:4] == ("iam", "") else None
    return PrincipalRow(match[3], match[1], parts[4], match[2], tags=None) if parts and match else None


class AccessRows:
    """The principals and policies of any number of accounts, by ARN and by policy id."""

    def __init__(self, folder: Folder) -> None:
        self._folder, self._problems = folder, folder.problems
        self.policies: dict[str, PolicyRow] = {}
        self.principals: dict[str, PrincipalRow] = {}

    def add(self, account: str) -> None:
        """Add what IAM told of an account."""
        pages = self._folder.read(f"{account}/{_DETAILS}", exact=True)
        if not pages.complete:
            what = f"not collected as a whole: principals of `{account}`, and what they may do, are missing"
            self._problems.warning(Spot(f"{account}/{_DETAILS}.json"), what)
        managed, groups, *callers = (self._folder.records(call, pages) for call in (_MANAGED, _GROUPS, _USERS, _ROLES))
        for arn, item, spot in managed.rows():
            self._add_managed(arn, item, spot)
        for arn, item, spot in groups.rows():
            self._attach_all(arn, item, spot)
        names = {item.get("GroupName", ""): arn for arn, item in groups.items.items()}
        for found in callers:
            for arn, item, spot in found.rows():
                self._add_principal(arn, item, names, spot)

    def attach(
        self, policy: str, spot: Spot, *targets: str, document: Any = None, layer: str = "identity", name: str = ""
    ) -> None:
        """Add a policy, attached to what it is attached to. Of several documents the first is kept.

        Every account tells of AWS managed ones.
        """
        row = PolicyRow(name or policy.rpartition("/")[2], layer, account_of(policy), targets, document, *spot)
        kept = self.policies.get(policy, row)
        if kept.document is not None and document is not None and to_json(kept.document) != to_json(document):
            got = f"another of `{policy}`; kept is {kept.file} {kept.where}"
            self._problems.error(spot, "one document a policy", got)
        attached_to = tuple(dict.fromkeys((*kept.attached_to, *targets)))
        chosen = row if kept.document is None and document is not None else kept
        self.policies[policy] = replace(chosen, attached_to=attached_to)

    def finish(self, accounts: Iterable[str], partitions: Mapping[str, str]) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The frames of principals and policies, with a root row an account."""
        known = {row.account: arn.split(":")[1] for arn, row in self.principals.items()}
        for account in sorted({*accounts, *known}):
            partition = known.get(account) or partitions.get(account, "aws")
            self.principals[f"arn:{partition}:iam::{account}:root"] = PrincipalRow("root", "root", account)
        for arn, principal in self.principals.items():
            self._attach_boundary(arn, principal)
        for policy, row in self.policies.items():
            if row.document is None:
                what = f"not collected: the document of `{policy}`; what it allows and denies is unknown"
                self._problems.warning(Spot(row.file, row.where), what)
        if gaps := [row.name for row in self.principals.values() if row.tags is None]:
            self._problems.warning(Spot(""), f"not collected: the tags of principals {listed(gaps)}")
        return frame_rows("principals", self.principals), frame_rows("policies", self.policies)

    def _add_managed(self, arn: str, item: Item, spot: Spot) -> None:
        document, place = None, spot
        for number, version in enumerate(item.get("PolicyVersionList") or ()):
            if isinstance(version, dict) and _is_default(version, item):
                document, place = version.get("Document"), spot.below(f".PolicyVersionList[{number}].Document")
        self.attach(arn, place, document=to_object(document))

    def _attach_all(self, arn: str, item: Item, spot: Spot) -> None:
        """Attach the inline and managed policies of a user, group or role."""
        for inline in _INLINE:
            for name, element, place in self._named(arn, item, spot, inline, "PolicyName"):
                document = to_object(element.get("PolicyDocument"))
                self.attach(f"{arn}/{name}", place.below(".PolicyDocument"), arn, document=document, name=name)
        for policy, _, place in self._named(arn, item, spot, "AttachedManagedPolicies", "PolicyArn"):
            self.attach(policy, place, arn)

    def _named(self, arn: str, item: Item, spot: Spot, name: str, *keys: str) -> Iterator[tuple[str, Any, Spot]]:
        """The elements of a list, by a text in them. One that cannot be read may mean any policy: not collected."""
        elements = item.get(name, [])
        for number, element in enumerate(elements if isinstance(elements, list) else [elements]):
            place = spot.below(f".{name}[{number}]")
            if found := self._problems.text(place, element, *keys):
                yield found, element, place
            else:
                self.attach(f"{arn}: {name}[{number}]", place, arn, name=name)

    def _add_principal(self, arn: str, item: Item, groups: Mapping[str, str], spot: Spot) -> None:
        row = read_identity(arn)
        if row is None:
            self._problems.error(spot.below(".Arn"), "the ARN of a user or role", show(arn))
            return
        self.principals[arn] = row
        self._attach_all(arn, item, spot)
        found = self._named(arn, item, spot, "GroupList")
        row.groups = tuple(groups.get(name) or self._add_group(arn, name, place) for name, _, place in found)
        profiles = self._named(arn, item, spot, "InstanceProfileList", "Arn")
        row.instance_profiles = tuple(profile for profile, *_ in profiles)
        row.tags = read_tags(item.get("Tags", []), spot.below(".Tags"), self._problems)
        trust = to_object(item.get("AssumeRolePolicyDocument"))
        row.trust = trust if isinstance(trust, dict) else None
        if (boundary := item.get("PermissionsBoundary")) is not None:
            policy = self._problems.text(spot.below(".PermissionsBoundary"), boundary, "PermissionsBoundaryArn")
            row.boundary = policy or f"{arn}: PermissionsBoundary"

    def _add_group(self, user: str, name: str, spot: Spot) -> str:
        """A group that was not collected: its ARN as far as it is known, and one policy that stands for all of its."""
        group = f"{user.partition(':user/')[0]}:group/{name}"
        self.attach(f"{group}: policies", spot, group)
        return group

    def _attach_boundary(self, arn: str, principal: PrincipalRow) -> None:
        """A policy that is used both ways has two rows; the second one's id ends in ` (boundary)`."""
        if principal.boundary is None:
            return
        policy = principal.boundary
        row = self.policies.get(policy)
        if row and row.layer == "identity" and row.attached_to:
            policy += AS_BOUNDARY
            self.policies.setdefault(policy, replace(row, attached_to=()))
        self.attach(policy, Spot(f"{principal.account}/{_DETAILS}.json"), arn)
        self.policies[policy] = replace(self.policies[policy], layer="boundary")


def _is_default(version: Item, policy: Item) -> bool:
    return version.get("IsDefaultVersion") is True or version.get("VersionId", "") == policy.get("DefaultVersionId")


def account_of(arn: str) -> str:
    """The account in an ARN; empty for any other text."""
    return arn.split(":")[4] if arn.count(":") >= 5 else ""
