"""Service facts as data: resource types, condition keys and ARN formats of the actions the kit shows."""

import json
import re
from pathlib import Path

import pytest

from ssmlab import services
from ssmlab.paths import read_ways
from ssmlab.services import ACTIONS, REACH_ACTIONS, Action, ResourceType, is_shared, resource_type

DATA = json.loads((Path(services.__file__).parent / "services.json").read_text("utf-8"))
FIELDS = {
    "action": {"access", "keys", "required", "optional", "type_keys", "is_complete"},
    "lists": ("keys", "required", "optional"),
    "access": ("List", "Permissions management", "Read", "Tagging", "Write"),
}
TAGS = ("aws:resourcetag/", "ssm:resourcetag/")
ACCOUNT = "123456789012"

# The other ways to a node: what each needs, and what goes with it.
ESCALATION = [
    "ec2-instance-connect:SendSSHPublicKey",
    "ec2-instance-connect:SendSerialConsoleSSHPublicKey",
    "ec2:AssociateIamInstanceProfile",
    "ec2:CreateTags",
    "ec2:DeleteTags",
    "ec2:ModifyInstanceAttribute",
    "ec2:ReplaceIamInstanceProfileAssociation",
    "ec2:RunInstances",
    "ec2:StartInstances",
    "ec2:StopInstances",
    "events:PutRule",
    "events:PutTargets",
    "iam:AddRoleToInstanceProfile",
    "iam:AddUserToGroup",
    "iam:AttachGroupPolicy",
    "iam:AttachRolePolicy",
    "iam:AttachUserPolicy",
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:CreatePolicyVersion",
    "iam:DeleteGroupPolicy",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteRolePolicy",
    "iam:DeleteUserPermissionsBoundary",
    "iam:DeleteUserPolicy",
    "iam:DetachGroupPolicy",
    "iam:DetachRolePolicy",
    "iam:DetachUserPolicy",
    "iam:PassRole",
    "iam:PutGroupPolicy",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:PutUserPermissionsBoundary",
    "iam:PutUserPolicy",
    "iam:RemoveRoleFromInstanceProfile",
    "iam:SetDefaultPolicyVersion",
    "iam:TagRole",
    "iam:TagUser",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateLoginProfile",
    "scheduler:CreateSchedule",
    "scheduler:UpdateSchedule",
    "ssm-guiconnect:StartConnection",
    "ssm:AddTagsToResource",
    "ssm:CreateActivation",
    "ssm:CreateAssociation",
    "ssm:CreateAssociationBatch",
    "ssm:CreateDocument",
    "ssm:CreateMaintenanceWindow",
    "ssm:GetAccessToken",
    "ssm:ModifyDocumentPermission",
    "ssm:RegisterTargetWithMaintenanceWindow",
    "ssm:RegisterTaskWithMaintenanceWindow",
    "ssm:RemoveTagsFromResource",
    "ssm:ResumeSession",
    "ssm:SendCommand",
    "ssm:StartAccessRequest",
    "ssm:StartAssociationsOnce",
    "ssm:StartAutomationExecution",
    "ssm:StartChangeRequestExecution",
    "ssm:StartSession",
    "ssm:UpdateAssociation",
    "ssm:UpdateDocument",
    "ssm:UpdateDocumentDefaultVersion",
    "ssm:UpdateMaintenanceWindow",
    "ssm:UpdateMaintenanceWindowTarget",
    "ssm:UpdateMaintenanceWindowTask",
    "ssm:UpdateManagedInstanceRole",
    "ssm:UpdateServiceSetting",
    "sts:AssumeRole",
    "sts:TagSession",
]
WITHOUT_RESOURCES = [
    "ssm:CancelCommand",
    "ssm:DescribeInstanceInformation",
    "ssm:DescribeInstanceProperties",
    "ssm:DescribeParameters",
    "ssm:GetCommandInvocation",
    "ssm:GetInventory",
    "ssm:GetManifest",
    "ssm:ListAssociations",
    "ssm:ListCommandInvocations",
    "ssm:ListCommands",
    "ssm:ListDocuments",
    "ssm:PutInventory",
    "ssmmessages:OpenDataChannel",
    "ec2messages:GetMessages",
]
ON_A_DOCUMENT = [
    "ssm:CreateDocument",
    "ssm:DeleteDocument",
    "ssm:DescribeDocument",
    "ssm:GetDocument",
    "ssm:ListDocumentVersions",
    "ssm:ModifyDocumentPermission",
    "ssm:UpdateDocument",
    "ssm:UpdateDocumentDefaultVersion",
]


def test_sendcommand_is_what_the_reference_lists():
    arn = "arn:${Partition}:ssm:${Region}:${Account}"
    assert ACTIONS["ssm:SendCommand"] == Action(
        "ssm:SendCommand",
        access_level="Write",
        keys=TAGS,
        resource_types=(
            ResourceType(
                "document",
                f"{arn}:document/${{DocumentName}}",
                True,
                ("aws:resourcetag/", "ssm:documentcategories", "ssm:documenttype", "ssm:resourcetag/"),
            ),
            ResourceType("bucket", "arn:${Partition}:s3:::${BucketName}", False),
            ResourceType(
                "instance", "arn:${Partition}:ec2:${Region}:${Account}:instance/${InstanceId}", False, keys=TAGS
            ),
            # The reference spells the key of this type `ssm:resourceTag/tag-key`.
            ResourceType("managed-instance", f"{arn}:managed-instance/${{InstanceId}}", False, keys=TAGS),
        ),
    )


def test_sendcommand_requires_a_document_and_may_name_nodes_and_a_bucket():
    action = ACTIONS["ssm:SendCommand"]
    assert (action.required, action.optional) == (("document",), ("bucket", "instance", "managed-instance"))


def test_startsession_requires_no_resource_type():
    action = ACTIONS["ssm:StartSession"]
    assert (action.required, action.optional) == ((), ("document", "instance", "managed-instance", "task"))


def test_companions_that_show_or_cancel_commands_have_no_resource_level_permissions():
    assert [name for name in WITHOUT_RESOURCES if ACTIONS[name].is_resource_level] == []


def test_actions_on_documents_require_a_document_and_nothing_else():
    found = {name: (ACTIONS[name].required, ACTIONS[name].optional) for name in ON_A_DOCUMENT}
    assert found == dict.fromkeys(ON_A_DOCUMENT, (("document",), ()))


def test_every_action_of_the_other_ways_to_a_node_is_there():
    assert [name for name in ESCALATION if name not in ACTIONS] == []


def test_an_action_is_found_in_any_letter_case_and_listed_as_aws_writes_it():
    assert ACTIONS["SSM:sendcommand"].name == "ssm:SendCommand"
    assert list(ACTIONS) == list(DATA["actions"])
    assert "ssm:Send" not in ACTIONS


def test_reach_decides_the_actions_that_are_checked_against_nodes_and_a_document():
    both = {"document", "instance", "managed-instance"}
    found = {name: both & {kind.name for kind in ACTIONS[name].resource_types} for name in REACH_ACTIONS}
    assert found == {"ssm:SendCommand": both, "ssm:StartSession": both}


def test_what_reach_and_the_ways_do_with_a_document_may_be_done_with_a_shared_one():
    on_documents = {step.action for way in read_ways().values() for step in way.steps if step.on == "document"}
    theirs = "arn:aws:ssm:eu-west-1:999999999999:document/Theirs"
    assert [action for action in sorted({*on_documents, *REACH_ACTIONS}) if not is_shared(action, theirs)] == []


def test_only_actions_on_all_kinds_of_ec2_things_leave_resource_types_out():
    assert [name for name, action in ACTIONS.items() if not action.is_complete] == [
        "ec2:CreateTags",
        "ec2:DeleteTags",
        "ec2:RunInstances",
        "ec2:StartInstances",
    ]


@pytest.mark.parametrize(
    ("action", "key", "kind", "is_supplied"),
    [
        ("ssm:SendCommand", "ssm:resourceTag/Finance", "instance", True),
        ("ssm:SendCommand", "SSM:ResourceTag/Finance", "managed-instance", True),
        ("ssm:SendCommand", "aws:ResourceTag/Finance", "document", True),
        ("ssm:SendCommand", "ec2:ResourceTag/Env", "instance", False),
        ("ssm:SendCommand", "aws:RequestTag/Env", "instance", False),
        ("ssm:SendCommand", "aws:TagKeys", "instance", False),
        ("ssm:SendCommand", "aws:SourceIp", "instance", True),
        ("ssm:SendCommand", "aws:SourceArn", "document", True),
        ("ssm:SendCommand", "ssm:DocumentType", "document", True),
        ("ssm:SendCommand", "ssm:DocumentType", "instance", False),
        ("ssm:SendCommand", "ssm:SourceInstanceARN", "instance", False),
        ("ssm:StartSession", "ssm:SessionDocumentAccessCheck", "instance", True),
        ("ssm:ResumeSession", "ssm:resourceTag/aws:ssmmessages:session-id", "session", True),
        ("ssm:ResumeSession", "ssm:resourceTag/Env", "session", False),
        ("ssm:AddTagsToResource", "aws:RequestTag/Env", "document", True),
        ("ssm:UpdateManagedInstanceRole", "ssm:resourceTag/Env", "iam-role", True),
        ("ssm:StartAutomationExecution", "ssm:resourceTag/Env", "automation-definition", False),
        ("ssm:StartAccessRequest", "ssm:resourceTag/Env", "managed-instance", True),
        ("ec2:CreateTags", "ec2:ResourceTag/Env", "instance", True),
        ("ec2:CreateTags", "ec2:CreateAction", "instance", True),
        ("ec2:CreateTags", "ec2:SubnetID", "instance", False),
        ("ec2:DeleteTags", "ec2:InstanceType", "instance", False),
        ("ec2:ModifyInstanceAttribute", "ec2:Attribute/UserData", "instance", True),
        ("ec2-instance-connect:SendSSHPublicKey", "ec2:osuser", "instance", True),
        ("iam:PassRole", "iam:PassedToService", "role", True),
        ("iam:PassRole", "iam:ResourceTag/Team", "role", True),
        ("iam:AttachGroupPolicy", "iam:PermissionsBoundary", "group", False),
    ],
)
def test_an_action_supplies_its_own_keys_those_of_the_type_and_global_ones(action, key, kind, is_supplied):
    assert ACTIONS[action].supplies(key, kind) == is_supplied


@pytest.mark.parametrize(
    ("action", "arn", "kind"),
    [
        ("ssm:SendCommand", "arn:aws:ssm:eu-west-1::document/AWS-RunShellScript", "document"),
        ("ssm:SendCommand", f"arn:aws-cn:ssm:cn-north-1:{ACCOUNT}:document/Patch", "document"),
        ("ssm:SendCommand", f"arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/i-0123456789abcdef0", "instance"),
        (
            "ssm:SendCommand",
            f"arn:aws:ssm:eu-west-1:{ACCOUNT}:managed-instance/mi-0123456789abcdef0",
            "managed-instance",
        ),
        ("ssm:SendCommand", "arn:aws:s3:::command-output", "bucket"),
        ("ssm:SendCommand", "arn:aws:s3:::command-output/an/object", None),
        ("ssm:SendCommand", f"arn:aws:ssm:eu-west-1:{ACCOUNT}:instance/i-0123456789abcdef0", None),
        ("ssm:SendCommand", f"arn:aws:ssm:eu-west-1:{ACCOUNT}:document/", None),
        ("ssm:SendCommand", f"arn:aws:ssm:eu-west-1:{ACCOUNT}:documents/Patch", None),
        ("ssm:SendCommand", f"arn:aws:greengrass:eu-west-1:{ACCOUNT}:coreDevices:press-7", None),
        ("ssm:sendcommand", "*", None),
        ("ssm:ListCommands", f"arn:aws:ssm:eu-west-1:{ACCOUNT}:document/Patch", None),
        ("ssm:StartSession", f"arn:aws:ecs:eu-west-1:{ACCOUNT}:task/web/0123456789abcdef0", "task"),
        ("ssm:UpdateManagedInstanceRole", f"arn:aws:iam::{ACCOUNT}:role/service-role/nodes", "iam-role"),
        ("ssm:AddTagsToResource", f"arn:aws:ssm:eu-west-1:{ACCOUNT}:parameter/prod/db/password", "parameter"),
        ("iam:AddRoleToInstanceProfile", f"arn:aws:iam::{ACCOUNT}:instance-profile/web/nodes", "instance-profile"),
        ("iam:CreatePolicyVersion", "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore", "policy"),
        ("ec2:RunInstances", "arn:aws:ec2:eu-west-1::image/ami-0123456789abcdef0", "image"),
        ("events:PutTargets", f"arn:aws:events:eu-west-1:{ACCOUNT}:rule/nightly", "rule-on-default-event-bus"),
        ("events:PutTargets", f"arn:aws:events:eu-west-1:{ACCOUNT}:rule/ops/nightly", "rule-on-custom-event-bus"),
        ("scheduler:CreateSchedule", f"arn:aws:scheduler:eu-west-1:{ACCOUNT}:schedule/default/nightly", "schedule"),
    ],
)
def test_the_resource_type_of_an_arn_is_read_off_the_formats(action, arn, kind):
    assert resource_type(action, arn) == kind


def test_the_resource_type_of_an_unknown_action_is_a_named_error():
    with pytest.raises(KeyError, match="ssm:send"):
        resource_type("ssm:Send", "*")


def test_the_data_file_is_sorted_and_has_no_unknown_fields():
    actions, types = DATA["actions"], DATA["resource_types"]
    lists = [row.get(field, []) for row in [*actions.values(), *types.values()] for field in FIELDS["lists"]]
    lists += [keys for row in actions.values() for keys in row.get("type_keys", {}).values()]
    assert list(DATA) == ["source", "shared_documents", "more_actions_of_ssm", "resource_types", "actions"]
    assert {*actions}.isdisjoint(DATA["more_actions_of_ssm"])
    assert [
        part for part in ([*actions], [*types], DATA["more_actions_of_ssm"], *lists) if part != sorted(set(part))
    ] == []
    assert {field for row in actions.values() for field in row} == FIELDS["action"]
    assert {field for row in types.values() for field in row} == {"arn", "keys"}
    assert {row["access"] for row in actions.values()} == {*FIELDS["access"]}


def test_the_data_file_names_each_resource_type_it_needs_and_no_other():
    used = {
        f"{name.partition(':')[0]}:{kind.name}" for name, action in ACTIONS.items() for kind in action.resource_types
    }
    assert used == set(DATA["resource_types"])


def test_no_key_keeps_the_placeholder_of_the_reference():
    kinds = [kind for action in ACTIONS.values() for kind in action.resource_types]
    keys = {key for holder in (*ACTIONS.values(), *kinds) for key in holder.keys}
    assert {key for key in keys if re.search(r"[$A-Z]|tag-key", key)} == set()
    assert {key for key in keys if key.endswith("/")} == {
        "aws:requesttag/",
        "aws:resourcetag/",
        "ec2:attribute/",
        "ec2:resourcetag/",
        "iam:resourcetag/",
        "ssm:resourcetag/",
    }
