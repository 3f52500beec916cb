"""principalmapper: its full local check, with groups, permissions boundary and SCPs."""

import collections
import collections.abc
from importlib.metadata import version
from typing import Any

from asking import Json, ask

# The last release (2022) imports these from where Python had them before 3.10.
collections.Mapping = collections.abc.Mapping  # type: ignore[attr-defined]
collections.MutableMapping = collections.abc.MutableMapping  # type: ignore[attr-defined]

from principalmapper.common import Group, Node, Policy  # noqa: E402
from principalmapper.querying.query_interface import local_check_authorization_full  # noqa: E402

ACTION = "ssm:SendCommand"
Caller = tuple[Node, list[list[Policy]]]


def prepare(principal: Json) -> Caller:
    groups = [Group(group["arn"], _read(group["arn"], group["policies"])) for group in principal["groups"]]
    boundary = _read(principal["arn"], principal["boundary"])
    node = Node(
        arn=principal["arn"],
        id_value="AIDAEXAMPLE",
        attached_policies=_read(principal["arn"], principal["own"]),
        group_memberships=groups,
        trust_policy=None,
        instance_profile=None,
        num_access_keys=0,
        active_password=False,
        is_admin=False,
        permissions_boundary=boundary[0] if boundary else None,
        has_mfa=True,
        tags=principal["tags"],
    )
    return node, [_read(principal["arn"], level) for level in principal["scps"]]


def _read(arn: str, policies: list[Json]) -> list[Policy]:
    return [Policy(arn, policy["name"], policy["document"]) for policy in policies]


def decide(caller: Caller, arn: str, keys: dict[str, Any]) -> bool:
    node, scps = caller
    return local_check_authorization_full(node, ACTION, arn, keys, service_control_policy_groups=scps)


ask(version("principalmapper"), prepare, decide)
