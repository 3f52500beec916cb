"""Files to frames: what `load` reads, and what it says of what it cannot read. Damage has a file of its own."""

import json
import shutil
from urllib.parse import quote

import pandas as pd
import pytest

from ssmlab.policies import Policy
from ssmlab.snapshots import LoadError, load

ACCOUNT, OTHER = "123456789012", "210987654321"
HERE = f"{ACCOUNT}/eu-west-1"
EC2 = f"arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/"
SSM = f"arn:aws:ssm:eu-west-1:{ACCOUNT}:managed-instance/"
USER = f"arn:aws:iam::{ACCOUNT}:user/"
WEB_1, RACK_7 = "i-0123456789abcdef0", "mi-0123456789abcdef0"
SEND = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ssm:SendCommand", "Resource": "*"}]}
READ = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ssm:List*", "Resource": "*"}]}
FULL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@pytest.fixture
def folder(tmp_path):
    """Writes files, given as path → text, bytes, or what becomes JSON; returns the folder."""

    def write(files):
        for name, content in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            is_raw = isinstance(content, str | bytes)
            text = content if is_raw else json.dumps(content)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return tmp_path

    return write


def information(*items):
    return {"InstanceInformationList": [{"InstanceId": item} if isinstance(item, str) else item for item in items]}


def instances(*items):
    return {"Reservations": [{"Instances": [item]} for item in items]}


def tag_list(**tags):
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def details(users=(), groups=(), roles=(), policies=()):
    lists = {"UserDetailList": users, "GroupDetailList": groups, "RoleDetailList": roles, "Policies": policies}
    return {name: list(items) for name, items in lists.items()}


def managed(name, *documents, account=ACCOUNT):
    versions = [
        {"VersionId": f"v{n}", "IsDefaultVersion": n == len(documents), "Document": document}
        for n, document in enumerate(documents, 1)
    ]
    arn = f"arn:aws:iam::{account}:policy/{name}"
    return {"PolicyName": name, "Arn": arn, "DefaultVersionId": f"v{len(documents)}", "PolicyVersionList": versions}


def problems(snapshot, *columns):
    frame = snapshot.problems[~snapshot.problems["what"].str.startswith("not collected")]
    return [tuple(row) for row in frame[list(columns or ("file", "where", "severity", "what"))].itertuples(index=False)]


def names(policies):
    return None if policies is None else [policy.name for policy in policies]


# --- Nodes ------------------------------------------------------------------------------------------------------------


def test_all_kinds_of_nodes_are_told_apart(folder):
    items = [
        {"InstanceId": "i-00000001", "SourceType": "AWS::EC2::Instance"},
        {"InstanceId": "mi-00000001", "SourceType": "AWS::IoT::Thing", "SourceId": "till"},
        {"InstanceId": "mi-00000002", "SourceType": "AWS::IoT::Thing", "SourceId": "greenhouse"},
        {"InstanceId": "mi-00000003", "SourceType": "Microsoft.Compute/virtualMachines"},
        {"InstanceId": "mi-00000004", "SourceType": "compute.googleapis.com/Instance"},
        {"InstanceId": "mi-00000005", "SourceType": "AWS::SSM::ManagedInstance"},
        {"InstanceId": "mi-00000006"},
        {"InstanceId": "i-00000002"},
    ]
    cores = {"coreDevices": [{"coreDeviceThingName": "greenhouse", "status": "HEALTHY"}]}
    files = {f"{HERE}/describe-instance-information.json": information(*items), f"{HERE}/list-core-devices.json": cores}
    assert load(folder(files)).nodes["kind"].to_dict() == {
        f"{EC2}i-00000001": "ec2",
        f"{SSM}mi-00000001": "edge",
        f"{SSM}mi-00000002": "greengrass",
        f"{SSM}mi-00000003": "vm",
        f"{SSM}mi-00000004": "vm",
        f"{SSM}mi-00000005": "on-premises",
        f"{SSM}mi-00000006": "on-premises",
        f"{EC2}i-00000002": "ec2",
    }


SETTING = "/ssm/managed-instance/default-ec2-instance-management-role"


@pytest.mark.parametrize(
    ("answer", "role", "problems"),
    [
        ({"ServiceSetting": {"SettingId": SETTING, "SettingValue": "service-role/Default"}}, "service-role/Default", 0),
        ({"ServiceSetting": {"SettingId": SETTING, "SettingValue": "$None"}}, "", 0),
        (
            {"ServiceSetting": {"SettingId": "/ssm/managed-instance/activation-tier", "SettingValue": "standard"}},
            None,
            1,
        ),
        ({"ServiceSetting": ["service-role/Default"]}, None, 1),
        ([], None, 1),
    ],
)
def test_the_role_of_default_host_management_is_that_of_instances(folder, answer, role, problems):
    items = [{"InstanceId": WEB_1}, {"InstanceId": "mi-00000001"}]
    files = {f"{HERE}/describe-instance-information.json": information(*items)}
    before = load(folder(files))
    after = load(folder(files | {f"{HERE}/get-service-setting.json": answer}))
    assert [None if pd.isna(one) else one for one in after.nodes["default_role"]] == [role, None]
    assert before.nodes["default_role"].isna().all()
    assert len(after.problems) - len(before.problems) == problems
    assert [*after.problems["file"]].count(f"{HERE}/get-service-setting.json") == problems


def test_a_managed_node_has_the_columns_of_both_calls(folder):
    item = {
        "InstanceId": WEB_1,
        "PingStatus": "Online",
        "LastPingDateTime": 1700000000.123,
        "AgentVersion": "3.2.582.0",
        "PlatformType": "Linux",
        "PlatformName": "Amazon Linux",
        "PlatformVersion": "2",
        "ComputerName": "web-1.example.internal",
    }
    profile = f"arn:aws:iam::{ACCOUNT}:instance-profile/NodeRole"
    instance = {
        "InstanceId": WEB_1,
        "State": {"Name": "running"},
        "IamInstanceProfile": {"Arn": profile},
        "Tags": tag_list(Name="web-1", Finance="WebServers", Empty=""),
    }
    files = {
        f"{HERE}/describe-instance-information.json": information(item),
        f"{HERE}/describe-instances.json": instances(instance),
    }
    nodes = load(folder(files)).nodes
    assert nodes.index.name == "arn"
    row = nodes.loc[EC2 + WEB_1]
    assert row.drop(["last_ping", "iam_role", "default_role"]).to_dict() == {
        "node_id": WEB_1,
        "account": ACCOUNT,
        "region": "eu-west-1",
        "kind": "ec2",
        "platform": "Linux",
        "name": "web-1",
        "ping_status": "Online",
        "managed": True,
        "tags_known": True,
        "platform_name": "Amazon Linux",
        "platform_version": "2",
        "agent_version": "3.2.582.0",
        "instance_profile": profile,
        "state": "running",
        "tag:Empty": "",
        "tag:Finance": "WebServers",
        "tag:Name": "web-1",
    }
    assert row["last_ping"] == pd.Timestamp("2023-11-14T22:13:20.123Z")
    assert pd.isna(row["iam_role"])
    dtypes = nodes.dtypes.astype(str).to_dict()
    assert {name for name, dtype in dtypes.items() if dtype != "category"} == {
        *("node_id", "name", "managed", "tags_known", "last_ping")
    }
    assert (dtypes["managed"], dtypes["last_ping"]) == ("boolean", "datetime64[ns, UTC]")


def test_instances_that_are_not_managed_are_rows_too(folder):
    machines = instances(
        {"InstanceId": "i-00000001", "Tags": []},
        {"InstanceId": "i-00000002", "Platform": "windows", "State": {"Name": "stopped"}},
    )
    files = {
        f"{HERE}/describe-instance-information.json": information("i-00000001"),
        f"{HERE}/describe-instances.json": machines,
    }
    nodes = load(folder(files)).nodes
    assert nodes[["managed", "platform", "state"]].iloc[1].to_list() == [False, "Windows", "stopped"]
    assert nodes["managed"].to_list() == [True, False]


def test_whether_nodes_are_managed_is_unknown_if_it_was_not_collected(folder):
    snapshot = load(folder({f"{HERE}/describe-instances.json": instances({"InstanceId": WEB_1})}))
    assert snapshot.nodes["managed"].isna().all()
    file = f"{HERE}/describe-instance-information.json"
    assert list(snapshot.problems[snapshot.problems["file"] == file]["what"]) == [
        "not collected: which nodes are managed is not known"
    ]


def test_instances_that_are_gone_are_left_out(folder):
    machines = instances(
        {"InstanceId": "i-00000001", "State": {"Name": "terminated"}},
        {"InstanceId": "i-00000002", "State": {"Name": "shutting-down"}},
        {"InstanceId": "i-00000003", "State": {"Name": "running"}},
    )
    snapshot = load(folder({f"{HERE}/describe-instances.json": machines}))
    assert list(snapshot.nodes["node_id"]) == ["i-00000003"]
    assert problems(snapshot, "where", "severity", "what") == [
        ("$.Reservations[0].Instances[0]", "warning", "`i-00000001` is terminated: left out"),
        ("$.Reservations[1].Instances[0]", "warning", "`i-00000002` is shutting-down: left out"),
    ]


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (1700000000, "2023-11-14T22:13:20Z"),
        (1700000000.123, "2023-11-14T22:13:20.123Z"),
        ("2023-11-14T22:13:20.123000+00:00", "2023-11-14T22:13:20.123Z"),
        ("2023-11-14T14:13:20-08:00", "2023-11-14T22:13:20Z"),
        ("2023-11-14T22:13:20Z", "2023-11-14T22:13:20Z"),
    ],
)
def test_times_are_epoch_seconds_or_iso_8601(folder, given, read):
    items = information({"InstanceId": WEB_1, "LastPingDateTime": given}, RACK_7)
    nodes = load(folder({f"{HERE}/describe-instance-information.json": items})).nodes
    assert nodes["last_ping"].to_list() == [pd.Timestamp(read), pd.NaT]


@pytest.mark.parametrize("pages", [(0,), (0, 1, 2), (1, 2, 3)])
def test_pages_in_files_are_joined(folder, pages):
    files = {
        f"{HERE}/describe-instance-information{f'.{page}' * bool(page)}.json": information(f"i-0000000{page}")
        | ({"NextToken": "more"} if page != pages[-1] else {})
        for page in pages
    }
    snapshot = load(folder(files))
    assert list(snapshot.nodes["node_id"]) == [f"i-0000000{page}" for page in pages]
    assert problems(snapshot) == []


def test_pages_in_one_file_are_joined(folder):
    text = json.dumps(information("i-00000001")) + "\n" + json.dumps(information("i-00000002"), indent=4)
    nodes = load(folder({f"{HERE}/describe-instance-information.json": text})).nodes
    assert list(nodes["node_id"]) == ["i-00000001", "i-00000002"]


@pytest.mark.parametrize(
    "files",
    [
        {"describe-instance-information.json": information("i-00000001") | {"NextToken": "more"}},
        {
            "describe-instance-information.1.json": information("i-00000001"),
            "describe-instance-information.3.json": information(),
        },
        {
            "describe-instance-information.1.json": information("i-00000001"),
            "describe-instance-information.2.json": "{",
        },
    ],
    ids=["the last page names another", "a page between is missing", "a page is damaged"],
)
def test_what_a_missing_page_would_have_told_is_not_known(folder, files):
    machines = instances({"InstanceId": "i-00000001"}, {"InstanceId": "i-00000002"})
    files = {f"{HERE}/{name}": body for name, body in files.items()}
    snapshot = load(folder(files | {f"{HERE}/describe-instances.json": machines}))
    assert snapshot.nodes["managed"].to_list() == [True, pd.NA]
    assert snapshot.problems["file"].str.startswith(f"{HERE}/describe-instance-information.").sum() == 1


def test_other_partitions_follow_from_the_region(folder):
    files = {f"{ACCOUNT}/cn-north-1/describe-instance-information.json": information(WEB_1)}
    snapshot = load(folder(files))
    assert list(snapshot.nodes.index) == [f"arn:aws-cn:ec2:cn-north-1:{ACCOUNT}:instance/{WEB_1}"]
    assert list(snapshot.principals.index) == [f"arn:aws-cn:iam::{ACCOUNT}:root"]
    assert {arn.split(":")[1] for arn in snapshot.documents.index} == {"aws-cn"}


# --- Tags -------------------------------------------------------------------------------------------------------------


def test_tags_that_were_not_collected_are_unknown_not_absent(folder):
    files = {
        f"{HERE}/describe-instance-information.json": information("i-00000001", "i-00000002", "mi-00000001", RACK_7),
        f"{HERE}/describe-instances.json": instances({"InstanceId": "i-00000001"}),
        f"{HERE}/list-tags-for-resource/mi-00000001.json": {"TagList": tag_list(Env="dev")},
    }
    snapshot = load(folder(files))
    assert snapshot.nodes["tags_known"].to_list() == [True, False, True, False]
    assert snapshot.nodes["tag:Env"].dropna().to_dict() == {f"{SSM}mi-00000001": "dev"}
    assert (HERE, "not collected: the tags of 2 nodes: `i-00000002`, `mi-0123456789abcdef0`") in list(
        snapshot.problems[["file", "what"]].itertuples(index=False, name=None)
    )


def test_an_export_of_tags_tells_of_all_nodes(folder):
    export = {
        "ResourceTagMappingList": [{"ResourceARN": SSM + RACK_7, "Tags": tag_list(Env="dev")}],
        "PaginationToken": "",
    }
    files = {
        f"{HERE}/describe-instance-information.json": information(WEB_1, RACK_7),
        f"{HERE}/get-resources.json": export,
    }
    snapshot = load(folder(files))
    assert snapshot.nodes["tags_known"].to_list() == [True, True]
    assert snapshot.tags.to_dict("records") == [{"arn": SSM + RACK_7, "key": "Env", "value": "dev"}]


def test_the_tags_that_ec2_tells_win_over_an_export(folder):
    files = {
        f"{HERE}/describe-instances.json": instances({"InstanceId": WEB_1, "Tags": tag_list(Env="prod")}),
        f"{HERE}/get-resources.json": {
            "ResourceTagMappingList": [{"ResourceARN": EC2 + WEB_1, "Tags": tag_list(Env="dev")}]
        },
    }
    snapshot = load(folder(files))
    assert snapshot.nodes["tag:Env"].to_list() == ["prod"]
    what = f'tags of `{EC2}{WEB_1}`: kept are `{{"Env": "prod"}}` of its service, not `{{"Env": "dev"}}`'
    assert problems(snapshot) == [(f"{HERE}/get-resources.json", "$.ResourceTagMappingList[0]", "warning", what)]


def test_tag_keys_that_differ_by_case_are_two_columns_and_a_warning(folder):
    files = {f"{HERE}/describe-instances.json": instances({"InstanceId": WEB_1, "Tags": tag_list(Env="a", env="b")})}
    snapshot = load(folder(files))
    assert snapshot.nodes[["tag:Env", "tag:env"]].iloc[0].to_list() == ["a", "b"]
    what = "expected tag keys that differ by more than case, got `Env`, `env`: to a condition key they are the same"
    assert problems(snapshot) == [("", "tag:Env, tag:env", "warning", what)]


# --- Documents --------------------------------------------------------------------------------------------------------


def test_documents_are_aws_owned_own_or_shared(folder):
    shared = f"arn:aws:ssm:eu-west-1:{OTHER}:document/Patch"
    listed = [
        {
            "Name": "AWS-RunShellScript",
            "Owner": "Amazon",
            "PlatformTypes": ["Linux", "MacOS"],
            "DocumentType": "Command",
            "Tags": [],
        },
        {"Name": "Restart", "Owner": ACCOUNT, "DocumentType": "Command", "Tags": tag_list(Env="dev")},
        {"Name": "Old", "Owner": ACCOUNT, "DocumentType": "Automation"},
        {"Name": shared, "Owner": OTHER, "DocumentType": "Command"},
    ]
    documents = load(folder({f"{HERE}/list-documents.json": {"DocumentIdentifiers": listed}})).documents
    columns = ["name", "owner", "account", "platforms", "document_type", "shared_with", "tags_known"]
    assert documents.index.name == "arn"
    assert {
        arn: tuple(row) for arn, row in zip(documents.index, documents[columns].itertuples(index=False), strict=True)
    } == {
        "arn:aws:ssm:eu-west-1::document/AWS-RunShellScript": (
            *("AWS-RunShellScript", "Amazon", "", ("Linux", "MacOS"), "Command", (), True),
        ),
        f"arn:aws:ssm:eu-west-1:{ACCOUNT}:document/Restart": ("Restart", ACCOUNT, ACCOUNT, (), "Command", (), True),
        f"arn:aws:ssm:eu-west-1:{ACCOUNT}:document/Old": ("Old", ACCOUNT, ACCOUNT, (), "Automation", (), False),
        shared: ("Patch", OTHER, OTHER, (), "Command", (ACCOUNT,), False),
    }
    assert documents["tag:Env"].dropna().to_dict() == {f"arn:aws:ssm:eu-west-1:{ACCOUNT}:document/Restart": "dev"}


def test_a_document_that_owner_and_reader_list_is_one_row(folder):
    own = {"Name": "Patch", "Owner": OTHER, "DocumentType": "Command", "Tags": tag_list(Env="dev")}
    files = {
        f"{HERE}/list-documents.json": {"DocumentIdentifiers": [{"Name": "Patch", "Owner": OTHER}]},
        f"{OTHER}/eu-west-1/list-documents.json": {"DocumentIdentifiers": [own]},
    }
    documents = load(folder(files)).documents
    assert list(documents.index) == [f"arn:aws:ssm:eu-west-1:{OTHER}:document/Patch"]
    assert documents.iloc[0][["shared_with", "tags_known", "tag:Env"]].to_list() == [(ACCOUNT,), True, "dev"]


def test_two_files_of_one_page_are_both_read(folder):
    pages = {".json": "A", ".0.json": "B", ".1.json": "C"}
    listed = {end: {"DocumentIdentifiers": [{"Name": name, "Owner": ACCOUNT}]} for end, name in pages.items()}
    snapshot = load(folder({f"{HERE}/list-documents{end}": page for end, page in listed.items()}))
    assert sorted(snapshot.documents["name"]) == ["A", "B", "C"]


def test_the_number_at_the_end_of_a_document_s_name_is_no_page(folder):
    names = ["Deploy", "Deploy-1.2", "Deploy-1"]
    files = {f"{HERE}/list-documents.json": {"DocumentIdentifiers": [{"Name": n, "Owner": ACCOUNT} for n in names]}}
    files |= {f"{HERE}/get-document/{name}.json": {"Content": f"of {name}"} for name in names[:2]}
    documents = load(folder(files)).documents.set_index("name")
    assert documents["content"].dropna().to_dict() == {"Deploy": "of Deploy", "Deploy-1.2": "of Deploy-1.2"}


def test_a_shared_document_has_not_the_content_of_the_own_one_of_its_name(folder):
    shared = f"arn:aws:ssm:eu-west-1:{OTHER}:document/Patch"
    listed = [{"Name": "Patch", "Owner": ACCOUNT}, {"Name": shared, "Owner": OTHER}]
    files = {f"{HERE}/list-documents.json": {"DocumentIdentifiers": listed}}
    files |= {f"{HERE}/get-document/Patch.json": {"Content": "own"}}
    documents = load(folder(files)).documents
    assert documents["content"].dropna().to_dict() == {f"arn:aws:ssm:eu-west-1:{ACCOUNT}:document/Patch": "own"}


def test_well_known_documents_are_assumed_where_none_were_listed(folder):
    snapshot = load(folder({f"{HERE}/describe-instance-information.json": information(WEB_1)}))
    assert list(snapshot.documents["name"]) == [
        "AWS-ApplyAnsiblePlaybooks",
        "AWS-ConfigureAWSPackage",
        "AWS-GatherSoftwareInventory",
        "AWS-RunPatchBaseline",
        "AWS-RunPowerShellScript",
        "AWS-RunRemoteScript",
        "AWS-RunShellScript",
        "AWS-UpdateSSMAgent",
    ]
    what = "not collected: AWS-owned documents are assumed, others are missing"
    assert [what] == list(snapshot.problems[snapshot.problems["file"] == f"{HERE}/list-documents.json"]["what"])


# --- Principals and policies ------------------------------------------------------------------------------------------


def test_principals_carry_groups_tags_trust_and_boundary(folder):
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}
    profile = f"arn:aws:iam::{ACCOUNT}:instance-profile/NodeRole"
    role = f"arn:aws:iam::{ACCOUNT}:role/service/NodeRole"
    group = f"arn:aws:iam::{ACCOUNT}:group/staff/Operators"
    content = details(
        users=[
            {
                "Arn": USER + "ana",
                "GroupList": ["Operators"],
                "Tags": tag_list(Team="red"),
                "PermissionsBoundary": {"PermissionsBoundaryArn": f"arn:aws:iam::{ACCOUNT}:policy/Cap"},
            }
        ],
        groups=[{"Arn": group, "GroupName": "Operators"}],
        roles=[
            {
                "Arn": role,
                "AssumeRolePolicyDocument": quote(json.dumps(trust)),
                "InstanceProfileList": [{"Arn": profile}],
            }
        ],
        policies=[managed("Cap", SEND)],
    )
    principals = load(folder({f"{ACCOUNT}/get-account-authorization-details.json": content})).principals
    columns = ["name", "kind", "account", "path", "groups", "boundary", "tags_known", "trust", "instance_profiles"]
    assert {arn: row[columns].to_list() for arn, row in principals.iterrows()} == {
        USER + "ana": ["ana", "user", ACCOUNT, "/", (group,), f"arn:aws:iam::{ACCOUNT}:policy/Cap", True, None, ()],
        role: ["NodeRole", "role", ACCOUNT, "/service/", (), None, True, trust, (profile,)],
        f"arn:aws:iam::{ACCOUNT}:root": ["root", "root", ACCOUNT, "/", (), None, True, None, ()],
    }
    assert principals["tag:Team"].dropna().to_dict() == {USER + "ana": "red"}


@pytest.mark.parametrize("form", [lambda body: body, json.dumps, lambda body: quote(json.dumps(body))])
def test_policy_documents_are_objects_json_text_or_url_encoded_text(folder, form):
    user = {"Arn": USER + "ana", "UserPolicyList": [{"PolicyName": "Own", "PolicyDocument": form(SEND)}]}
    files = {f"{ACCOUNT}/get-account-authorization-details.json": details(users=[user])}
    snapshot = load(folder(files), organization="none")
    assert snapshot.policies.loc[f"{USER}ana/Own", "document"] == SEND
    assert snapshot.statements.to_dict("records") == [
        {
            "policy": f"{USER}ana/Own",
            "index": 0,
            "sid": "",
            "effect": "Allow",
            "layer": "identity",
            "attached_to": (USER + "ana",),
            "actions": "ssm:SendCommand",
            "resources": "*",
            "conditions": "",
            "problem": "",
        }
    ]


def test_the_policies_of_a_user_are_its_own_and_those_of_its_groups(folder):
    group = f"arn:aws:iam::{ACCOUNT}:group/Operators"
    attached = [{"PolicyName": "Send", "PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/Send"}]
    content = details(
        users=[
            {
                "Arn": USER + "ana",
                "GroupList": ["Operators"],
                "AttachedManagedPolicies": attached,
                "UserPolicyList": [{"PolicyName": "Own", "PolicyDocument": READ}],
            }
        ],
        groups=[
            {
                "Arn": group,
                "GroupName": "Operators",
                "AttachedManagedPolicies": attached,
                "GroupPolicyList": [{"PolicyName": "Inline", "PolicyDocument": READ}],
            }
        ],
        policies=[managed("Send", READ, SEND)],
    )
    snapshot = load(folder({f"{ACCOUNT}/get-account-authorization-details.json": content}), organization="none")
    send = f"arn:aws:iam::{ACCOUNT}:policy/Send"
    found = snapshot.attached(USER + "ana")
    assert (names(found.identity), found.boundary, found.scps, found.rcps) == (
        [send, f"{USER}ana/Own", f"{group}/Inline"],
        *(None, None, None),
    )
    assert snapshot.policies.loc[send, ["attached_to", "document"]].to_list() == [(group, USER + "ana"), SEND]


def test_a_policy_that_is_also_a_boundary_has_two_rows(folder):
    send = f"arn:aws:iam::{ACCOUNT}:policy/Send"
    boundary = {"PermissionsBoundary": {"PermissionsBoundaryArn": send}}
    content = details(
        users=[
            {"Arn": USER + "ana", "AttachedManagedPolicies": [{"PolicyArn": send}]} | boundary,
            {"Arn": USER + "ben"} | boundary,
        ],
        policies=[managed("Send", SEND)],
    )
    snapshot = load(folder({f"{ACCOUNT}/get-account-authorization-details.json": content}))
    assert snapshot.policies[["layer", "attached_to", "document"]].T.to_dict("list") == {
        send: ["identity", (USER + "ana",), SEND],
        f"{send} (boundary)": ["boundary", (USER + "ana", USER + "ben"), SEND],
        "service control policies: not collected": ["scp", ("organization",), None],
        "resource control policies: not collected": ["rcp", ("organization",), None],
    }
    assert names(snapshot.attached(USER + "ben").boundary) == [f"{send} (boundary)"]


def test_what_was_not_collected_stands_there_as_unknown(folder):
    send, cap = (f"arn:aws:iam::{ACCOUNT}:policy/{name}" for name in ("Send", "Cap"))
    user = {
        "Arn": USER + "ana",
        "GroupList": ["Gone"],
        "AttachedManagedPolicies": [{"PolicyArn": send}],
        "PermissionsBoundary": {"PermissionsBoundaryArn": cap},
    }
    snapshot = load(folder({f"{ACCOUNT}/get-account-authorization-details.json": details(users=[user])}))
    found = snapshot.attached(USER + "ana")
    group = f"arn:aws:iam::{ACCOUNT}:group/Gone: policies"
    assert found.identity == (Policy.unknown(send), Policy.unknown(group))
    assert found.boundary == (Policy.unknown(cap),)
    assert found.scps == ((Policy.unknown("service control policies: not collected"),),)
    unknown = [
        f"not collected: the document of `{policy}`; what it allows and denies is unknown"
        for policy in snapshot.policies.index
    ]
    assert sorted(unknown) == sorted(snapshot.problems["what"])


def test_aws_managed_policies_of_several_accounts_are_one_row(folder):
    core = managed("Core", SEND, account="aws")
    role = {"AttachedManagedPolicies": [{"PolicyArn": core["Arn"]}]}
    files = {
        f"{account}/get-account-authorization-details.json": details(
            roles=[{"Arn": f"arn:aws:iam::{account}:role/Node"} | role], policies=[core] * (account == OTHER)
        )
        for account in (ACCOUNT, OTHER)
    }
    policies = load(folder(files), organization="none").policies
    assert policies[["account", "attached_to", "document"]].T.to_dict("list") == {
        core["Arn"]: ["aws", tuple(f"arn:aws:iam::{account}:role/Node" for account in (ACCOUNT, OTHER)), SEND]
    }


def test_a_missing_iam_file_is_said(folder):
    snapshot = load(folder({f"{HERE}/describe-instances.json": instances({"InstanceId": WEB_1})}))
    file = f"{ACCOUNT}/get-account-authorization-details.json"
    what = f"not collected as a whole: principals of `{ACCOUNT}`, and what they may do, are missing"
    assert [what] == list(snapshot.problems[snapshot.problems["file"] == file]["what"])
    assert list(snapshot.principals.index) == [f"arn:aws:iam::{ACCOUNT}:root"]


# --- Organizations ----------------------------------------------------------------------------------------------------


def organization(**changes):
    """Root, unit `ou-a` and account 123456789012 in it; `changes` are files by name, None takes one away."""
    policies = [
        {"Id": "p-FullAWSAccess", "Name": "FullAWSAccess", "Type": "SERVICE_CONTROL_POLICY", "AwsManaged": True}
    ]
    files = {
        "describe-organization": {"Organization": {"Id": "o-1", "MasterAccountId": OTHER}},
        "list-roots": {
            "Roots": [{"Id": "r-1", "PolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]}]
        },
        "list-organizational-units-for-parent/r-1": {"OrganizationalUnits": [{"Id": "ou-a", "Name": "a"}]},
        "list-organizational-units-for-parent/ou-a": {"OrganizationalUnits": []},
        "list-accounts-for-parent/r-1": {"Accounts": [{"Id": OTHER}]},
        "list-accounts-for-parent/ou-a": {"Accounts": [{"Id": ACCOUNT}]},
        "describe-policy/p-FullAWSAccess": {"Policy": {"PolicySummary": policies[0], "Content": json.dumps(FULL)}},
        "describe-policy/p-guard": {"Policy": {"Content": json.dumps(READ)}},
    }
    for target in ("r-1", "ou-a", ACCOUNT):
        files[f"list-policies-for-target/{target}"] = {"Policies": policies}
        files[f"list-policies-for-target/{target}.rcp"] = {"Policies": []}
    files["list-policies-for-target/ou-a"] = {"Policies": [*policies, {"Id": "p-guard", "Name": "Guard"}]}
    files |= {name.replace("__", "/").replace("_", "-"): content for name, content in changes.items()}
    users = {
        f"{account}/get-account-authorization-details.json": details(
            users=[{"Arn": f"arn:aws:iam::{account}:user/ana"}]
        )
        for account in (ACCOUNT, OTHER)
    }
    return {f"organizations/{name}.json": content for name, content in files.items() if content is not None} | users


def test_service_control_policies_apply_level_by_level(folder):
    snapshot = load(folder(organization()))
    assert snapshot.organization.to_dict("records") == [
        {"account": ACCOUNT, "level": level, "target": target, "scp": True, "rcp": False}
        for level, target in enumerate(("r-1", "ou-a", ACCOUNT))
    ]
    found = snapshot.attached(USER + "ana")
    assert [names(level) for level in found.scps] == [
        ["p-FullAWSAccess"],
        ["p-FullAWSAccess", "p-guard"],
        ["p-FullAWSAccess"],
    ]
    assert found.rcps is None
    assert snapshot.policies.loc["p-guard", ["name", "layer", "attached_to", "document", "where"]].to_list() == [
        *("Guard", "scp", ("ou-a",), READ, "$.Policy.Content")
    ]
    assert problems(snapshot) == []


def test_nothing_of_the_organization_binds_the_management_account(folder):
    snapshot = load(folder(organization()))
    assert snapshot.management_account == OTHER
    assert snapshot.attached(f"arn:aws:iam::{OTHER}:user/ana").scps is None


def test_nothing_of_the_organization_binds_service_linked_roles(folder):
    role = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/ssm.amazonaws.com/AWSServiceRoleForAmazonSSM"
    files = organization() | {f"{ACCOUNT}/get-account-authorization-details.json": details(roles=[{"Arn": role}])}
    snapshot = load(folder(files))
    assert snapshot.attached(role).scps is None
    assert snapshot.attached(f"arn:aws:iam::{ACCOUNT}:root").scps is not None


@pytest.mark.parametrize("content", [{}, "{\n}", {"Error": "AWSOrganizationsNotInUseException"}])
def test_an_account_in_no_organization_has_no_service_control_policies(folder, content):
    files = {f"organizations/{name}": content for name in ("describe-organization.json",)}
    snapshot = load(
        folder(files | {f"{ACCOUNT}/get-account-authorization-details.json": details(users=[{"Arn": USER + "ana"}])})
    )
    assert snapshot.attached(USER + "ana").scps is None
    assert snapshot.problems.empty


def test_the_organization_can_be_said_to_be_none(folder):
    path = folder({f"{ACCOUNT}/get-account-authorization-details.json": details(users=[{"Arn": USER + "ana"}])})
    assert load(path, organization="none").attached(USER + "ana").scps is None
    with pytest.raises(ValueError, match="expected `collected` or `none` as organization, got `maybe`"):
        load(path, organization="maybe")


def test_a_level_without_all_its_policies_is_unknown(folder):
    files = organization(describe_policy__p_guard=None)
    del files["organizations/list-policies-for-target/r-1.json"]
    files["organizations/list-policies-for-target/ou-a.json"]["Policies"].append({"Id": "p-lost"})
    found = load(folder(files)).attached(USER + "ana").scps
    assert found[0] == (Policy.unknown("service control policies of r-1"),)
    assert names(found[1]) == ["p-FullAWSAccess", "p-guard", "p-lost"]
    assert found[1][2] == Policy.unknown("p-lost")


def test_an_account_that_is_not_found_in_the_organization_has_unknown_policies(folder):
    files = organization(list_accounts_for_parent__ou_a=None)
    snapshot = load(folder(files))
    assert snapshot.attached(USER + "ana").scps == ((Policy.unknown("service control policies: not collected"),),)


def test_policies_of_a_kind_that_is_not_enabled_bind_nobody(folder):
    files = organization(list_roots={"Roots": [{"Id": "r-1", "PolicyTypes": []}]})
    for target in ("r-1", "ou-a", ACCOUNT):
        files[f"organizations/list-policies-for-target/{target}.json"] = {"Policies": []}
    assert load(folder(files)).attached(USER + "ana").scps is None


# --- Spreadsheets and single files ------------------------------------------------------------------------------------


def test_an_inventory_needs_three_columns(folder):
    path = folder({"inventory.csv": f"node_id,account,region\n{WEB_1},{ACCOUNT},eu-west-1\n"}) / "inventory.csv"
    snapshot = load(path)
    row = snapshot.nodes.loc[EC2 + WEB_1]
    assert row[["node_id", "kind", "managed", "tags_known"]].to_list() == [WEB_1, "ec2", True, False]
    assert len(snapshot.documents) == 8
    what = "not collected: tags, there is no column `tag:<Key>`"
    assert ("inventory.csv", "", "warning", what) in [tuple(row) for row in snapshot.problems.itertuples(index=False)]


def test_blanks_round_a_cell_do_not_count_but_those_of_a_tag_do(folder):
    text = f"node_id, account, region, managed, tag:Env\n{WEB_1}, {ACCOUNT}, eu-west-1, false, dev\n"
    snapshot = load(folder({"inventory.csv": text}) / "inventory.csv")
    assert snapshot.nodes.loc[EC2 + WEB_1, ["managed", "tag:Env"]].to_list() == [False, " dev"]
    assert problems(snapshot) == []


@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("separator", [",", ";"])
def test_an_inventory_is_read_as_text(folder, start, separator):
    text = f"""{start}node_id,account,region,platform,kind,managed,tag:Finance,tag:Env
i-00000001,000000000012,eu-west-1,Linux,,,NA,
mi-00000001,000000000012,eu-west-1,Windows,vm,FALSE,"",007
""".replace(",", separator)
    snapshot = load(folder({"inventory.csv": text}) / "inventory.csv")
    columns = ["account", "platform", "kind", "managed", "tag:Finance", "tag:Env"]
    assert snapshot.nodes[columns].astype("object").where(
        snapshot.nodes[columns].notna(), None
    ).to_numpy().tolist() == [
        ["000000000012", "Linux", "ec2", True, "NA", None],
        ["000000000012", "Windows", "vm", False, None, "007"],
    ]
    assert snapshot.nodes["tags_known"].all()
    assert problems(snapshot) == []


@pytest.mark.parametrize("attachments", ["attachments.csv", "policies/attachments.csv"])
@pytest.mark.parametrize("start", ["", "inventory.csv"])
def test_loose_policies_are_attached_as_the_spreadsheet_says(folder, attachments, start):
    files = {
        "inventory.csv": f"node_id,account,region,tag:Env\n{WEB_1},{ACCOUNT},eu-west-1,dev\n",
        "policies/send.json": SEND,
        "policies/read.json": READ,
        attachments: f"principal,policy\n{USER}ana,send\n{USER}ana,lost\narn:aws:iam::{ACCOUNT}:role/web/Ops,send\n",
    }
    snapshot = load(folder(files) / start)
    assert snapshot.policies[["layer", "attached_to", "document"]].T.to_dict("list") == {
        "read": ["identity", (), READ],
        "send": ["identity", (USER + "ana", f"arn:aws:iam::{ACCOUNT}:role/web/Ops"), SEND],
        "lost": ["identity", (USER + "ana",), None],
    }
    assert snapshot.principals[["kind", "path", "tags_known"]].T.to_dict("list") == {
        USER + "ana": ["user", "/", False],
        f"arn:aws:iam::{ACCOUNT}:role/web/Ops": ["role", "/web/", False],
        f"arn:aws:iam::{ACCOUNT}:root": ["root", "/", True],
    }
    found = snapshot.attached(USER + "ana")
    assert found.identity == (snapshot.compiled["send"], Policy.unknown("lost"))
    assert (found.boundary, found.scps) == (None, None)


def test_a_policy_alone_is_loaded_and_waits_to_be_attached(folder):
    snapshot = load(folder({"send.json": SEND}) / "send.json")
    assert (list(snapshot.policies.index), len(snapshot.nodes), len(snapshot.principals)) == (["send"], 0, 0)
    changed = snapshot.with_policy(SEND, name="send", principal=USER + "ana")
    assert names(changed.attached(USER + "ana").identity) == ["send"]


# --- What-if ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def snapshot(folder):
    files = organization() | {
        f"{HERE}/describe-instances.json": instances(
            {"InstanceId": WEB_1, "Tags": tag_list(Env="prod", Old="x")}, {"InstanceId": "i-00000002"}
        ),
        f"{ACCOUNT}/get-account-authorization-details.json": details(
            users=[
                {"Arn": USER + "ana", "UserPolicyList": [{"PolicyName": "Own", "PolicyDocument": SEND}]},
                {"Arn": USER + "ben", "UserPolicyList": [{"PolicyName": "Own", "PolicyDocument": READ}]},
            ]
        ),
    }
    return load(folder(files))


@pytest.mark.parametrize("node", [WEB_1, EC2 + WEB_1])
def test_tags_are_set_and_removed_in_a_copy(snapshot, node):
    before = snapshot.nodes.copy(deep=True)
    changed = snapshot.with_tags(node, {"Env": "dev", "Old": None, "New": "", "Never": None})
    assert [tuple(row) for row in changed.tags[changed.tags["arn"] == EC2 + WEB_1].itertuples(index=False)] == [
        (EC2 + WEB_1, "Env", "dev"),
        (EC2 + WEB_1, "New", ""),
    ]
    pd.testing.assert_frame_equal(snapshot.nodes, before)
    assert changed.compiled is snapshot.compiled
    assert str(changed.nodes["tag:New"].dtype) == "category"


def test_tags_of_a_node_that_is_not_known_are_an_error_that_names_the_nearest(snapshot):
    with pytest.raises(KeyError, match="no node `i-00000003`, did you mean `i-00000002`"):
        snapshot.with_tags(["i-00000003"], {"Env": "dev"})


def test_a_policy_more_is_attached_and_the_others_are_shared(snapshot):
    changed = snapshot.with_policy(SEND, name="more", principal=[USER + "ben", USER + "new"])
    assert names(changed.attached(USER + "ben").identity) == [f"{USER}ben/Own", "more"]
    assert names(changed.attached(USER + "new").identity) == ["more"]
    assert "more" not in snapshot.policies.index
    assert all(changed.compiled[policy] is compiled for policy, compiled in snapshot.compiled.items())


def test_a_policy_of_the_same_name_is_replaced_where_it_is_attached(snapshot):
    changed = snapshot.with_policy(SEND, name=f"{USER}ben/Own").attached(USER + "ben").identity
    assert [statement.actions for policy in changed for statement in policy.statements] == [("ssm:SendCommand",)]


def test_a_boundary_and_a_service_control_policy_can_be_added(snapshot):
    changed = snapshot.with_policy(READ, name="cap", principal=USER + "ana", layer="boundary")
    assert names(changed.attached(USER + "ana").boundary) == ["cap"]
    assert changed.attached(USER + "ben").boundary is None
    changed = snapshot.with_policy(json.dumps(READ), name="p-more", principal="ou-a", layer="scp")
    assert names(changed.attached(USER + "ana").scps[1]) == ["p-FullAWSAccess", "p-guard", "p-more"]


def test_a_policy_cannot_be_attached_to_what_is_not_there(snapshot):
    with pytest.raises(KeyError, match="no principal `anna`"):
        snapshot.with_policy(SEND, name="x", principal="anna")
    with pytest.raises(KeyError, match="no root, unit or account `ou-b`, did you mean `ou-a`"):
        snapshot.with_policy(SEND, name="x", principal="ou-b", layer="scp")
    with pytest.raises(ValueError, match="expected a layer of `identity`, `boundary`, `scp`, `rcp`, got `session`"):
        snapshot.with_policy(SEND, name="x", layer="session")
    with pytest.raises(ValueError, match="expected a policy as JSON"):
        snapshot.with_policy("{", name="x")


def test_replaced_policies_are_compiled_only_if_they_changed(snapshot):
    policies = snapshot.policies.copy()
    policies["document"] = [
        READ if policy == f"{USER}ana/Own" else json.loads(json.dumps(body))
        for policy, body in policies["document"].items()
    ]
    changed = snapshot.replace(policies=policies)
    assert {policy for policy in policies.index if changed.compiled[policy] is not snapshot.compiled[policy]} == {
        f"{USER}ana/Own"
    }


def test_a_frame_with_the_required_columns_is_enough(snapshot):
    row = {"node_id": WEB_1, "account": ACCOUNT, "region": "eu-west-1", "kind": "ec2", "platform": "Linux"}
    row |= {"name": "web", "ping_status": "Online", "managed": True, "tags_known": True, "tag:Env": "dev"}
    given = pd.DataFrame([row], index=pd.Index([EC2 + WEB_1], name="arn"))
    nodes = snapshot.replace(nodes=given).nodes
    assert list(nodes.columns) == [*snapshot.nodes.columns[:17], "tag:Env"]
    assert nodes.dtypes.astype(str).to_dict() == snapshot.nodes.dtypes[nodes.columns].astype(str).to_dict()
    assert str(given["account"].dtype) == "str"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda s: {"statements": s.statements},
            r"expected frames among .*, got `statements` \(`statements` follow from `policies`\)",
        ),
        (lambda s: {"nodes": s.nodes.rename_axis("id")}, "expected `nodes` with an index named `arn`, got `id`"),
        (
            lambda s: {"nodes": s.nodes.drop(columns="kind")},
            "expected `nodes` with the columns .*, got none named `kind`",
        ),
        (
            lambda s: {"nodes": pd.concat([s.nodes, s.nodes])},
            "expected every `arn` of `nodes` once, got .* more than once",
        ),
        (
            lambda s: {"nodes": pd.concat([s.nodes, s.nodes["kind"]], axis=1)},
            "expected every `column` of `nodes` once, got `kind` more than once",
        ),
        (
            lambda s: {"nodes": s.nodes.rename(index={s.nodes.index[0]: None})},
            "expected every `arn` of `nodes` to be text, got `(None|nan)`",
        ),
        (
            lambda s: {"nodes": s.nodes.assign(**{"tag:Port": 80.0})},
            "expected text in the column `tag:Port` of `nodes`, got `80.0`",
        ),
        (
            lambda s: {"documents": s.documents.assign(shared_with="111122223333")},
            "expected a list of texts in the column `shared_with` of `documents`, got `'111122223333'`",
        ),
        (
            lambda s: {"nodes": s.nodes.assign(tags_known=None)},
            "expected True or False in the column `tags_known` of `nodes`, got `None`",
        ),
    ],
)
def test_frames_that_do_not_fit_are_refused(snapshot, change, message):
    with pytest.raises(ValueError, match=message):
        snapshot.replace(**change(snapshot))


def test_a_frame_may_hold_lists_and_gaps(snapshot):
    shared = [["111122223333"]] * len(snapshot.documents)
    changed = snapshot.replace(
        documents=snapshot.documents.assign(shared_with=shared), principals=snapshot.principals.assign(path=None)
    )
    assert {*changed.documents["shared_with"]} == {("111122223333",)}
    assert {*changed.principals["path"]} == {"/"}


def test_a_principal_that_is_not_known_is_an_error_that_names_the_nearest(snapshot):
    with pytest.raises(KeyError, match=f"no principal `{USER}anna`, did you mean `{USER}ana`"):
        snapshot.attached(USER + "anna")


# --- Parquet ----------------------------------------------------------------------------------------------------------


def test_a_snapshot_comes_back_from_parquet_as_it_was(snapshot, tmp_path):
    twice = (
        '{"Version": "2012-10-17", "Statement": [], "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
    )
    numbers = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"NumericEquals": {"aws:x": 1.10}}}}'
    before = snapshot.with_policy(twice, name="twice", principal=USER + "ana").with_policy(numbers, name="numbers")
    before.to_parquet(tmp_path / "stored")
    after = load(tmp_path / "stored")
    for name in ("nodes", "documents", "principals", "policies", "statements", "organization", "problems", "tags"):
        pd.testing.assert_frame_equal(getattr(after, name), getattr(before, name))
    assert repr(after.compiled) == repr(before.compiled)
    assert after.management_account == OTHER
    assert repr(after.attached(USER + "ana")) == repr(before.attached(USER + "ana"))


@pytest.mark.parametrize("files", ["data/sample", f"data/sample/{ACCOUNT}"])
def test_a_stored_snapshot_too_can_be_in_no_organization(files, tmp_path):
    root = tmp_path / "files"
    shutil.copytree(files, root if files == "data/sample" else root / ACCOUNT)
    load(root).to_parquet(tmp_path / "stored")
    before, after = (load(path, organization="none") for path in (root, tmp_path / "stored"))
    for name in ("statements", "organization", "problems"):
        pd.testing.assert_frame_equal(getattr(after, name), getattr(before, name))
    assert after.management_account is None


def test_a_damaged_parquet_snapshot_is_an_error_that_names_the_file(snapshot, tmp_path):
    snapshot.to_parquet(tmp_path / "stored")
    (tmp_path / "stored" / "policies.parquet").write_bytes(b"")
    with pytest.raises(LoadError, match=r"`policies.parquet`: expected the frame `policies` of a snapshot, got"):
        load(tmp_path / "stored")


@pytest.mark.parametrize(("name", "column"), [("organization", "target"), ("noted", "what"), ("nodes", "node_id")])
def test_a_parquet_snapshot_that_lacks_a_column_is_an_error_that_names_it(snapshot, tmp_path, name, column):
    snapshot.to_parquet(tmp_path)
    file = tmp_path / f"{name}.parquet"
    pd.read_parquet(file).drop(columns=column).to_parquet(file)
    with pytest.raises(
        LoadError, match=rf"`{name}.parquet`: expected the frame `{name}` of a snapshot, got .*{column}"
    ):
        load(tmp_path)


def test_a_snapshot_says_how_large_it_is(snapshot):
    assert repr(snapshot) == "Snapshot(2 nodes, 8 documents, 5 principals, 4 policies, 2 problems)"
