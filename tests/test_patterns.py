"""Wildcards, variables, ARNs."""

import re

import pytest
from casebook import Case, answer, load_cases
from hypothesis import given
from hypothesis import strategies as st

from ssmlab.patterns import Glob, action_matches, parse_text, split_arn

LETTERS = st.text(st.sampled_from("ab:/"), max_size=8)


@pytest.mark.parametrize("case", load_cases("resources"))
def test_resource(case: Case) -> None:
    assert answer("resources", case) == case


@given(pattern=st.text(st.sampled_from("ab*?:"), max_size=8), text=LETTERS)
def test_a_glob_matches_as_the_same_regular_expression_does(pattern: str, text: str) -> None:
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    assert Glob(parse_text(pattern)).matches(text) is bool(re.fullmatch(expression, text, re.DOTALL))


def test_a_pattern_built_to_be_slow_is_answered_at_once() -> None:
    # a backtracking matcher would not end
    assert not Glob(parse_text("*a" * 2_000 + "b")).matches("a" * 100_000)


@pytest.mark.parametrize(
    ("pattern", "action", "expected"),
    [
        ("*", "ssm:SendCommand", True),
        ("ssm:*", "ssm:SendCommand", True),
        ("SSM:sendcommand", "ssm:SendCommand", True),
        ("ssm:Send?ommand", "ssm:SendCommand", True),
        ("ssm:Send", "ssm:SendCommand", False),
        ("ec2:*", "ssm:SendCommand", False),
    ],
)
def test_actions_ignore_case_and_know_wildcards(pattern: str, action: str, expected: bool) -> None:
    assert action_matches(pattern, action) is expected


def test_the_sixth_part_of_an_arn_keeps_its_colons() -> None:
    assert split_arn("arn:aws:logs:eu-west-1:123456789012:log-group:a:b") == (
        "arn", "aws", "logs", "eu-west-1", "123456789012", "log-group:a:b",
    )  # fmt: skip


def test_other_text_is_no_arn() -> None:
    assert split_arn("AIDAEXAMPLE") is None
