"""The checklist of machines: what each has, lacks, or of which it is not known."""

import numpy as np
import pandas as pd
import pytest

import ssmlab
from ssmlab.commands.rights import decide_trust
from ssmlab.readiness import NO, NOT_KNOWN, YES, count_readiness, find_waiting, make_checklist

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/NodeRole"
PROFILE = f"arn:aws:iam::{ACCOUNT}:instance-profile/NodeRole"
CORE = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
WEB_1 = f"arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/i-0123456789abcdef0"


@pytest.fixture(scope="module")
def sample() -> ssmlab.Snapshot:
    return ssmlab.load("data/sample")


def with_nodes(snapshot: ssmlab.Snapshot, **columns: object) -> ssmlab.Snapshot:
    """The snapshot with web-1 only, some of its columns changed."""
    return snapshot.replace(nodes=snapshot.nodes.loc[[WEB_1]].astype(object).assign(**columns))


UNMANAGED = {"managed": False, "ping_status": None, "agent_version": None}


def step(snapshot: ssmlab.Snapshot, name: str, node: str = WEB_1) -> tuple[str, str]:
    found = next(step for step in make_checklist(snapshot).of(node) if step.name == name)
    return found.answer, found.why


def test_a_node_that_reports_with_the_core_policy_is_ready(sample: ssmlab.Snapshot) -> None:
    row = ssmlab.check_readiness(sample).loc[WEB_1]
    steps = ["ready", "agent", "permissions", "connection", "platform", "documents", "lacks"]
    assert row[steps].to_list() == [YES] * 6 + [""]


def test_a_stopped_instance_is_not_managed_and_lacks_being_started(sample: ssmlab.Snapshot) -> None:
    found = ssmlab.check_readiness(sample).set_index("name").loc["batch-1"]
    assert [found["ready"], found["agent"], found["permissions"], found["connection"]] == [NO, NOT_KNOWN, YES, NO]
    assert found["lacks"] == (
        "it is not a managed node; the instance is stopped; not known: whether SSM Agent is installed and running: an agent"
        " that never reported is not seen"
    )


CONNECTIONS = {
    "online": ({}, (YES, "its agent reports (Online)")),
    "lost": ({"ping_status": "ConnectionLost"}, (NO, "its agent has stopped reporting (ConnectionLost)")),
    "inactive": ({"ping_status": "Inactive"}, (NO, "its agent has stopped reporting (Inactive)")),
    "never seen": (UNMANAGED, (NOT_KNOWN, "whether it reaches the endpoints of Systems Manager")),
    "not collected": ({"ping_status": None}, (NOT_KNOWN, "whether it reaches the endpoints of Systems Manager")),
    "stopped": ({**UNMANAGED, "state": "stopped"}, (NO, "the instance is stopped")),
}


@pytest.mark.parametrize("case", CONNECTIONS)
def test_the_connection_follows_the_ping_status(sample: ssmlab.Snapshot, case: str) -> None:
    columns, wanted = CONNECTIONS[case]
    assert step(with_nodes(sample, **columns), "connection") == wanted


DEFAULT = "Default Host Management Configuration"
PERMISSIONS = {
    "role decided": ({}, (YES, "role/NodeRole may send the health signal and receive commands")),
    "profile without its role": (
        {**UNMANAGED, "instance_profile": PROFILE + "-2"},
        (NOT_KNOWN, "what instance-profile/NodeRole-2 may do: its role was not collected"),
    ),
    "profile without its role, but it reports": (
        {"instance_profile": PROFILE + "-2"},
        (YES, "it reports to Systems Manager, so it has them"),
    ),
    "no profile": (
        {**UNMANAGED, "instance_profile": None},
        (NOT_KNOWN, f"it has no instance profile; whether {DEFAULT} is on was not collected"),
    ),
    "no profile, yet managed": (
        {"instance_profile": None},
        (YES, f"it is managed without an instance profile, by {DEFAULT}"),
    ),
    "no profile, default host management is off": (
        {**UNMANAGED, "instance_profile": None, "default_role": ""},
        (NO, f"it has no instance profile, and {DEFAULT} is off there"),
    ),
    "no profile, off, yet it reports": (
        {"instance_profile": None, "default_role": ""},
        (NOT_KNOWN, f"it has no instance profile, and {DEFAULT} is off there; yet it reports: they have changed since"),
    ),
    "no profile, default host management by a role that was not collected": (
        {**UNMANAGED, "instance_profile": None, "default_role": "service-role/Default"},
        (
            NOT_KNOWN,
            f"it has no instance profile; {DEFAULT} is on there, and needs SSM Agent 3.2.582.0 or later and IMDSv2",
        ),
    ),
    "no profile, default host management by a role of EC2": (
        {**UNMANAGED, "instance_profile": None, "default_role": "NodeRole"},
        (
            NO,
            f"it has no instance profile, and {DEFAULT} does not help: role/NodeRole does not trust ssm.amazonaws.com",
        ),
    ),
    "instances were not described": (
        {**UNMANAGED, "instance_profile": None, "state": None},
        (NOT_KNOWN, "its instance profile was not collected"),
    ),
    "hybrid, its role unknown": (
        {"kind": "on-premises", "instance_profile": None, "ping_status": "ConnectionLost"},
        (NOT_KNOWN, "the service role of its activation was not collected"),
    ),
    "hybrid, a role that trusts EC2 only": (
        {"kind": "on-premises", "instance_profile": None, "iam_role": "NodeRole", "ping_status": "ConnectionLost"},
        (NO, "role/NodeRole does not trust ssm.amazonaws.com"),
    ),
}


@pytest.mark.parametrize("case", PERMISSIONS)
def test_permissions_are_those_of_the_role_as_far_as_it_is_known(sample: ssmlab.Snapshot, case: str) -> None:
    columns, wanted = PERMISSIONS[case]
    assert step(with_nodes(sample, **columns), "permissions") == wanted


def with_core(snapshot: ssmlab.Snapshot, *actions: str, resource: str = "*") -> ssmlab.Snapshot:
    """The lost web-1, whose role may call these actions and no others."""
    document = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": [*actions], "Resource": resource}}
    changed = with_nodes(snapshot, ping_status="ConnectionLost")
    policies = changed.policies.drop(index="arn:aws:iam::aws:policy/CloudWatchAgentServerPolicy")
    return changed.replace(policies=policies).with_policy(document, name=CORE)


RIGHTS = {
    "one channel is enough": (("ssm:UpdateInstanceInformation", "ssmmessages:*"), YES),
    "the older channel is enough": (("ssm:UpdateInstanceInformation", "ec2messages:*"), YES),
    "no health signal": (("ssmmessages:*",), NO),
    "no channel": (("ssm:*",), NO),
    "half a channel": (("ssm:*", "ssmmessages:Create*"), NO),
}


@pytest.mark.parametrize("case", RIGHTS)
def test_the_role_needs_the_health_signal_and_one_channel(sample: ssmlab.Snapshot, case: str) -> None:
    actions, wanted = RIGHTS[case]
    assert step(with_core(sample, *actions), "permissions")[0] == wanted


def test_what_the_role_may_not_call_is_named(sample: ssmlab.Snapshot) -> None:
    changed = with_core(sample, "ssmmessages:*")
    assert step(changed, "permissions") == (NO, "role/NodeRole may not call ssm:UpdateInstanceInformation")
    mend = next(step.mend for step in make_checklist(changed).of(WEB_1) if step.name == "permissions")
    assert mend == "Attach AmazonSSMManagedInstanceCore to role/NodeRole."


def test_a_deny_is_named_as_the_thing_to_change(sample: ssmlab.Snapshot) -> None:
    stop = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "ssm:Update*", "Resource": "*"}}
    lost = with_nodes(sample, ping_status="ConnectionLost").with_policy(stop, name="Stop", principal=ROLE)
    assert step(lost, "permissions") == (
        NO,
        "role/NodeRole may not call ssm:UpdateInstanceInformation: denied by policy Stop, statement 1",
    )
    seen = with_nodes(sample).with_policy(stop, name="Stop", principal=ROLE)
    assert step(seen, "permissions")[0] == NOT_KNOWN, "it reports, so something else gives it the right"


def test_a_role_whose_policy_was_not_collected_is_not_known(sample: ssmlab.Snapshot) -> None:
    policies = sample.policies.assign(document=sample.policies["document"].where(sample.policies.index != CORE))
    lost = with_nodes(sample, ping_status="ConnectionLost").replace(policies=policies)
    assert step(lost, "permissions")[0] == NOT_KNOWN


def test_a_policy_that_names_instances_is_asked_for_each(sample: ssmlab.Snapshot) -> None:
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "ssm:UpdateInstanceInformation", "Resource": WEB_1},
            {"Effect": "Allow", "Action": "ssmmessages:*", "Resource": "*"},
        ],
    }
    own = (sample.nodes["instance_profile"] == PROFILE) & (sample.nodes["ping_status"] == "Online")
    nodes = sample.nodes[own].assign(ping_status="ConnectionLost")
    policies = sample.policies.drop(index="arn:aws:iam::aws:policy/CloudWatchAgentServerPolicy")
    changed = sample.replace(nodes=nodes, policies=policies).with_policy(document, name=CORE)
    found = ssmlab.check_readiness(changed)["permissions"]
    assert found[WEB_1] == YES
    assert {*found.drop(index=WEB_1)} == {NO}


def test_default_host_management_is_known_to_be_on_where_others_are_managed_by_it(sample: ssmlab.Snapshot) -> None:
    own = sample.nodes[(sample.nodes["region"] == "eu-west-1") & (sample.nodes["account"] == ACCOUNT)]
    bare = sample.replace(nodes=own.assign(instance_profile=None))
    waiting = own.index[own["name"] == "legacy-1"][0]
    assert step(bare, "permissions", waiting) == (
        NOT_KNOWN,
        f"it has no instance profile; {DEFAULT} is on there, and needs SSM Agent 3.2.582.0 or later and IMDSv2",
    )


def test_documents_must_fit_the_platform(sample: ssmlab.Snapshot) -> None:
    linux = sample.replace(documents=sample.documents[sample.documents["name"] == "AWS-RunShellScript"])
    assert step(with_nodes(linux, platform="Windows"), "documents") == (
        NO,
        "no Command document of its Region is for Windows",
    )
    none = sample.replace(documents=sample.documents.iloc[:0])
    assert step(none, "documents") == (NOT_KNOWN, "which documents fit: the documents of its Region were not collected")
    assert step(with_nodes(sample, platform=None), "platform") == (NOT_KNOWN, "its platform was not collected")


def test_an_inventory_csv_alone_lacks_nothing_for_certain(tmp_path) -> None:
    (tmp_path / "inventory.csv").write_text("node_id,account,region\ni-0123456789abcdef0,123456789012,eu-west-1\n")
    found = ssmlab.check_readiness(ssmlab.load(tmp_path / "inventory.csv"))
    assert found["ready"].to_list() == [NOT_KNOWN]
    assert found[["agent", "permissions", "connection"]].iloc[0].to_list() == [YES, NOT_KNOWN, NOT_KNOWN]


def test_no_machines_are_no_rows(sample: ssmlab.Snapshot) -> None:
    found = ssmlab.check_readiness(sample.replace(nodes=sample.nodes.iloc[:0]))
    assert found.empty
    assert count_readiness(found).empty


def test_machines_are_counted_by_account_and_region(sample: ssmlab.Snapshot) -> None:
    counted = count_readiness(ssmlab.check_readiness(sample))
    assert counted[["machines", "managed", "ready", "not ready", "not known"]].sum().to_list() == [60, 53, 47, 13, 0]
    assert counted.loc[0, ["account", "region", "machines", "no connection"]].to_list() == [ACCOUNT, "eu-west-1", 29, 5]


def test_who_waits_are_those_whom_reach_allows_on_machines_that_are_not_managed(sample: ssmlab.Snapshot) -> None:
    reach = ssmlab.reach(sample)
    waiting = find_waiting(reach)
    unmanaged = sample.nodes.index[~sample.nodes["managed"].astype(bool)]
    wanted = pd.concat([reach.who_can(node=node).assign(node=node) for node in unmanaged])
    sizes = wanted.groupby(["principal", "outcome"], observed=True).size()
    pd.testing.assert_series_equal(
        waiting.set_index(["principal", "outcome"])["machines"].sort_index(), sizes.sort_index(), check_names=False,
        check_index_type=False, check_dtype=False,
    )  # fmt: skip
    assert find_waiting(reach, np.flatnonzero(sample.nodes["managed"].astype(bool))).empty


@pytest.mark.parametrize(
    ("partition", "trusted", "expected"),
    [
        ("aws", "ec2.amazonaws.com", "allowed"),
        ("aws", "ec2.amazonaws.com.cn", "implicitDeny"),
        ("aws-cn", "ec2.amazonaws.com", "allowed"),
        ("aws-cn", "ec2.amazonaws.com.cn", "allowed"),
        ("aws-cn", "ssm.amazonaws.com", "implicitDeny"),
    ],
)
def test_in_china_a_role_may_trust_either_name_of_a_service(
    sample: ssmlab.Snapshot, partition: str, trusted: str, expected: str
) -> None:
    allow = {"Effect": "Allow", "Principal": {"Service": trusted}, "Action": "sts:AssumeRole"}
    role = f"arn:{partition}:iam::123456789012:role/Node"
    people = sample.principals[sample.principals["kind"] == "role"].iloc[:1].copy()
    people.index = pd.Index([role], name="arn")
    people["trust"] = pd.Series([{"Version": "2012-10-17", "Statement": [allow]}], index=people.index, dtype=object)
    decision = decide_trust(sample.replace(principals=people), role, "ec2.amazonaws.com")
    assert decision is not None
    assert decision.outcome == expected
