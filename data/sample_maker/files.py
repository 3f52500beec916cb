"""The tables as the AWS CLI prints them, with the fields that matter here and some of those around them.

Both forms that occur of a time and of a policy are there: production as version 1 of the CLI prints it, with times of
Systems Manager in epoch seconds; development as version 2 does, in ISO 8601, with its policies URL-encoded, as the IAM
API itself answers.

Source of the shapes: botocore 1.44.5 and the examples of awscli 1.46.3.
"""

import json
import string
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final
from urllib.parse import quote

from sample_maker import access, fleet
from sample_maker.access import Json, Principal
from sample_maker.fleet import DEVELOPMENT, MANAGEMENT, PLACES, PRODUCTION, Document, Node

_NOW: Final = datetime(2026, 9, 1, 6, 30, tzinfo=UTC)
_PAGED: Final = "prod-eu"  # where describe-instance-information was collected page by page
_TAGGING_API: Final = "prod-eu"  # where the tagging API was asked; elsewhere list-tags-for-resource was


def sample_files(seed: int) -> dict[str, Json]:
    """The sample as relative path → JSON object, in the folder layout that `ssmlab.load` reads."""
    nodes, documents = fleet.read_nodes(seed), fleet.read_documents()
    files = {f"organizations/{name}": content for name, content in _organization_files()}
    for account in access.CUSTOMER_MANAGED:
        files[f"{account}/get-account-authorization-details.json"] = _authorization_details(account)
    for place, (account, region) in PLACES.items():
        here = [node for node in nodes if node.place == place]
        listed = [document for document in documents if document.place == place]
        files |= {f"{account}/{region}/{name}": content for name, content in _regional_files(place, here, listed)}
    return files


def _regional_files(place: str, nodes: list[Node], documents: list[Document]) -> Iterator[tuple[str, Json]]:
    yield from _information_files(place, [node for node in nodes if not node.flags & {"no-agent", "stopped"}])
    yield "describe-instances.json", {"Reservations": [_reservation(node) for node in nodes if node.kind == "ec2"]}
    yield "list-documents.json", {"DocumentIdentifiers": [_document(document) for document in documents]}
    yield "list-core-devices.json", {"coreDevices": [_core_device(node) for node in nodes if node.kind == "core"]}
    yield from _tag_files(place, nodes, documents)
    for document in documents:
        if (place, document.name) in fleet.BODIES:
            yield f"get-document/{document.name}.json", _document_body(document)


def _information_files(place: str, nodes: list[Node]) -> Iterator[tuple[str, Json]]:
    name, found = "describe-instance-information", [_information(node) for node in nodes]
    pages = [found[:15], found[15:]] if place == _PAGED else [found]
    for number, page in enumerate(pages, 1):
        token = {"NextToken": "AAEXAMPLE"} if number < len(pages) else {}
        yield f"{name}.{number}.json" if len(pages) > 1 else f"{name}.json", {"InstanceInformationList": page} | token


def _tag_files(place: str, nodes: list[Node], documents: list[Document]) -> Iterator[tuple[str, Json]]:
    if place == _TAGGING_API:
        things: list[Node | Document] = [*nodes, *documents]
        tagged = [{"ResourceARN": thing.arn, "Tags": _tags(thing.tags)} for thing in things if thing.tags]
        yield "get-resources.json", {"ResourceTagMappingList": tagged}
        return
    for node in nodes:
        if node.kind != "ec2" and "tags-not-collected" not in node.flags:
            yield f"list-tags-for-resource/{node.node_id}.json", {"TagList": _tags(node.tags)}


def _information(node: Node) -> Json:
    account, _ = PLACES[node.place]
    is_lost, is_ec2 = "lost" in node.flags, node.kind == "ec2"
    platform_type, platform_name, version = fleet.PLATFORMS[node.platform]
    return _record(
        InstanceId=node.node_id,
        PingStatus="ConnectionLost" if is_lost else "Online",
        LastPingDateTime=_time(account, days=9 if is_lost else 0),
        AgentVersion="3.1.1732.0" if is_lost else "3.3.2299.0",
        IsLatestVersion=not is_lost,
        PlatformType=platform_type,
        PlatformName=platform_name,
        PlatformVersion=version,
        ActivationId=None if is_ec2 else "11111111-2222-4333-8444-555555555555",
        IamRole=None if is_ec2 else "service-role/SSMServiceRole",
        RegistrationDate=None if is_ec2 else _time(account, days=400),
        ResourceType="EC2Instance" if is_ec2 else "ManagedInstance",
        Name=None if is_ec2 else node.name,
        IPAddress=node.ip,
        ComputerName=f"{node.name}.example.internal",
        SourceId=node.node_id if is_ec2 else node.name,
        SourceType=fleet.SOURCE_TYPES[node.kind],
    )


def _reservation(node: Node) -> Json:
    account, region = PLACES[node.place]
    is_windows, is_stopped = fleet.PLATFORMS[node.platform][0] == "Windows", "stopped" in node.flags
    profile = f"arn:aws:iam::{account}:instance-profile/NodeRole"
    instance = _record(
        InstanceId=node.node_id,
        InstanceType="t3.medium",
        LaunchTime=_date(account, days=90),
        PrivateDnsName=f"ip-{node.ip.replace('.', '-')}.{region}.compute.internal",
        PrivateIpAddress=node.ip,
        State={"Code": 80, "Name": "stopped"} if is_stopped else {"Code": 16, "Name": "running"},
        IamInstanceProfile=None
        if "no-profile" in node.flags
        else {"Arn": profile, "Id": _id("AIPA", account, "NodeRole")},
        Platform="windows" if is_windows else None,
        Tags=_tags(node.tags) or None,
        PlatformDetails="Windows" if is_windows else "Linux/UNIX",
    )
    return {"Groups": [], "Instances": [instance], "OwnerId": account, "ReservationId": f"r-{node.node_id[2:]}"}


def _document(document: Document) -> Json:
    account, _ = PLACES[document.place]
    return _record(
        Name=document.name if document.owner in {"Amazon", account} else document.arn,
        CreatedDate=_time(account, days=700),
        Owner=document.owner,
        PlatformTypes=document.platforms,
        DocumentVersion="1",
        DocumentType=document.document_type,
        SchemaVersion=document.schema,
        DocumentFormat="JSON",
        Tags=_tags(document.tags),
    )


def _document_body(document: Document) -> Json:
    script = {"runCommand": fleet.BODIES[document.place, document.name]}
    step = {"action": "aws:runShellScript", "name": document.name, "inputs": script}
    return _record(
        Name=document.name,
        CreatedDate=_time(document.owner, days=700),
        DocumentVersion="1",
        Status="Active",
        Content=json.dumps({"schemaVersion": document.schema, "mainSteps": [step]}, indent=2),
        DocumentType=document.document_type,
        DocumentFormat="JSON",
    )


def _core_device(node: Node) -> Json:
    status = "UNHEALTHY" if "lost" in node.flags else "HEALTHY"
    seen = _time(PLACES[node.place][0], days=1)
    return {"coreDeviceThingName": node.name, "status": status, "lastStatusUpdateTimestamp": seen}


def _authorization_details(account: str) -> Json:
    mine = [principal for principal in access.PRINCIPALS if principal.account == account]
    attached = [name for principal in mine for name in principal.attached]
    boundaries = [principal.boundary for principal in mine]
    names = [*access.CUSTOMER_MANAGED[account], *(name for name in access.AWS_MANAGED if name in attached)]
    return {
        **{f"{kind}DetailList": [_entity(it) for it in mine if it.kind == kind] for kind in ("User", "Group", "Role")},
        "Policies": [_managed(account, name, attached.count(name), boundaries.count(name)) for name in names],
    }


def _entity(principal: Principal) -> Json:
    """A user, group or role, each with the fields of its kind."""
    kind, account, boundary = principal.kind, principal.account, principal.boundary
    inline = _policy_document(account, {"Version": "2012-10-17", "Statement": list(principal.inline)})
    profile = _identity("InstanceProfile", "instance-profile", principal)
    return _record(
        **_identity(kind, kind.lower(), principal),
        **{f"{kind}PolicyList": [{"PolicyName": "Inline", "PolicyDocument": inline}] if principal.inline else []},
        GroupList=list(principal.groups) if kind == "User" else None,
        AssumeRolePolicyDocument=_policy_document(account, principal.trust) if principal.trust else None,
        InstanceProfileList=([profile] if principal.has_profile else []) if kind == "Role" else None,
        AttachedManagedPolicies=[_attached(account, name) for name in principal.attached],
        PermissionsBoundary=_boundary(account, boundary) if boundary else None,
        Tags=None if kind == "Group" else _tags(principal.tags),
    )


def _identity(kind: str, resource: str, principal: Principal) -> Json:
    account, path, name = principal.account, principal.path, principal.name
    made_id = _id({"User": "AIDA", "Group": "AGPA", "Role": "AROA"}.get(kind, "AIPA"), account, name)
    arn = f"arn:aws:iam::{account}:{resource}{path}{name}"
    return {"Path": path, f"{kind}Name": name, f"{kind}Id": made_id, "Arn": arn, "CreateDate": _date(account, days=600)}


def _attached(account: str, name: str) -> Json:
    return {"PolicyName": _short(name), "PolicyArn": _policy_arn(account, name)}


def _boundary(account: str, name: str) -> Json:
    return {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": _policy_arn(account, name)}


def _managed(account: str, name: str, attachments: int, boundaries: int) -> Json:
    document = access.AWS_MANAGED.get(name) or access.CUSTOMER_MANAGED[account][name]
    created, body = _date(account, days=600), _policy_document(account, document)
    return _record(
        PolicyName=_short(name),
        PolicyId=_id("ANPA", _policy_arn(account, name)),
        Arn=_policy_arn(account, name),
        Path=f"/{name.removesuffix(_short(name))}",
        DefaultVersionId="v1",
        AttachmentCount=attachments,
        PermissionsBoundaryUsageCount=boundaries,
        IsAttachable=True,
        CreateDate=created,
        UpdateDate=created,
        PolicyVersionList=[{"Document": body, "VersionId": "v1", "IsDefaultVersion": True, "CreateDate": created}],
    )


def _short(name: str) -> str:
    return name.rpartition("/")[2]


def _policy_arn(account: str, name: str) -> str:
    return f"arn:aws:iam::{'aws' if name in access.AWS_MANAGED else account}:policy/{name}"


def _policy_document(account: str, document: Json) -> Json | str:
    return document if account == PRODUCTION else quote(json.dumps(document), safe="")


def _organization_files() -> Iterator[tuple[str, Json]]:
    made = {"Id": access.ORGANIZATION_ID, "Arn": _organization_arn("organization"), "FeatureSet": "ALL"}
    types = [{"Type": f"{kind}_CONTROL_POLICY", "Status": "ENABLED"} for kind in ("SERVICE", "RESOURCE")]
    root = {
        "Id": access.ROOT_ID,
        "Arn": _organization_arn("root", access.ROOT_ID),
        "Name": "Root",
        "PolicyTypes": types,
    }
    yield "describe-organization.json", {"Organization": made | {"MasterAccountId": MANAGEMENT}}
    yield "list-roots.json", {"Roots": [root]}
    for parent, (_, units, accounts) in access.PARENTS.items():
        children = {"OrganizationalUnits": [_unit(unit) for unit in units]}
        yield f"list-organizational-units-for-parent/{parent}.json", children
        yield f"list-accounts-for-parent/{parent}.json", {"Accounts": [_account(account) for account in accounts]}
    for target in (*access.PARENTS, *access.ACCOUNT_NAMES):
        for kind, suffix in (("SERVICE_CONTROL_POLICY", ""), ("RESOURCE_CONTROL_POLICY", ".rcp")):
            yield f"list-policies-for-target/{target}{suffix}.json", {"Policies": _policies_for(target, kind)}
    for policy, (_, _, document, _) in access.ORGANIZATION_POLICIES.items():
        body = {"PolicySummary": _summary(policy), "Content": json.dumps(document)}
        yield f"describe-policy/{policy}.json", {"Policy": body}


def _policies_for(target: str, wanted: str) -> list[Json]:
    rows = access.ORGANIZATION_POLICIES.items()
    return [_summary(policy) for policy, (kind, _, _, targets) in rows if kind == wanted and target in targets]


def _summary(policy: str) -> Json:
    kind, name, _, _ = access.ORGANIZATION_POLICIES[policy]
    is_aws, path = name.endswith("FullAWSAccess"), f"{kind.lower()}/{policy}"
    arn = f"arn:aws:organizations::aws:policy/{path}" if is_aws else _organization_arn("policy", path)
    return {"Id": policy, "Arn": arn, "Name": name, "Description": name, "Type": kind, "AwsManaged": is_aws}


def _unit(unit: str) -> Json:
    return {"Id": unit, "Arn": _organization_arn("ou", unit), "Name": access.PARENTS[unit][0]}


def _account(account: str) -> Json:
    name = access.ACCOUNT_NAMES[account]
    named = {"Id": account, "Arn": _organization_arn("account", account), "Email": f"{name}@example.com"}
    return named | {"Name": f"Fenwick & Rowe {name}", "Status": "ACTIVE", "JoinedMethod": "CREATED"}


def _organization_arn(kind: str, *rest: str) -> str:
    return f"arn:aws:organizations::{MANAGEMENT}:{'/'.join((kind, access.ORGANIZATION_ID, *rest))}"


def _record(**fields: Any) -> Json:
    """The fields that are there: AWS leaves out those that have no value."""
    return {key: value for key, value in fields.items() if value is not None}


def _tags(tags: Mapping[str, str]) -> list[Json]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _time(account: str, days: int) -> float | str:
    moment = _NOW - timedelta(days=days)
    return moment.isoformat(timespec="milliseconds") if account == DEVELOPMENT else moment.timestamp() + 0.123


def _date(account: str, days: int) -> str:
    """A time of IAM or EC2, which every version of the CLI prints as ISO 8601."""
    moment = _NOW - timedelta(days=days)
    return moment.isoformat() if account == DEVELOPMENT else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _id(prefix: str, *what: str) -> str:
    """An identifier as IAM makes them, the same for the same thing."""
    return prefix + "".join(Random(" ".join(what)).choices(string.ascii_uppercase + string.digits, k=17))
