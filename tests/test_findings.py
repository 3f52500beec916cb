"""Findings: every rule with cases that trip it and near misses; those of the sample as a whole."""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from casebook import Case, load_cases, read_cases

import ssmlab
from ssmlab.findings.rules import ON_CONDITION, ON_STATEMENT

ANA = "arn:aws:iam::123456789012:user/ana"


def policy(statements: list[Any], version: str | None = "2012-10-17") -> dict[str, Any]:
    return ({"Version": version} if version else {}) | {"Statement": statements}


@pytest.fixture(scope="module")
def findings(sample: ssmlab.Snapshot) -> pd.DataFrame:
    return ssmlab.check_policies(sample)


def find(snapshot: ssmlab.Snapshot, case: Case) -> pd.DataFrame:
    """What is found in the policy of a case, attached to `principal` together with what stands `beside`."""
    who = case.get("principal", ANA)
    body = policy(case["statements"], case.get("version", "2012-10-17"))
    for name, layer in (("beside", "identity"), ("boundary", "boundary")):
        if name in case:
            snapshot = snapshot.with_policy(policy(case[name]), name=name, principal=who, layer=layer)
    changed = snapshot.with_policy(body, name="case", principal=who)
    found = ssmlab.check_policies(changed, other_ways=case["finding"] == "tags-can-be-walked-round")
    return found[found["policy"] == "case"]


@pytest.mark.parametrize("case", load_cases("findings"))
def test_rule(case: Case, sample: ssmlab.Snapshot, tmp_path: Path) -> None:
    snapshot = sample
    if "inventory" in case:
        (tmp_path / "nodes.csv").write_text(f"node_id,account,region\n{case['inventory']}\n")
        snapshot = ssmlab.load(tmp_path / "nodes.csv")
    assert (case["finding"] in {*find(snapshot, case)["finding"]}) is case["expected"]


def test_every_rule_has_cases_that_trip_it_and_near_misses() -> None:
    seen = {(case["finding"], case["expected"]) for case in read_cases("findings")}
    assert seen == {(name, expected) for name in [*ON_CONDITION, *ON_STATEMENT] for expected in (True, False)}


# policy, statement and finding of the sample organisation, in order
SAMPLE = """\
policy/Page-1-OneTag 2 hybrid-nodes-left-out
policy/Page-1-OneTag 2 tag-keys-by-case
policy/Page-1-OneTag 2 like-without-wildcard
policy/Page-2-TwoTags 1 like-without-wildcard
policy/Page-2-TwoTags 1 like-without-wildcard
policy/Page-2-TwoTags 2 documents-in-few-regions
policy/Page-2-TwoTags 3 shows-everyones-commands
policy/Page-3-EitherTag 1 like-without-wildcard
policy/Page-3-EitherTag 2 like-without-wildcard
policy/Page-3-EitherTag 3 documents-in-few-regions
policy/Page-3-EitherTag 4 shows-everyones-commands
policy/Web-Operations 2 tag-keys-by-case
policy/ReadOnlyAccess 1 shows-everyones-commands
user/office-only/Inline 1 scripts-on-all-nodes
user/office-only/Inline 1 second-check
user/hybrid-hands/Inline 2 scripts-on-all-nodes
role/OnCall/Inline 1 scripts-on-all-nodes
role/OnCall/Inline 1 second-check
role/EventBridgeRunCommand/Inline 2 hybrid-nodes-left-out
"""


def test_the_findings_of_the_sample(findings: pd.DataFrame) -> None:
    assert list(findings.columns) == [
        "policy",
        "statement",
        "index",
        "finding",
        "severity",
        "what",
        "why",
        "mend",
        "source",
    ]
    policies = findings["policy"].str.split(":", n=5).str[5]
    assert (policies + " " + findings["statement"] + " " + findings["finding"]).to_list() == SAMPLE.splitlines()
    assert (findings["index"] + 1).astype("str").to_list() == findings["statement"].to_list()


def test_a_finding_names_the_values_and_says_how_to_mend(sample: ssmlab.Snapshot) -> None:
    statement = {
        "Sid": "Read",
        "Effect": "Allow",
        "Action": "ssm:ListCommands",
        "Resource": "arn:aws:ssm:*:*:document/*",
    }
    snapshot = sample.with_policy(policy([statement]), name="mine", principal=ANA)
    (finding,) = ssmlab.check_policies(snapshot).query("policy == 'mine'").to_dict("records")
    assert finding == {
        "policy": "mine",
        "statement": "Read",
        "index": 0,
        "finding": "list-action-on-arn",
        "severity": "error",
        "what": "Allow of `ssm:ListCommands` on `arn:aws:ssm:*:*:document/*`: the action is asked about `*` only",
        "why": "The action knows no resources: a call is checked against `*` alone, which no ARN matches, so the statement"
        " says nothing about it.",
        "mend": 'Move the action to a statement of its own with `"Resource": "*"`.',
        "source": "Service Authorization Reference, Actions, resources, and condition keys for AWS Systems Manager",
    }


def test_a_policy_of_nobody_is_not_checked_and_a_loose_file_is(
    sample: ssmlab.Snapshot, tmp_path: Path, findings: pd.DataFrame
) -> None:
    body = policy([{"Effect": "Allow", "Action": "ssm:ListCommands", "Resource": "arn:aws:ssm:*:*:document/*"}])
    unused = sample.with_policy(body, name="mine")
    assert ssmlab.check_policies(unused).equals(findings)
    (tmp_path / "mine.json").write_text(json.dumps(body))
    assert ssmlab.check_policies(ssmlab.load(tmp_path / "mine.json"))["finding"].to_list() == ["list-action-on-arn"]
    (tmp_path / "nodes.csv").write_text("node_id,account,region\ni-0000000000000000a,123456789012,eu-west-1\n")
    beside_nodes = ssmlab.load(tmp_path / "nodes.csv").with_policy(body, name="mine")
    assert ssmlab.check_policies(beside_nodes)["finding"].to_list() == ["list-action-on-arn"]


def test_tags_that_can_be_changed_name_who_how_and_where(sample: ssmlab.Snapshot) -> None:
    case = next(case for case in read_cases("findings") if case["name"] == "tags-can-be-changed: may tag instances")
    (what,) = find(sample, case).query("finding == 'tags-can-be-changed'")["what"]
    node = re.search(r"on `(i-\w+)`", what)[1]
    assert what == (
        f"user/ana may change the tag `Env` by `ec2:CreateTags`, for example on `{node}`, which `ssm:SendCommand` then"
        " reaches"
    )
    snapshot = sample.with_policy(policy(case["statements"]), name="case", principal=ANA)
    outcomes = [
        ssmlab.reach(s).outcome("ana", node, "AWS-RunShellScript")
        for s in (snapshot, snapshot.with_tags(node, {"Env": "dev"}))
    ]
    assert outcomes == ["implicitDeny", "allowed"]


def test_a_limit_that_is_walked_round_is_told_with_the_shortest_path(sample: ssmlab.Snapshot) -> None:
    tags = {"Condition": {"StringEquals": {"ssm:resourceTag/Finance": "WebServers"}}}
    limit = {"Effect": "Allow", "Action": "ssm:SendCommand", "Resource": "arn:aws:ec2:*:*:instance/*"} | tags
    own = policy([limit, {"Effect": "Allow", "Action": "ssm:StartSession", "Resource": "*"}])
    group = policy([limit, {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}])
    ben, cay = (ANA.replace("ana", name) for name in ("ben", "cay"))
    snapshot = sample.with_policy(own, name="own", principal=ANA)
    snapshot = snapshot.with_policy(group, name="group", principal=[ben, cay])
    found = ssmlab.check_policies(snapshot).query("finding == 'tags-can-be-walked-round'").set_index("policy")
    assert found["what"].to_dict() == {
        "own": "the condition on `ssm:resourceTag/Finance` keeps user/ana from 18 nodes that another way reaches: user/ana"
        " may start a session on i-07b918020d0644452",
        "group": "the condition on `ssm:resourceTag/Finance` keeps user/ben from 18 nodes that another way reaches: user/ben"
        " may assume role/OnCall, then role/OnCall may run commands on i-07b918020d0644452, if"
        " `aws:MultiFactorAuthPresent` is `true`; 1 more principal has such a way",
    }
    assert "tags-can-be-walked-round" not in {*ssmlab.check_policies(snapshot, other_ways=False)["finding"]}


def test_one_policy_in_two_accounts_is_tried_in_both(tmp_path: Path) -> None:
    people = ["arn:aws:iam::111122223333:user/ana", "arn:aws:iam::444455556666:user/ben"]
    (tmp_path / "nodes.csv").write_text(
        "node_id,account,region,tag:Env\ni-0000000000000000a,444455556666,eu-west-1,prod\n"
    )
    (case,) = [case for case in read_cases("findings") if case["name"] == "tags-can-be-changed: may tag instances"]
    for who in (people, people[::-1]):
        snapshot = ssmlab.load(tmp_path / "nodes.csv").with_policy(
            policy(case["statements"]), name="case", principal=who
        )
        assert "tags-can-be-changed" in ssmlab.check_policies(snapshot)["finding"].to_list()


def test_what_aws_would_refuse_or_was_not_collected_is_left_to_the_problems(sample: ssmlab.Snapshot) -> None:
    refused = policy([{"Effect": "Allow", "Action": "ssm:ListCommands", "Resource": "no ARN"}])
    snapshot = sample.with_policy(refused, name="mine", principal=ANA)
    assert len(snapshot.problems) == len(sample.problems) + 1
    found = {*ssmlab.check_policies(snapshot)["policy"]}
    assert found & {"mine", "arn:aws:iam::123456789012:policy/Legacy-Operations"} == set()


def test_other_layers_are_checked_too(sample: ssmlab.Snapshot) -> None:
    deny = {
        "Effect": "Deny",
        "Action": "ssm:*",
        "Resource": "*",
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": False}},
    }
    snapshot = sample.with_policy(policy([deny]), name="guard", principal="123456789012", layer="scp")
    found = ssmlab.check_policies(snapshot.with_policy(policy([deny]), name="cap", principal=ANA, layer="boundary"))
    assert found[found["policy"].isin(["guard", "cap"])]["finding"].to_list() == ["bool-false-on-absent-key"] * 2


def test_an_empty_snapshot_has_no_findings(tmp_path: Path) -> None:
    (tmp_path / "nodes.csv").write_text("node_id,account,region\ni-0000000000000000a,123456789012,eu-west-1\n")
    assert ssmlab.check_policies(ssmlab.load(tmp_path / "nodes.csv")).empty
