"""Expectations: what holds, what is broken and by whom, what cannot be tested."""

from pathlib import Path
from typing import Any

import pytest

import ssmlab
from ssmlab.cli import main

FILE = """
expectations:
  - name: contractors never reach production
    never: "user/contractor*"
    nodes: {"tag:Env": prod}
    ways: any
  - name: only web operations restart the web servers
    only: [role/WebOps, "user/op-*"]
    nodes: {"tag:Finance": WebServers}
    documents: RestartWebServer
"""


def check(snapshot: ssmlab.Snapshot, **wanted: Any) -> tuple[bool, str]:
    (row,) = ssmlab.check_expectations(snapshot, {"expectations": [wanted]}).itertuples()
    return row.holds, row.counterexample


def test_a_file_is_tested_line_by_line(sample: ssmlab.Snapshot, tmp_path: Path) -> None:
    file = tmp_path / "expectations.yaml"
    file.write_text(FILE)
    found = ssmlab.check_expectations(sample, file)
    assert [*found["expectation"]] == [
        "contractors never reach production",
        "only web operations restart the web servers",
    ]
    assert [*found["holds"]] == [True, False]
    assert found["counterexample"][1].startswith("user/web-ops may run RestartWebServer on web-1")


def test_the_command_line_prints_the_counterexample_and_exits_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "expectations.yaml"
    file.write_text(FILE)
    assert main(["check", "data/sample", "--expect", str(file)]) == 1
    printed = capsys.readouterr().out
    assert "holds: contractors never reach production" in printed
    assert "BROKEN: only web operations restart the web servers: user/web-ops may run RestartWebServer" in printed
    file.write_text(FILE.split("  - name: only")[0])
    assert main(["check", "data/sample", "--expect", str(file)]) == 0


def test_what_depends_on_an_open_condition_breaks_an_expectation_unless_it_is_ignored(sample: ssmlab.Snapshot) -> None:
    wanted = {"never": "role/OnCall", "nodes": "web-1"}
    holds, said = check(sample, **wanted)
    assert (holds, "only if `aws:MultiFactorAuthPresent` is `true`" in said) == (False, True)
    assert check(sample, **wanted, conditional="ignored") == (True, "")


def test_the_context_of_the_file_settles_conditions(sample: ssmlab.Snapshot) -> None:
    body = {
        "context": {"aws:MultiFactorAuthPresent": "false"},
        "expectations": [{"never": "role/OnCall", "nodes": "web-1"}],
    }
    assert ssmlab.check_expectations(sample, body)["holds"].to_list() == [True]


def test_another_way_breaks_what_run_command_keeps(sample: ssmlab.Snapshot) -> None:
    session = {"Effect": "Allow", "Action": "ssm:StartSession", "Resource": "*"}
    changed = sample.with_policy(
        {"Version": "2012-10-17", "Statement": [session]},
        name="sessions",
        principal="arn:aws:iam::123456789012:user/auditor",
    )
    wanted = {"never": "user/auditor", "nodes": "web-1"}
    assert check(changed, **wanted)[0]
    holds, said = check(changed, **wanted, ways="any")
    assert (holds, said) == (False, "user/auditor may start a session on i-0123456789abcdef0.")


def test_root_users_count_only_where_they_are_named(sample: ssmlab.Snapshot) -> None:
    everybody = ["user/*", "role/*"]
    assert check(sample, only=everybody, nodes="web-1")[0]
    assert not check(sample, never="root", nodes="web-1")[0]


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"never": "user/web-op"}, "never: `user/web-op` matches nothing: no principal `user/web-op`, did you mean"),
        ({"never": "user/*", "nodes": {"tag:Env": "prodd"}}, "nodes: `{'tag:Env': 'prodd'}` matches nothing"),
        ({"never": "user/*", "nodes": {"tag:Envi": "prod"}}, "no column `tag:Envi`, did you mean `tag:Env`"),
        ({"never": "user/*", "documents": "AWS-Nope"}, "documents: `AWS-Nope` matches nothing"),
        ({"never": []}, "never: `[]` matches nothing"),
        ({"never": "user/*", "nodes": []}, "nodes: `[]` matches nothing"),
        ({"only": "user/*", "documents": []}, "documents: `[]` matches nothing"),
        ({"never": "user/*", "node": "web-1"}, "no key `node`, did you mean `nodes`"),
        ({"never": "user/*", "only": "user/*"}, "expected one of `never` and `only`, got both"),
        ({"nodes": "*"}, "expected one of `never` and `only`, got none"),
        ({"never": "user/*", "ways": "all"}, "expected `ways` to be one of run-command, any, got `all`"),
        ("never", "expected a mapping with `never` or `only`, got `never`"),
    ],
)
def test_what_cannot_be_tested_is_an_error_and_no_pass(sample: ssmlab.Snapshot, wanted: Any, words: str) -> None:
    with pytest.raises(ssmlab.ExpectationError) as error:
        ssmlab.check_expectations(sample, {"expectations": [wanted]})
    assert words in str(error.value)
    assert "expectation 1" in str(error.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("expectations: [", "expected YAML, got while parsing"),
        ("", "expected a list named `expectations`, with at least one in it, got nothing"),
        ("expectations: [{never: user/web-op}]", "`user/web-op` matches nothing"),
        ("expectations: []", "expected a list named `expectations`, with at least one in it, got `[]`"),
        ("expectation: []\nexpectations: [{never: root}]", "no key `expectation`, did you mean `expectations`"),
        ("1: 2\nx: 3\nexpectations: [{never: root}]", "no key `1`"),
        ("context: [MFA]\nexpectations: [{never: root}]", "expected `context` to be a mapping of condition keys"),
        ("context: {on: 1}\nexpectations: [{never: root}]", "expected `context` to be a mapping of condition keys"),
        ("expectations:\n- name: a\n  never: root\n  name: b\n  never: user/auditor", "found `name` twice"),
    ],
)
def test_a_file_that_cannot_be_tested_exits_with_2(
    tmp_path: Path, text: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(text)
    assert main(["check", "data/sample", "--expect", str(file)]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert f"`{file}`: " in said
