"""What differs between two reaches and why; witnesses of what differs between two policies."""

from itertools import pairwise

import pandas as pd
import pytest

import ssmlab
from ssmlab.reachability import find_causes, find_witnesses

WEB_OPS = "arn:aws:iam::123456789012:user/web-ops"
AUDITOR = "arn:aws:iam::123456789012:user/auditor"
NODE = "i-0123456789abcdef0"
SEND = {"Effect": "Allow", "Action": "ssm:SendCommand"}


def policy(*statements: dict) -> dict:
    return {"Version": "2012-10-17", "Statement": [*statements]}


STOP = policy({"Effect": "Deny", "Action": "ssm:SendCommand", "Resource": "*"})
NEW = policy(
    {**SEND, "Resource": "*", "Condition": {"StringEquals": {"ssm:resourceTag/New": "x"}}},
    {**SEND, "Resource": "arn:aws:ssm:*:*:document/*"},
)


@pytest.fixture(scope="module")
def snapshot() -> ssmlab.Snapshot:
    """The sample without the nodes whose tags were not collected: on these everything may depend."""
    loaded = ssmlab.load("data/sample")
    return loaded.replace(nodes=loaded.nodes[loaded.nodes["tags_known"]])


def causes(before: ssmlab.Snapshot, after: ssmlab.Snapshot, **context: str) -> dict[str, set[tuple[str, str]]]:
    """Principals by name, and what they gain or lose for which cause."""
    found = find_causes(ssmlab.reach(before), ssmlab.reach(after, context=context.get("context")))
    rows = found[["principal", "change", "cause"]].drop_duplicates()
    return {
        who.rpartition("/")[2]: {*part[["change", "cause"]].itertuples(index=False, name=None)}
        for who, part in rows.groupby("principal")
    }


def test_a_tag_a_policy_a_boundary_and_an_scp_are_told_apart(snapshot: ssmlab.Snapshot) -> None:
    tagged = snapshot.with_tags(NODE, {"Finance": "Ledger"})
    assert causes(snapshot, tagged)["web-ops"] == {("lost", "node tags")}
    for layer, target, cause in (
        ("identity", WEB_OPS, "policy"),
        ("boundary", WEB_OPS, "boundary"),
        ("scp", "123456789012", "SCP"),
    ):
        changed = snapshot.with_policy(STOP, name="stop", principal=target, layer=layer)
        assert causes(snapshot, changed)["web-ops"] == {("lost", cause)}, layer


def test_each_change_is_the_cause_of_its_own_rows(snapshot: ssmlab.Snapshot) -> None:
    changed = snapshot.with_tags(NODE, {"Team": "red"}).with_policy(STOP, name="stop", principal=AUDITOR)
    changed = changed.with_policy(NEW, name="stop-2", principal=WEB_OPS)
    found = causes(snapshot, changed)
    assert found["team-red"] == {("gained", "node tags")}
    assert "web-ops" not in found


def test_changes_that_only_act_together_are_told_as_such(snapshot: ssmlab.Snapshot) -> None:
    changed = snapshot.with_tags(NODE, {"New": "x"}).with_policy(NEW, name="new", principal=AUDITOR)
    assert causes(snapshot, changed)["auditor"] == {("gained", "several together")}


def test_changes_of_which_each_suffices_are_joined_by_or(snapshot: ssmlab.Snapshot) -> None:
    nodes = snapshot.nodes.index
    changed = snapshot.with_policy(STOP, name="stop", principal=WEB_OPS)
    changed = changed.with_tags(nodes, {"Finance": None, "finance": None})  # the policy reads keys in any case
    assert causes(snapshot, changed)["web-ops"] == {("lost", "policy or node tags")}


def named(before: ssmlab.Snapshot, after: ssmlab.Snapshot) -> dict[str, set[str]]:
    """Principals by name, and the policies and tags by which they gain or lose."""
    found = find_causes(ssmlab.reach(before), ssmlab.reach(after))
    return {who.rpartition("/")[2]: {*part["named"]} for who, part in found.groupby("principal")}


def test_a_cause_has_the_name_of_the_policy_or_of_the_tag(snapshot: ssmlab.Snapshot) -> None:
    assert named(snapshot, snapshot.with_tags(NODE, {"Finance": "Ledger"}))["web-ops"] == {"node tag Finance"}
    for layer, target, words in (
        ("identity", WEB_OPS, "policy stop"),
        ("boundary", WEB_OPS, "boundary stop"),
        ("scp", "123456789012", "SCP stop"),
    ):
        changed = snapshot.with_policy(STOP, name="stop", principal=target, layer=layer)
        assert named(snapshot, changed)["web-ops"] == {words}, layer


def test_of_several_policies_and_tags_each_has_the_name_that_alone_suffices(snapshot: ssmlab.Snapshot) -> None:
    changed = snapshot.with_policy(STOP, name="stop", principal=AUDITOR)
    changed = changed.with_policy(STOP, name="stop-web", principal=WEB_OPS)
    changed = changed.with_tags(NODE, {"Team": "red", "Other": "x"})
    found = named(snapshot, changed)
    assert (found["web-ops"], found["team-red"]) == ({"policy stop-web"}, {"node tag Team"})


def test_policies_that_only_act_together_are_named_together(snapshot: ssmlab.Snapshot) -> None:
    first, second = (policy(statement) for statement in NEW["Statement"])
    tagged = snapshot.with_tags(NODE, {"New": "x"})
    changed = tagged.with_policy(first, name="nodes", principal=AUDITOR)
    changed = changed.with_policy(second, name="documents", principal=AUDITOR)
    assert named(tagged, changed)["auditor"] == {"policy nodes with policy documents"}
    both = changed.with_policy(NEW, name="all", principal=AUDITOR)
    assert named(tagged, both)["auditor"] == {"policy all"}


def test_where_very_many_changed_or_something_else_there_is_no_name(snapshot: ssmlab.Snapshot) -> None:
    changed = snapshot
    for number in range(13):
        changed = changed.with_policy(STOP, name=f"stop-{number}", principal=WEB_OPS)
    assert named(snapshot, changed)["web-ops"] == {"policy"}
    groups = snapshot.principals["groups"].map(lambda _: ())
    moved = snapshot.replace(principals=snapshot.principals.assign(groups=groups))
    assert {*named(snapshot, moved)["op-ana"]} == {"policy"}


def test_another_boundary_is_named_and_so_are_tags_of_principals_and_sharing(snapshot: ssmlab.Snapshot) -> None:
    bound = snapshot.with_policy(STOP, name="first", principal=WEB_OPS, layer="boundary")
    opened = bound.with_policy(policy({**SEND, "Resource": "*"}), name="second", principal=WEB_OPS, layer="boundary")
    assert named(bound, opened)["web-ops"] == {"boundary second"}
    documents = snapshot.documents.assign(shared_with=[()] * len(snapshot.documents))
    assert named(snapshot, snapshot.replace(documents=documents))["borrower"] == {"document sharing"}
    principals = snapshot.principals.assign(**{"tag:Team": snapshot.principals["tag:Team"].astype(object)})
    principals.loc["arn:aws:iam::123456789012:user/team-red", "tag:Team"] = "blue"
    assert named(snapshot, snapshot.replace(principals=principals))["team-red"] == {"principal tag Team"}


def test_what_is_on_one_side_only_is_named(snapshot: ssmlab.Snapshot) -> None:
    smaller = snapshot.replace(
        nodes=snapshot.nodes.drop(index=snapshot.nodes.index[0]),
        principals=snapshot.principals.drop(index=AUDITOR),
        documents=snapshot.documents[snapshot.documents["name"] != "AWS-RunPatchBaseline"],
    )
    assert causes(snapshot, smaller)["web-ops"] == {
        ("lost", "node removed"),
        ("lost", "document removed"),
        ("lost", "node removed and document removed"),
    }
    assert causes(smaller, snapshot)["web-ops"] == {
        ("gained", "node added"),
        ("gained", "document added"),
        ("gained", "node added and document added"),
    }


def test_another_request_is_a_cause(snapshot: ssmlab.Snapshot) -> None:
    found = causes(snapshot, snapshot, context={"aws:MultiFactorAuthPresent": "true"})
    assert found["OnCall"] == {("gained", "request")}


def test_tags_of_principals_and_sharing_of_documents_are_causes(snapshot: ssmlab.Snapshot) -> None:
    principals = snapshot.principals.assign(**{"tag:Team": snapshot.principals["tag:Team"].astype(object)})
    principals.loc["arn:aws:iam::123456789012:user/team-red", "tag:Team"] = "blue"
    documents = snapshot.documents.assign(shared_with=[()] * len(snapshot.documents))
    found = causes(snapshot, snapshot.replace(principals=principals, documents=documents))
    assert found["team-red"] == {("gained", "principal tags"), ("lost", "principal tags")}
    assert found["borrower"] == {("lost", "document tags or sharing")}


def test_nothing_differs_between_a_snapshot_and_itself(snapshot: ssmlab.Snapshot) -> None:
    reach = ssmlab.reach(snapshot)
    assert find_causes(reach, reach).empty
    assert find_causes(reach, ssmlab.reach(snapshot.replace(nodes=snapshot.nodes.copy()))).empty


def test_the_rows_are_those_of_compare(snapshot: ssmlab.Snapshot) -> None:
    changed = snapshot.with_tags(NODE, {"Finance": "Ledger"}).with_policy(STOP, name="stop", principal=WEB_OPS)
    before, after = ssmlab.reach(snapshot), ssmlab.reach(changed)
    found, plain = find_causes(before, after), before.compare(after)
    reached = plain[(plain[["before", "after"]] >= "conditional").any(axis=1)]
    pairs = (frame.groupby(["principal", "document"])["count"].sum() for frame in (found, reached))
    pd.testing.assert_series_equal(*pairs)


def allow(resource: str = "*", **condition: dict) -> dict:
    return {**SEND, "Resource": resource, **({"Condition": condition} if condition else {})}


ENV = "ssm:resourceTag/Env"
DOCUMENTS = "arn:aws:ssm:*:*:document/{}"
GAINED, LOST = ("implicitDeny", "allowed"), ("allowed", "implicitDeny")
WITNESSES = {
    "a letter case": (
        policy(allow(StringEquals={ENV: "dev"})),
        policy(allow(StringEqualsIgnoreCase={ENV: "dev"})),
        ("instance/i-0fedcba9876543210", {ENV: "DEV"}, *GAINED),
    ),
    "a wildcard's other end": (
        policy(allow(StringLike={ENV: "dev-*"})),
        policy(allow(StringLike={ENV: "dev-?"})),
        ("instance/i-0fedcba9876543210", {ENV: "dev-"}, *LOST),
    ),
    "an absent tag": (
        policy(allow(StringNotEquals={ENV: "prod"})),
        policy(allow(StringNotEquals={ENV: "prod"}, Null={ENV: "false"})),
        ("instance/i-0fedcba9876543210", {}, *LOST),
    ),
    "the name that two patterns share": (
        policy(allow(DOCUMENTS.format("prod-*"))),
        policy(
            allow(DOCUMENTS.format("prod-*")),
            {"Effect": "Deny", "Action": "ssm:*", "Resource": DOCUMENTS.format("*-web")},
        ),
        ("document/prod--web", {}, "allowed", "explicitDeny"),
    ),
    "two tags together": (
        policy(allow(StringEquals={"ssm:resourceTag/A": "1", "ssm:resourceTag/B": "2"})),
        policy(STOP["Statement"][0]),
        (
            "instance/i-0fedcba9876543210",
            {"ssm:resourceTag/A": "1", "ssm:resourceTag/B": "2"},
            "allowed",
            "explicitDeny",
        ),
    ),
    "MFA that is not in the request": (
        policy(allow(Bool={"aws:MultiFactorAuthPresent": "true"})),
        policy(allow(BoolIfExists={"aws:MultiFactorAuthPresent": "true"})),
        ("instance/i-0fedcba9876543210", {}, *GAINED),
    ),
    "an address outside the smaller range": (
        policy(allow(IpAddress={"aws:SourceIp": "203.0.113.0/24"})),
        policy(allow(IpAddress={"aws:SourceIp": "203.0.113.0/25"})),
        ("instance/i-0fedcba9876543210", {"aws:SourceIp": "203.0.113.128"}, *LOST),
    ),
    "a number beside the limit": (
        policy(allow(NumericLessThan={"aws:MultiFactorAuthAge": "3600"})),
        policy(allow(NumericLessThanEquals={"aws:MultiFactorAuthAge": "3600"})),
        ("instance/i-0fedcba9876543210", {"aws:MultiFactorAuthAge": "3600"}, *GAINED),
    ),
    "a second after": (
        policy(allow(DateLessThan={"aws:CurrentTime": "2026-01-01T00:00:00Z"})),
        policy(allow(DateLessThanEquals={"aws:CurrentTime": "2026-01-01T00:00:00Z"})),
        ("instance/i-0fedcba9876543210", {"aws:CurrentTime": "2026-01-01T00:00:00Z"}, *GAINED),
    ),
    "the last second of all years": (
        policy(allow(DateLessThan={"aws:CurrentTime": "9999-12-31T23:59:59Z"})),
        policy(allow(DateLessThanEquals={"aws:CurrentTime": "9999-12-31T23:59:59Z"})),
        ("instance/i-0fedcba9876543210", {"aws:CurrentTime": "9999-12-31T23:59:59Z"}, *GAINED),
    ),
    "a time that no year holds": (
        policy(allow(DateLessThan={"aws:CurrentTime": "99999999999999"})),
        policy(allow(DateLessThanEquals={"aws:CurrentTime": "99999999999999"})),
        ("instance/i-0fedcba9876543210", {"aws:CurrentTime": "99999999999999"}, *GAINED),
    ),
    "a number beyond all others": (
        policy(allow(NumericLessThan={"aws:MultiFactorAuthAge": "1e999999999"})),
        policy(allow(NumericLessThanEquals={"aws:MultiFactorAuthAge": "1e999999999"})),
        ("instance/i-0fedcba9876543210", {"aws:MultiFactorAuthAge": "1E+999999999"}, *GAINED),
    ),
    "another team than one's own": (
        policy(allow(StringEquals={"ssm:resourceTag/Team": "${aws:PrincipalTag/Team}"})),
        policy(allow(StringLike={"ssm:resourceTag/Team": "*"})),
        ("instance/i-0fedcba9876543210", {"ssm:resourceTag/Team": "sample"}, *GAINED),
    ),
    "one of several values": (
        policy(allow(**{"ForAllValues:StringEquals": {"aws:CalledVia": ["a", "b"]}})),
        policy(allow(**{"ForAnyValue:StringEquals": {"aws:CalledVia": ["a", "b"]}})),
        ("instance/i-0fedcba9876543210", {"aws:CalledVia": ("a", "another")}, *GAINED),
    ),
}


@pytest.mark.parametrize("case", WITNESSES)
def test_a_request_that_two_policies_decide_differently_is_found(case: str) -> None:
    before, after, wanted = WITNESSES[case]
    found = find_witnesses(before, after)
    rows = found[["resource", "context", "before", "after"]].itertuples(index=False, name=None)
    assert wanted in [(row[0].split(":", 5)[5], *row[1:]) for row in rows]


@pytest.mark.parametrize("frame", ["principals", "nodes", "documents"])
def test_what_was_empty_before_is_added(snapshot: ssmlab.Snapshot, frame: str) -> None:
    before = snapshot.with_policy(STOP, name="stop", principal=[*snapshot.principals.index[:3]])
    empty = before.replace(**{frame: getattr(before, frame).iloc[:0]})
    found = find_causes(ssmlab.reach(empty), ssmlab.reach(snapshot), limit=100)
    assert {*found["cause"]} == {f"{frame[:-1]} added"}


def test_every_witness_is_one(snapshot: ssmlab.Snapshot) -> None:
    documents = snapshot.policies["document"].iloc[:3]
    for before, after in pairwise(documents):
        for row in find_witnesses(before, after).itertuples():
            account = row.resource.split(":")[4] or "111122223333"
            request = ssmlab.Request(f"arn:aws:iam::{account}:user/a", "ssm:SendCommand", row.resource, row.context)
            decided = [ssmlab.evaluate(request, ssmlab.PolicySet([p])).outcome.value for p in (before, after)]
            assert decided == [row.before, row.after]


def test_a_region_that_only_one_names_is_told_in_the_words() -> None:
    europe = policy(allow("arn:aws:ssm:eu-*:*:document/*"))
    found = find_witnesses(europe, policy(allow(DOCUMENTS.format("*"))))
    assert found["words"].to_list() == [
        "own document `AnotherDocument` in us-east-1 (and 1 more like it): the first policy does not allow it,"
        " the second allows it",
        "document of AWS `AWS-RunShellScript` in us-east-1 (and 1 more like it): the first policy does not allow it,"
        " the second allows it",
    ]


def test_policies_that_mean_the_same_have_no_witness_and_the_frame_says_how_much_was_tried() -> None:
    one = policy(allow(StringNotEquals={ENV: "prod"}))
    found = find_witnesses(one, policy(allow(StringNotEqualsIfExists={ENV: "prod"})))
    assert found.empty
    assert found.attrs == {"tried": 24, "all": True}
    many = policy(allow(StringLike={f"ssm:resourceTag/K{n}": f"v{n}*" for n in range(9)}))
    assert find_witnesses(many, many, most=500).attrs["all"] is False


def test_a_key_that_the_action_does_not_supply_is_no_part_of_a_witness() -> None:
    found = find_witnesses(policy(allow(StringEquals={"ec2:ResourceTag/Env": "dev"})), policy())
    assert found.empty
