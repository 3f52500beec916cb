"""A folder of `accounts.py` as questions to any policy engine: callers with their policies, resources with their keys.

Read plainly from the files, without ssmlab, so that every engine is asked the same. One account, one level of
organization below the root.
"""

import random
from fnmatch import fnmatchcase
from itertools import chain
from pathlib import Path
from typing import Any

import orjson
from accounts import SEND

Json = dict[str, Any]

# What is known of the request itself; the same for every caller and resource.
REQUEST = {"aws:MultiFactorAuthPresent": "true", "aws:SourceIp": "192.0.2.10", "aws:SecureTransport": "true"}


def read_questions(root: Path, seed: int = 1) -> Json:
    """All documents come before the nodes, and the nodes in a seeded order: the first so many are a fair sample."""
    (account,) = (folder.name for folder in root.iterdir() if folder.name != "organizations")
    resources = [
        resource for folder in (root / account).iterdir() if folder.is_dir() for resource in _resources(folder)
    ]
    random.Random(seed).shuffle(resources)
    resources.sort(key=lambda resource: resource["side"] != "document")
    return {"request": REQUEST, "principals": _principals(root, account), "resources": resources}


def _read(file: Path) -> Json:
    return orjson.loads(file.with_suffix(".json").read_bytes())


def _principals(root: Path, account: str) -> list[Json]:
    details = _read(root / account / "get-account-authorization-details")
    levels = [_scps(root / "organizations", target) for target in ("r-abcd", account)]
    managed = {entry["Arn"]: entry["PolicyVersionList"][0]["Document"] for entry in details["Policies"]}
    groups = {
        entry["GroupName"]: {"arn": entry["Arn"], "policies": _inline(entry["GroupPolicyList"])}
        for entry in details["GroupDetailList"]
    }
    return [
        {
            "arn": user["Arn"],
            "name": user["UserName"],
            "account": account,
            "tags": _plain(user["Tags"]),
            "keys": _caller_keys(user, account) | REQUEST,
            "own": _inline(user["UserPolicyList"]),
            "groups": [groups[name] for name in user["GroupList"]],
            "boundary": [
                {"name": "boundary", "document": managed[user["PermissionsBoundary"]["PermissionsBoundaryArn"]]}
                for _ in range("PermissionsBoundary" in user)
            ],
            "scps": levels,
        }
        for user in details["UserDetailList"]
    ]


def _inline(listed: list[Json]) -> list[Json]:
    return [{"name": entry["PolicyName"], "document": entry["PolicyDocument"]} for entry in listed]


def _scps(root: Path, target: str) -> list[Json]:
    names = [entry["Id"] for entry in _read(root / "list-policies-for-target" / target)["Policies"]]
    bodies = (_read(root / "describe-policy" / name)["Policy"]["Content"] for name in names)
    return [{"name": name, "document": orjson.loads(body)} for name, body in zip(names, bodies, strict=True)]


def _plain(tags: list[Json]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def _caller_keys(user: Json, account: str) -> dict[str, str]:
    keys = {
        "aws:PrincipalArn": user["Arn"],
        "aws:PrincipalAccount": account,
        "aws:PrincipalType": "User",
        "aws:username": user["UserName"],
    }
    return keys | {f"aws:PrincipalTag/{key}": value for key, value in _plain(user["Tags"]).items()}


def _resources(folder: Path) -> list[Json]:
    region, account = folder.name, folder.parent.name
    machines = (entry["Instances"][0] for entry in _read(folder / "describe-instances")["Reservations"])
    nodes = [(f"arn:aws:ec2:{region}:{account}:instance/{one['InstanceId']}", one["Tags"]) for one in machines]
    mapped = _read(folder / "get-resources")["ResourceTagMappingList"]
    nodes += [(one["ResourceARN"], one["Tags"]) for one in mapped]
    listed = _read(folder / "list-documents")["DocumentIdentifiers"]
    owners = ["" if one["Owner"] == "Amazon" else account for one in listed]
    documents = [
        (f"arn:aws:ssm:{region}:{owner}:document/{one['Name']}", one["Tags"])
        for one, owner in zip(listed, owners, strict=True)
    ]
    return [
        {"arn": arn, "side": side, "region": region, "keys": _resource_keys(_plain(tags), region)}
        for side, found in (("node", nodes), ("document", documents))
        for arn, tags in found
    ]


def _resource_keys(tags: dict[str, str], region: str) -> dict[str, str]:
    keys = {
        f"{prefix}/{key}": value for key, value in tags.items() for prefix in ("ssm:resourceTag", "aws:ResourceTag")
    }
    return keys | {"aws:RequestedRegion": region}


def describe_policies(principal: Json) -> str:
    """What a caller's policies say about SendCommand, without the values that are the caller's own."""
    layers = {
        "": principal["own"],
        "group: ": chain.from_iterable(group["policies"] for group in principal["groups"]),
        "boundary: ": principal["boundary"],
    }
    return "; ".join(
        f"{layer}{_describe(statement)}"
        for layer, policies in layers.items()
        for policy in policies
        for statement in policy["document"]["Statement"]
        if any(fnmatchcase(SEND, action) for action in _listed(statement["Action"]))
    )


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _describe(statement: Json) -> str:
    ends = [resource.partition("/") for resource in _listed(statement["Resource"])]
    places = dict.fromkeys(
        "single nodes" if kind.endswith("instance") and name != "*" else f"{kind.rpartition(':')[2]}{slash}{name}"
        for kind, slash, name in ends
    )
    tests = [
        f"{operator} {key} {' '.join(value for value in _listed(values) if '${' in value)}".rstrip()
        for operator, keys in statement.get("Condition", {}).items()
        for key, values in keys.items()
    ]
    return f"{statement['Effect']} {', '.join(places)}" + (f" if {' and '.join(tests)}" if tests else "")
