"""The grammar: policy JSON to `Policy`. A statement that AWS would refuse is kept as unreadable, with place and rule.

Source: IAM User Guide, `reference_policies_grammar` and the `reference_policies_elements_*` pages.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from ssmlab.conditions import Condition, OperatorError
from ssmlab.conditions.values import read_binary
from ssmlab.patterns import Tokens, compile_resource, is_wild, parse_text, plain_text, split_segments, variable_keys
from ssmlab.policies.json_text import RepeatedKeys, decode_url, read_json
from ssmlab.policies.model import Policy, PolicyProblem, State, Statement

LAYERS: Final = ("identity", "boundary", "session", "scp", "rcp", "resource")
VERSIONS: Final = ("2012-10-17", "2008-10-17")
_ELEMENTS: Final = (
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Principal",
    "NotPrincipal",
    "Condition",
)
_PRINCIPAL_TYPES: Final = ("AWS", "Service", "Federated", "CanonicalUser")
_ACTION = re.compile(r"\*|[A-Za-z0-9*?-]+:[A-Za-z0-9*?_-]+")
_SID = re.compile(r"[A-Za-z0-9]*")
_ACCOUNT = re.compile(r"\d{12}")


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
        Statements that AWS would refuse are unreadable and named in `problems`.

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
        raise PolicyError(f"expected a policy as a JSON object, got {_kind(document)}")
    return document


def _check_body(body: Mapping[str, Any]) -> Iterable[PolicyProblem]:
    if isinstance(body, RepeatedKeys):
        yield PolicyProblem("$", f"the key {_names(body.repeated)} stands more than once in one object")
    if body.get("Version", VERSIONS[0]) not in VERSIONS:
        yield PolicyProblem("$.Version", f"expected one of {_names(VERSIONS)}, got `{body['Version']}`")
    if not isinstance(body.get("Statement"), list | dict):
        yield PolicyProblem(
            "$.Statement", f"expected a statement or a list of them, got {_kind(body.get('Statement'))}"
        )
    for unknown in sorted(set(body) - {"Version", "Id", "Statement"}):
        yield PolicyProblem(
            f"$.{unknown}", f"unknown element `{unknown}`, expected one of `Version`, `Id`, `Statement`"
        )


class _RefusedError(ValueError):
    """A rule of the grammar is broken; `where` is the JSON path inside the statement."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(what)
        self.where = where


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
        resources = _resources(source, variables)
        parsed = Statement(
            index,
            sid,
            str(effect),
            actions=_actions(source),
            not_action="NotAction" in source,
            **_part_resources(resources),
            not_resource="NotResource" in source,
            principals=_principals(source),
            not_principal="NotPrincipal" in source,
            conditions=_conditions(source.get("Condition", {}), variables, str(effect)),
            source=source,
        )
    except _RefusedError as error:
        return broken, [PolicyProblem(path + error.where, str(error))]
    return (broken if refused else parsed), []


def _readable_actions(source: Mapping[str, Any]) -> dict[str, Any]:
    """What a statement that AWS would refuse is about, where at least that can be read."""
    try:
        _check_pair(source, "Action", required=True)
        return {"actions": _actions(source), "not_action": "NotAction" in source}
    except _RefusedError:
        return {}


def _check_statement(raw: Any, layer: str) -> None:
    if not isinstance(raw, Mapping):
        raise _RefusedError("", f"expected a statement as a JSON object, got {_kind(raw)}")
    if isinstance(raw, RepeatedKeys):
        raise _RefusedError("", f"the key {_names(raw.repeated)} stands more than once in one object")
    for name in raw:
        if name not in _ELEMENTS:
            raise _RefusedError(f".{name}", f"unknown element `{name}`, expected one of {_names(_ELEMENTS)}")
    if raw.get("Effect") not in ("Allow", "Deny"):
        raise _RefusedError(".Effect", f"expected `Allow` or `Deny`, got {_kind(raw.get('Effect'))}")
    if not isinstance(raw.get("Sid", ""), str) or (layer != "resource" and not _SID.fullmatch(raw.get("Sid", ""))):
        raise _RefusedError(".Sid", f"expected letters and digits, got {_kind(raw.get('Sid'))}")
    for name, required in (
        ("Action", True),
        ("Resource", layer != "resource"),
        ("Principal", layer in ("resource", "rcp")),
    ):
        _check_pair(raw, name, required)
    if layer not in ("resource", "rcp") and not {"Principal", "NotPrincipal"}.isdisjoint(raw):
        raise _RefusedError(".Principal", f"a Principal may not stand in a policy of the {layer} layer")


def _check_pair(raw: Mapping[str, Any], name: str, required: bool) -> None:
    given = [element for element in (name, f"Not{name}") if element in raw]
    if len(given) == 2:
        raise _RefusedError(f".{given[1]}", f"expected `{name}` or `Not{name}`, got both")
    if required and not given:
        raise _RefusedError("", f"expected `{name}` or `Not{name}`, got neither")


def _actions(source: Mapping[str, Any]) -> tuple[str, ...]:
    name, texts = _texts(source, "Action")
    for text in texts:
        if not _ACTION.fullmatch(text):
            raise _RefusedError(f".{name}", f"expected `*` or `service:Action`, got `{text}`")
    return texts


def _resources(source: Mapping[str, Any], variables: bool) -> tuple[Tokens, ...]:
    name, texts = _texts(source, "Resource")
    for text in texts:
        if text != "*" and not text.startswith("arn:"):
            raise _RefusedError(f".{name}", f"expected `*` or an ARN, got `{text}`")
        if variables and any(variable_keys(part) for part in split_segments(parse_text(text))[:5]):
            raise _RefusedError(f".{name}", f"expected variables only after the fifth colon of an ARN, got `{text}`")
    return tuple(parse_text(text, variables) for text in texts)


def _part_resources(resources: tuple[Tokens, ...]) -> dict[str, Any]:
    """Resources, and which of them are plain texts, patterns, or hold variables."""
    varied = tuple(tokens for tokens in resources if variable_keys(tokens))
    plain = [tokens for tokens in resources if not variable_keys(tokens)]
    return {
        "resources": resources,
        "texts": frozenset(plain_text(tokens) for tokens in plain if not is_wild(tokens)),
        "patterns": tuple(compile_resource(tokens) for tokens in plain if is_wild(tokens)),
        "varied": varied,
        "resource_keys": tuple(dict.fromkeys(key for tokens in varied for key in variable_keys(tokens))),
    }


def _texts(source: Mapping[str, Any], element: str) -> tuple[str, tuple[str, ...]]:
    """The texts of an element or its Not form; a list with one value may drop its brackets."""
    name = element if element in source else f"Not{element}"
    value = source.get(name, [])
    texts = value if isinstance(value, list) else [value]
    if not all(isinstance(text, str) for text in texts) or (name in source and not texts):
        raise _RefusedError(f".{name}", f"expected a text or a list of texts, got {_kind(value)}")
    return name, tuple(texts)


def _principals(source: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    name = "Principal" if "Principal" in source else "NotPrincipal"
    value = source.get(name, {})
    if value == "*":
        return (("AWS", "*"),)
    if not isinstance(value, Mapping) or isinstance(value, RepeatedKeys) or not set(value) <= set(_PRINCIPAL_TYPES):
        raise _RefusedError(f".{name}", f"expected `*` or any of {_names(_PRINCIPAL_TYPES)}, got {_kind(value)}")
    pairs = [(kind, text) for kind, texts in value.items() for text in (texts if isinstance(texts, list) else [texts])]
    for kind, text in pairs:
        if not isinstance(text, str) or (text != "*" and "*" in text) or (kind == "AWS" and not _is_principal(text)):
            raise _RefusedError(
                f".{name}.{kind}", f"expected an account, an ARN without wildcards or `*`, got {_kind(text)}"
            )
    return tuple(pairs)


def _is_principal(text: str) -> bool:
    return text == "*" or bool(_ACCOUNT.fullmatch(text)) or text.startswith("arn:") or text.isalnum()


def _conditions(raw: Any, variables: bool, effect: str) -> tuple[Condition, ...]:
    if not isinstance(raw, Mapping):
        raise _RefusedError(".Condition", f"expected an object of operators, got {_kind(raw)}")
    return tuple(
        _condition(operator, key, value, variables, effect)
        for operator, keys in _entries(raw, ".Condition")
        for key, value in _entries(keys, f".Condition.{operator}")
    )


def _entries(raw: Any, where: str) -> Iterable[tuple[str, Any]]:
    if not isinstance(raw, Mapping):
        raise _RefusedError(where, f"expected an object of condition keys, got {_kind(raw)}")
    if isinstance(raw, RepeatedKeys):
        raise _RefusedError(where, f"the key {_names(raw.repeated)} stands more than once in one object")
    return raw.items()


def _condition(operator: str, key: str, value: Any, variables: bool, effect: str) -> Condition:
    where = f".Condition.{operator}.{key}"
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(item, str | bool | int | float | Decimal) for item in values):
        raise _RefusedError(where, f"expected a value or a list of values, got {_kind(value)}")
    try:
        condition = Condition(operator, key, [scalar_text(item) for item in values], variables=variables, effect=effect)
    except OperatorError as error:
        raise _RefusedError(f".Condition.{operator}", str(error)) from None
    if "BinaryEquals" in operator and None in map(read_binary, condition.values):
        raise _RefusedError(where, f"expected base64 text, got {_kind(value)}")
    return condition


def scalar_text(value: str | bool | int | float | Decimal) -> str:
    """The text of a value that JSON gives unquoted: `true` for True, digits for a number."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _names(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _kind(value: Any) -> str:
    """What was got, in words and shortened."""
    if value is None:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return f"`{text if len(text) <= 80 else text[:77] + '…'}`"
