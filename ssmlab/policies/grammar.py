"""The grammar: policy JSON to `Policy`. A statement that AWS would refuse is kept as unreadable, with place and rule.

Source: IAM User Guide, `reference_policies_grammar` and the `reference_policies_elements_*` pages.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from ssmlab.policies.elements import (
    RefusedError,
    check_pair,
    list_names,
    part_resources,
    read_actions,
    read_conditions,
    read_principals,
    read_resources,
    show_kind,
)
from ssmlab.policies.json_text import RepeatedKeys, decode_url, read_json
from ssmlab.policies.model import Policy, PolicyProblem, State, Statement

LAYERS: Final = ("identity", "boundary", "session", "scp", "rcp", "resource")
VERSIONS: Final = ("2012-10-17", "2008-10-17")
_ELEMENTS: Final = (
    *("Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Condition"),
)
_SID = re.compile(r"[A-Za-z0-9]*")
# the one statement of RCPFullAWSAccess, attached to every root, unit and account [AWS Organizations User Guide, RCPs]
_RCP_FULL_ACCESS: Final = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}


class PolicyError(ValueError):
    """A text that is no JSON object, and so no policy at all."""


def parse_policy(document: Mapping[str, Any] | str, *, name: str = "", layer: str = "identity") -> Policy:
    """Compile a policy: an object, JSON text, or URL-encoded JSON text.

    Parameters
    ----------
    layer
        What it is used as: "identity", "boundary", "session", "scp", "rcp" or "resource" (a trust policy too). Decides
        whether a `Principal` must or must not stand in it.

    Returns
    -------
    Policy
        Statements that AWS would refuse are unreadable and named in `problems`; those with a condition value that
        their operator cannot read are named too, but stay readable: what they do is recorded.

    Raises
    ------
    PolicyError
        If the text holds no JSON object.
    """
    body = _decode(document)
    version, problems = str(body.get("Version", "2008-10-17")), list(_check_body(body))
    raw = body.get("Statement", [])
    listed = raw if isinstance(raw, list) else [raw]
    paths = [f"$.Statement[{i}]" for i in range(len(listed))] if isinstance(raw, list) else ["$.Statement"]
    refused, statements, sids = bool(problems), list[Statement](), set[str]()
    if refused and not listed:
        return Policy(name, version, (Statement(0, state=State.UNREADABLE),), tuple(problems))
    for index, (item, path) in enumerate(zip(listed, paths, strict=True)):
        statement, found = _parse_statement(item, index, path, layer, version == VERSIONS[0], refused)
        if statement.sid and statement.sid in sids:
            statement = replace(statement, state=State.UNREADABLE)
            found = [*found, PolicyProblem(f"{path}.Sid", f"expected every Sid once, got `{statement.sid}` again")]
        sids.add(statement.sid)
        statements.append(statement)
        problems += found
    if layer != "resource" and "Id" in body:
        problems.append(PolicyProblem("$.Id", f"an Id is not for policies of the {layer} layer"))
    return Policy(name, version, tuple(statements), tuple(problems))


def _decode(document: Mapping[str, Any] | str) -> Mapping[str, Any]:
    if isinstance(document, str):
        try:
            document = read_json(decode_url(document))
        except json.JSONDecodeError as error:
            raise PolicyError(
                f"expected a policy as JSON, got text with {error.msg} at line {error.lineno} column {error.colno}"
            ) from None
    if not isinstance(document, Mapping):
        raise PolicyError(f"expected a policy as a JSON object, got {show_kind(document)}")
    return document


def _check_body(body: Mapping[str, Any]) -> Iterable[PolicyProblem]:
    if isinstance(body, RepeatedKeys):
        yield PolicyProblem("$", f"the key {list_names(body.repeated)} stands more than once in one object")
    if body.get("Version", VERSIONS[0]) not in VERSIONS:
        yield PolicyProblem("$.Version", f"expected one of {list_names(VERSIONS)}, got `{body['Version']}`")
    if not isinstance(body.get("Statement"), list | dict):
        yield PolicyProblem(
            "$.Statement", f"expected a statement or a list of them, got {show_kind(body.get('Statement'))}"
        )
    for unknown in sorted(set(body) - {"Version", "Id", "Statement"}):
        yield PolicyProblem(
            f"$.{unknown}", f"unknown element `{unknown}`, expected one of `Version`, `Id`, `Statement`"
        )


def _parse_statement(
    raw: Any, index: int, path: str, layer: str, variables: bool, refused: bool
) -> tuple[Statement, list[PolicyProblem]]:
    """One statement; unreadable, with the broken rule, if AWS would refuse it (or `refused` the whole policy)."""
    source = raw if isinstance(raw, Mapping) else {}
    effect = source.get("Effect") if source.get("Effect") in ("Allow", "Deny") else ""
    sid = source.get("Sid", "") if isinstance(source.get("Sid", ""), str) else ""
    broken = Statement(index, sid, str(effect), state=State.UNREADABLE, source=source, **_readable_actions(source))
    try:
        _check_statement(raw, layer)
        resources = read_resources(source, variables)
        parsed = Statement(
            index,
            sid,
            str(effect),
            actions=read_actions(source),
            not_action="NotAction" in source,
            **part_resources(resources),
            not_resource="NotResource" in source,
            principals=read_principals(source),
            not_principal="NotPrincipal" in source,
            conditions=read_conditions(source.get("Condition", {}), variables, str(effect)),
            source=source,
        )
    except RefusedError as error:
        return broken, [PolicyProblem(path + error.where, str(error))]
    # recorded: IAM stores no unreadable value, inline session policies take them
    unread = [] if layer == "session" else [(c, text) for c in parsed.conditions for text in c.unreadable]
    return broken if refused else parsed, [
        PolicyProblem(
            f"{path}.Condition.{c.operator}.{c.key}", f"expected a value that `{c.operator}` can read, got `{text}`"
        )
        for c, text in unread
    ]


def _readable_actions(source: Mapping[str, Any]) -> dict[str, Any]:
    """What a statement that AWS would refuse is about, where at least that can be read."""
    try:
        check_pair(source, "Action", required=True)
        return {"actions": read_actions(source), "not_action": "NotAction" in source}
    except RefusedError:
        return {}


def _check_statement(raw: Any, layer: str) -> None:
    if not isinstance(raw, Mapping):
        raise RefusedError("", f"expected a statement as a JSON object, got {show_kind(raw)}")
    if isinstance(raw, RepeatedKeys):
        raise RefusedError("", f"the key {list_names(raw.repeated)} stands more than once in one object")
    for name in raw:
        if name not in _ELEMENTS:
            raise RefusedError(f".{name}", f"unknown element `{name}`, expected one of {list_names(_ELEMENTS)}")
    if raw.get("Effect") not in ("Allow", "Deny"):
        raise RefusedError(".Effect", f"expected `Allow` or `Deny`, got {show_kind(raw.get('Effect'))}")
    if not isinstance(raw.get("Sid", ""), str) or (layer != "resource" and not _SID.fullmatch(raw.get("Sid", ""))):
        raise RefusedError(".Sid", f"expected letters and digits, got {show_kind(raw.get('Sid'))}")
    for name, required in (
        ("Action", True),
        ("Resource", layer != "resource"),
        ("Principal", layer in ("resource", "rcp")),
    ):
        check_pair(raw, name, required)
    if layer not in ("resource", "rcp") and not {"Principal", "NotPrincipal"}.isdisjoint(raw):
        raise RefusedError(".Principal", f"a Principal may not stand in a policy of the {layer} layer")
    if layer == "rcp" and {name: raw[name] for name in raw if name != "Sid"} != _RCP_FULL_ACCESS:
        _check_rcp(raw)


def _check_rcp(raw: Mapping[str, Any]) -> None:
    """What AWS refuses in a customer's RCP [AWS Organizations User Guide, RCP syntax; recorded from AWS]."""
    if raw["Effect"] != "Deny":
        raise RefusedError(".Effect", f"expected `Deny` in a resource control policy, got `{raw['Effect']}`")
    for name in ("NotAction", "NotPrincipal"):
        if name in raw:
            raise RefusedError(f".{name}", f"a {name} may not stand in a resource control policy")
    if raw["Principal"] not in ("*", {"AWS": "*"}):
        raise RefusedError(
            ".Principal", f"expected `*` in a resource control policy, got {show_kind(raw['Principal'])}"
        )
    for action in raw["Action"] if isinstance(raw["Action"], list) else [raw["Action"]]:
        if str(action).lower().partition(":")[0] in ("*", "iam"):
            raise RefusedError(
                ".Action", f"expected actions of services that resource control policies reach, got `{action}`"
            )
