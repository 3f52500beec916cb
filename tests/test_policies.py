"""Policy JSON: what AWS would refuse is named, with place and rule, and never counts as true."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from casebook import Case, answer, load_cases
from hypothesis import given
from hypothesis import strategies as st

from ssmlab.policies import PolicyError, RepeatedKeys, State, parse_policy, read_json

GOOD = {"Effect": "Allow", "Action": "ssm:SendCommand", "Resource": "*"}


@pytest.mark.parametrize("write", [json.loads, str, quote], ids=["object", "JSON text", "URL-encoded text"])
def test_a_policy_is_read_from_every_form_aws_prints(write: Any) -> None:
    policy = parse_policy(write(json.dumps({"Version": "2012-10-17", "Statement": GOOD})))
    assert [s.actions for s in policy.statements] == [("ssm:SendCommand",)]
    assert policy.problems == ()


@pytest.mark.parametrize("case", load_cases("grammar"))
def test_what_aws_refuses_is_named_with_place_and_rule_and_how_it_then_acts(case: Case) -> None:
    assert answer("grammar", case) == case


def test_damage_to_one_statement_leaves_the_others() -> None:
    policy = parse_policy({"Version": "2012-10-17", "Statement": ["oops", GOOD]})
    assert [s.state for s in policy.statements] == [State.UNREADABLE, State.READABLE]


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


def test_a_number_for_a_principal_is_refused_in_words() -> None:
    text = json.dumps({"Statement": {"Effect": "Deny", "Principal": 1.5, "Action": "sqs:*", "Resource": "*"}})
    policy = parse_policy(text, layer="rcp")
    wanted = 'expected `*` in a resource control policy, got `"1.5"`'
    assert [problem.what for problem in policy.problems] == [wanted]


def test_objects_nested_without_end_are_refused_in_words() -> None:
    nested: Any = {}
    for _ in range(5_000):
        nested = {"a": nested}
    policy = parse_policy({"Version": "2012-10-17", "Statement": [GOOD | {"Action": nested}]})
    assert [problem.what for problem in policy.problems] == [
        "expected a text or a list of texts, got a value that is nested too deeply"
    ]


# Each of these would take hours where the work grows with the square of the text, or with the number of ways to match.


def test_a_key_among_many_that_stands_twice_is_found() -> None:
    keys = "".join(f'"k{number}": 1, ' for number in range(100_000))
    assert read_json(f'{{{keys}"a": 1, "a": 2}}').repeated == ("a",)


def test_a_variable_full_of_spaces_is_read() -> None:
    policy = parse_policy(
        {
            "Version": "2012-10-17",
            "Statement": [GOOD | {"Condition": {"StringLike": {"a:b": "${" + " " * 1_000_000 + ",x}"}}}],
        }
    )
    assert policy.problems == ()


def test_a_policy_of_a_megabyte_is_read() -> None:
    statements = [GOOD | {"Sid": f"s{number}"} for number in range(12_000)]
    assert len(parse_policy(json.dumps({"Version": "2012-10-17", "Statement": statements})).statements) == 12_000
