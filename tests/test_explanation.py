"""What an explanation says, in whole sentences: the reason, the steps, the smallest changes."""

from collections import Counter
from itertools import product
from random import Random
from typing import Any

import pytest
from casebook import Case, load_cases
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_snapshots import random_snapshot

import ssmlab
from ssmlab.conditions import OPERATORS
from ssmlab.evaluation import Outcome
from ssmlab.explanation import Trial
from ssmlab.explanation.changes import find_changes
from ssmlab.explanation.words import say_wanted

SHELL, SHELL_ARN = "AWS-RunShellScript", "arn:aws:ssm:eu-west-1::document/AWS-RunShellScript"
MFA = "aws:MultiFactorAuthPresent"


@pytest.mark.parametrize("case", load_cases("explanations"))
def test_an_explanation_says_why_and_what_would_change_it(reach: ssmlab.Reach, case: Case) -> None:
    found = reach.explain(*case["asked"])
    assert (found.sentence, [*found.nearest]) == (case["sentence"], case["nearest"])


def test_the_steps_read_from_top_to_bottom(reach: ssmlab.Reach) -> None:
    assert str(reach.explain("not-prod", "web-1", SHELL)).splitlines()[1:] == [
        "  document: allowed",
        "    identity: policy Inline, statement 1 allows it",
        "    SCPs: 4 levels, each allows it",
        "  node: denied",
        "    identity: policy Inline, statement 2 denies it",
        "      StringEquals ssm:resourceTag/Env: wanted `prod`, is `prod`: holds",
        "    identity: policy Inline, statement 1 would allow it, but a deny beats every allow",
        "    SCPs: 4 levels, each allows it",
        "  what stands in the way; it is enough to mend one of these:",
        "    - the deny in policy Inline, statement 2 applies because the node's tag `Env` is `prod`",
        "    - policy Inline, statement 2 denies the node",
    ]


def test_the_steps_are_a_frame_with_wanted_and_actual_value(reach: ssmlab.Reach) -> None:
    steps = reach.explain("contractor", "test-web-1", SHELL).steps
    assert [*steps.columns] == [
        "part",
        "layer",
        "outcome",
        "reason",
        "statement",
        "condition",
        "wanted",
        "actual",
        "holds",
    ]
    failing = steps[steps["holds"] == "fails"].iloc[0]
    assert failing[["part", "layer", "condition", "wanted", "actual"]].to_list() == [
        "node",
        "permissions boundary",
        "StringEquals ssm:resourceTag/Env",
        "`dev`",
        "`test`",
    ]
    levels = steps[steps["layer"].str.startswith("SCP") & (steps["part"] == "node")]
    assert [*levels["layer"]] == [f"SCP level {level} of 4" for level in (1, 2, 3, 4)]


def test_the_nearest_change_of_a_tag_is_what_it_says(sample: ssmlab.Snapshot) -> None:
    mended = sample.with_tags("i-07b918020d0644452", {"Finance": "WebServers"})
    assert ssmlab.reach(mended).outcome("web-ops", "web-4", SHELL) == "allowed"
    ended = sample.with_tags("i-0123456789abcdef0", {"Finance": "other"})
    assert ssmlab.reach(ended).outcome("web-ops", "web-1", SHELL) == "implicitDeny"


def test_a_request_that_is_refused_without_mfa_says_so(sample: ssmlab.Snapshot) -> None:
    found = ssmlab.reach(sample, context={MFA: None}).explain("OnCall", "web-1", SHELL)
    assert found.nearest[0] == f"`{MFA}` is absent, the policy wants `true` (policy Inline, statement 1)"


def test_nobody_is_told_to_tag_a_document_that_aws_owns(reach: ssmlab.Reach) -> None:
    assert not any(
        "document's tag" in line or "document has" in line
        for line in reach.explain("two-tags", "both-keys-eu", SHELL).nearest
    )


def test_document_and_node_both_refused_are_a_pair(sample: ssmlab.Snapshot) -> None:
    policy = {"Statement": {"Effect": "Allow", "Action": "ssm:SendCommand", "Resource": "arn:aws:ssm:*:*:document/Own"}}
    changed = sample.with_policy(policy, name="Narrow", principal="arn:aws:iam::123456789012:user/auditor")
    (line,) = ssmlab.reach(changed).explain("auditor", "web-1", SHELL).nearest
    assert line == (
        f"no policy of the principal allows the document: the ARN of the document is `{SHELL_ARN}`, the policy wants `arn:aws:ssm:*:*:document/Own` (policy Narrow, statement 1);"
        " and no policy of the principal allows the node: no statement names it, only `arn:aws:ssm:*:*:document/Own` (policy Narrow, statement 1)"
    )


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>"])
def test_text_of_tags_and_names_is_shown_as_text(sample: ssmlab.Snapshot, text: str) -> None:
    nodes = sample.nodes.assign(**{"name": text, "tag:Finance": text})
    shown = ssmlab.reach(sample.replace(nodes=nodes)).explain("web-ops", "i-0123456789abcdef0", SHELL)._repr_html_()
    assert not any(tag in shown for tag in ("<script", "<img"))
    assert shown.count("&lt;") >= 3


@pytest.mark.parametrize("operator", OPERATORS)
def test_every_operator_has_words(operator: str) -> None:
    assert say_wanted(f"ForAnyValue:{operator}IfExists", ["a"]).startswith("at least one of ")
    assert say_wanted(operator, ["a", "b"]).endswith(("`a` or `b`", "`a` or `b` in any case"))


@pytest.mark.parametrize(("value", "words"), [("true", "no value"), ("false", "any value")])
def test_null_has_words(value: str, words: str) -> None:
    assert say_wanted("Null", [value]) == words


@settings(max_examples=8, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_every_change_that_is_named_turns_the_answer(seed: int) -> None:
    draw = Random(seed)
    snapshot = random_snapshot(draw)
    reach = ssmlab.reach(snapshot)
    for _ in range(10):
        who, where, what = (
            draw.randrange(len(frame)) for frame in (snapshot.principals, snapshot.nodes, snapshot.documents)
        )
        parts = [reach.ask_document(who, what), reach.ask_node(who, where)]
        before = min(
            (part.decide().outcome for part in parts),
            key=["explicitDeny", "implicitDeny", "conditional", "allowed"].index,
        )
        for way in find_changes(parts, before):
            changed = parts
            for change in way:
                changed = [change.apply(part) for part in changed]
            assert all(part.decide().outcome == "allowed" for part in changed) is (before != "allowed")


def test_what_can_be_tried_turns_the_answer_of_the_whole_snapshot(sample: ssmlab.Snapshot) -> None:
    """For every principal: the values that an explanation names, put into the snapshot and the request."""
    tried: Counter[str] = Counter()
    reach = ssmlab.reach(sample)
    shells = sample.documents.index[sample.documents["name"] == SHELL]
    for principal, node in product(sample.principals.index, sample.nodes.index[:8]):
        document = next(arn for arn in shells if sample.nodes.loc[node, "region"] in arn)
        before = reach.explain(principal, node, document)
        assert len(before.trials) in (0, len(before.nearest))
        for way in filter(None, before.trials):
            tags = {trial.key: trial.value for trial in way if trial.of == "node"}
            context = {trial.key: trial.value for trial in way if trial.of == "request"}
            assert len(tags) + len(context) == len(way)
            after = ssmlab.reach(sample.with_tags(node, tags), context=context).outcome(principal, node, document)
            assert (after is Outcome.ALLOWED) is not (before.outcome is Outcome.ALLOWED), (principal, node, way)
            tried[way[0].of] += 1
    assert min(tried["node"], tried["request"]) > 5


@pytest.mark.parametrize(("version", "said"), [(None, True), ("2012-10-17", False)])
def test_a_variable_without_the_newer_version_is_told_as_plain_text(
    sample: ssmlab.Snapshot, version: str | None, said: bool
) -> None:
    condition = {"StringEquals": {"ssm:resourceTag/Team": "${aws:PrincipalTag/Team}"}}
    send = {"Effect": "Allow", "Action": "ssm:SendCommand", "Resource": "arn:aws:ssm:*:*:document/*"}
    policy = {"Statement": [send, send | {"Resource": "*", "Condition": condition}]}
    policy |= {"Version": version} if version else {}
    changed = sample.with_policy(policy, name="arn:aws:iam::123456789012:policy/Team-Match")
    found = ssmlab.reach(changed).explain("team-red", "web-1", SHELL)
    assert (found.outcome, 'only under `"Version": "2012-10-17"`' in found.nearest[0]) == ("implicitDeny", said)


@pytest.mark.parametrize(
    ("tags", "wanted"),
    [
        ({"Finance": None}, [("Finance", "WebServers")]),
        ({"Finance": None, "finance": "Ledger"}, [("finance", "WebServers")]),
        ({"Finance": "Ledger", "finance": "Other"}, [("Finance", "WebServers"), ("finance", None)]),
    ],
)
def test_a_tag_is_tried_under_the_name_that_it_has(sample: ssmlab.Snapshot, tags: Any, wanted: Any) -> None:
    asked = ("web-ops", "i-0123456789abcdef0", SHELL)
    changed = sample.with_tags(asked[1], tags)
    (way, *_) = ssmlab.reach(changed).explain(*asked).trials
    assert way == tuple(Trial("node", *pair) for pair in wanted)
    tried = changed.with_tags(asked[1], {trial.key: trial.value for trial in way})
    assert ssmlab.reach(tried).outcome(*asked) is Outcome.ALLOWED


@pytest.mark.parametrize(("tag", "outcome"), [(None, Outcome.CONDITIONAL), ("x", Outcome.IMPLICIT_DENY)])
def test_where_tags_are_not_known_none_is_tried_away(
    sample: ssmlab.Snapshot, tag: str | None, outcome: Outcome
) -> None:
    asked = ("somebody", "i-0123456789abcdef0", SHELL)
    untagged = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Null": {"ssm:resourceTag/A": "true"}}}
    changed = sample.with_policy(
        {"Statement": untagged}, name="untagged", principal="arn:aws:iam::123456789012:user/somebody"
    )
    unknown = changed.replace(nodes=changed.nodes.assign(tags_known=False)).with_tags(asked[1], {"A": tag})
    said = ssmlab.reach(unknown).explain(*asked)
    assert said.outcome is outcome
    assert len(said.nearest) == len(said.trials) > 0
    assert not any(trial.of == "node" for way in said.trials for trial in way)


def test_what_the_request_gives_is_tried_under_the_name_that_it_has_there(sample: ssmlab.Snapshot) -> None:
    asked = ("OnCall", "i-0123456789abcdef0", SHELL)
    (way,) = ssmlab.reach(sample, context={MFA.upper(): "false"}).explain(*asked).trials
    assert way == (Trial("request", MFA.upper(), "true"),)


def test_a_tag_that_the_request_gives_is_not_tried_on_the_node(sample: ssmlab.Snapshot) -> None:
    asked = ("web-ops", "i-0123456789abcdef0", SHELL)
    said = ssmlab.reach(sample, context={"ssm:resourceTag/finance": "Ledger"}).explain(*asked)
    assert said.outcome is Outcome.IMPLICIT_DENY
    assert len(said.nearest) == len(said.trials) > 0
    assert not any(said.trials)
