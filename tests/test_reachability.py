"""Whole columns against single decisions, and the questions one asks of a reach."""

import dataclasses
from random import Random
from typing import Any
from unittest.mock import patch

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_snapshots import MFA, decide_all, decide_one, random_policy, random_snapshot

import ssmlab
from ssmlab import widgets
from ssmlab.evaluation import Outcome
from ssmlab.reachability import count_changes
from ssmlab.services import REACH_ACTIONS
from ssmlab.snapshots.memory import Memory

WEB = "i-0123456789abcdef0"
SLOW = settings(max_examples=12, suppress_health_check=list(HealthCheck))


@SLOW
@given(
    seed=st.integers(0, 2**32), mfa=st.sampled_from(["not given", "true", None]), action=st.sampled_from(REACH_ACTIONS)
)
def test_reach_says_what_evaluate_says_of_every_pair(seed: int, mfa: str | None, action: str) -> None:
    snapshot = random_snapshot(Random(seed))
    context = {} if mfa == "not given" else {MFA: mfa}
    reach, expected = ssmlab.reach(snapshot, action, context), decide_all(snapshot, context, action)
    assert {key: reach.outcome(*key) for key in expected} == expected
    for outcome in ("allowed", "conditional"):
        rows = reach.pairs(outcome=outcome)
        assert {tuple(row) for row in rows[["principal", "node", "document"]].to_numpy()} == {
            key for key, value in expected.items() if value == outcome
        }
        assert len(rows) == rows.attrs["total"] == sum(value == outcome for value in expected.values())
    assert reach.summary().to_dict("index") == count_all(snapshot, expected)
    for key in Random(seed).sample(sorted(expected), 20):
        assert reach.explain(*key).outcome == expected[key]
    for who, arn in enumerate(snapshot.principals.index):
        for row, document in enumerate(snapshot.documents.index):
            if one := decide_one(snapshot, arn, document, context, action):
                found = reach.decide_document(who, row)
                assert (found.outcome, about_sharing(found)) == (one.outcome, about_sharing(one))


def about_sharing(decision: ssmlab.Decision) -> list[str]:
    return [doubt for doubt in decision.doubts if "takes a document of another account" in doubt]


def count_all(snapshot: ssmlab.Snapshot, expected: dict[tuple[str, str, str], Outcome]) -> dict[str, dict[str, int]]:
    """The summary, counted one by one."""
    managed = dict(snapshot.nodes["managed"])
    counts = {}
    for principal in snapshot.principals.index:
        pairs = {o: [(n, d) for (p, n, d), v in expected.items() if p == principal and v == o] for o in Outcome}
        allowed = [(n, d) for n, d in pairs[Outcome.ALLOWED] if managed[n]]
        possible = allowed + [(n, d) for n, d in pairs[Outcome.CONDITIONAL] if managed[n]]
        counts[principal] = {
            "nodes": len({n for n, _ in allowed}),
            "documents": len({d for _, d in allowed}),
            "pairs": len(allowed),
            "nodes_conditional": len({n for n, _ in possible}) - len({n for n, _ in allowed}),
            "pairs_conditional": len(possible) - len(allowed),
            "unmanaged_nodes": len({n for n, _ in pairs[Outcome.ALLOWED] if not managed[n]}),
        }
    return counts


@SLOW
@given(seed=st.integers(0, 2**32))
def test_nodes_of_one_group_are_treated_alike_by_everyone(seed: int) -> None:
    snapshot = random_snapshot(Random(seed))
    reach = ssmlab.reach(snapshot)
    for principal in snapshot.principals.index:
        outcomes = reach.nodes(principal)["resource_outcome"].groupby(reach.node_group_codes).nunique()
        assert outcomes.max() == 1
    assert reach.node_groups["count"].sum() == len(snapshot.nodes)


@SLOW
@given(seed=st.integers(0, 2**32))
def test_a_what_if_says_what_a_reach_from_scratch_says(seed: int) -> None:
    draw = Random(seed)
    snapshot = random_snapshot(draw)
    for _ in range(5):
        ssmlab.reach(snapshot)
        snapshot = change(draw, snapshot)
        context = draw.choice([{}, {}, {MFA: "true"}, {"ssm:resourceTag/Env": "dev"}])
        with patch("ssmlab.reachability.changes._MOST", draw.choice([0.1, 1.0])):  # of a few nodes too, bit by bit
            found = ssmlab.reach(snapshot, context=context)
        scratch = ssmlab.reach(dataclasses.replace(snapshot, memory=Memory()), context=context)
        assert (found.node_outcomes == scratch.node_outcomes).all()
        assert (found.document_outcomes == scratch.document_outcomes).all()
        pd.testing.assert_frame_equal(found.node_groups, scratch.node_groups)
        pd.testing.assert_frame_equal(found.summary(), scratch.summary())


@SLOW
@given(seed=st.integers(0, 2**32))
def test_a_comparison_names_every_pair_that_differs_and_no_other(seed: int) -> None:
    draw = Random(seed)
    snapshot = random_snapshot(draw)
    before, after = ssmlab.reach(snapshot), ssmlab.reach(change(draw, snapshot))
    old, new = (outcomes_of(reach) for reach in (before, after))
    both = {key for key in old.keys() & new.keys() if old[key] != new[key]}
    one = {key for key in old.keys() ^ new.keys() if (old | new)[key] in ("allowed", "conditional")}
    found = before.compare(after)
    assert found.attrs["total"] == len(found)
    assert found["count"].sum() == len(both | one)
    rows = zip(found["principal"], found["example"], found["document"], found["before"], found["after"], strict=True)
    for principal, node, document, first, then in rows:
        key = (principal, node, document)
        assert key in both | one
        assert (old.get(key), new.get(key)) == tuple(None if pd.isna(o) else o for o in (first, then))


def outcomes_of(reach: ssmlab.Reach) -> dict[tuple[str, str, str], str]:
    rows = reach.pairs(outcome=None)
    return dict(zip(zip(rows["principal"], rows["node"], rows["document"], strict=True), rows["outcome"], strict=True))


def test_a_comparison_tells_which_nodes_are_on_one_side_only(sample: ssmlab.Snapshot, reach: ssmlab.Reach) -> None:
    without = ssmlab.reach(sample.replace(nodes=sample.nodes.drop(index=sample.nodes.index[0])))
    gone, back = reach.compare(without), without.compare(reach)
    assert (gone.attrs["removed"], gone.attrs["added"]) == ([sample.nodes.index[0]], [])
    assert (back.attrs["removed"], back.attrs["added"]) == ([], [sample.nodes.index[0]])
    assert (set(gone["nodes"]), set(back["nodes"])) == ({"removed"}, {"added"})
    assert gone["after"].isna().all()


def test_a_node_that_is_new_counts_for_those_who_reach_it_only(sample: ssmlab.Snapshot, reach: ssmlab.Reach) -> None:
    node = sample.nodes.index[0]
    before = ssmlab.reach(sample.replace(nodes=sample.nodes.drop(index=node)))
    counts, added = count_changes(before, reach), before.compare(reach)
    assert {*counts.index} == {*added["principal"]}
    assert counts["nodes_lost"].sum() == 0
    assert counts["nodes_gained"].sum() == added[added["after"] == "allowed"]["principal"].nunique()


def test_a_comparison_up_to_a_limit_tells_how_much_there_is(sample: ssmlab.Snapshot, reach: ssmlab.Reach) -> None:
    other = ssmlab.reach(sample.with_tags(sample.nodes.index[:9].to_list(), {"Finance": None}))
    found = reach.compare(other, limit=2)
    assert (len(found), found.attrs["total"]) == (2, len(reach.compare(other)))


def change(draw: Random, snapshot: ssmlab.Snapshot) -> ssmlab.Snapshot:
    """One of the things a what-if may change."""
    nodes = draw.sample([*snapshot.nodes.index], draw.choice([1, 1, 2, 12]))
    document = draw.choice(snapshot.documents.index)
    tagged = snapshot.documents.assign(
        **{"tag:Env": snapshot.documents["tag:Env"].astype("object").mask(snapshot.documents.index == document, "dev")}
    )
    return draw.choice(
        [
            lambda: snapshot.with_tags(
                nodes, {draw.choice(["Env", "env", "Team", "New"]): draw.choice(["dev", "x", None])}
            ),
            lambda: snapshot.with_tags(nodes, {"Env": "prod", "Team": "red"}),
            lambda: snapshot.replace(nodes=snapshot.nodes.assign(tags_known=~snapshot.nodes.index.isin(nodes))),
            lambda: snapshot.replace(nodes=snapshot.nodes.drop(columns="tag:env", errors="ignore")),
            lambda: snapshot.replace(nodes=snapshot.nodes.drop(index=nodes[0])),
            lambda: snapshot.replace(documents=tagged),
            lambda: snapshot.with_policy(random_policy(draw) or "{}", name=draw.choice(["p1", "new"])),
        ]
    )()


def test_a_command_needs_node_and_document(reach: ssmlab.Reach) -> None:
    nodes = reach.nodes("documents-only")
    assert {*nodes["outcome"]} == {"implicitDeny"}
    assert "allowed" in {*reach.documents("documents-only")["resource_outcome"]}
    assert "allowed" not in {*reach.documents("documents-only")["outcome"]}


def test_a_document_by_name_is_the_one_of_the_node_s_region(reach: ssmlab.Reach) -> None:
    assert reach.outcome("web-ops", WEB, "AWS-RunShellScript") == "allowed"


def test_a_document_of_another_region_never_goes_with_a_node(reach: ssmlab.Reach) -> None:
    assert reach.outcome("admin-adele", WEB, "arn:aws:ssm:us-east-2::document/AWS-RunShellScript") == "implicitDeny"
    assert (
        "document in us-east-2"
        in reach.explain("admin-adele", WEB, "arn:aws:ssm:us-east-2::document/AWS-RunShellScript").sentence
    )


def test_a_principal_is_found_as_answers_print_it(reach: ssmlab.Reach) -> None:
    assert reach.outcome("user/web-ops", WEB, "AWS-RunShellScript") == "allowed"


def test_an_explanation_says_what_keeps_an_allowed_command_from_running(reach: ssmlab.Reach) -> None:
    assert "the document is of type Automation" in reach.explain("web-ops", WEB, "DrainAndPatch").sentence
    assert "not managed by Systems Manager" in reach.explain("admin-adele", "bastion", "AWS-RunShellScript").sentence


def test_the_document_of_a_session_is_no_document_of_a_command(sample: ssmlab.Snapshot) -> None:
    changed = sample.replace(documents=sample.documents.assign(document_type="Session"))
    said = [
        ssmlab.reach(changed, action=action).explain("admin-adele", "web-1", "AWS-RunShellScript").sentence
        for action in ("ssm:SendCommand", "ssm:StartSession")
    ]
    assert ["does not run" in sentence for sentence in said] == [True, False]


def test_without_documents_every_question_is_still_answered(sample: ssmlab.Snapshot) -> None:
    reach = ssmlab.reach(sample.replace(documents=sample.documents.iloc[:0]))
    assert reach.summary()["pairs"].sum() == 0
    assert len(reach.pairs()) == len(reach.who_can(node=WEB)) == 0
    assert len(reach.nodes("web-ops")) == len(sample.nodes)


def test_nobody_reaches_into_another_account(reach: ssmlab.Reach) -> None:
    pairs = reach.pairs(outcome="allowed")
    assert (pairs["principal"].str.split(":").str[4] == pairs["node"].str.split(":").str[4]).all()


def test_context_settles_what_was_open(sample: ssmlab.Snapshot, reach: ssmlab.Reach) -> None:
    asked = ("OnCall", WEB, "AWS-RunShellScript")
    answers = [ssmlab.reach(sample, context={MFA: value}).outcome(*asked) for value in ("true", "false", None)]
    assert [reach.outcome(*asked), *answers] == ["conditional", "allowed", "implicitDeny", "implicitDeny"]


def test_what_was_not_collected_is_conditional(reach: ssmlab.Reach) -> None:
    assert reach.outcome("legacy-lee", WEB, "AWS-RunShellScript") == "conditional"
    assert "not collected" in reach.explain("legacy-lee", WEB, "AWS-RunShellScript").sentence


def test_a_tag_more_changes_who_reaches(sample: ssmlab.Snapshot) -> None:
    changed = ssmlab.reach(sample.with_tags(WEB, {"Finance": "WebServer"}))
    assert changed.outcome("web-ops", WEB, "AWS-RunShellScript") == "implicitDeny"


def test_who_can_lists_allowed_before_conditional(reach: ssmlab.Reach) -> None:
    found = reach.who_can(node=WEB, document="AWS-RunShellScript")
    assert [*found["outcome"].unique()] == ["allowed", "conditional"]
    assert "arn:aws:iam::123456789012:user/web-ops" in {*found["principal"]}


def test_who_can_needs_something_to_ask_about(reach: ssmlab.Reach) -> None:
    with pytest.raises(ValueError, match="expected a node, a document, or both"):
        reach.who_can()


def test_pairs_up_to_a_limit_tell_how_many_there_are(reach: ssmlab.Reach) -> None:
    rows = reach.pairs(principal="admin-adele", limit=3)
    assert (len(rows), rows.attrs["total"] > 3) == (3, True)


def test_an_unknown_outcome_is_refused(reach: ssmlab.Reach) -> None:
    with pytest.raises(ValueError, match=r"expected an outcome of explicitDeny, .*, allowed, got `yes`"):
        reach.pairs(outcome="yes")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (("web-op", WEB, "AWS-RunShellScript"), "no principal `web-op`, did you mean `web-ops`"),
        (("web-ops", "i-0123456789abcdef1", "AWS-RunShellScript"), "did you mean `i-0123456789abcdef0`"),
        (("web-ops", WEB, "AWS-RunShellScripts"), "did you mean `AWS-RunShellScript`"),
        (("NodeRole", WEB, "AWS-RunShellScript"), "`NodeRole` means 2 principals, expected one of"),
        (("role/NodeRole", WEB, "AWS-RunShellScript"), "`role/NodeRole` means 2 principals, expected one of"),
    ],
)
def test_an_unknown_name_suggests_the_nearest(reach: ssmlab.Reach, asked: tuple[str, str, str], words: str) -> None:
    with pytest.raises(KeyError, match="`") as error:
        reach.outcome(*asked)
    assert words in error.value.args[0]


@pytest.mark.parametrize("ask", [ssmlab.reach, widgets.ReachExplorer, widgets.Readiness])
def test_a_path_in_place_of_a_snapshot_is_refused_in_words(ask: Any) -> None:
    with pytest.raises(TypeError, match=r"expected a snapshot, as `ssmlab.load\(path\)` gives it, got `data/sample`"):
        ask("data/sample")


def test_an_unknown_action_is_refused(sample: ssmlab.Snapshot) -> None:
    with pytest.raises(ValueError, match=r"expected an action of `ssm:SendCommand`.* got `ssm:Send`"):
        ssmlab.reach(sample, action="ssm:Send")


def test_outcome_columns_are_ordered(reach: ssmlab.Reach) -> None:
    outcomes = reach.nodes("web-ops")["outcome"]
    assert [*outcomes.cat.categories] == ["explicitDeny", "implicitDeny", "conditional", "allowed"]
    assert isinstance(outcomes.dtype, pd.CategoricalDtype)
    assert outcomes.cat.ordered


def test_an_explanation_escapes_what_stands_in_names_and_tags(sample: ssmlab.Snapshot) -> None:
    nodes = sample.nodes.assign(name="<script>alert(1)</script>")
    shown = ssmlab.reach(sample.replace(nodes=nodes)).explain("web-ops", WEB, "AWS-RunShellScript")._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown


# --- What a review found: variables in Resource ---


def instances(tags: dict[str, str | None], resource: str | list[str], **more: str) -> tuple[ssmlab.Snapshot, str]:
    """A user that may send anything to one Resource, and nodes by id with tag T (None: not known)."""
    base, user = ssmlab.load("ssmlab/policies/examples/page-1-one-tag.json"), "arn:aws:iam::111122223333:user/ana"
    rows = [_instance(node, tag) for node, tag in tags.items()]
    nodes = pd.DataFrame(rows).set_index("arn")
    documents = ssmlab.load("data/sample").documents.query("account == '' and region == 'eu-west-1'")
    body = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": resource}]}
    changed = base.replace(nodes=nodes, documents=documents).with_policy(body, name="own", principal=user)
    people = changed.principals.assign(tags_known=True, **{f"tag:{key}": value for key, value in more.items()})
    return changed.replace(principals=people), user


def _instance(node: str, tag: str | None) -> dict[str, object]:
    row = {"node_id": node, "account": "111122223333", "region": "eu-west-1", "kind": "ec2", "platform": "Linux"}
    row |= {"arn": f"arn:aws:ec2:eu-west-1:111122223333:instance/{node}", "name": node, "ping_status": "Online"}
    return row | {"managed": True, "tags_known": tag is not None, "tag:T": tag}


@pytest.mark.parametrize(
    ("tags", "resource", "own"),
    [
        ({"i-02": "i-0", "i-11": "i-0", "i-03": "i-1"}, "instance/${ssm:resourceTag/T}*", {}),
        ({"i-02": "i-0", "i-01": "i-01"}, "instance/${ssm:resourceTag/T}*", {}),
        ({"i-02": None, "i-01": "i-01"}, "instance/${ssm:resourceTag/T}*", {}),
        ({f"i-{n:03}": f"i-{n % 90:03}" for n in range(120)}, "instance/${ssm:resourceTag/T}*", {}),
        ({"i-01": "x", "i-11": "x"}, ["instance/i-0*", "instance/${aws:PrincipalTag/T}*"], {"T": "i-*"}),
    ],
)
def test_a_variable_in_a_resource_is_each_node_s_own(tags: dict[str, str | None], resource: Any, own: Any) -> None:
    written = [f"arn:aws:ec2:*:*:{end}" for end in ([resource] if isinstance(resource, str) else resource)]
    snapshot, user = instances(tags, written, **own)
    reach = ssmlab.reach(snapshot)
    who = snapshot.principals.index.get_loc(user)
    singly = [reach.decide_node(who, row).outcome for row in range(len(tags))]
    assert reach.nodes(user)["resource_outcome"].to_list() == singly


def test_a_node_without_an_account_is_nobody_s(sample: ssmlab.Snapshot) -> None:
    accounts = sample.nodes["account"].astype(str).where(sample.nodes.index != sample.nodes.index[0])
    reach = ssmlab.reach(sample.replace(nodes=sample.nodes.assign(account=accounts)))
    assert reach.nodes("admin-adele")["outcome"].iloc[0] == "implicitDeny"
    assert len(ssmlab.reach(sample.replace(nodes=sample.nodes.assign(account=None))).pairs()) == 0


def test_a_context_may_hold_truth_values_and_numbers(sample: ssmlab.Snapshot) -> None:
    reach = ssmlab.reach(sample, context={MFA: True})  # type: ignore[dict-item]
    assert reach.outcome("OnCall", WEB, "AWS-RunShellScript") == "allowed"
