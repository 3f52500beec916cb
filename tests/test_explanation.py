"""What an explanation says, in whole sentences: the reason, the steps, the smallest changes."""

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_snapshots import random_snapshot

import ssmlab
from ssmlab.conditions import OPERATORS
from ssmlab.explanation.changes import find_changes
from ssmlab.explanation.words import say_wanted

WEB, WEB_4, RACK = "web-1 (i-0123456789abcdef0)", "web-4 (i-07b918020d0644452)", "shop-rack-7 (mi-0123456789abcdef0)"
SHELL, SHELL_ARN = "AWS-RunShellScript", "arn:aws:ssm:eu-west-1::document/AWS-RunShellScript"
MFA = "aws:MultiFactorAuthPresent"


SENTENCES = {
    "allowed by tag": (
        ("web-ops", "web-1", SHELL),
        f"user/web-ops may run {SHELL} on {WEB}: the document is allowed by policy Page-1-OneTag, statement 1, the node is allowed by policy Page-1-OneTag, statement 2, because the node's tag `Finance` is `WebServers`.",
        (
            "another value of the node's tag `Finance`: policy Page-1-OneTag, statement 2 wants `WebServers`",
            "policy Page-1-OneTag, statement 1 is taken away",
            "policy Page-1-OneTag, statement 2 is taken away",
        ),
    ),
    "wrong tag value": (
        ("web-ops", "web-4", SHELL),
        f"user/web-ops may not run {SHELL} on {WEB_4}, because no policy of the principal allows the node: the node's tag `Finance` is `WebServer`, the policy wants `WebServers` (policy Page-1-OneTag, statement 2).",
        (
            "the node's tag `Finance` is `WebServer`, the policy wants `WebServers` (policy Page-1-OneTag, statement 2)",
            "no other statement (identity) allows the node",
        ),
    ),
    "missing tag": (
        ("web-ops", "untagged-eu.example.internal", SHELL),
        f"user/web-ops may not run {SHELL} on untagged-eu.example.internal (i-01c11c2bbef7a8113), because no policy of the principal allows the node: the node has no tag `Finance`, the policy wants `WebServers` (policy Page-1-OneTag, statement 2).",
        (
            "the node has no tag `Finance`, the policy wants `WebServers` (policy Page-1-OneTag, statement 2)",
            "no other statement (identity) allows the node",
        ),
    ),
    "the principal's own tag": (
        ("team-red", "web-1", SHELL),
        f"user/team-red may not run {SHELL} on {WEB}, because no policy of the principal allows the node: the node's tag `Team` is `blue`, the policy wants `red` (policy Team-Match, statement 2).",
        (
            "the node's tag `Team` is `blue`, the policy wants `red` (policy Team-Match, statement 2)",
            "no other statement (identity) allows the node",
        ),
    ),
    "two tags": (
        ("two-tags", "neither-key-us", SHELL),
        f"user/two-tags may not run {SHELL} on neither-key-us (i-03e3b7e043e39f0de), because no policy of the principal allows the node: the node's tag `tag_key1` is `other`, the policy wants `tag_value1`, and the node's tag `tag_key2` is `other`, the policy wants `tag_value2` (policy Page-2-TwoTags, statement 1).",
        (
            "the node's tag `tag_key1` is `other`, the policy wants `tag_value1` (policy Page-2-TwoTags, statement 1); and the node's tag `tag_key2` is `other`, the policy wants `tag_value2` (policy Page-2-TwoTags, statement 1)",
            "no other statement (identity) allows the node",
        ),
    ),
    "a node with an mi- id under a policy of instances": (
        ("web-ops", "shop-rack-7", SHELL),
        f"user/web-ops may not run {SHELL} on {RACK}, because no policy of the principal allows the node: the ARN of the node is `arn:aws:ssm:eu-west-1:123456789012:managed-instance/mi-0123456789abcdef0`, the policy wants `arn:aws:ec2:*:*:instance/*` (policy Page-1-OneTag, statement 2).",
        (
            "no policy of the principal allows the node: the ARN of the node is `arn:aws:ssm:eu-west-1:123456789012:managed-instance/mi-0123456789abcdef0`, the policy wants `arn:aws:ec2:*:*:instance/*` (policy Page-1-OneTag, statement 2)",
        ),
    ),
    "a document not allowed in that Region": (
        ("two-tags", "both-keys-eu", SHELL),
        f"user/two-tags may not run {SHELL} on both-keys-eu (i-0e297074b205a8de8), because no policy of the principal allows the document: the document is in eu-west-1, the policy wants us-west-1 or us-east-2 (policy Page-2-TwoTags, statement 2).",
        (
            "no policy of the principal allows the document: the document is in eu-west-1, the policy wants us-west-1 or us-east-2 (policy Page-2-TwoTags, statement 2)",
        ),
    ),
    "nothing about the node": (
        ("documents-only", "web-1", SHELL),
        f"user/documents-only may not run {SHELL} on {WEB}, because no policy of the principal allows the node: what comes nearest is about `arn:aws:ssm:*:*:document/*` (policy Inline, statement 1).",
        (
            "no policy of the principal allows the node: what comes nearest is about `arn:aws:ssm:*:*:document/*` (policy Inline, statement 1)",
        ),
    ),
    "nothing about the action": (
        ("auditor", "web-1", SHELL),
        f"user/auditor may not run {SHELL} on {WEB}, because no policy of the principal allows `ssm:SendCommand`.",
        ("no policy of the principal allows `ssm:SendCommand`",),
    ),
    "an explicit deny over an allow": (
        ("not-prod", "web-1", SHELL),
        f"user/not-prod may not run {SHELL} on {WEB}, because policy Inline, statement 2 denies the node: the node's tag `Env` is `prod`; a deny beats every allow, also policy Inline, statement 1.",
        (
            "the deny in policy Inline, statement 2 applies because the node's tag `Env` is `prod`",
            "policy Inline, statement 2 denies the node",
        ),
    ),
    "a permissions boundary": (
        ("contractor", "test-web-1", SHELL),
        f"user/contractor may not run {SHELL} on test-web-1 (i-0fce7be88566009c4), because the permissions boundary does not allow the node: the node's tag `Env` is `test`, the policy wants `dev` (boundary policy Contractor-Boundary, statement 2).",
        (
            "the node's tag `Env` is `test`, the policy wants `dev` (boundary policy Contractor-Boundary, statement 2)",
            "no other statement (permissions boundary) allows the node",
        ),
    ),
    "a service control policy": (
        ("dev-dora", "dev-web-1", "AWS-RunRemoteScript"),
        "user/dev-dora may not run AWS-RunRemoteScript on dev-web-1 (i-08f0ee0b6681cb300), because SCP policy p-devguard1, statement NoRemoteScripts denies the document; a deny beats every allow, also policy AdministratorAccess, statement 1.",
        ("SCP policy p-devguard1, statement NoRemoteScripts denies the document",),
    ),
    "MFA open": (
        ("OnCall", "web-1", SHELL),
        f"role/OnCall may run {SHELL} on {WEB} only if `{MFA}` is `true`.",
        (f"`{MFA}` is not known, the policy wants `true` (policy Inline, statement 1)",),
    ),
    "an address open": (
        ("office-only", "web-1", SHELL),
        f"user/office-only may run {SHELL} on {WEB} only if `aws:SourceIp` is an address in `203.0.113.0/24`.",
        ("`aws:SourceIp` is not known, the policy wants an address in `203.0.113.0/24` (policy Inline, statement 1)",),
    ),
    "tags not collected": (
        ("op-ben", "depot-2", "AWS-RunPatchBaseline"),
        "user/op-ben may run AWS-RunPatchBaseline on depot-2 (mi-0b84c56e599883d2d) only if the node's tag `Env` is `prod`.",
        ("the node's tag `Env` is not known, the policy wants `prod` (policy Operator-Patching, statement 2)",),
    ),
    "a deny that is open": (
        ("not-prod", "depot-2", SHELL),
        f"user/not-prod may run {SHELL} on depot-2 (mi-0b84c56e599883d2d) only if the node's tag `Env` is not `prod`, which policy Inline, statement 2 denies.",
        ("the deny in policy Inline, statement 2 may apply: the node's tag `Env` is not known, it denies `prod`",),
    ),
    "a policy not collected": (
        ("legacy-lee", "web-1", SHELL),
        f"user/legacy-lee may run {SHELL} on {WEB} only if policy Legacy-Operations allows it, which was not collected.",
        ("policy Legacy-Operations was not collected",),
    ),
    "another account": (
        ("admin-adele", "dev-web-1", SHELL),
        f"user/admin-adele may not run {SHELL} on dev-web-1 (i-08f0ee0b6681cb300), because the node is in another account than the principal.",
        (),
    ),
    "another Region": (
        ("admin-adele", "web-1", f"arn:aws:ssm:us-east-2::document/{SHELL}"),
        f"user/admin-adele may not run {SHELL} on {WEB}, because the node is in eu-west-1, the document in us-east-2.",
        ("the document is not that of eu-west-1, which is allowed",),
    ),
    "an unmanaged node": (
        ("admin-adele", "bastion", SHELL),
        f"user/admin-adele may run {SHELL} on bastion (i-009715cebcbd29565): both are allowed by policy AdministratorAccess, statement 1. But the node is not managed by Systems Manager: no command reaches it.",
        ("policy AdministratorAccess, statement 1 is taken away",),
    ),
}


@pytest.mark.parametrize("case", SENTENCES)
def test_an_explanation_says_why_and_what_would_change_it(reach: ssmlab.Reach, case: str) -> None:
    asked, sentence, nearest = SENTENCES[case]
    found = reach.explain(*asked)
    assert (found.sentence, found.nearest) == (sentence, nearest)


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
        " and no policy of the principal allows the node: what comes nearest is about `arn:aws:ssm:*:*:document/Own` (policy Narrow, statement 1)"
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
