"""The other ways: each opened by what it needs and by nothing less; assumed roles; searches over people and nodes."""

from collections.abc import Callable
from typing import Any

import pytest

import ssmlab
from ssmlab.paths import Paths, Step, Way, find_paths, read_ways
from ssmlab.reachability.fleets import OUTCOMES

ACCOUNT = "123456789012"
OTHER = "210987654321"
WEB = "i-0123456789abcdef0"
ANA = f"arn:aws:iam::{ACCOUNT}:user/ana"
WAYS = [pytest.param(way, id=name) for name, way in read_ways().items()]
ROLE = f"arn:aws:iam::{ACCOUNT}:role/Target"
NOW = {"aws:MultiFactorAuthPresent": None}


@pytest.fixture(scope="module")
def paths(sample: ssmlab.Snapshot) -> Paths:
    return find_paths(sample)


def allow(*actions: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource} | more


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def with_person(
    snapshot: ssmlab.Snapshot, kind: str, *statements: dict[str, Any], trust: str = "", number: str = ""
) -> ssmlab.Snapshot:
    """The sample with one more user or role that holds a policy of its own, and a role that a service may assume."""
    me, role = ANA.replace("user/", f"{kind}/") + number, ROLE + number
    groups = (f"arn:aws:iam::{ACCOUNT}:group/Mine",) if kind == "user" else ()
    body = policy({"Effect": "Allow", "Principal": {"Service": trust}, "Action": "sts:AssumeRole"}) if trust else None
    own = f"arn:aws:iam::{ACCOUNT}:policy/Own{number}"
    changed = snapshot.with_policy(policy(*statements), name=own, principal=[me, role])
    people = changed.principals.copy()
    people.at[me, "groups"] = groups
    people.at[role, "trust"] = body
    people["tags_known"] = True
    policies = changed.policies.copy()
    policies.at[own, "attached_to"] = (me,)
    return changed.replace(principals=people, policies=policies)


def opened(snapshot: ssmlab.Snapshot, way: Way, kind: str, statements: list[dict[str, Any]]) -> str:
    """The best that a way gives the new person: for nodes of the sample, or for the target role or another user."""
    return best_of(find_paths(with_person(snapshot, kind, *statements, trust=way.trust), context=NOW), way, kind)


def best_of(found: Paths, way: Way, kind: str, number: str = "") -> str:
    get = found.snapshot.principals.index.get_loc
    who = get(ANA.replace("user/", f"{kind}/") + number)
    if way.to == "node":
        return OUTCOMES[found.to_node[way.name][who].max()].value
    if way.to == "account":
        return OUTCOMES[found.to_account[way.name][who]].value
    other = ROLE + number if way.to == "role" else f"arn:aws:iam::{ACCOUNT}:user/web-ops"
    return OUTCOMES[found.act_as[way.name][who, get(other)]].value


def kind_for(way: Way) -> str:
    return "role" if any(step.on == "own role" for step in way.steps) else "user"


def list_actions(way: Way) -> list[str]:
    return [*dict.fromkeys(step.action for step in way.steps)]


@pytest.fixture(scope="module")
def crowd(sample: ssmlab.Snapshot) -> Paths:
    """For each way somebody who may do all that it needs, and for each of its actions somebody who may do the others."""
    snapshot = sample
    for way in read_ways().values():
        for missing in ["", *list_actions(way)]:
            statements = [allow(action) for action in list_actions(way) if action != missing]
            own = statements or [allow("s3:GetObject")]
            number = f"{way.name}{missing.replace(':', '-')}"
            snapshot = with_person(snapshot, kind_for(way), *own, trust=way.trust, number=number)
    return find_paths(snapshot, context=NOW)


@pytest.mark.xdist_group("crowd")  # made once
@pytest.mark.parametrize("way", [w for w in WAYS if w.id != "assume-role"])
def test_a_way_opens_by_what_it_needs_and_stays_shut_without_any_one_of_them(crowd: Paths, way: Way) -> None:
    assert best_of(crowd, way, kind_for(way), way.name) == ("conditional" if way.open else "allowed")
    found = {a: best_of(crowd, way, kind_for(way), f"{way.name}{a.replace(':', '-')}") for a in list_actions(way)}
    assert found == dict.fromkeys(list_actions(way), "implicitDeny")


@pytest.mark.parametrize("way", [w for w in WAYS if w.values[0].trust])
def test_a_role_that_the_service_may_not_assume_is_not_passed_to_it(sample: ssmlab.Snapshot, way: Way) -> None:
    changed = with_person(sample, "user", *(allow(step.action) for step in way.steps), trust="lambda.amazonaws.com")
    found = find_paths(changed, context=NOW).act_as[way.name]
    index = changed.principals.index
    assert found[index.get_loc(ANA), index.get_loc(ROLE)] == 1


def test_passing_a_role_to_another_service_only_is_not_enough(sample: ssmlab.Snapshot) -> None:
    only = {"Condition": {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}}
    way = read_ways()["event-rule"]
    statements = [allow("events:PutTargets"), allow("iam:PassRole", **only)]
    assert opened(sample, way, "user", statements) == "implicitDeny"


def test_a_name_that_a_policy_asks_for_is_a_name_one_can_choose(sample: ssmlab.Snapshot) -> None:
    rules = f"arn:aws:events:*:{ACCOUNT}:rule/night-*"
    statements = [allow("events:PutTargets", resource=rules), allow("iam:PassRole")]
    assert opened(sample, read_ways()["event-rule"], "user", statements) == "allowed"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("${aws:username}", "allowed"),
        ("${aws:username}-*", "allowed"),
        ("night-${aws:PrincipalTag/Team, 'none'}", "allowed"),
        ("night-${aws:PrincipalTag/Team}", "implicitDeny"),  # it has no such tag
        ("${aws:SourceIdentity}-*", "conditional"),
        ("${s3:prefix}-*", "implicitDeny"),  # no key of the action
    ],
)
def test_a_name_with_variables_is_one_to_choose(sample: ssmlab.Snapshot, name: str, expected: str) -> None:
    rules = f"arn:aws:events:*:*:rule/{name}"
    statements = [allow("events:PutTargets", resource=rules), allow("iam:PassRole")]
    assert opened(sample, read_ways()["event-rule"], "user", statements) == expected


def test_a_name_that_aws_gives_is_no_name_to_choose(sample: ssmlab.Snapshot) -> None:
    own = "arn:aws:ssm:*:*:session/${aws:username}-*"  # sessions of oneself, by the guide's sample policy
    assert opened(sample, read_ways()["resume-session"], "user", [allow("ssm:ResumeSession", resource=own)]) == (
        "implicitDeny"
    )


def test_names_are_tried_for_every_principal_of_a_large_account(sample: ssmlab.Snapshot) -> None:
    people = [f"arn:aws:iam::{ACCOUNT}:user/u{number}" for number in range(120)]
    statements = [allow("events:PutTargets", resource="arn:aws:events:*:*:rule/${aws:username}"), allow("iam:PassRole")]
    changed = with_person(sample, "user", trust="events.amazonaws.com")
    changed = changed.with_policy(policy(*statements), name="each", principal=people)
    found, role = find_paths(changed).act_as["event-rule"], changed.principals.index.get_loc(ROLE)
    assert {*found[changed.principals.index.get_indexer(people), role].tolist()} == {3}


def in_china(snapshot: ssmlab.Snapshot) -> ssmlab.Snapshot:
    """The same principals, in another partition; who holds what stays."""

    def move(value: Any) -> Any:
        if isinstance(value, str):
            return value.replace("arn:aws:", "arn:aws-cn:")
        if isinstance(value, tuple):
            return tuple(map(move, value))
        return {name: move(item) for name, item in value.items()} if isinstance(value, dict) else value

    people, policies = snapshot.principals, snapshot.policies
    nodes = snapshot.nodes.set_axis(snapshot.nodes.index.map(move))
    moved = policies.assign(attached_to=policies["attached_to"].map(move), document=policies["document"].map(move))
    profiles = people["instance_profiles"].map(move)
    own = people.assign(instance_profiles=profiles).set_axis(people.index.map(move))
    return snapshot.replace(nodes=nodes, principals=own, policies=moved.set_axis(moved.index.map(move)))


@pytest.mark.parametrize("way", ["event-rule", "automation", "instance-profile"])
@pytest.mark.parametrize("suffix", ["", ".cn"])
@pytest.mark.parametrize(
    ("passed", "expected"),
    [(["", ".cn"], "allowed"), ([".cn"], "conditional"), (["x"], "implicitDeny"), (None, "allowed")],
)
def test_in_china_a_service_goes_by_either_of_its_names(
    sample: ssmlab.Snapshot, way: str, suffix: str, passed: list[str] | None, expected: str
) -> None:
    found = read_ways()[way]
    only = {"StringEquals": {"iam:PassedToService": [found.trust + end for end in passed or ()]}}
    pass_role = allow("iam:PassRole", **({"Condition": only} if passed else {}))
    statements = [allow(*(step.action for step in found.steps if step.action != "iam:PassRole")), pass_role]
    changed = in_china(with_person(sample, "user", *statements, trust=found.trust + suffix))
    index = changed.principals.index
    who, role = (index.get_loc(arn.replace("arn:aws:", "arn:aws-cn:")) for arn in (ANA, ROLE))
    outcome = OUTCOMES[find_paths(changed, context=NOW).act_as[way][who, role]].value
    assert outcome == ("conditional" if found.open and expected == "allowed" else expected)


def test_tagging_opens_only_what_a_tag_condition_holds(sample: ssmlab.Snapshot) -> None:
    tagged = {"Condition": {"StringEquals": {"ssm:resourceTag/Colour": "mauve"}}}
    documents = allow("ssm:SendCommand", resource="arn:aws:ssm:*:*:document/*")
    nodes = allow("ssm:SendCommand", resource="arn:aws:ec2:*:*:instance/*", **tagged)
    way = read_ways()["tag-node"]
    assert opened(sample, way, "user", [documents, nodes, allow("ec2:CreateTags")]) == "allowed"
    assert opened(sample, way, "user", [nodes, allow("ec2:CreateTags")]) == "implicitDeny"
    assert opened(sample, way, "user", [documents, nodes, allow("ec2:DeleteTags")]) == "implicitDeny"


@pytest.mark.parametrize("tagged", [{}, {"Condition": {"StringEquals": {"ssm:resourceTag/Colour": "mauve"}}}])
def test_tagging_opens_what_a_deny_spares(sample: ssmlab.Snapshot, tagged: dict[str, Any]) -> None:
    spared = {"Condition": {"StringNotEquals": {"ssm:resourceTag/Shape": "round"}}}
    documents = allow("ssm:SendCommand", resource="arn:aws:ssm:*:*:document/*")
    nodes = allow("ssm:SendCommand", resource="arn:aws:ec2:*:*:instance/*", **tagged)
    deny = allow("ssm:SendCommand", resource="arn:aws:ec2:*:*:instance/*", **spared) | {"Effect": "Deny"}
    way, statements = read_ways()["tag-node"], [documents, nodes, deny]
    assert opened(sample, way, "user", [*statements, allow("ec2:CreateTags")]) == "allowed"
    assert opened(sample, way, "user", statements) == "implicitDeny"


@pytest.mark.parametrize("way", ["tag-node", "tag-managed-node", "untag-node", "untag-managed-node"])
@pytest.mark.parametrize("kind", ["ec2:*:*:instance", "ssm:*:*:managed-instance"])
def test_tags_open_nodes_of_their_own_kind_only(sample: ssmlab.Snapshot, way: str, kind: str) -> None:
    value = "true" if way.startswith("untag") else "false"
    tagged = {"Condition": {"Null": {"ssm:resourceTag/Finance": value}}}
    documents = allow("ssm:SendCommand", resource="arn:aws:ssm:*:*:document/*")
    nodes = allow("ssm:SendCommand", resource=f"arn:aws:{kind}/*", **tagged)
    found = read_ways()[way]
    expected = "allowed" if (found.nodes == "ec2") is kind.startswith("ec2") else "implicitDeny"
    assert opened(sample, found, "user", [documents, nodes, allow(found.steps[0].action)]) == expected


@pytest.mark.parametrize("way", ["tag-node", "untag-node"])
@pytest.mark.parametrize("at", [0, 4])
def test_tags_open_only_the_nodes_whose_arn_is_named(sample: ssmlab.Snapshot, way: str, at: int) -> None:
    value = "true" if way.startswith("untag") else "false"
    named = [arn for arn in sample.nodes.index if arn.startswith(f"arn:aws:ec2:us-east-2:{ACCOUNT}:")][at]
    nodes = allow("ssm:SendCommand", resource=named, Condition={"Null": {"ssm:resourceTag/Colour": value}})
    documents = allow("ssm:SendCommand", resource="arn:aws:ssm:*:*:document/*")
    tag = allow(read_ways()[way].steps[0].action)
    changed = with_person(sample, "user", documents, nodes, tag).replace(
        nodes=sample.nodes.assign(**{"tag:Colour": "red"} if value == "true" else {}).assign(managed=True)
    )
    found = find_paths(changed, context=NOW)
    opened = found.to_node[way][changed.principals.index.get_loc(ANA)] == OUTCOMES.index(ssmlab.Outcome.ALLOWED)
    assert [*changed.nodes.index[opened[found.groups]]] == [named]
    (edge,) = found.shortest(ANA, named)
    assert (edge.way, edge.outcome) == (way, "allowed")


def test_tagging_a_document_opens_the_nodes_that_only_lack_one(sample: ssmlab.Snapshot) -> None:
    tagged = {"Condition": {"StringEquals": {"ssm:resourceTag/Colour": "mauve"}}}
    documents = allow("ssm:SendCommand", resource="arn:aws:ssm:*:*:document/*", **tagged)
    nodes = allow("ssm:SendCommand", resource="arn:aws:ec2:*:*:instance/*")
    way = read_ways()["tag-document"]
    assert opened(sample, way, "user", [documents, nodes, allow("ssm:AddTagsToResource")]) == "allowed"
    assert opened(sample, way, "user", [documents, nodes]) == "implicitDeny"
    assert opened(sample, way, "user", [documents, allow("ssm:AddTagsToResource")]) == "implicitDeny"


ALL_OF = "ForAllValues:StringEquals"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, "allowed"),
        ({"StringEquals": {"aws:RequestTag/Colour": "mauve"}}, "allowed"),
        ({"StringEquals": {"aws:requesttag/colour": "mauve"}}, "allowed"),
        ({"StringEquals": {"aws:RequestTag/Colour": "beige"}}, "implicitDeny"),
        ({"StringNotEquals": {"aws:RequestTag/Colour": "mauve"}}, "implicitDeny"),
        ({ALL_OF: {"aws:TagKeys": ["Colour", "Shape"]}}, "allowed"),
        ({ALL_OF: {"aws:TagKeys": ["Shape"]}}, "implicitDeny"),
        ({"ForAllValues:StringLike": {"aws:TagKeys": ["Col*"]}}, "allowed"),
        ({"StringEquals": {"aws:RequestTag/Colour": "mauve"}, ALL_OF: {"aws:TagKeys": ["Colour"]}}, "allowed"),
        ({"Null": {"aws:RequestTag/Shape": "true"}}, "allowed"),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["Shape"]}}, "allowed"),  # beside it
        ({"StringLike": {"aws:RequestTag/Shape": "*"}, ALL_OF: {"aws:TagKeys": ["Colour"]}}, "implicitDeny"),
        ({"StringLike": {"aws:RequestTag/Shape": "*"}}, "conditional"),
        ({"StringEquals": {"aws:RequestTag/Shape": "${aws:SourceIdentity}"}}, "conditional"),
    ],
)
@pytest.mark.parametrize("kind", ["node", "managed-node", "document"])
def test_a_request_to_tag_carries_the_tag_that_is_wanted(
    sample: ssmlab.Snapshot, kind: str, asked: dict[str, Any], expected: str
) -> None:
    colour = {"Condition": {"StringEquals": {"ssm:resourceTag/Colour": "mauve"}}}
    nodes = ["arn:aws:ec2:*:*:instance/*", "arn:aws:ssm:*:*:managed-instance/*"]
    documents = allow(
        "ssm:SendCommand", resource="arn:aws:ssm:*:*:document/*", **(colour if kind == "document" else {})
    )
    wanted = allow("ssm:SendCommand", **(colour if kind != "document" else {})) | {"Resource": nodes}
    way = read_ways()[f"tag-{kind}"]
    tagging = allow(way.steps[0].action, **({"Condition": asked} if asked else {}))
    assert opened(sample, way, "user", [documents, wanted, tagging]) == expected


def test_a_deny_of_the_tag_that_is_wanted_shuts_the_way(sample: ssmlab.Snapshot) -> None:
    colour = {"Condition": {"StringEquals": {"ssm:resourceTag/Colour": "mauve"}}}
    statements = [
        allow("ssm:SendCommand", resource="arn:aws:ssm:*:*:document/*"),
        allow("ssm:SendCommand", resource="arn:aws:ec2:*:*:instance/*", **colour),
        allow("ec2:CreateTags"),
    ]
    denies = [
        allow("ec2:CreateTags", Condition={operator: {key: value}}) | {"Effect": "Deny"}
        for operator, key, value in (
            ("ForAnyValue:StringEquals", "aws:TagKeys", "Colour"),
            ("StringEquals", "aws:RequestTag/Colour", "mauve"),
            ("ForAnyValue:StringEquals", "aws:TagKeys", "Shape"),
        )
    ]
    way = read_ways()["tag-node"]
    assert [opened(sample, way, "user", [*statements, deny]) for deny in denies] == [*["implicitDeny"] * 2, "allowed"]


def test_the_edge_of_a_tag_says_what_its_table_says(sample: ssmlab.Snapshot) -> None:
    colour = {"Condition": {"StringEquals": {"ssm:resourceTag/Colour": "mauve"}}}
    asked = {"Condition": {"StringEquals": {"aws:RequestTag/Colour": "mauve"}, ALL_OF: {"aws:TagKeys": ["Colour"]}}}
    documents = allow("ssm:SendCommand", resource="arn:aws:ssm:*:*:document/*")
    nodes = allow("ssm:SendCommand", resource="arn:aws:ec2:*:*:instance/*", **colour)
    changed = with_person(sample, "user", documents, nodes, allow("ec2:CreateTags", **asked))
    (edge,) = find_paths(changed, context=NOW).shortest(ANA, WEB)
    assert (edge.way, edge.outcome, edge.open_conditions) == ("tag-node", "allowed", ())


def test_a_tag_condition_on_tagging_is_decided_on_the_node(sample: ssmlab.Snapshot) -> None:
    own = {"Condition": {"StringEquals": {"ec2:ResourceTag/Finance": "WebServers"}}}
    changed = with_person(sample, "user", allow("ec2:CreateTags", **own), allow("ssm:SendCommand"))
    found = find_paths(changed, context=NOW)
    reached = found.to_node["tag-node"][changed.principals.index.get_loc(ANA)] == 3
    nodes = changed.nodes[reached[found.groups]]
    values = nodes["tag:Finance"].astype(object).fillna(nodes["tag:finance"].astype(object))
    assert {*values} == {"WebServers"}  # condition keys ignore case


def test_nobody_reaches_unmanaged_nodes_through_systems_manager(sample: ssmlab.Snapshot, paths: Paths) -> None:
    bastion = paths.groups[(sample.nodes["name"] == "bastion").to_numpy().argmax()]
    who = sample.principals.index.get_loc(f"arn:aws:iam::{ACCOUNT}:user/admin-adele")
    open_ways = {name for name, table in paths.to_node.items() if table[who, bastion] == 3}
    assert open_ways == {"user-data"}


def test_a_document_that_is_shared_is_one_to_run(sample: ssmlab.Snapshot) -> None:
    shared = sample.documents.index[sample.documents["shared_with"].map(bool)]
    me, nodes = ANA.replace(ACCOUNT, OTHER), allow("ssm:SendCommand", resource="arn:aws:ec2:*:*:instance/*")
    documents = allow("ssm:SendCommand", resource=shared[0])
    changed = sample.with_policy(policy(documents, nodes), name="own", principal=me)
    direct = find_paths(changed).summary().loc[me, "direct"]
    assert direct == ssmlab.reach(changed).summary().loc[me, "nodes"] > 0


@pytest.mark.parametrize("way", ["user-data", "ssh-key", "tag-node"])
def test_which_node_comes_first_does_not_matter(sample: ssmlab.Snapshot, way: str) -> None:
    tagged = {"Condition": {"StringEquals": {"aws:ResourceTag/Finance": "WebServers"}}}
    statements = [allow(step.action, **tagged) for step in read_ways()[way].steps if step.on != "document"]
    statements.append(allow("ssm:SendCommand", resource="arn:aws:ssm:*:*:document/*"))
    hybrid_first = sample.replace(nodes=sample.nodes.sort_values("kind", ascending=False))
    assert ":managed-instance/" in hybrid_first.nodes.index[0]
    assert opened(hybrid_first, read_ways()[way], "user", statements) != "implicitDeny"


def test_what_is_new_lies_in_the_partition_of_the_nodes(sample: ssmlab.Snapshot) -> None:
    changed = with_person(
        sample,
        "user",
        allow("events:PutTargets", resource="arn:aws-cn:events:*:*:rule/*"),
        allow("iam:PassRole"),
        trust="events.amazonaws.com",
    )
    nodes = changed.nodes.set_axis(changed.nodes.index.str.replace("arn:aws:", "arn:aws-cn:"))
    index = changed.principals.index
    outcomes = [
        find_paths(one).act_as["event-rule"][index.get_loc(ANA), index.get_loc(ROLE)]
        for one in (changed, changed.replace(nodes=nodes))
    ]
    assert outcomes == [1, 3]


def test_the_steps_of_an_edge_lie_in_one_place(sample: ssmlab.Snapshot) -> None:
    mfa = {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}
    changed = with_person(
        sample,
        "user",
        allow("ssm:StartAutomationExecution", resource="arn:aws:ssm:us-east-2:*:document/*"),
        allow("ssm:StartAutomationExecution", resource="arn:aws:ssm:us-east-2:*:automation-execution/*", **mfa),
        allow("ssm:StartAutomationExecution", resource="arn:aws:ssm:eu-west-1:*:automation-execution/*"),
        allow("iam:PassRole"),
        trust="ssm.amazonaws.com",
    )
    found, index = find_paths(changed), changed.principals.index
    (edge,) = found._act_edges(index.get_loc(ANA), index.get_loc(ROLE), 2)
    assert (edge.way, edge.outcome) == ("automation", "conditional")
    assert edge.open_conditions == ("`aws:MultiFactorAuthPresent` is `true`",)


def test_any_permission_within_a_boundary_says_so(sample: ssmlab.Snapshot) -> None:
    changed = with_person(sample, "user", allow("iam:PutUserPolicy"))
    bound = changed.with_policy(policy(allow("*")), name="bound", principal=ANA, layer="boundary")
    (free,), (edge,) = (find_paths(one).shortest(ANA, WEB) for one in (changed, bound))
    assert (free.outcome, edge.outcome) == ("allowed", "conditional")
    assert edge.open_conditions == ("the permissions boundary allows it too",)


# --- Resource control policies, and roles that a service assumes ---


def under_rcp(snapshot: ssmlab.Snapshot, action: str, target: str) -> ssmlab.Snapshot:
    """The snapshot with a resource control policy that denies an action in an account."""
    statement = {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*"}
    return snapshot.with_policy(policy(statement), name="stop", layer="rcp", principal=target)


@pytest.mark.parametrize(
    ("way", "action", "outcome"),
    [("event-rule", "events:*", "implicitDeny"), ("schedule", "scheduler:*", "conditional")],
)
def test_a_resource_control_policy_shuts_a_way_that_it_reaches(
    sample: ssmlab.Snapshot, way: str, action: str, outcome: str
) -> None:
    statements = [allow(step.action) for step in read_ways()[way].steps]
    assert opened(under_rcp(sample, action, ACCOUNT), read_ways()[way], "user", statements) == outcome
    assert opened(under_rcp(sample, action, OTHER), read_ways()[way], "user", statements) == "allowed"


def test_a_role_is_guarded_by_the_resource_control_policies_of_its_own_account(sample: ssmlab.Snapshot) -> None:
    stranger = f"arn:aws:iam::{OTHER}:user/borrower"
    changed = trusting(sample, [("A", stranger)]).with_policy(
        policy(allow("sts:AssumeRole")), name="assume", principal=stranger
    )
    index = changed.principals.index
    outcomes = [
        find_paths(under_rcp(changed, "sts:AssumeRole", account)).act_as["assume-role"][
            index.get_loc(stranger), index.get_loc(ROLE.replace("Target", "A"))
        ]
        for account in (OTHER, ACCOUNT)
    ]
    assert outcomes == [3, 1]


def test_what_a_service_calls_with_is_not_known(sample: ssmlab.Snapshot) -> None:
    steps = read_ways()["event-rule"].steps
    changed = with_person(sample, "user", *(allow(s.action) for s in steps), trust="events.amazonaws.com")
    people = changed.principals.copy()
    asks = {"Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}}}
    people.at[ROLE, "trust"] = policy(people.at[ROLE, "trust"]["Statement"][0] | asks)
    found, index = find_paths(changed.replace(principals=people)), changed.principals.index
    (edge,) = found._act_edges(index.get_loc(ANA), index.get_loc(ROLE), 2)
    assert (edge.way, edge.open_conditions) == ("event-rule", (f"`aws:SourceAccount` is `{ACCOUNT}`",))


# --- Assumed roles ---


def assumed(paths: Paths, who: str) -> dict[str, int]:
    index = paths.snapshot.principals.index
    row = paths.act_as["assume-role"][index.get_loc(f"arn:aws:iam::{ACCOUNT}:{who}")]
    return {index[role].split("/")[-1]: int(row[role]) for role in (row >= 2).nonzero()[0]}


def test_who_may_assume_which_role(paths: Paths) -> None:
    assert assumed(paths, "user/op-ana") == {"WebOps": 3}
    assert assumed(paths, "user/admin-adele") == {"OnCall": 3, "OneInstance": 3, "BreakGlass": 2}
    assert assumed(paths, "user/web-ops") == {}  # the account is trusted, but no policy of the user says sts:AssumeRole
    assert assumed(paths, "root") == {}


def test_mfa_in_a_trust_policy_is_an_open_condition(paths: Paths) -> None:
    (edge, *_) = paths._act_edges(
        paths.snapshot.principals.index.get_loc(f"arn:aws:iam::{ACCOUNT}:user/admin-adele"),
        paths.snapshot.principals.index.get_loc(f"arn:aws:iam::{ACCOUNT}:role/BreakGlass"),
        2,
    )
    assert (edge.way, edge.open_conditions) == ("assume-role", ("`aws:MultiFactorAuthPresent` is `true`",))


def trusting(sample: ssmlab.Snapshot, chain: list[tuple[str, str]], **more: Any) -> ssmlab.Snapshot:
    """Roles that trust one another: (role, trusted ARN) pairs; each may assume any role and run any command."""
    names = [ROLE.replace("Target", role) for role, _ in chain]
    may = policy(allow("sts:AssumeRole", "ssm:SendCommand"))
    changed = sample.with_policy(may, name="may", principal=names)
    people = changed.principals.copy()
    for name, (_, trusted) in zip(names, chain, strict=True):
        statement = {"Effect": "Allow", "Principal": {"AWS": trusted}, "Action": "sts:AssumeRole"} | more
        people.at[name, "trust"] = policy(statement)
    return changed.replace(principals=people.assign(tags_known=True))


def test_roles_are_assumed_one_after_the_other(sample: ssmlab.Snapshot) -> None:
    auditor = f"arn:aws:iam::{ACCOUNT}:user/auditor"
    changed = trusting(sample, [("A", auditor), ("B", ROLE.replace("Target", "A"))])
    edges = find_paths(changed).shortest("auditor", WEB)
    assert [(edge.way, edge.target.split("/")[-1]) for edge in edges] == [("assume-role", "A"), ("run-command", WEB)]
    assert edges[0].sentence == "user/auditor may assume role/A"


def test_a_circle_of_roles_ends(sample: ssmlab.Snapshot) -> None:
    pairs = [("A", ROLE.replace("Target", "B")), ("B", ROLE.replace("Target", "A"))]
    found = find_paths(trusting(sample, pairs))
    assert [edge.way for edge in found.shortest("role/A", WEB)] == ["run-command"]
    reached = found.blast_radius("role/A").query("kind == 'principal'")["name"]
    assert [name.split(":")[-1] for name in reached] == ["role/OnCall", "role/OneInstance", "role/NodeRole", "role/B"]


def test_an_external_id_is_an_open_condition(sample: ssmlab.Snapshot) -> None:
    asks = {"Condition": {"StringEquals": {"sts:ExternalId": "secret"}}}
    changed = trusting(sample, [("A", f"arn:aws:iam::{ACCOUNT}:user/auditor")], **asks)
    (edge, _) = find_paths(changed).shortest("auditor", WEB)
    assert (edge.outcome, edge.open_conditions) == ("conditional", ("`sts:ExternalId` is `secret`",))
    (given, _) = find_paths(changed, context={"sts:ExternalId": "secret"}).shortest("auditor", WEB)
    assert given.outcome == "allowed"


def test_across_accounts_both_sides_must_allow(sample: ssmlab.Snapshot) -> None:
    stranger = "arn:aws:iam::210987654321:user/borrower"
    changed = trusting(sample, [("A", stranger)])
    index = changed.principals.index
    row, role = index.get_loc(stranger), index.get_loc(ROLE.replace("Target", "A"))
    assert find_paths(changed).act_as["assume-role"][row, role] == 1
    both = changed.with_policy(policy(allow("sts:AssumeRole")), name="assume", principal=stranger)
    assert find_paths(both).act_as["assume-role"][row, role] == 3


# --- Searches ---


def test_whoever_runs_code_on_a_node_acts_as_its_role(sample: ssmlab.Snapshot) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/NodeRole"
    changed = sample.with_policy(policy(allow("ssm:SendCommand")), name="too much", principal=role)
    found = find_paths(changed)
    mine = sample.nodes[sample.nodes["account"] == ACCOUNT]
    other = mine[(mine["kind"] == "ec2") & mine["managed"] & (mine["tag:Finance"] != "WebServers")].index[0]
    edges = found.shortest("web-ops", other)
    assert [edge.way for edge in edges] == ["run-command", "node-role", "run-command"]
    assert "acts as role/NodeRole" in edges[1].sentence
    assert (found.blast_radius(WEB)["count"].sum()) > 20


def test_everyone_who_reaches_a_node_with_the_shortest_way(paths: Paths) -> None:
    found = paths.who_reaches(WEB)
    first = found.iloc[0]
    assert (first["outcome"], first["steps"], first["way"]) == ("allowed", 1, "run-command")
    assert {*found["outcome"]} == {"allowed", "conditional"}
    assert found["principal"].is_unique


def test_a_limit_that_can_be_walked_round_is_named(sample: ssmlab.Snapshot) -> None:
    web = f"arn:aws:iam::{ACCOUNT}:user/web-ops"
    changed = sample.with_policy(policy(allow("ec2:CreateTags", "ssm:StartSession")), name="more", principal=web)
    found = find_paths(changed).around().set_index("principal").loc[web]
    assert (found["outcome"], found["way"], found["nodes"] > 20) == ("allowed", "session", True)
    assert "may start a session on" in found["path"]


def test_a_graph_of_paths_says_all_of_every_edge(paths: Paths) -> None:
    graph = paths.to_networkx(["op-ana", "admin-adele"], WEB)
    assert {kind for _, kind in graph.nodes(data="kind")} == {"user", "node"}
    for _, _, told in graph.edges(data=True):
        assert {"way", "outcome", "sentence", "statements", "open_conditions", "doubts"} == {*told}


def test_that_no_command_reaches_an_unmanaged_node_is_nobody_s_limit(paths: Paths) -> None:
    assert (paths.summary()["any_way"] > paths.summary()["direct"]).any()  # user data of administrators
    assert paths.around().empty


@pytest.mark.parametrize(
    ("ask", "nearest"),
    [
        (lambda paths: paths.shortest("web-op", WEB), "web-ops"),
        (lambda paths: paths.shortest("web-ops", "web-1x"), "web-1"),
        (lambda paths: paths.who_reaches("web-1x"), "web-1"),
        (lambda paths: paths.blast_radius("web-op"), "web-ops"),
        (lambda paths: paths.to_networkx("web-ops", "web-1x"), "web-1"),
    ],
)
def test_an_unknown_name_suggests_the_nearest(paths: Paths, ask: Callable[[Paths], object], nearest: str) -> None:
    with pytest.raises(KeyError, match=f"did you mean .*`{nearest}`"):
        ask(paths)


def test_the_summary_counts_direct_by_role_and_any_way(paths: Paths) -> None:
    row = paths.summary().loc[f"arn:aws:iam::{ACCOUNT}:user/op-ana"]
    assert row["direct"] <= row["by_role"] <= row["any_way"]
    assert (paths.summary().dtypes == "int64").all()


def test_an_empty_inventory_has_no_paths(sample: ssmlab.Snapshot) -> None:
    found = find_paths(sample.replace(nodes=sample.nodes.iloc[:0]))
    assert found.summary()["any_way"].sum() == 0
    assert len(found.around()) == 0


def test_every_step_is_a_known_action() -> None:
    steps: list[Step] = [step for way in read_ways().values() for step in way.steps]
    assert {step.action for step in steps} <= {*ssmlab.services.ACTIONS}
