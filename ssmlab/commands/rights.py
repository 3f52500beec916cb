"""What a principal of a snapshot may do beside SendCommand, decided one by one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from ssmlab.evaluation import Decision, PolicySet, Request, decide, evaluate, name_service
from ssmlab.evaluation.requests import ContextValue
from ssmlab.reachability.callers import read_principals, recall_people
from ssmlab.reachability.fleets import OUTCOMES
from ssmlab.reachability.names import find_principal
from ssmlab.snapshots import Snapshot

Context = Mapping[str, ContextValue | None]


def decide_right(snapshot: Snapshot, principal: str, action: str, resource: str, context: Context) -> Decision:
    """One decision for a principal, in its own account; keys that neither it nor the context gives are not known."""
    person, account = recall_people(snapshot)[find_principal(snapshot, principal)], principal.split(":")[4]
    person = replace(person, keys={"aws:resourceaccount": account, **person.keys})
    (asked,) = read_principals([person], None, "", context)
    return decide(asked.caller, action, resource, account, asked.lookup, asked.policies)


def decide_trust(
    snapshot: Snapshot, role: str, service: str, context: Context | None = None, unknown: Sequence[str] = ()
) -> Decision | None:
    """May a service assume a role, by any of its names? None: the trust policy was not collected. Keys that are not
    given are absent.
    """
    trust = snapshot.principals["trust"].get(role)
    if trust is None:
        return None
    given = {key: value for key, value in (context or {}).items() if value is not None}
    asked = (
        Request(n, "sts:AssumeRole", role, given, unknown=unknown) for n in name_service(service, role.split(":")[1])
    )
    return max((evaluate(one, PolicySet(resource=trust)) for one in asked), key=lambda d: OUTCOMES.index(d.outcome))


def find_node_roles(snapshot: Snapshot, nodes: pd.DataFrame) -> dict[str, str | None]:
    """The role that each of these nodes acts as, by ARN; None: not known, or managed without one of its own."""
    roles = snapshot.principals[snapshot.principals["kind"] == "role"]
    found = {profile: str(arn) for arn, own in roles["instance_profiles"].items() for profile in own or ()}
    for arn in map(str, roles.index):  # of hybrid nodes: path and name
        account, path = arn.split(":")[4], arn.partition(":role/")[2]
        found |= dict.fromkeys((f"{account}/{path}", f"{account}/{path.rpartition('/')[2]}"), arn)
    profiles, names = nodes["instance_profile"].astype("object"), nodes["iam_role"].astype("str")
    named = zip(nodes.index, profiles, nodes["account"].astype("str") + "/" + names, strict=True)
    return {str(node): found.get(profile) or found.get(name) for node, profile, name in named}
