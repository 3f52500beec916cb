"""The sample data: what is committed is what the tables make, in the shapes that AWS gives, with every story in it."""

import ipaddress
import json
import re
from collections import Counter
from pathlib import Path
from urllib.parse import unquote

import pytest
from sample_maker import write_sample

import ssmlab

DATA = Path(__file__).parents[1] / "data"
SAMPLE = DATA / "sample"
PRODUCTION, DEVELOPMENT, MANAGEMENT = "123456789012", "210987654321", "999988887777"

# The three policies of the page "Setting up Run Command", as they stand there.
DOCUMENTS = ["arn:aws:ssm:us-west-1::document/AWS-*", "arn:aws:ssm:us-east-2::document/AWS-*"]
REST = ["ssm:UpdateInstanceInformation", "ssm:ListCommands", "ssm:ListCommandInvocations", "ssm:GetDocument"]


def send(resource, *conditions):
    made = {"Effect": "Allow", "Action": ["ssm:SendCommand"], "Resource": resource}
    return made | {"Condition": {"StringLike": dict(conditions)}} if conditions else made


ONE, TWO = ("ssm:resourceTag/tag_key1", ["tag_value1"]), ("ssm:resourceTag/tag_key2", ["tag_value2"])
FINANCE = ("ssm:resourceTag/Finance", ["WebServers"])
PAGE = {
    "Page-1-OneTag": [send(["arn:aws:ssm:*:*:document/*"]), send(["arn:aws:ec2:*:*:instance/*"], FINANCE)],
    "Page-2-TwoTags": [send("*", ONE, TWO), send(DOCUMENTS), {"Effect": "Allow", "Action": REST, "Resource": "*"}],
    "Page-3-EitherTag": [
        send("*", ONE),
        send("*", TWO),
        send(DOCUMENTS),
        {"Effect": "Allow", "Action": REST, "Resource": "*"},
    ],
}


def read(path):
    return json.loads((SAMPLE / path).read_text(encoding="utf-8"))


def texts(folder):
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def records(name, key):
    """(account, Region, record) of one regional call, over all places and pages."""
    files = sorted(SAMPLE.glob(f"*/*/{name}*.json"))
    return [(*file.parts[-3:-1], record) for file in files for record in read(file)[key]]


INFORMATION = records("describe-instance-information", "InstanceInformationList")
INSTANCES = [
    (account, region, instance)
    for account, region, reservation in records("describe-instances", "Reservations")
    for instance in reservation["Instances"]
]
IAM = {account: read(f"{account}/get-account-authorization-details.json") for account in (PRODUCTION, DEVELOPMENT)}


def test_the_committed_sample_is_what_the_tables_make(tmp_path):
    write_sample(tmp_path)
    assert texts(tmp_path) == texts(SAMPLE)


def test_another_seed_has_other_identifiers_and_further_nodes_and_the_same_access(tmp_path):
    write_sample(tmp_path, seed=1)
    own, other = ssmlab.load(SAMPLE), ssmlab.load(tmp_path)
    tags = [column for column in own.nodes if column.startswith("tag:")]
    plain = ["account", "region", "kind", "name", "ping_status", "managed", *tags]
    stories = other.nodes[~other.nodes["name"].fillna("").str.startswith("m-")]
    assert stories[plain].astype(str).values.tolist() == own.nodes[plain].astype(str).values.tolist()
    assert len(other.nodes) >= len(own.nodes) + 36
    assert set(own.nodes.index) & set(other.nodes.index) == {
        "arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef0",
        "arn:aws:ssm:eu-west-1:123456789012:managed-instance/mi-0123456789abcdef0",
    }
    assert other.policies["document"].to_list() == own.policies["document"].to_list()


def test_the_sample_is_small_and_printed_as_the_cli_prints():
    written = texts(SAMPLE)
    assert sum(map(len, written.values())) < 400_000
    for name, text in written.items():
        assert text.decode() == json.dumps(json.loads(text), indent=4, ensure_ascii=False) + "\n", name


def test_files_are_those_of_the_folder_layout():
    patterns = Counter(
        re.sub(r"[^/]+(?=(\.rcp)?\.json$)", "*", name) if name.count("/") > 2 else name for name in texts(SAMPLE)
    )
    names = {name.rpartition("/")[2] for name in patterns if "*" not in name and not name.startswith("organizations")}
    assert names == {
        "get-account-authorization-details.json",
        "describe-instance-information.json",
        "describe-instance-information.1.json",
        "describe-instance-information.2.json",
        "describe-instances.json",
        "list-documents.json",
        "list-core-devices.json",
        "get-resources.json",
    }
    assert {name: count for name, count in patterns.items() if "*" in name} == {
        f"{PRODUCTION}/eu-west-1/get-document/*.json": 2,
        f"{PRODUCTION}/us-east-2/list-tags-for-resource/*.json": 3,
        f"{DEVELOPMENT}/eu-west-1/list-tags-for-resource/*.json": 3,
        f"{DEVELOPMENT}/us-east-2/list-tags-for-resource/*.json": 1,
    }


def test_nodes_are_of_all_kinds():
    cores = {record["coreDeviceThingName"] for _, _, record in records("list-core-devices", "coreDevices")}
    kinds = Counter(
        "Greengrass core"
        if record["SourceId"] in cores and record["SourceType"] == "AWS::IoT::Thing"
        else record["SourceType"]
        for _, _, record in INFORMATION
    )
    assert kinds == {
        "AWS::EC2::Instance": 34,
        "AWS::SSM::ManagedInstance": 8,
        "AWS::IoT::Thing": 4,
        "Greengrass core": 4,
        "Microsoft.Compute/virtualMachines": 2,
        "compute.googleapis.com/Instance": 1,
    }
    assert Counter(record["PlatformType"] for _, _, record in INFORMATION) == {"Linux": 45, "Windows": 8}
    assert Counter(record["PingStatus"] for _, _, record in INFORMATION) == {"Online": 47, "ConnectionLost": 6}


def test_some_instances_are_not_managed():
    managed = {record["InstanceId"] for _, _, record in INFORMATION}
    unmanaged = {
        name_of(instance): (instance["State"]["Name"], "IamInstanceProfile" in instance)
        for _, _, instance in INSTANCES
        if instance["InstanceId"] not in managed
    }
    assert unmanaged == {
        "bastion": ("running", True),
        "batch-1": ("stopped", True),
        "legacy-1": ("running", False),
        "ledger-11": ("running", False),
        "web-13": ("stopped", True),
        "test-web-2": ("stopped", True),
        "": ("running", False),
    }


def name_of(instance):
    return tags_of(instance).get("Name", "")


def tags_of(instance):
    return {tag["Key"]: tag["Value"] for tag in instance.get("Tags", [])}


def test_identifiers_and_addresses_look_real_and_belong_to_nobody():
    hybrid = {record["InstanceId"] for _, _, record in INFORMATION if record["ResourceType"] == "ManagedInstance"}
    instances = {instance["InstanceId"] for _, _, instance in INSTANCES}
    assert {"i-0123456789abcdef0", "mi-0123456789abcdef0"} <= hybrid | instances
    assert [name for name in hybrid if not re.fullmatch(r"mi-0[0-9a-f]{16}", name)] == []
    assert [name for name in instances if not re.fullmatch(r"i-0[0-9a-f]{16}", name)] == []
    assert (len(hybrid), len(instances)) == (19, 41)
    networks = [ipaddress.ip_network(text) for text in ("192.0.2.0/24", "198.51.100.0/24")]
    addresses = [ipaddress.ip_address(record["IPAddress"]) for _, _, record in INFORMATION]
    assert [str(address) for address in addresses if not any(address in network for network in networks)] == []
    assert {re.sub(r"^.*?\.", "", record["ComputerName"]) for _, _, record in INFORMATION} == {"example.internal"}


@pytest.mark.parametrize("region", ["eu-west-1", "us-east-2"])
def test_the_two_keys_of_the_page_come_in_all_four_combinations(region):
    here = [tags_of(instance) for account, place, instance in INSTANCES if (account, place) == (PRODUCTION, region)]
    pairs = {(tags["tag_key1"], tags["tag_key2"]) for tags in here if "tag_key1" in tags}
    assert pairs == {(one, two) for one in ("tag_value1", "other") for two in ("tag_value2", "other")}


def test_tags_of_three_hybrid_nodes_were_not_collected():
    asked = {file.stem for file in SAMPLE.glob("*/*/list-tags-for-resource/*.json")}
    unknown = [
        record["Name"]
        for account, region, record in INFORMATION
        if record["ResourceType"] == "ManagedInstance" and record["InstanceId"] not in asked
        if not (SAMPLE / account / region / "get-resources.json").exists()
    ]
    assert unknown == ["depot-2", "lab-bench-2", "azure-lab-1"]


def test_times_and_policies_come_in_both_forms():
    pings = {account: record["LastPingDateTime"] for account, _, record in INFORMATION}
    inline = {account: iam["UserDetailList"] for account, iam in IAM.items()}
    documents = {
        account: next(user["UserPolicyList"][0]["PolicyDocument"] for user in users if user["UserPolicyList"])
        for account, users in inline.items()
    }
    assert (type(pings[PRODUCTION]), type(documents[PRODUCTION])) == (float, dict)
    assert pings[DEVELOPMENT] == "2026-09-01T06:30:00.000+00:00"
    assert json.loads(unquote(documents[DEVELOPMENT])) == {"Version": "2012-10-17", "Statement": [send("*")]}


def test_policies_of_the_page_are_there_as_they_stand_on_it():
    policies = {
        policy["PolicyName"]: policy["PolicyVersionList"][0]["Document"] for policy in IAM[PRODUCTION]["Policies"]
    }
    assert {name: policies[name] for name in PAGE} == {
        name: {"Version": "2012-10-17", "Statement": statements} for name, statements in PAGE.items()
    }


def test_every_attached_policy_has_a_body_but_one():
    missing = set()
    for iam in IAM.values():
        bodies = {policy["Arn"] for policy in iam["Policies"]}
        entities = [entity for kind in ("User", "Group", "Role") for entity in iam[f"{kind}DetailList"]]
        attached = {policy["PolicyArn"] for entity in entities for policy in entity["AttachedManagedPolicies"]}
        attached |= {
            it["PermissionsBoundary"]["PermissionsBoundaryArn"] for it in entities if "PermissionsBoundary" in it
        }
        missing |= attached - bodies
    assert missing == {f"arn:aws:iam::{PRODUCTION}:policy/Legacy-Operations"}


def test_the_organization_holds_three_accounts_and_one_guardrail():
    accounts = {
        account["Id"]: file.stem
        for file in SAMPLE.glob("organizations/list-accounts-for-parent/*.json")
        for account in read(file)["Accounts"]
    }
    attached = {
        file.stem: [policy["Name"] for policy in read(file)["Policies"]]
        for file in SAMPLE.glob("organizations/list-policies-for-target/*.json")
    }
    units = ["ou-fenw-workload", "ou-fenw-prodwork", "ou-fenw-devwork1"]
    targets = ["r-fenw", *units, PRODUCTION, DEVELOPMENT, MANAGEMENT]
    assert accounts == {MANAGEMENT: "r-fenw", PRODUCTION: "ou-fenw-prodwork", DEVELOPMENT: "ou-fenw-devwork1"}
    assert attached == {
        **{target: ["FullAWSAccess"] for target in targets},
        **{f"{target}.rcp": ["RCPFullAWSAccess"] for target in targets},
        "ou-fenw-devwork1": ["FullAWSAccess", "DevelopmentGuardrail"],
    }
    assert read("organizations/describe-organization.json")["Organization"]["MasterAccountId"] == MANAGEMENT


def test_documents_are_awss_own_and_shared():
    owners = Counter(
        (account, record["Owner"]) for account, _, record in records("list-documents", "DocumentIdentifiers")
    )
    assert owners == {
        (PRODUCTION, "Amazon"): 16,
        (PRODUCTION, PRODUCTION): 7,
        (DEVELOPMENT, "Amazon"): 16,
        (DEVELOPMENT, DEVELOPMENT): 2,
        (DEVELOPMENT, PRODUCTION): 1,
    }


# principal, node, document → what `data/README.md` says of them.
STORIES = """\
web-ops web-1 AWS-RunShellScript allowed
web-ops web-4 AWS-RunShellScript implicitDeny
web-ops web-5 AWS-RunShellScript allowed
web-ops web-6 AWS-RunShellScript implicitDeny
web-ops shop-rack-7 AWS-RunShellScript implicitDeny
two-tags both-keys-us AWS-RunShellScript allowed
two-tags both-keys-eu AWS-RunShellScript implicitDeny
two-tags both-keys-eu CollectDiagnostics allowed
two-tags depot-1 AWS-RunShellScript allowed
two-tags first-key-us AWS-RunShellScript implicitDeny
either-tag first-key-us AWS-RunShellScript allowed
either-tag second-key-us AWS-RunShellScript allowed
either-tag neither-key-us AWS-RunShellScript implicitDeny
op-ana db-1 AWS-RunPatchBaseline allowed
op-ben db-1 AWS-RunShellScript implicitDeny
op-ben depot-2 AWS-RunPatchBaseline conditional
team-red db-1 AWS-RunShellScript allowed
team-red web-1 AWS-RunShellScript implicitDeny
team-blue web-1 AWS-RunShellScript allowed
not-prod web-1 AWS-RunShellScript explicitDeny
not-prod first-key-us AWS-RunShellScript allowed
not-prod depot-2 AWS-RunShellScript conditional
anything-but-prod untagged-eu.example.internal AWS-RunShellScript allowed
anything-but-prod web-1 AWS-RunShellScript implicitDeny
admin-adele web-1 PatchWindows allowed
admin-adele dev-web-1 AWS-RunShellScript implicitDeny
auditor web-1 AWS-RunShellScript implicitDeny
documents-only web-1 AWS-RunShellScript implicitDeny
office-only web-1 AWS-RunShellScript conditional
hybrid-hands shop-rack-7 AWS-RunShellScript allowed
hybrid-hands depot-2 AWS-RunShellScript allowed
hybrid-hands web-1 AWS-RunShellScript implicitDeny
legacy-lee web-1 AWS-RunShellScript conditional
WebOps shop-rack-7 RestartWebServer allowed
WebOps web-1 AWS-RunShellScript implicitDeny
OnCall web-1 AWS-RunShellScript conditional
TeamOps web-1 AWS-RunShellScript allowed
OneInstance web-1 AWS-RunShellScript allowed
OneInstance web-2 AWS-RunShellScript implicitDeny
BreakGlass web-1 AWS-RunShellScript allowed
dev-dora dev-web-1 AWS-RunShellScript allowed
dev-dora dev-web-1 AWS-RunRemoteScript explicitDeny
contractor dev-web-1 AWS-RunShellScript allowed
contractor test-web-1 AWS-RunShellScript implicitDeny
borrower test-web-1 InstallMonitoring allowed
borrower lab-sensor-1 InstallMonitoring allowed
borrower test-web-1 AWS-RunShellScript implicitDeny
EventBridgeRunCommand dev-web-1 AWS-RunShellScript allowed
EventBridgeRunCommand test-web-1 AWS-RunShellScript implicitDeny
AWSServiceRoleForAmazonSSM dev-web-1 AWS-RunRemoteScript allowed
arn:aws:iam::123456789012:role/NodeRole web-1 AWS-RunShellScript implicitDeny
"""


@pytest.mark.parametrize("story", STORIES.splitlines())
def test_every_story_comes_out_as_it_is_told(reach, story):
    *names, outcome = story.split()
    assert reach.outcome(*names) == outcome


def test_the_readme_tells_every_story_and_every_call():
    readme = (DATA / "README.md").read_text(encoding="utf-8")
    named = {*re.findall(r"`([^`]+)`", readme)}
    principals = {
        entity[f"{kind}Name"]
        for iam in IAM.values()
        for kind in ("User", "Role")
        for entity in iam[f"{kind}DetailList"]
    }
    calls = {part.split(".")[0] for name in texts(SAMPLE) for part in name.split("/")[1:]}
    calls = {part for part in calls if re.match("(describe|get|list)-", part)}
    assert sorted(principals - named) == []
    assert [call for call in sorted(calls) if f" {call}" not in readme] == []
