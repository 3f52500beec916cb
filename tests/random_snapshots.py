"""Random snapshots, and what `evaluate` says of every (principal, node, document) in them: the oracle for `reach`.

The oracle builds each `Request` from the frames by itself; nothing of `ssmlab.reachability` is used.
"""

import dataclasses
from random import Random
from typing import Any

import pandas as pd

from ssmlab.evaluation import Decision, Outcome, PolicySet, Request, evaluate
from ssmlab.snapshots import Snapshot, load

ACCOUNTS = ["111122223333", "444455556666"]
REGIONS = ["eu-west-1", "us-east-2"]
MFA = "aws:MultiFactorAuthPresent"
TAG_PREFIXES = ("ssm:resourceTag", "aws:ResourceTag")
KEYS = [
    "ssm:resourceTag/Env", "aws:ResourceTag/env", "ssm:resourceTag/Team", "aws:RequestedRegion", "aws:PrincipalTag/Team", MFA,
    "ec2:ResourceTag/Env", "aws:ResourceAccount", "ssm:DocumentType", "aws:username",
]  # fmt: skip
OPERATORS = [
    "StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIfExists", "ForAllValues:StringLike",
    "ForAnyValue:StringEquals", "StringEqualsIgnoreCase", "Bool", "ArnLike",
]  # fmt: skip
VALUES = [
    "dev", "prod", "*", "p*", "${aws:PrincipalTag/Team}", "${aws:username}", "${ssm:resourceTag/Team}", "true", "red",
    ["dev", "red"], "eu-west-1", "${aws:PrincipalAccount}", "${aws:PrincipalTag/Team, 'red'}", "arn:aws:*",
]  # fmt: skip
RESOURCES = [
    "*", "*", "arn:aws:ec2:*:*:instance/*", "arn:aws:ssm:*:*:managed-instance/*", "arn:aws:ssm:*:*:document/*",
    "arn:aws:ssm:eu-west-1::document/AWS-*", "arn:aws:ec2:*:*:instance/i-00", "arn:aws:ec2:*:*:instance/i-0*", "arn:aws:ssm:*",
    "arn:aws:ec2:*:instance/*", "arn:aws:*", "arn:aws:ec2:*:*:instance/${aws:username}", "arn:aws:ec2:*:*:instance/i-?1",
    "arn:aws:s*:document/*Shell*", "arn:aws:*:*:*:*", "arn:aws:ec2:*:444455556666:instance/${aws:ResourceTag/Team}*",
    "arn:aws:ec2:eu-*:*instance/*1", "arn:*:ssm*ment/A*",
]  # fmt: skip


def random_statement(r: Random) -> dict[str, Any]:
    statement: dict[str, Any] = {
        "Effect": r.choice(["Allow", "Allow", "Allow", "Deny"]),
        r.choice(["Action"] * 5 + ["NotAction"]): r.choice(["ssm:SendCommand", "ssm:*", "*", "ssm:StartSession"]),
        r.choice(["Resource"] * 5 + ["NotResource"]): r.choice(
            [r.choice(RESOURCES), [r.choice(RESOURCES), r.choice(RESOURCES)]]
        ),
    }
    if r.random() < 0.6:
        pairs = [(r.choice(OPERATORS), r.choice(KEYS)) for _ in range(r.choice([1, 1, 2]))]
        statement["Condition"] = {operator: {key: r.choice(VALUES)} for operator, key in pairs}
        if r.random() < 0.15:
            statement["Condition"]["Null"] = {r.choice(KEYS): r.choice(["true", "false"])}
    if r.random() < 0.03:
        del statement["Effect"]
    return statement


def random_policy(r: Random) -> dict[str, Any] | None:
    """None: not collected."""
    version = r.choice(["2012-10-17"] * 4 + ["2008-10-17"])
    return (
        {"Version": version, "Statement": [random_statement(r) for _ in range(r.choice([1, 2, 3]))]}
        if r.random() < 0.95
        else None
    )


def random_snapshot(r: Random) -> Snapshot:
    base = load("ssmlab/policies/examples/page-1-one-tag.json")
    every = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    principals = [
        _principal(r, account, name) for account in ACCOUNTS for name in ("user/i-00", "user/red", "role/x", "root")
    ]
    people = [row["arn"] for row in principals if row["kind"] != "root"]
    policies = [_policy(f"p{i}", "identity", tuple(r.sample(people, 3)), random_policy(r)) for i in range(6)]
    for row in principals:
        if row["kind"] != "root" and r.random() < 0.3:
            policies.append(_policy(f"b-{row['arn']}", "boundary", (row["arn"],), random_policy(r)))
            row["boundary"] = f"b-{row['arn']}"
    bound = [account for account in ACCOUNTS if r.random() < 0.5]
    policies.append(_policy("full", "scp", ("root", *bound), every))
    policies.append(_policy("scp", "scp", tuple(bound), random_policy(r)))
    levels = [
        (account, level, target, True, False) for account in bound for level, target in enumerate(("root", account))
    ]
    snapshot = base.replace(
        nodes=_frame(
            [_node(r, account, region, i) for account in ACCOUNTS for region in REGIONS for i in range(5)], "arn"
        ),
        documents=_frame([row for region in REGIONS for row in _documents(r, region)], "arn"),
        principals=_frame(principals, "arn"),
        policies=_frame(policies, "policy"),
    )
    organization = pd.DataFrame(levels, columns=["account", "level", "target", "scp", "rcp"]).astype(
        base.organization.dtypes
    )
    return dataclasses.replace(snapshot, organization=organization)


def _frame(rows: list[dict[str, Any]], index: str) -> pd.DataFrame:
    return pd.DataFrame(rows).set_index(index)


def _node(r: Random, account: str, region: str, i: int) -> dict[str, Any]:
    mi = r.random() < 0.3
    node_id = f"mi-0{i}" if mi else f"i-{i % 2}{i}"
    place = f"ssm:{region}:{account}:managed-instance" if mi else f"ec2:{region}:{account}:instance"
    return {
        "arn": f"arn:aws:{place}/{node_id}",
        "node_id": node_id,
        "account": account,
        "region": region,
        "kind": "on-premises" if mi else "ec2",
        "platform": "Linux",
        "name": node_id,
        "ping_status": "Online",
        "managed": r.random() < 0.8,
        "tags_known": r.random() < 0.9,
        "tag:Env": r.choice(["dev", "prod", None]),
        "tag:env": r.choice([None, None, "dev"]),
        "tag:Team": r.choice(["red", "0", None]),
    }


def _documents(r: Random, region: str) -> list[dict[str, Any]]:
    of_aws = [_document(region, name, "") for name in ("AWS-RunShellScript", "AmazonX")]
    own = [
        _document(region, "MyShell", account)
        | {
            "tags_known": r.random() < 0.8,
            "tag:Env": r.choice(["dev", None]),
            "shared_with": (ACCOUNTS[0],) if account == ACCOUNTS[1] else (),
        }
        for account in ACCOUNTS
    ]
    return of_aws + own


def _document(region: str, name: str, account: str) -> dict[str, Any]:
    return {
        "arn": f"arn:aws:ssm:{region}:{account}:document/{name}",
        "name": name,
        "owner": account or "Amazon",
        "account": account,
        "region": region,
        "platforms": (),
        "document_type": "Command",
        "shared_with": (),
        "tags_known": True,
        "tag:Env": None,
        "tag:Team": None,
    }


def _principal(r: Random, account: str, name: str) -> dict[str, Any]:
    return {
        "arn": f"arn:aws:iam::{account}:{name}",
        "name": name,
        "kind": name.partition("/")[0],
        "account": account,
        "path": "/",
        "groups": (),
        "boundary": None,
        "tags_known": r.random() < 0.8,
        "tag:Team": r.choice(["red", "dev", None, "r*"]),
    }


def _policy(name: str, layer: str, attached_to: tuple[str, ...], document: Any) -> dict[str, Any]:
    row = {"policy": name, "name": name, "layer": layer, "account": "", "attached_to": attached_to}
    return row | {"document": document, "file": "", "where": "$"}


# --- The oracle ---


def decide_all(
    snapshot: Snapshot, context: dict[str, str | None], action: str = "ssm:SendCommand"
) -> dict[tuple[str, str, str], Outcome]:
    """The outcome of every (principal, node, document), each resource by one `evaluate`."""
    order, found = list(Outcome), {}
    for arn in snapshot.principals.index:
        nodes, documents = (
            {name: _decide(snapshot, str(arn), name, context, action) for name in frame.index}
            for frame in (snapshot.nodes, snapshot.documents)
        )
        for node, row in snapshot.nodes.iterrows():
            for document, other in snapshot.documents.iterrows():
                both = min(nodes[node], documents[document], key=order.index)
                found[arn, node, document] = both if row["region"] == other["region"] else Outcome.IMPLICIT_DENY
    return found


def _decide(snapshot: Snapshot, arn: str, resource: Any, context: Any, action: str) -> Outcome:
    decision = decide_one(snapshot, arn, resource, context, action)
    return decision.outcome if decision else Outcome.IMPLICIT_DENY


def decide_one(snapshot: Snapshot, arn: str, resource: Any, context: Any, action: str) -> Decision | None:
    """One principal on one node or document; None: a node of another account, or a document that it cannot
    see. Whose the resource is, and what follows, `evaluate` reads in its ARN.
    """
    is_document, principal = resource in snapshot.documents.index, snapshot.principals.loc[arn]
    row = (snapshot.documents if is_document else snapshot.nodes).loc[resource]
    if principal["account"] not in (row["account"], *row.get("shared_with", ())) and row["account"]:
        return None
    known: dict[str, Any] = {"aws:RequestedRegion": row["region"], "aws:PrincipalIsAWSService": "false"}
    for tag in (name for name in row.index if name.startswith("tag:") and isinstance(row[name], str)):
        known |= {f"{prefix}/{tag[4:]}": row[tag] for prefix in TAG_PREFIXES}
    lowered = {key.lower() for key in known}
    possible = [f"{prefix}/{tag}" for prefix in TAG_PREFIXES for tag in ("Env", "Team")]
    unknown = [] if row["tags_known"] else [key for key in possible if key.lower() not in lowered]
    unknown += [MFA] if MFA not in context else []
    if isinstance(principal["tag:Team"], str):
        known["aws:PrincipalTag/Team"] = principal["tag:Team"]
    elif not principal["tags_known"]:
        unknown.append("aws:PrincipalTag/Team")
    known["aws:ResourceAccount"] = row["account"] or "an account of AWS"
    if is_document:
        known["ssm:DocumentType"] = row["document_type"]
    known |= {key: value for key, value in context.items() if value is not None}
    attached = snapshot.attached(arn)
    policies = PolicySet(attached.identity, attached.boundary, None, attached.scps)
    return evaluate(Request(arn, action, resource, known, unknown=unknown), policies)
