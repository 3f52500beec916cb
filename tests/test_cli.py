"""The command line."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from ssmlab.cli import main
from ssmlab.exports import defuse

NODE = "i-0123456789abcdef0"


def test_explain_prints_the_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "data/sample", "web-ops", NODE, "AWS-RunShellScript"]) == 0
    assert capsys.readouterr().out.startswith("user/web-ops may run AWS-RunShellScript on web-1 (i-0123456789abcdef0)")


def test_explain_takes_the_request_s_context(capsys: pytest.CaptureFixture[str]) -> None:
    context = ["--context", "aws:MultiFactorAuthPresent=true"]
    assert main(["explain", "data/sample", "OnCall", NODE, "AWS-RunShellScript", *context]) == 0
    assert capsys.readouterr().out.startswith("role/OnCall may run")


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_reach_prints_the_summary_and_writes_the_pairs(
    suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / f"pairs{suffix}"
    assert main(["reach", "data/sample", "--out", str(out)]) == 0
    printed = capsys.readouterr()
    assert re.search(r"^123456789012 user/web-ops +6 +23 +72 +0 +0 +2$", printed.out, re.MULTILINE)
    assert "problems in the data, see `ssmlab check data/sample`" in printed.err
    written = pd.read_csv(out) if suffix == ".csv" else pd.read_parquet(out)
    assert [*written.columns] == ["principal", "node", "document", "outcome", "node_name", "managed"]
    assert {*written["outcome"]} == {"allowed", "conditional"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["reach", "no/such/folder"], "no/such/folder"),
        (
            ["explain", "data/sample", "web-op", NODE, "AWS-RunShellScript"],
            "no principal `web-op`, did you mean `web-ops`",
        ),
        (["reach", "data/sample", "--out", "pairs.xlsx"], "expected a file that ends in .csv or .parquet"),
        (["reach", "data/sample", "--out", "no/such/folder/pairs.csv"], "no/such/folder"),
        (["reach", "data/sample", "--context", "nonsense"], "expected --context KEY=VALUE, got `nonsense`"),
    ],
)
def test_input_that_cannot_be_used_is_said_in_a_line(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert words in error
    assert "Traceback" not in error


def test_an_account_without_an_organization_can_be_said_to_be_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree("data/sample/123456789012", tmp_path / "123456789012")
    asked = ["explain", str(tmp_path), "web-ops", NODE, "AWS-RunShellScript"]
    main(asked)
    assert "only if the service control policies allow it, which were not collected" in capsys.readouterr().out
    main([*asked, "--no-organization"])
    assert "may run AWS-RunShellScript on web-1 (i-0123456789abcdef0): the document is" in capsys.readouterr().out


def test_check_lists_problems_and_findings(capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", "data/sample"])
    printed = capsys.readouterr().out
    assert (
        "finding: policy/Page-1-OneTag, statement 2: `StringLike` on `ssm:resourceTag/Finance` has no wildcard"
        in printed
    )
    assert "5 problems, 19 findings in data/sample" in printed


@pytest.mark.parametrize("arguments", [["check", "data/sample"], ["collect-script"]])
def test_a_reader_that_has_enough_is_no_error(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "ssmlab", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.close()
        assert (process.wait(), process.stderr and process.stderr.read()) == (0, b"")


def test_collect_script_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["collect-script"]) == 0
    assert capsys.readouterr().out.startswith("#!")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_cell_that_would_start_a_formula_is_defused(text: str) -> None:
    assert [*defuse(pd.DataFrame({"a": [text, "safe"]}))["a"]] == [f"'{text}", "safe"]
