"""The collect script, against a stand-in for the AWS CLI that serves the sample data."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ssmlab.collecting import collect_script

TESTS = Path(__file__).parent
SAMPLE = TESTS.parent / "data" / "sample"
PRODUCTION, DEVELOPMENT = "123456789012", "210987654321"
SERVICES = {"greengrassv2": "greengrass", "resourcegroupstaggingapi": "tag"}  # where IAM calls it otherwise
pytestmark = pytest.mark.skipif(not shutil.which("bash"), reason="the script needs bash")


class Collector:
    """Runs the script into one folder, whose name has a space."""

    def __init__(self, folder: Path):
        self.out, self.log, self.script = folder / "out of aws", folder / "calls", folder / "collect.sh"
        self.script.write_text(collect_script(), encoding="utf-8")

    def run(self, *arguments, account=PRODUCTION, data=SAMPLE, errors=None):
        """Exit code, and what it said but for the files it wrote; `errors`: operation → error code of AWS."""
        self.log.write_text("")
        environment = {
            "PATH": os.pathsep.join([str(TESTS / "standin"), str(Path(sys.executable).parent), os.environ["PATH"]]),
            "STANDIN_ACCOUNT": account,
            "STANDIN_DATA": str(data),
            "STANDIN_LOG": str(self.log),
            "STANDIN_ERRORS": json.dumps(errors or {}),
        }
        command = ["bash", str(self.script), *map(str, arguments)]
        done = subprocess.run(command, env=environment, cwd=TESTS, capture_output=True, text=True, check=False)
        said = [line for line in done.stderr.splitlines() if not line.startswith(f"collect.sh: {self.out}/")]
        return done.returncode, [*done.stdout.splitlines(), *said]

    def calls(self):
        return [tuple(line.split()[:2]) for line in self.log.read_text().splitlines()]

    def files(self):
        return {file.relative_to(self.out).as_posix() for file in self.out.rglob("*") if file.is_file()}

    def done(self):
        return f'collect.sh: done; load it with ssmlab.load("{self.out}")'


@pytest.fixture
def collector(tmp_path):
    return Collector(tmp_path)


def answers(folder):
    """What each call answered: its pages joined, records in order of their text."""
    found = {}
    for file in folder.rglob("*.json"):
        call = re.sub(r"\.\d+\.json$", ".json", file.relative_to(folder).as_posix())
        for key, value in json.loads(file.read_text(encoding="utf-8")).items():
            records = found.setdefault(call, {}).setdefault(key, [])
            records += map(json.dumps, value if isinstance(value, list) else [value])
            records.sort()
    return {call: {key: texts for key, texts in keys.items() if key != "NextToken"} for call, keys in found.items()}


def test_the_script_fills_a_folder_that_says_what_the_sample_says(collector):
    collector.run("--skip", "list-tags-for-resource", collector.out, "eu-west-1")
    collector.run("--skip", "get-resources", collector.out, "us-east-2")
    collector.run("--skip", "get-resources", collector.out, "eu-west-1", "us-east-2", account=DEVELOPMENT)
    assert answers(collector.out) == answers(SAMPLE)


def test_what_is_gone_since_it_was_listed_is_left_out_with_a_word(collector):
    skip = ["--skip", "organizations", "--skip", "get-resources"]
    exit_code, said = collector.run(*skip, collector.out, "us-east-2", account=DEVELOPMENT)
    here = f"{collector.out}/{DEVELOPMENT}/us-east-2"
    gone = [*sorted(re.findall(r"mi-\w+", "".join(said))), "SeedTestData"]
    assert exit_code == 0
    assert said == [
        f"collect.sh: left out, no longer there: `{here}/list-tags-for-resource/{gone[0]}.json`",
        f"collect.sh: left out, no longer there: `{here}/get-document/{gone[1]}.json`",
        collector.done(),
    ]


def test_without_a_region_the_one_of_the_cli_is_collected(collector):
    assert collector.run("--skip", "organizations", collector.out)[0] == 0
    assert {file.split("/")[1] for file in collector.files()} == {"get-account-authorization-details.json", "eu-west-1"}


def test_a_second_run_asks_for_nothing_that_is_there(collector):
    collector.run(collector.out, "eu-west-1")
    before = {file: (collector.out / file).stat().st_mtime_ns for file in collector.files()}
    exit_code, _ = collector.run("--skip", "get-document", collector.out, "eu-west-1")
    assert (exit_code, collector.calls()) == (0, [("sts", "get-caller-identity")])
    assert {file: (collector.out / file).stat().st_mtime_ns for file in collector.files()} == before


def test_a_refused_call_stops_with_one_line_and_the_next_run_goes_on(collector):
    refused = {"list-documents": "AccessDeniedException"}
    exit_code, said = collector.run(collector.out, "eu-west-1", errors=refused)
    assert exit_code == 1
    assert said == [
        "collect.sh: not allowed: `ssm:ListDocuments` in account 123456789012, Region eu-west-1. Grant it "
        "(--permissions prints a policy) and run the same command again, or go on without it: --skip list-documents"
    ]
    assert collector.files() == {
        f"{PRODUCTION}/get-account-authorization-details.json",
        f"{PRODUCTION}/eu-west-1/describe-instance-information.json",
        f"{PRODUCTION}/eu-west-1/describe-instances.json",
    }
    exit_code, said = collector.run("--skip", "list-documents", collector.out, "eu-west-1", errors=refused)
    assert (exit_code, said) == (0, [collector.done()])
    assert ("ec2", "describe-instances") not in collector.calls()


def test_without_the_setting_of_default_host_management_the_rest_is_collected(collector):
    refused = {"get-service-setting": "AccessDeniedException"}
    exit_code, said = collector.run("--skip", "organizations", collector.out, "eu-west-1", errors=refused)
    assert exit_code == 0
    assert said[0].startswith(
        "collect.sh: left out, whether default host management is on in account 123456789012, Region eu-west-1: An error"
    )
    assert f"{PRODUCTION}/eu-west-1/get-resources.json" in collector.files()


@pytest.mark.parametrize(
    ("operation", "code", "action"),
    [
        ("get-account-authorization-details", "AccessDenied", "iam:GetAccountAuthorizationDetails"),
        ("describe-instances", "UnauthorizedOperation", "ec2:DescribeInstances"),
        ("list-core-devices", "AccessDeniedException", "greengrass:ListCoreDevices"),
        ("get-resources", "AccessDeniedException", "tag:GetResources"),
        ("list-tags-for-resource", "AccessDeniedException", "ssm:ListTagsForResource"),
    ],
)
def test_a_refused_call_is_named_as_iam_names_it(collector, operation, code, action):
    exit_code, said = collector.run(collector.out, "eu-west-1", errors={operation: code})
    assert (exit_code, len(said)) == (1, 1)
    assert f"not allowed: `{action}` in account" in said[0]


def test_any_other_error_stops_with_the_words_of_aws(collector):
    exit_code, said = collector.run(collector.out, "eu-west-1", errors={"describe-instances": "RequestLimitExceeded"})
    assert exit_code == 1
    assert said == [
        "collect.sh: `aws ec2 describe-instances` failed in account 123456789012, Region eu-west-1: An error occurred "
        "(RequestLimitExceeded) when calling the DescribeInstances operation: it is * not as it should be - run the "
        "same command again to go on, or leave it out: --skip describe-instances"
    ]


@pytest.mark.parametrize("operation", ["describe-organization", "list-roots", "list-policies-for-target"])
def test_an_organization_that_may_not_be_seen_is_left_out_with_a_warning(collector, operation):
    skip = ["--skip", "get-document"]
    exit_code, said = collector.run(*skip, collector.out, "eu-west-1", errors={operation: "AccessDeniedException"})
    action = "".join(word.title() for word in operation.split("-"))
    assert exit_code == 0
    assert said == [
        f"collect.sh: warning: not allowed: `organizations:{action}`. The organization's policies are left out, and so "
        "unknown; its management account sees them: run this there too, with the same folder",
        collector.done(),
    ]
    assert f"organizations/{operation}.json" not in collector.files()


def test_an_account_in_no_organization_leaves_an_empty_answer(collector):
    errors = {"describe-organization": "AWSOrganizationsNotInUseException"}
    assert collector.run("--skip", "get-document", collector.out, "eu-west-1", errors=errors) == (0, [collector.done()])
    assert (collector.out / "organizations/describe-organization.json").read_text() == "{}\n"
    assert collector.run("--skip", "get-document", collector.out, "eu-west-1") == (0, [collector.done()])
    assert collector.calls() == [("sts", "get-caller-identity")]


def test_only_calls_that_read_are_made_and_each_is_among_the_permissions(collector):
    collector.run(collector.out, "eu-west-1")
    calls = sorted({*collector.calls()} - {("sts", "get-caller-identity")})  # which needs no permission
    assert [call for _, call in calls if call.split("-")[0] not in {"describe", "get", "list"}] == []
    actions = [
        f"{SERVICES.get(service, service)}:{''.join(map(str.title, call.split('-')))}" for service, call in calls
    ]
    exit_code, printed = collector.run("--permissions")
    statement = {"Effect": "Allow", "Action": sorted(actions), "Resource": "*"}
    assert exit_code == 0
    assert json.loads("\n".join(printed)) == {"Version": "2012-10-17", "Statement": [statement]}


def test_a_name_never_leads_out_of_the_folder(collector, tmp_path):
    here = tmp_path / "hostile" / PRODUCTION / "eu-west-1"
    here.mkdir(parents=True)
    names = ["../../../evil", "a b", "$(touch evil)", "-rf", "*", 'x", "Name": "y']
    documents = [{"Name": name, "Owner": PRODUCTION} for name in names]
    (here / "list-documents.json").write_text(json.dumps({"DocumentIdentifiers": documents}))
    (here.parent / "get-account-authorization-details.json").write_text("{}")
    (here / "get-document").mkdir()
    skip = [
        word
        for name in ("describe-instance-information", "describe-instances", "list-core-devices")
        for word in ("--skip", name)
    ]
    skip += ["--skip", "get-resources", "--skip", "organizations"]
    before = {*tmp_path.rglob("*")}
    exit_code, said = collector.run(*skip, collector.out, "eu-west-1", data=tmp_path / "hostile")
    written = {
        path for path in tmp_path.rglob("*") if path not in before and collector.out not in {path, *path.parents}
    }
    file = f"{collector.out}/{PRODUCTION}/eu-west-1/list-documents.1.json"
    shown = [*names[:-1], r"x\", \"Name\": \"y"]
    assert (exit_code, written) == (0, {collector.log})
    assert said == [
        *(f"collect.sh: left out, not a name that AWS gives: `{name}` in `{file}`" for name in shown),
        collector.done(),
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "expected: [--skip NAME]… OUT_DIR [REGION…], or --permissions"),
        (["--all", "out"], "unknown option `--all`, expected: [--skip NAME]… OUT_DIR [REGION…], or --permissions"),
        (["out", "../eu"], "expected a Region such as eu-west-1, got `../eu`"),
        (
            ["--skip", "iam", "out"],
            "expected the name of a call after `--skip`, one of: get-account-authorization-details "
            "describe-instance-information describe-instances list-documents list-core-devices get-service-setting get-resources "
            "list-tags-for-resource get-document organizations",
        ),
    ],
)
def test_a_wrong_command_says_what_was_expected(collector, arguments, said):
    assert collector.run(*arguments) == (1, [f"collect.sh: {said}"])
    assert collector.calls() == []


def test_credentials_that_do_not_work_stop_before_anything_is_written(collector):
    exit_code, said = collector.run(collector.out, "eu-west-1", errors={"get-caller-identity": "ExpiredToken"})
    assert (exit_code, said[-1]) == (1, "collect.sh: it is not known whose account this is")
    assert not collector.out.exists()


def test_bash_finds_no_fault_in_the_script(collector):
    subprocess.run(["bash", "-n", str(collector.script)], check=True)
