"""Accounts of any size, seeded, in the file shapes that the AWS CLI prints: `write_account(folder, SIZES["S"])`.

The policies are the kinds that teams write: the three of the AWS page with their own tag values, tags of the caller
against tags of the node, single instances by ARN, administrators, denies, MFA, boundaries, and SCPs on two levels.

python benchmarks/accounts.py FOLDER [S|M|L|L-small|L-mixed]
"""

import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

Json = dict[str, Any]
ENVS = ("dev", "test", "stage", "prod")
REGION_NAMES = ("eu-west-1", "us-east-2", "us-west-1", "ap-south-1")
SEND = "ssm:SendCommand"
INSTANCES = ["arn:aws:ec2:*:*:instance/*", "arn:aws:ssm:*:*:managed-instance/*"]
DOCUMENTS = "arn:aws:ssm:*:*:document/*"
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


@dataclass(frozen=True)
class Size:
    """How many of each; `documents` counts those of AWS and own ones, over all Regions and accounts."""

    principals: int
    nodes: int
    documents: int
    accounts: int = 1
    regions: int = 1
    independent: bool = False  # every tag is drawn by itself, so that hardly two nodes are alike; else a service has a
    # team, a cost centre and an owner, as in real fleets


SIZES = {
    "S": Size(100, 1_000, 20),
    "M": Size(300, 20_000, 100, accounts=2, regions=2),
    "L": Size(1_000, 100_000, 500, accounts=4, regions=2),
    "L-small": Size(1_000, 10_000, 500, accounts=4, regions=2),  # the tag values of L on a tenth of its nodes
    "L-mixed": Size(1_000, 100_000, 500, accounts=4, regions=2, independent=True),
}


def write_account(root: Path, size: Size, seed: int = 1) -> list[Path]:
    """Write a folder that `ssmlab.load` reads; the files written."""
    draw, files = random.Random(seed), []
    for name, content in _files(draw, size):
        files.append(root / f"{name}.json")
        files[-1].parent.mkdir(parents=True, exist_ok=True)
        files[-1].write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))
    return files


def _files(draw: random.Random, size: Size) -> Iterator[tuple[str, Json]]:
    accounts = [f"{100_000_000_000 + number * 11_111_111_111}" for number in range(1, size.accounts + 1)]
    places = [(account, region) for account in accounts for region in REGION_NAMES[: size.regions]]
    yield from _organization(accounts)
    ids: dict[str, list[str]] = {account: [] for account in accounts}
    for place, (account, region) in enumerate(places):
        share = range(place, size.nodes, len(places))
        nodes = [_node_id(draw, number) for number in share]
        ids[account] += [f"arn:aws:ec2:{region}:{account}:instance/{node}" for node in nodes if node[0] == "i"]
        folder = f"{account}/{region}"
        listed = [_information(node, number) for node, number in zip(nodes, share, strict=True)]
        yield f"{folder}/describe-instance-information", {"InstanceInformationList": listed}
        machines = [_instance(n, _tags(number, size)) for n, number in zip(nodes, share, strict=True) if n[0] == "i"]
        yield f"{folder}/describe-instances", {"Reservations": [{"Instances": [machine]} for machine in machines]}
        tagged = [
            {"ResourceARN": f"arn:aws:ssm:{region}:{account}:managed-instance/{node}", "Tags": _tags(number, size)}
            for node, number in zip(nodes, share, strict=True)
            if node[0] == "m"
        ]
        yield f"{folder}/get-resources", {"ResourceTagMappingList": tagged}
        documents = range(place, size.documents, len(places))
        listed = [_document(account, number, number < size.regions, own % 2) for own, number in enumerate(documents)]
        yield f"{folder}/list-documents", {"DocumentIdentifiers": listed}
    for number, account in enumerate(accounts):
        names = [f"user-{n}" for n in range(number, size.principals, size.accounts)]
        yield f"{account}/get-account-authorization-details", _authorization(draw, account, names, ids[account])


def _node_id(draw: random.Random, number: int) -> str:
    return f"{'mi' if number % 10 == 9 else 'i'}-{draw.getrandbits(68):017x}"


def _tags(number: int, size: Size) -> list[Json]:
    service = number % 401
    decides = number if size.independent else service
    tags = {"Name": f"node-{number}", "Env": ENVS[number % 4], "Team": f"team-{decides % 37}"}
    tags |= {"Finance": f"cost-{decides % 211}", "Owner": f"user-{decides % 997}"}
    tags |= {"Service": f"service-{service}"} if decides % 3 else {}
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _information(node: str, number: int) -> Json:
    is_ec2 = node.startswith("i-")
    return {
        "InstanceId": node,
        "PingStatus": "Online" if number % 20 else "ConnectionLost",
        "LastPingDateTime": 1_700_000_000.123 + number,
        "AgentVersion": f"3.3.{number % 30}.0",
        "IsLatestVersion": False,
        "PlatformType": "Linux" if number % 3 else "Windows",
        "PlatformName": "Amazon Linux",
        "PlatformVersion": "2023",
        "ResourceType": "EC2Instance" if is_ec2 else "ManagedInstance",
        "IPAddress": f"192.0.2.{number % 250}",
        "ComputerName": f"node-{number}.example.internal",
        "AssociationStatus": "Success",
        "LastAssociationExecutionDate": 1_700_000_000.123,
        "AssociationOverview": {
            "DetailedStatus": "Success",
            "InstanceAssociationStatusAggregatedCount": {"Success": 2},
        },
        "SourceId": node,
        "SourceType": "AWS::EC2::Instance" if is_ec2 else "AWS::SSM::ManagedInstance",
    }


def _instance(node: str, tags: list[Json]) -> Json:
    return {
        "InstanceId": node,
        "ImageId": "ami-0123456789abcdef0",
        "InstanceType": "t3.micro",
        "PrivateIpAddress": "192.0.2.7",
        "State": {"Code": 16, "Name": "running"},
        "IamInstanceProfile": {"Arn": "arn:aws:iam::111111111111:instance-profile/NodeRole", "Id": "AIPAEXAMPLE"},
        "PlatformDetails": "Linux/UNIX",
        "Tags": tags,
    }


def _document(account: str, number: int, is_shell: bool, own: int) -> Json:
    name = f"Own-{number}" if own else "AWS-RunShellScript" if is_shell else f"AWS-Document{number}"
    return {
        "Name": name,
        "Owner": account if own else "Amazon",
        "PlatformTypes": ["Linux"],
        "DocumentVersion": "1",
        "DocumentType": "Command",
        "SchemaVersion": "2.2",
        "DocumentFormat": "JSON",
        "Tags": [{"Key": "Env", "Value": ENVS[number // 2 % 4]}] if own else [],
    }


def policy(*statements: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(resource: str | list[str], condition: Json | None = None, action: str | list[str] = SEND) -> Json:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return statement | ({"Condition": condition} if condition else {})


def deny(resource: str | list[str], condition: Json | None = None, action: str | list[str] = SEND) -> Json:
    return allow(resource, condition, action) | {"Effect": "Deny"}


def tag(key: str, *values: str, operator: str = "StringLike") -> Json:
    return {operator: {f"ssm:resourceTag/{key}": list(values)}}


def _own_policies(draw: random.Random, number: int, arns: list[str]) -> list[Json]:
    """What one user's inline policies say; the kinds take turns, the values are the user's own."""
    cost, service, team = (
        f"cost-{draw.randrange(211)}",
        f"service-{draw.randrange(401)}",
        f"team-{draw.randrange(37)}",
    )
    runs = "arn:aws:ssm:*::document/AWS-Run*"
    kinds: list[list[Json]] = [
        [policy(allow(DOCUMENTS), allow(INSTANCES[0], tag("Finance", cost)))],
        [policy(allow(runs), allow("*", tag("Finance", cost) | tag("Service", service, operator="StringEquals")))],
        [policy(allow(runs), allow("*", tag("Finance", cost)), allow("*", tag("Service", service)))],
        [policy(allow(DOCUMENTS), allow(INSTANCES, tag("Team", "${aws:PrincipalTag/Team}", operator="StringEquals")))],
        [policy(allow(DOCUMENTS), allow(draw.sample(arns, min(5, len(arns)))))],
        [policy(allow(DOCUMENTS), allow(INSTANCES, tag("Service", service[:-1] + "*")))],
        [policy(allow("*", action="*"))] if number % 40 == 6 else [policy(allow(INSTANCES, tag("Env", "dev")))],
        [policy(allow("*", action="ssm:*"), deny(INSTANCES, tag("Env", "prod"), ["ssm:Send*", "ssm:StartSession"]))],
        [policy(allow(DOCUMENTS, MFA), allow(INSTANCES, MFA | tag("Team", team)))],
        [policy(allow(INSTANCES, tag("Owner", "${aws:username}", operator="StringEquals")), allow(DOCUMENTS))],
        [policy(allow(DOCUMENTS), allow(INSTANCES, tag("Team", team, operator="StringNotLike")))],
        [policy(allow("*", tag("Env", "dev", "test")), deny(runs))],
    ]
    return kinds[number % len(kinds)]


GROUPS = {
    "readers": policy(allow("*", action=["ssm:ListCommands", "ssm:Get*", "ssm:Describe*"])),
    "documents": policy(allow(DOCUMENTS)),
    "no-prod": policy(deny("*", tag("Env", "prod", operator="StringEquals"))),
}
BOUNDARY = policy(allow("*", action=["ssm:*", "ec2:*"]), deny(INSTANCES, tag("Env", "prod")))
GUARD = policy(deny("*", {"StringEquals": {"aws:RequestedRegion": "ap-south-1"}}))
FULL = policy({"Effect": "Allow", "Action": "*", "Resource": "*"})


def _authorization(draw: random.Random, account: str, names: list[str], arns: list[str]) -> Json:
    boundary = f"arn:aws:iam::{account}:policy/Boundary"
    version = [{"VersionId": "v1", "IsDefaultVersion": True, "Document": BOUNDARY}]
    return {
        "UserDetailList": [_user(draw, account, name, arns, boundary) for name in names],
        "GroupDetailList": [_group(account, name, document) for name, document in GROUPS.items()],
        "RoleDetailList": [],
        "Policies": [
            {"PolicyName": "Boundary", "Arn": boundary, "DefaultVersionId": "v1", "PolicyVersionList": version}
        ],
    }


def _user(draw: random.Random, account: str, name: str, arns: list[str], boundary: str) -> Json:
    number = int(name.rpartition("-")[2])
    inline = _own_policies(draw, number, arns)
    user = {
        "UserName": name,
        "Path": "/",
        "Arn": f"arn:aws:iam::{account}:user/{name}",
        "UserPolicyList": [{"PolicyName": f"own-{n}", "PolicyDocument": body} for n, body in enumerate(inline)],
        "GroupList": [list(GROUPS)[number % 3], "readers"][: 1 + (number % 3 != 0)],
        "AttachedManagedPolicies": [],
        "Tags": [{"Key": "Team", "Value": f"team-{number % 37}"}],
    }
    bound = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary}
    return user | ({"PermissionsBoundary": bound} if number % 10 == 3 else {})


def _group(account: str, name: str, document: Json) -> Json:
    return {
        "GroupName": name,
        "Path": "/",
        "Arn": f"arn:aws:iam::{account}:group/{name}",
        "GroupPolicyList": [{"PolicyName": name, "PolicyDocument": document}],
        "AttachedManagedPolicies": [],
    }


def _organization(accounts: list[str]) -> Iterator[tuple[str, Json]]:
    def summary(name: str) -> Json:
        return {"Id": name, "Name": name, "Type": "SERVICE_CONTROL_POLICY", "AwsManaged": name == "p-full0001"}

    yield (
        "organizations/describe-organization",
        {"Organization": {"MasterAccountId": "999999999999", "FeatureSet": "ALL"}},
    )
    yield "organizations/list-roots", {"Roots": [{"Id": "r-abcd", "Name": "Root", "PolicyTypes": []}]}
    yield "organizations/list-organizational-units-for-parent/r-abcd", {"OrganizationalUnits": []}
    listed = [{"Id": account, "Name": account, "Status": "ACTIVE"} for account in accounts]
    yield "organizations/list-accounts-for-parent/r-abcd", {"Accounts": listed}
    for name, body in (("p-full0001", FULL), ("p-guard001", GUARD)):
        content = {"PolicySummary": summary(name), "Content": orjson.dumps(body).decode()}
        yield f"organizations/describe-policy/{name}", {"Policy": content}
    for target in ("r-abcd", *accounts):
        own = ["p-full0001"] + ["p-guard001"] * (target == "r-abcd")
        yield f"organizations/list-policies-for-target/{target}", {"Policies": [summary(name) for name in own]}
        yield f"organizations/list-policies-for-target/{target}.rcp", {"Policies": []}


if __name__ == "__main__":
    written = write_account(Path(sys.argv[1]), SIZES[sys.argv[2] if len(sys.argv) > 2 else "S"])
    print(f"{len(written)} files, {sum(file.stat().st_size for file in written) / 1e6:.0f} MB")
