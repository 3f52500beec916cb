"""Pseudonyms: nothing that names anybody is left, and everybody reaches what they reached before."""

import ipaddress
import json
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_snapshots import random_snapshot

import ssmlab
from ssmlab import cli
from ssmlab.workshop import pseudonymise
from ssmlab.workshop.pseudonyms import Names

SAMPLE = ssmlab.load(Path(__file__).parents[1] / "data" / "sample")
NAMES = Names("secret", by_place=True)
FULL = "arn:aws:iam::123456789012:user/"


def pairs(snapshot, outcome, change=str):
    frame = ssmlab.reach(snapshot).pairs(outcome=outcome)
    return {tuple(map(change, row)) for row in frame[["principal", "node", "document"]].itertuples(index=False)}


def with_policy(**condition):
    send = {"Effect": "Allow", "Action": "ssm:SendCommand"}
    statements = [send | {"Resource": "arn:aws:ssm:*:*:document/*"}, send | {"Resource": "*", "Condition": condition}]
    document = {"Version": "2012-10-17", "Statement": statements}
    return SAMPLE.with_policy(document, name=f"{FULL}new/Own", principal=f"{FULL}new")


@pytest.mark.parametrize("outcome", ["allowed", "conditional", "explicitDeny"])
def test_every_pair_of_the_sample_has_the_outcome_that_it_had(outcome):
    assert pairs(pseudonymise(SAMPLE, "secret"), outcome) == pairs(SAMPLE, outcome, NAMES.change)


def test_no_name_account_id_or_tag_value_is_left():
    made = pseudonymise(SAMPLE, "secret")
    frames = (made.principals, made.policies, made.nodes, made.documents, made.organization)
    text = "\n".join(frame.reset_index().to_csv() for frame in frames)
    names = {
        *SAMPLE.principals["name"],
        *SAMPLE.nodes["name"].dropna(),
        *SAMPLE.nodes["node_id"],
        *SAMPLE.tags["value"],
    }
    own = SAMPLE.documents.query("owner != 'Amazon'")["name"]
    secret = {*names, *own, *SAMPLE.organization["target"], SAMPLE.management_account, "203.0.113.0"}
    kept = {"root", "AWSServiceRoleForAmazonSSM", "SSMServiceRole"}  # the last is in the name of a policy of AWS
    assert {name for name in secret if len(name) > 3 and name in text} <= kept
    assert set(made.documents["content"].dropna()) == set()


@pytest.mark.parametrize(
    "condition",
    [
        {"StringLike": {"ssm:resourceTag/Finance": "Web*"}},
        {"StringLike": {"ssm:resourceTag/Finance": "*Servers"}},
        {"StringLike": {"ssm:resourceTag/Finance": "?eb*"}},
        {"StringEqualsIgnoreCase": {"ssm:resourceTag/Finance": "WEBSERVERS"}},
        {"ArnLike": {"aws:PrincipalArn": f"{FULL}n*"}, "StringEquals": {"ssm:resourceTag/Env": "prod"}},
        {"Bool": {"aws:ViaAWSService": "false"}},
    ],
    ids=["a beginning", "an end", "a letter", "any case", "an ARN", "a truth"],
)
def test_patterns_match_what_they_matched(condition):
    snapshot = with_policy(**condition)
    before, after = (ssmlab.reach(each).summary() for each in (snapshot, pseudonymise(snapshot, "secret")))
    assert before.loc[f"{FULL}new", ["pairs", "pairs_conditional"]].sum() > 0
    assert sorted(after.values.tolist()) == sorted(before.values.tolist())


def test_a_condition_that_cannot_be_kept_is_refused_by_name():
    snapshot = SAMPLE.with_tags("i-0123456789abcdef0", {"Note": "2026-09-01T10:00:00+02:00"})
    snapshot = snapshot.with_policy(
        json.dumps(with_policy().policies.loc[f"{FULL}new/Own", "document"]).replace(
            '"Condition": {}', '"Condition": {"DateLessThan": {"ssm:resourceTag/Note": "2030-01-01"}}'
        ),
        name=f"{FULL}new/Own",
        principal=f"{FULL}new",
    )
    with pytest.raises(ValueError, match="the reach of `arn:aws:iam::123456789012:user/new` would change"):
        pseudonymise(snapshot, "secret")


def test_of_any_snapshot_the_reach_is_the_same_or_it_is_refused():
    made = {}
    for seed in range(60):
        snapshot = random_snapshot(Random(seed))
        with suppress(ValueError):
            made[seed] = pseudonymise(snapshot, "secret")
        for outcome in ("allowed", "conditional", "explicitDeny") if seed in made else ():
            kept = [
                pairs(made[seed], outcome) == pairs(snapshot, outcome, Names("secret", place).change)
                for place in (True, False)
            ]
            assert any(kept), (seed, outcome)
    assert made


@given(st.text("abXY-_/*?é12", max_size=8), st.text("abXY-_/é12", max_size=8))
def test_what_begins_alike_stays_alike(first, rest):
    assert NAMES.change(f"a{first}{rest}").startswith(NAMES.change(f"a{first}"))


@given(st.lists(st.text("abcXYZ-12", min_size=1, max_size=6), unique=True))
def test_different_names_stay_different(names):
    assert len({NAMES.change(name) for name in names}) == len(names)


@given(st.ip_addresses(), st.integers(8, 32))
def test_a_range_of_addresses_stays_a_range_of_its_size(address, length):
    made = NAMES.change_address(f"{address}/{length}")
    assert ipaddress.ip_network(made).prefixlen == length


def test_the_command_line_writes_a_snapshot_that_can_be_loaded(tmp_path, capsys):
    path = str(Path(__file__).parents[1] / "data" / "sample")
    assert cli.main(["pseudonymise", path, str(tmp_path / "safe")]) == 0
    assert "every principal reaches as much as before" in capsys.readouterr().out
    assert len(ssmlab.load(tmp_path / "safe").principals) == len(SAMPLE.principals)
    assert cli.main(["pseudonymise", path, str(tmp_path / "safe")]) == 2
