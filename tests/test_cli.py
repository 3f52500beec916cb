"""The command line."""

import re
import shlex
import shutil
import subprocess
import sys
from os import environ
from pathlib import Path

import pandas as pd
import pytest

import ssmlab
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
    assert re.search(r"^ +nodes +documents +pairs +nodes if +pairs if +not managed$", printed.out, re.MULTILINE)
    assert re.search(r"^123456789012 user/web-ops +6 +23 +72 +0 +0 +2$", printed.out, re.MULTILINE)
    for name in ("nodes, documents, pairs:", "nodes if, pairs if:", "not managed:"):
        assert f"\n{name}" in f"\n{printed.out}", "a column without its meaning"
    assert printed.err == "ssmlab: 5 warnings in the data, see `ssmlab check data/sample`\n"
    written = pd.read_csv(out) if suffix == ".csv" else pd.read_parquet(out)
    assert [*written.columns] == ["principal", "node", "document", "outcome", "node_name", "managed"]
    assert {*written["outcome"]} == {"allowed", "conditional"}
    of_web_ops = written[written["principal"].str.endswith(":user/web-ops")]
    assert (of_web_ops["managed"].sum(), of_web_ops[of_web_ops["managed"]]["node"].nunique()) == (72, 6)
    apart = (~written["managed"].astype(bool)).sum()
    assert f"wrote {len(written):,} pairs of node and document into {out}; {apart:,} of them on nodes" in printed.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["reach", "no/such/folder"], "no/such/folder"),
        (
            ["explain", "data/sample", "web-op", NODE, "AWS-RunShellScript"],
            "no principal `web-op`, did you mean `web-ops`",
        ),
        (["reach", "data/sample", "--out", "pairs.xlsx"], "expected a file that ends in .csv or .parquet"),
        (
            ["reach", "data/sample", "--out", "no/such/folder/pairs.csv"],
            "in a folder that is there, got `no/such/folder",
        ),
        (
            ["check", "data/sample", "--expect", "nope.yaml"],
            "expected a YAML file of expectations, got no file at `nope",
        ),
        (["explain", "data/sample", "qqqq", NODE, "AWS-RunShellScript"], "no principal `qqqq`; there are 31\n"),
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


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1", "\uff0b1", "\uff0d1", "\uff20SUM(A1)"]
)
def test_a_cell_that_would_start_a_formula_is_defused(text: str) -> None:
    assert [*defuse(pd.DataFrame({"a": [text, "safe"]}))["a"]] == [f"'{text}", "safe"]


SLOW = {"IPython", "anywidget", "ipywidgets", "jupyterlab", "matplotlib", "networkx"}
FRAMES = {"numpy", "pandas", "pyarrow"}


@pytest.mark.parametrize(
    ("arguments", "spared"),
    [
        ("--help", SLOW | FRAMES),
        ("reach no/such/folder", SLOW | FRAMES),
        ("reach data/sample --out pairs.xlsx", SLOW | FRAMES),
        ("check data/sample --expect nope.yaml", SLOW | FRAMES),
        ("collect-script", SLOW | FRAMES),
        (f"explain data/sample web-ops {NODE} AWS-RunShellScript", SLOW),
        ("check data/sample", SLOW),
    ],
)
def test_a_command_waits_only_for_what_it_needs(arguments: str, spared: set[str]) -> None:
    code = f"""
import sys
from ssmlab.cli import main
try:
    main({arguments.split()})
finally:
    print(sorted({spared} & {{*sys.modules}}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1:] == ["[]"], done.stderr


LINE = "i-0aaaaaaaaaaaaaaaa,123456789012,eu-west-1,dev"
ANA = "arn:aws:iam::123456789012:user/ana"


@pytest.fixture
def spreadsheet(tmp_path: Path) -> Path:
    """A folder with an inventory and a policy that a name is attached to, instead of an ARN."""
    (tmp_path / "policies").mkdir()
    shutil.copy("ssmlab/policies/examples/page-1-one-tag.json", tmp_path / "policies" / "send.json")
    (tmp_path / "inventory.csv").write_text(f"node_id,account,region,tag:Env\n{LINE}\n")
    (tmp_path / "attachments.csv").write_text(f"principal,policy\n{ANA},send\nalice,send\n")
    return tmp_path


def test_errors_of_the_data_stand_beside_the_answer(spreadsheet: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = "error: attachments.csv line 3: expected the ARN of a user or role as `principal`, got `alice`"
    assert main(["reach", str(spreadsheet)]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == wanted
    assert re.fullmatch(r"ssmlab: 1 error and \d warnings? in the data, see `ssmlab check .*`", lines[-1])
    main(["explain", str(spreadsheet), "ana", "i-0aaaaaaaaaaaaaaaa", "AWS-RunShellScript"])
    assert capsys.readouterr().err.splitlines()[0] == wanted


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("MFA", ", did you mean `aws:MultiFactorAuthPresent`?"),
        ("MultiFactorAuthPresent", ", did you mean `aws:MultiFactorAuthPresent`?"),
        ("aws:SourceIpp", ", did you mean `aws:SourceIp`?"),
        ("qqqq", ""),
        ("AWS:multifactorauthpresent", None),
    ],
)
def test_a_context_key_that_no_policy_reads_is_told(
    key: str, said: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["explain", "data/sample", "OnCall", NODE, "AWS-RunShellScript", "--context", f"{key}=true"])
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning")]
    line = f"warning: --context {key} changes nothing: no loaded policy reads it{said}"
    assert told == ([] if said is None else [line])


@pytest.mark.parametrize("out", ["own", "own/123456789012"])
def test_pseudonyms_are_not_written_among_other_files(
    out: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree("data/sample", tmp_path / "own")
    assert main(["pseudonymise", str(tmp_path / "own"), str(tmp_path / out)]) == 2
    assert "expected a new folder, got one with other files" in capsys.readouterr().err
    assert not [*tmp_path.rglob("*.parquet")]


def test_pseudonyms_do_not_replace_the_snapshot_that_they_are_of(sample: ssmlab.Snapshot, tmp_path: Path) -> None:
    sample.to_parquet(tmp_path)
    assert main(["pseudonymise", str(tmp_path), str(tmp_path)]) == 2
    assert ssmlab.load(tmp_path).nodes.index.equals(sample.nodes.index)


def test_a_port_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "--port", "70000"]) == 2
    assert "--port: expected a number from 0 to 65535, got `70000`" in capsys.readouterr().err


def test_reach_without_principals_says_why_it_is_empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "nodes.csv"
    file.write_text("node_id,account,region\n")
    assert main(["reach", str(file)]) == 0
    assert f"Nobody reaches anything: there is no principal in {file}." in capsys.readouterr().out


def test_what_cannot_be_seen_or_written_in_a_terminal_is_marked(tmp_path: Path) -> None:
    ana = "arn:aws:iam::123456789012:user/\u5c71\x1b[31m"
    (tmp_path / "nodes.csv").write_text("node_id,account,region\n\x1b[31m,1,2\n")
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "p.json").write_text('{"Version": "2012-10-17", "Statement": []}')
    (tmp_path / "attachments.csv").write_text(f"principal,policy\n{ana},p\n", encoding="utf-8")
    command = [sys.executable, "-m", "ssmlab", "reach", str(tmp_path)]
    for encoding, name in (("utf-8", "\u5c71"), ("ascii", "\\u5c71")):
        done = subprocess.run(command, capture_output=True, check=False, env={**environ, "PYTHONIOENCODING": encoding})
        assert f"user/{name}\\x1b[31m " in done.stdout.decode()
        assert (done.returncode, b"got `\\x1b[31m`" in done.stderr) == (0, True)
        assert b"\x1b" not in done.stdout + done.stderr
    script = [sys.executable, "-m", "ssmlab", "collect-script"]
    subprocess.run(script, capture_output=True, check=True, env={**environ, "PYTHONIOENCODING": "ascii"})


def test_a_closed_output_is_no_error() -> None:
    command = f"{shlex.quote(sys.executable)} -m ssmlab collect-script >&-"
    done = subprocess.run(command, shell=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
