"""Policy JSON: what AWS would refuse is named, with place and rule, and never counts as true."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssmlab.policies import PolicyError, RepeatedKeys, State, parse_policy, read_json

GOOD = {"Effect": "Allow", "Action": "ssm:SendCommand", "Resource": "*"}


def refused(statement: Any, layer: str = "identity") -> tuple[str, str]:
    """Place and rule of the only problem of a one-statement policy."""
    policy = parse_policy({"Version": "2012-10-17", "Statement": [statement]}, layer=layer)
    assert [s.state for s in policy.statements] == [State.UNREADABLE]
    (problem,) = policy.problems
    return problem.where, problem.what


@pytest.mark.parametrize("write", [json.loads, str, quote], ids=["object", "JSON text", "URL-encoded text"])
def test_a_policy_is_read_from_every_form_aws_prints(write: Any) -> None:
    policy = parse_policy(write(json.dumps({"Version": "2012-10-17", "Statement": GOOD})))
    assert [s.actions for s in policy.statements] == [("ssm:SendCommand",)]
    assert policy.problems == ()


@pytest.mark.parametrize(
    ("change", "where", "what"),
    [
        ({"Effect": None}, ".Effect", "expected `Allow` or `Deny`, got nothing"),
        ({"Effect": "allow"}, ".Effect", 'expected `Allow` or `Deny`, got `"allow"`'),
        ({"NotAction": "s3:*"}, ".NotAction", "expected `Action` or `NotAction`, got both"),
        ({"NotResource": "*"}, ".NotResource", "expected `Resource` or `NotResource`, got both"),
        ({"Principal": "*"}, ".Principal", "a Principal may not stand in a policy of the identity layer"),
        ({"Action": "SendCommand"}, ".Action", "expected `*` or `service:Action`, got `SendCommand`"),
        ({"Action": 7}, ".Action", "expected a text or a list of texts, got `7`"),
        ({"Resource": "instance/*"}, ".Resource", "expected `*` or an ARN, got `instance/*`"),
        (
            {"Resource": "arn:aws:ec2:${aws:RequestedRegion}:*:instance/*"},
            ".Resource",
            "expected variables only after the fifth colon of an ARN, got `arn:aws:ec2:${aws:RequestedRegion}:",
        ),
        ({"Sid": "no spaces"}, ".Sid", 'expected letters and digits, got `"no spaces"`'),
        ({"Condition": []}, ".Condition", "expected an object of operators, got `[]`"),
        ({"Condition": {"Bool": "x"}}, ".Condition.Bool", 'expected an object of condition keys, got `"x"`'),
        ({"Condition": {"Bool": {"a:b": []}}}, ".Condition.Bool.a:b", "expected a value or a list of values, got `[]`"),
        (
            {"Condition": {"BinaryEquals": {"a:b": "?"}}},
            ".Condition.BinaryEquals.a:b",
            'expected base64 text, got `"?"`',
        ),
        ({"Efect": "Allow"}, ".Efect", "unknown element `Efect`, expected one of"),
    ],
    ids=lambda value: "" if not isinstance(value, dict) else next(iter(value)),
)
def test_what_aws_refuses_is_named_with_its_place(change: dict[str, Any], where: str, what: str) -> None:
    statement = {key: value for key, value in (GOOD | change).items() if value is not None}
    found = refused(statement)
    assert found[0] == f"$.Statement[0]{where}"
    assert found[1].startswith(what)


@pytest.mark.parametrize("missing", ["Action", "Resource"])
def test_an_element_that_is_missing_is_named(missing: str) -> None:
    statement = {key: value for key, value in GOOD.items() if key != missing}
    assert refused(statement) == ("$.Statement[0]", f"expected `{missing}` or `Not{missing}`, got neither")


def test_an_unknown_operator_is_refused_by_name() -> None:
    where, what = refused(GOOD | {"Condition": {"StringMatches": {"a:b": "x"}}})
    assert (where, what[:41]) == ("$.Statement[0].Condition.StringMatches", "unknown condition operator `StringMatches")


def test_a_resource_policy_needs_a_principal() -> None:
    assert refused(GOOD, "resource") == ("$.Statement[0]", "expected `Principal` or `NotPrincipal`, got neither")


def test_a_repeated_key_is_seen_and_refused() -> None:
    text = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}]}'
    policy = parse_policy(text)
    assert [s.state for s in policy.statements] == [State.UNREADABLE]
    assert policy.problems[0].what == "the key `Effect` stands more than once in one object"


def test_damage_to_one_statement_leaves_the_others() -> None:
    policy = parse_policy({"Version": "2012-10-17", "Statement": ["oops", GOOD]})
    assert [s.state for s in policy.statements] == [State.UNREADABLE, State.READABLE]


def test_a_wrong_version_makes_the_whole_policy_unreadable() -> None:
    policy = parse_policy({"Version": "2012-10-18", "Statement": [GOOD]})
    assert [s.state for s in policy.statements] == [State.UNREADABLE]


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", "%7B", "[" * 100_000])
def test_text_that_is_no_object_is_refused_in_words(text: str) -> None:
    with pytest.raises(PolicyError, match="expected a policy as"):
        parse_policy(text)


def test_several_json_values_in_one_text_are_joined() -> None:
    assert read_json(b'\xef\xbb\xbf{"a": 1}\n{"a": 2} ', many=True) == [{"a": 1}, {"a": 2}]


def test_repeated_keys_keep_the_last_value_and_are_marked() -> None:
    read = read_json('{"a": 1, "a": 2}')
    assert isinstance(read, RepeatedKeys)
    assert (dict(read), read.repeated) == ({"a": 2}, ("a",))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda x: st.lists(x) | st.dictionaries(st.text(max_size=9), x),
    max_leaves=8,
)
STATEMENT = st.dictionaries(
    st.sampled_from(["Effect", "Action", "Resource", "Condition", "Principal", "Sid", "Not"]),
    JSON | st.sampled_from(["Allow", "*"]),
)


@given(st.dictionaries(st.sampled_from(["Version", "Statement", "Id", "x"]), JSON | STATEMENT | st.lists(STATEMENT)))
def test_no_json_object_raises(document: dict[str, Any]) -> None:
    parse_policy(document)
