"""Files nobody vouches for: each damage is a row that names file, place, what was expected and what was got; the rest loads."""

import json
import os
import shutil
from pathlib import Path
from random import Random

import pytest

from ssmlab import reach
from ssmlab.policies import Policy
from ssmlab.snapshots import LoadError, load

ACCOUNT = "123456789012"
HERE = f"{ACCOUNT}/eu-west-1"
INFORMATION = f"{HERE}/describe-instance-information.json"
INSTANCES = f"{HERE}/describe-instances.json"
IAM = f"{ACCOUNT}/get-account-authorization-details.json"
USER = f"arn:aws:iam::{ACCOUNT}:user/"
SOUND = "i-0123456789abcdef0"
SEND = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ssm:SendCommand", "Resource": "*"}]}


def write(root, files):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str | bytes) else json.dumps(content)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return root


def users(*items):
    return {"UserDetailList": list(items), "GroupDetailList": [], "RoleDetailList": [], "Policies": []}


def problems(snapshot, severity="error"):
    frame = snapshot.problems[snapshot.problems["severity"] == severity]
    frame = frame[~frame["what"].str.startswith("not collected")]
    return [tuple(row) for row in frame[["file", "where", "what"]].itertuples(index=False)]


SOUND_FILES = {
    f"{ACCOUNT}/us-east-2/describe-instance-information.json": {"InstanceInformationList": [{"InstanceId": SOUND}]}
}


@pytest.mark.parametrize(
    ("content", "where", "what"),
    [
        (b"", "line 1", "expected JSON, got an empty file"),
        (b" \n", "line 1", "expected JSON, got an empty file"),
        ('{"InstanceInformationList": [{"InstanceId": "i-0', "line 1", "expected JSON, got Unterminated string starting at in column 45"),
        ("An error occurred", "line 1", "expected JSON, got Expecting value in column 1"),
        (b'{"a": "\xff"}', "", "expected text in UTF-8, got 'utf-8' codec can't decode byte 0xff in position 7: invalid start byte"),
        ("[" * 100_000, "line 1", "expected JSON, got nested too deeply in column 1"),
        ([{"InstanceId": "i-1"}], "$", 'expected an object with a list `InstanceInformationList`, got `[{"InstanceId": "i-1"}]`'),
        ({"Reservations": []}, "$", 'expected an object with a list `InstanceInformationList`, got `{"Reservations": []}`'),
        ({"InstanceInformationList": {}}, "$", 'expected an object with a list `InstanceInformationList`, got `{"InstanceInformationList": {}}`'),
        ({"InstanceInformationList": [None]}, "$.InstanceInformationList[0]", "expected an object with a text `InstanceId`, got nothing"),
        ({"InstanceInformationList": [{"PingStatus": "Online"}]}, "$.InstanceInformationList[0]", 'expected an object with a text `InstanceId`, got `{"PingStatus": "Online"}`'),
        ({"InstanceInformationList": [{"InstanceId": 7}]}, "$.InstanceInformationList[0]", 'expected an object with a text `InstanceId`, got `{"InstanceId": 7}`'),
        ({"InstanceInformationList": [{"InstanceId": "i-0/../*"}]}, "$.InstanceInformationList[0]", "expected an id that starts with `i-` or `mi-`, got `i-0/../*`"),
    ],
    ids=["0 bytes", "blank", "truncated", "an error text", "bad UTF-8", "deep", "a list", "another call", "an object for the list", "no record", "no id", "a number as id", "no id of a node"],
)  # fmt: skip
def test_a_damaged_file_or_record_is_named_and_the_rest_loads(tmp_path, content, where, what):
    snapshot = load(write(tmp_path, {INFORMATION: content} | SOUND_FILES))
    assert problems(snapshot) == [(INFORMATION, where, what)]
    assert list(snapshot.nodes["node_id"]) == [SOUND]


HALF = "expected text in UTF-8, got half of a surrogate pair"


def test_half_of_a_surrogate_pair_loses_what_holds_it_and_nothing_else(tmp_path):
    records = [
        {"InstanceId": "i-00000001", "ComputerName": "a\ud800"},
        {"InstanceId": "i-00000002\udc00"},
        {"InstanceId": "i-00000003", "ComputerName": "b \U0001f600"},
        {"InstanceId": "i-00000004", "\ud800": 1},
    ]
    tags = [{"Key": "Env", "Value": "dev\udfff"}, {"Key": "Team", "Value": "red"}]
    instances = {"Reservations": [{"Instances": [{"InstanceId": "i-00000001", "Tags": tags}]}]}
    files = {INFORMATION: {"InstanceInformationList": records}, f"{HERE}/describe-instances.json": instances}
    snapshot = load(write(tmp_path, files))
    assert snapshot.nodes[["node_id", "tags_known"]].to_numpy().tolist() == [
        ["i-00000001", False],
        ["i-00000003", False],
    ]
    path, instance = "$.InstanceInformationList", "$.Reservations[0].Instances[0]"
    assert [row for row in problems(snapshot) if row[2] == HALF] == [
        (INFORMATION, f"{path}[3]", HALF),
        (INFORMATION, f"{path}[0].ComputerName", HALF),
        (INFORMATION, f"{path}[1].InstanceId", HALF),
        (f"{HERE}/describe-instances.json", f"{instance}.Tags[0].Value", HALF),
    ]


def test_half_of_a_surrogate_pair_in_a_policy_makes_its_statement_one_that_cannot_be_read(tmp_path):
    statements = [
        {"Effect": "Allow", "Action": "ssm:SendCommand", "Resource": "*"},
        {
            "Effect": "Deny",
            "Action": "ssm:SendCommand",
            "Resource": "*",
            "Condition": {"StringLike": {"aws:username": "\ud800"}},
        },
    ]
    user = {"UserName": "ana", "Arn": f"arn:aws:iam::{ACCOUNT}:user/ana", "Path": "/"}
    user |= {
        "UserPolicyList": [{"PolicyName": "own", "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}]
    }
    details = {"UserDetailList": [user], "GroupDetailList": [], "RoleDetailList": [], "Policies": []}
    files = {f"{ACCOUNT}/get-account-authorization-details.json": details} | SOUND_FILES
    found = reach(load(write(tmp_path, files))).nodes("ana")
    assert found["resource_outcome"].to_list() == ["conditional"]


def test_a_record_that_is_damaged_does_not_lose_the_others(tmp_path):
    records = [
        {"InstanceId": "i-00000001", "PingStatus": ["Online"], "AgentVersion": "3.2"},
        {"InstanceId": "i-00000002", "LastPingDateTime": "yesterday"},
        "i-00000003",
        {"InstanceId": "i-00000004", "LastPingDateTime": True},
    ]
    snapshot = load(write(tmp_path, {INFORMATION: {"InstanceInformationList": records}}))
    assert list(snapshot.nodes["node_id"]) == ["i-00000001", "i-00000002", "i-00000004"]
    assert snapshot.nodes["agent_version"].to_list()[0] == "3.2"
    assert snapshot.nodes[["ping_status", "last_ping"]].isna().all(axis=None)
    path = "$.InstanceInformationList"
    assert problems(snapshot) == [
        (INFORMATION, f"{path}[2]", "expected an object with a text `InstanceId`, got `i-00000003`"),
        (INFORMATION, f"{path}[0].PingStatus", 'expected a text, got `["Online"]`'),
        (INFORMATION, f"{path}[3].LastPingDateTime", "expected a time, got `true`"),
        (INFORMATION, f"{path}[1]", "expected a time as epoch seconds or ISO 8601, got `yesterday`"),
    ]


@pytest.mark.parametrize("time", ["9999-12-31T00:00:00Z", 17_000_000_000, 1e300, "0001-01-01T00:00:00Z", "NaT"])
def test_a_time_out_of_reach_is_missing_and_said(tmp_path, time):
    record = {"InstanceId": SOUND, "LastPingDateTime": time}
    snapshot = load(write(tmp_path, {INFORMATION: {"InstanceInformationList": [record]}}))
    assert snapshot.nodes["last_ping"].isna().all()
    assert [where for _, where, _ in problems(snapshot)] == ["$.InstanceInformationList[0]"]


def test_of_a_node_that_stands_twice_the_first_is_kept_and_both_places_are_named(tmp_path):
    first, second = ({"InstanceInformationList": [{"InstanceId": SOUND, "AgentVersion": v}]} for v in ("1", "2"))
    pages = {f"{HERE}/describe-instance-information.{n}.json": page for n, page in ((1, first), (2, second))}
    snapshot = load(write(tmp_path, pages))
    assert snapshot.nodes["agent_version"].to_list() == ["1"]
    place = f"{HERE}/describe-instance-information.1.json $.InstanceInformationList[0]"
    what = f"expected every `InstanceId` once, got `{SOUND}` again; kept is {place}"
    assert problems(snapshot) == [
        (f"{HERE}/describe-instance-information.2.json", "$.InstanceInformationList[0]", what)
    ]


def test_output_that_powershell_redirected_is_read(tmp_path):
    text = json.dumps({"InstanceInformationList": [{"InstanceId": SOUND, "Name": "ü"}]})
    files = {INFORMATION: text.encode("utf-16"), INSTANCES: b"\xef\xbb\xbf" + b'{"Reservations": []}'}
    snapshot = load(write(tmp_path, files))
    assert snapshot.nodes["name"].to_list() == ["ü"]
    assert problems(snapshot) == []


@pytest.mark.parametrize("tags", [{"Env": "dev"}, [{"Key": "Env"}], [{"Key": "Env", "Value": 5}], ["Env"], None])
def test_tags_that_cannot_be_read_are_unknown(tmp_path, tags):
    records = [
        {"InstanceId": SOUND, "Tags": tags},
        {"InstanceId": "i-00000002", "Tags": [{"Key": "Env", "Value": "dev"}]},
    ]
    snapshot = load(write(tmp_path, {INSTANCES: {"Reservations": [{"Instances": records}]}}))
    assert snapshot.nodes["tags_known"].to_list() == [False, True]
    got = "nothing" if tags is None else f"`{json.dumps(tags)}`"
    what = f"expected tags as a list of objects with the texts `Key` and `Value`, got {got}"
    assert problems(snapshot) == [(INSTANCES, "$.Reservations[0].Instances[0]", what)]


def test_a_damaged_export_tells_nothing_of_what_it_does_not_list(tmp_path):
    export = {"ResourceTagMappingList": [{"Tags": []}]}
    files = {INFORMATION: {"InstanceInformationList": [{"InstanceId": SOUND}]}, f"{HERE}/get-resources.json": export}
    assert load(write(tmp_path, files)).nodes["tags_known"].to_list() == [False]


def test_a_node_without_tags_has_none(tmp_path):
    snapshot = load(write(tmp_path, {INSTANCES: {"Reservations": [{"Instances": [{"InstanceId": SOUND}]}]}}))
    assert (snapshot.nodes["tags_known"].to_list(), len(snapshot.tags)) == ([True], 0)


def test_a_document_of_nobody_is_left_out(tmp_path):
    listed = {"DocumentIdentifiers": [{"Name": "A", "Owner": "somebody"}, {"Name": "B", "Owner": ACCOUNT}]}
    snapshot = load(write(tmp_path, {f"{HERE}/list-documents.json": listed}))
    assert list(snapshot.documents["name"]) == ["B"]
    what = "expected `Amazon` or an account id of 12 digits, got `somebody`"
    assert problems(snapshot) == [(f"{HERE}/list-documents.json", "$.DocumentIdentifiers[0].Owner", what)]


# --- Policies ---------------------------------------------------------------------------------------------------------


def test_what_is_wrong_in_a_policy_is_named_by_its_place_in_the_file(tmp_path):
    document = {
        "Version": "2012-10-17",
        "Statement": [SEND["Statement"][0] | {"Sid": "A", "Condition": {"StringIs": {"a": "b"}}}],
    }
    user = {"Arn": USER + "ana", "UserPolicyList": [{"PolicyName": "Own", "PolicyDocument": document}]}
    snapshot = load(write(tmp_path, {IAM: users(user)}))
    ((file, where, what),) = problems(snapshot)
    path = "$.UserDetailList[0].UserPolicyList[0].PolicyDocument.Statement[0].Condition.StringIs"
    assert (file, where) == (IAM, path)
    assert what.startswith(f"policy `{USER}ana/Own`: ")
    assert "`StringIs`" in what
    assert snapshot.statements.loc[0, ["sid", "conditions", "problem"]].to_list() == [
        "A",
        "StringIs a: b",
        what.partition(": ")[2],
    ]


def test_a_policy_with_a_repeated_key_is_seen(tmp_path):
    text = (
        '{"Version": "2012-10-17", "Statement": [], "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
    )
    user = f'{{"Arn": "{USER}ana", "UserPolicyList": [{{"PolicyName": "Own", "PolicyDocument": {text}}}]}}'
    content = f'{{"UserDetailList": [{user}], "GroupDetailList": [], "RoleDetailList": [], "Policies": []}}'
    snapshot = load(write(tmp_path, {IAM: content}))
    what = f"policy `{USER}ana/Own`: the key `Statement` stands more than once in one object"
    assert problems(snapshot) == [(IAM, "$.UserDetailList[0].UserPolicyList[0].PolicyDocument", what)]


@pytest.mark.parametrize("document", ["{", "%7B", [], 5])
def test_a_policy_that_is_no_json_object_is_unknown(tmp_path, document):
    user = {"Arn": USER + "ana", "UserPolicyList": [{"PolicyName": "Own", "PolicyDocument": document}]}
    snapshot = load(write(tmp_path, {IAM: users(user)}))
    (policy,) = snapshot.attached(USER + "ana").identity
    assert policy.statements == Policy.unknown("x").statements
    assert [where for _, where, _ in problems(snapshot)] == ["$.UserDetailList[0].UserPolicyList[0].PolicyDocument"]


def test_a_damaged_iam_record_may_be_any_policy(tmp_path):
    user = {
        "Arn": USER + "ana",
        "UserPolicyList": "none",
        "AttachedManagedPolicies": [{"PolicyName": "Send"}],
        "GroupList": [5],
        "PermissionsBoundary": "Cap",
    }
    role = {"Arn": "arn:aws:s3:::bucket"}
    snapshot = load(write(tmp_path, {IAM: users(user) | {"RoleDetailList": [role]}}))
    found = snapshot.attached(USER + "ana")
    unknown = [f"{USER}ana: {name}[0]" for name in ("UserPolicyList", "AttachedManagedPolicies", "GroupList")]
    assert found.identity == tuple(map(Policy.unknown, unknown))
    assert found.boundary == (Policy.unknown(f"{USER}ana: PermissionsBoundary"),)
    path = "$.UserDetailList[0]"
    assert problems(snapshot) == [
        (IAM, f"{path}.UserPolicyList[0]", "expected an object with a text `PolicyName`, got `none`"),
        (
            IAM,
            f"{path}.AttachedManagedPolicies[0]",
            'expected an object with a text `PolicyArn`, got `{"PolicyName": "Send"}`',
        ),
        (IAM, f"{path}.GroupList[0]", "expected a text, got `5`"),
        (IAM, f"{path}.PermissionsBoundary", "expected an object with a text `PermissionsBoundaryArn`, got `Cap`"),
        (IAM, "$.RoleDetailList[0].Arn", "expected the ARN of a user or role, got `arn:aws:s3:::bucket`"),
    ]


def test_a_damaged_organization_is_unknown(tmp_path):
    files = {
        IAM: users({"Arn": USER + "ana"}),
        "organizations/describe-organization.json": {"Organization": []},
        "organizations/list-roots.json": {"Roots": [{"Id": "r-1"}]},
        "organizations/list-accounts-for-parent/r-1.json": {"Accounts": [{"Id": ACCOUNT}]},
        "organizations/list-organizational-units-for-parent/r-1.json": {"OrganizationalUnits": [{"Id": "r-1"}]},
        "organizations/list-policies-for-target/r-1.json": {"Policies": [{"Id": "p-1"}]},
        f"organizations/list-policies-for-target/{ACCOUNT}.json": {"Policies": 5},
        "organizations/describe-policy/p-1.json": {"Policy": {}},
    }
    snapshot = load(write(tmp_path, files))
    first, second = snapshot.attached(USER + "ana").scps
    assert first == (Policy.unknown("p-1"),)
    assert second == (Policy.unknown(f"service control policies of {ACCOUNT}"),)
    assert [file for file, _, _ in problems(snapshot)] == [
        "organizations/describe-organization.json",
        "organizations/describe-policy/p-1.json",
        f"organizations/list-policies-for-target/{ACCOUNT}.json",
    ]


@pytest.mark.parametrize("unit", ["a/b", "..", "a\nb", "x" * 300])
def test_a_unit_of_any_id_has_no_files_and_harms_nothing(tmp_path, unit):
    files = {
        IAM: users({"Arn": USER + "ana"}),
        "organizations/list-roots.json": {"Roots": [{"Id": "r-1"}]},
        "organizations/list-organizational-units-for-parent/r-1.json": {"OrganizationalUnits": [{"Id": unit}]},
        "organizations/list-accounts-for-parent/r-1.json": {"Accounts": [{"Id": ACCOUNT}]},
    }
    snapshot = load(write(tmp_path, files))
    assert list(snapshot.organization["target"]) == ["r-1", ACCOUNT]
    assert f"organizations/list-accounts-for-parent/{unit}.json" in set(snapshot.problems["file"])


def test_a_user_list_holds_users_and_roles_only(tmp_path):
    group = f"arn:aws:iam::{ACCOUNT}:group/ops"
    snapshot = load(write(tmp_path, {IAM: users({"Arn": group}, {"Arn": USER + "ana"})}))
    assert list(snapshot.principals["name"]) == ["ana", "root"]
    what = f"expected the ARN of a user or role, got `{group}`"
    assert problems(snapshot) == [(IAM, "$.UserDetailList[0].Arn", what)]


# --- Folders ----------------------------------------------------------------------------------------------------------


def test_files_and_folders_of_other_names_are_said_not_to_be_read(tmp_path):
    others = {
        "12345/eu-west-1/describe-instances.json": "",
        "notes.txt": "",
        f"{ACCOUNT}/somewhere/describe-instances.json": "",
        f"{HERE}/describe-images.json": "",
        f"{HERE}/list-tags-for-resource/mi-0.json.part": "",
        ".hidden": "",
    }
    snapshot = load(write(tmp_path, others | SOUND_FILES))
    what = "not read: expected an account id of 12 digits, a Region or a call of the AWS CLI, got"
    assert problems(snapshot, "warning") == [
        ("12345", "", f"{what} `12345`"),
        (f"{HERE}/describe-images.json", "", f"{what} `describe-images.json`"),
        (f"{HERE}/list-tags-for-resource/mi-0.json.part", "", f"{what} `mi-0.json.part`"),
        (f"{ACCOUNT}/somewhere", "", f"{what} `somewhere`"),
        ("notes.txt", "", f"{what} `notes.txt`"),
    ]


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_links_are_not_followed(tmp_path):
    outside = write(tmp_path / "outside", {"list.json": {"InstanceInformationList": [{"InstanceId": "i-00000009"}]}})
    inside = write(tmp_path / "inside", SOUND_FILES)
    (inside / HERE).mkdir()
    (inside / INFORMATION).symlink_to(outside / "list.json")
    (inside / ACCOUNT / "us-west-1").symlink_to(outside)
    (inside / ACCOUNT / "us-west-2").symlink_to(inside)
    (inside / "nodes.csv").symlink_to(outside / "list.json")
    (inside / "policies").symlink_to(outside)
    snapshot = load(inside)
    assert list(snapshot.nodes["node_id"]) == [SOUND]
    what = "expected a file or folder, got a link, and links are not followed"
    links = (INFORMATION, f"{ACCOUNT}/us-west-1", f"{ACCOUNT}/us-west-2", "nodes.csv", "policies")
    assert problems(snapshot) == [(name, "", what) for name in links]


@pytest.mark.parametrize(
    ("files", "path", "message"),
    [
        (
            {},
            "",
            "expected account folders with output of the AWS CLI, an inventory `.csv` or `policies/`, got an empty folder",
        ),
        ({"a.txt": ""}, "", "expected account folders .*, got none of them"),
        ({}, "missing", r"expected a folder, or a file that ends in `.csv`, `.json`, got nothing there"),
        ({"a.txt": ""}, "a.txt", r"expected a folder, or a file that ends in `.csv`, `.json`, got `.txt`"),
        ({"a.json": ""}, "a.json", r"`a.json` at line 1: expected JSON, got an empty file"),
        (
            {"a.json": "[]"},
            "a.json",
            r"`a.json` at \$: expected a policy as the one JSON object of the file, got `\[\]`",
        ),
        ({"a.csv": ""}, "a.csv", r"`a.csv`: expected the columns `node_id`, `account`, `region`, got no header"),
        (
            {"a.csv": "node_id,region\n"},
            "a.csv",
            r"`a.csv` at line 1: expected the columns .*, got none named `account`",
        ),
        (
            {"a.csv": "node_id,account,region\ni-1,1.23E+11,eu-west-1\n"},
            "a.csv",
            r"`a.csv` at line 2: expected an account id",
        ),
    ],
)
def test_nothing_to_load_is_an_error(tmp_path, files, path, message):
    with pytest.raises(LoadError, match=message):
        load(write(tmp_path, files) / path)


def test_a_load_error_says_file_place_expected_and_got():
    error = LoadError("a.json", "$.Statement", "a list", "`5`")
    assert str(error) == "`a.json` at $.Statement: expected a list, got `5`"
    assert (error.file, error.where, error.expected, error.got) == ("a.json", "$.Statement", "a list", "`5`")


# --- Spreadsheets -----------------------------------------------------------------------------------------------------


def test_every_damaged_line_of_an_inventory_is_named(tmp_path):
    text = f"""node_id,account,region,managed,kind,tag:Env,tag:Env,note
i-00000001,{ACCOUNT},eu-west-1,maybe,robot,dev,dev,
i-00000002,1.23457E+11,eu-west-1,true,ec2,dev,dev,
i-00000003,12,eu-west-1,true,ec2,dev,dev,
i-00000004,{ACCOUNT},Ireland,true,ec2,dev,dev,
web-5,{ACCOUNT},eu-west-1,true,ec2,dev,dev,
i-00000006,{ACCOUNT}

i-00000001,{ACCOUNT},eu-west-1,true,ec2,dev,dev,
i-00000007,{ACCOUNT},eu-west-1,true,ec2,dev,"dev
"""
    snapshot = load(write(tmp_path, {"inventory.csv": text}))
    assert snapshot.nodes[["node_id", "kind", "tag:Env"]].to_numpy().tolist() == [["i-00000001", "ec2", "dev"]]
    assert snapshot.nodes["managed"].isna().all()
    account = "an account id of 12 digits (in the spreadsheet: a column of text) as `account`"
    assert problems(snapshot) == [
        ("inventory.csv", *row)
        for row in [
            ("line 1", "expected every column once, got `tag:Env` again; the last is kept"),
            ("line 2", "expected one of `ec2`, `on-premises`, `edge`, `greengrass`, `vm` as `kind`, got `robot`"),
            ("line 2", "expected `true` or `false` as `managed`, got `maybe`"),
            ("line 3", f"expected {account}, got `1.23457E+11`"),
            ("line 4", f"expected {account}, got `12`"),
            ("line 5", "expected a Region such as `eu-west-1` as `region`, got `Ireland`"),
            ("line 6", "expected an id that starts with `i-` or `mi-` as `node_id`, got `web-5`"),
            ("line 7", "expected 8 cells, got 2"),
            ("line 9", "expected every node once, got `i-00000001` again; kept is inventory.csv line 2"),
            ("line 10", "expected a line of CSV, got unexpected end of data"),
        ]
    ]
    assert [what.partition(",")[0] for _, _, what in problems(snapshot, "warning")] == ["not read: the columns `note`"]


def test_bad_bytes_in_an_inventory_are_named(tmp_path):
    files = {"inventory.csv": b"node_id,account,region\n\xff", "policies/send.json": SEND}
    snapshot = load(write(tmp_path, files))
    assert [(file, what.partition(" got")[0]) for file, _, what in problems(snapshot)] == [
        ("inventory.csv", "expected a file of text in UTF-8,"),
        ("inventory.csv", "expected the columns `node_id`, `account`, `region`,"),
    ]


def test_attachments_to_what_is_no_user_or_role_are_named(tmp_path):
    lines = f"principal,policy\nana,send\narn:aws:iam::{ACCOUNT}:group/ops,send\n{USER}ana,send\n"
    snapshot = load(write(tmp_path, {"policies/send.json": SEND, "policies/bad.json": "", "attachments.csv": lines}))
    assert snapshot.policies["attached_to"].to_dict() == {"send": (USER + "ana",)}
    what = "expected the ARN of a user or role as `principal`, got"
    assert problems(snapshot) == [
        ("policies/bad.json", "line 1", "expected JSON, got an empty file"),
        ("attachments.csv", "line 2", f"{what} `ana`"),
        ("attachments.csv", "line 3", f"{what} `arn:aws:iam::{ACCOUNT}:group/ops`"),
    ]


@pytest.mark.parametrize(
    ("attachments", "file", "said"),
    [
        ({}, "attachments.csv", "there is no such file: 2 policies attached to nobody: `read`, `send`"),
        (
            {"policies/attachments.csv": f"principal,policy\n{USER}ana,send\n"},
            "policies/attachments.csv",
            "1 policy attached to nobody: `read`",
        ),
    ],
    ids=["without a file of attachments", "by no line of it"],
)
@pytest.mark.parametrize("start", ["", "inventory.csv"])
def test_a_policy_that_is_attached_to_nobody_is_named(tmp_path, start, attachments, file, said):
    inventory = f"node_id,account,region,tag:Env\ni-00000001,{ACCOUNT},eu-west-1,dev\n"
    files = {"inventory.csv": inventory, "policies/send.json": SEND, "policies/read.json": SEND, **attachments}
    found = problems(load(write(tmp_path, files) / start), "warning")
    assert (file, "", said) in found


# --- Whatever may stand in a file -------------------------------------------------------------------------------------

SAMPLE = Path(__file__).parents[1] / "data" / "sample"
JUNK = [None, 5, -0.5, True, "", "x", "\x00", "1" * 5000, [], [5], [[]], {}, {"a": 1}, "arn:aws:iam::1:user/x"]


def damage(value, r):
    """The value with one thing in it, at any depth, replaced by junk or taken away."""
    if not value or not isinstance(value, dict | list) or r.random() < 0.15:
        return r.choice(JUNK)
    key = r.choice(list(value) if isinstance(value, dict) else range(len(value)))
    if r.random() < 0.1:
        del value[key]
    else:
        value[key] = damage(value[key], r)
    return value


def test_no_damage_of_a_file_keeps_the_others_from_loading(tmp_path):
    r = Random(2026)
    folder = shutil.copytree(SAMPLE, tmp_path / "sample")
    for path in r.sample(sorted(folder.rglob("*.json")), 40):
        sound = path.read_bytes()
        path.write_text(json.dumps(damage(json.loads(sound), r)))
        snapshot = load(folder)
        assert len(snapshot.statements) > 20
        assert all(snapshot.attached(principal).identity is not None for principal in snapshot.principals.index)
        assert (len(snapshot.nodes), len(snapshot.principals)) >= (20, 10)
        path.write_bytes(sound)
