"""Lines of a policy's text, and what AWS would refuse there."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssmlab.policies import TextProblem, check_text, find_lines, line_of, parse_policy, read_examples

KEYS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | KEYS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


def paths(value, path="$"):
    """Every path of a value in the order of the text, which is a line each when it is indented."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    yield path
    for key, member in members:
        yield from paths(member, f"{path}.{key}" if isinstance(value, dict) else f"{path}[{key}]")


@given(VALUES)
def test_every_member_stands_on_the_line_where_it_begins(value):
    every = [*paths(value)]
    lines = find_lines(json.dumps(value, indent=1))
    if len({*every}) == len(every):  # else keys with dots and brackets make two paths one
        assert [*lines] == every
        assert [*lines.values()] == sorted(lines.values())
        assert lines["$"] == 1


def test_a_key_with_a_bracket_or_a_quote_does_not_lose_its_line():
    text = '{\n "a\\"]}": {\n  "ssm:resourceTag/a.b": 1}}'
    assert find_lines(text) == {"$": 1, '$.a"]}': 2, '$.a"]}.ssm:resourceTag/a.b': 3}


@pytest.mark.parametrize(
    ("path", "line"),
    [("$.Statement[10].Effect", 4), ("$.Statement[1].Effect", 3), ("$.Statements", 1), ("$.Version", 1)],
)
def test_what_is_missing_is_told_where_it_would_stand(path, line):
    assert line_of({"$": 1, "$.Statement": 2, "$.Statement[1]": 3, "$.Statement[10]": 4}, path) == line


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", TextProblem(1, 1, "expected JSON: expecting value")),
        ('{\n "Version": "2012-10-17",\n}', TextProblem(3, 1, "expected JSON: illegal trailing comma")),
        ("[]", TextProblem(1, 0, "expected a policy as a JSON object, got `[]`")),
        (
            '{"Statement": [\n{"Effect": "Allow", "Action": "*",\n "Resource": "*", "Condition": {"StringLik":\n {"a": "b"}}}]}',
            "StringLik",
        ),
        ('{\n"Statement": [],\n"Sid": "x"}', TextProblem(3, 0, "unknown element `Sid`, expected one of `Version`")),
        (
            '{"Statement": {"Effect": "Allow",\n"Action": "*"}}',
            TextProblem(1, 0, "expected `Resource` or `NotResource`"),
        ),
    ],
)
def test_what_aws_would_refuse_is_told_at_its_line(text, problem):
    found = check_text(text)[0]
    if isinstance(problem, str):
        assert (found.line, problem in found.what) == (3, True)
    elif problem.column and "trailing" in problem.what:  # Python 3.13 says it better than 3.11
        assert found.line in (2, 3)
    else:
        assert (found.line, found.column) == (problem.line, problem.column)
        assert found.what.startswith(problem.what)


@pytest.mark.parametrize("name", read_examples())
def test_aws_would_store_every_starting_point(name):
    assert check_text(read_examples()[name]) == []
    assert parse_policy(read_examples()[name]).statements
