"""The elements of a statement: what may stand in each, and what it is read to.

Source: IAM User Guide, `reference_policies_grammar` and the `reference_policies_elements_*` pages.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from ssmlab.conditions import Condition, OperatorError
from ssmlab.patterns import Tokens, compile_resource, is_wild, parse_text, plain_text, split_segments, variable_keys
from ssmlab.policies.json_text import RepeatedKeys
from ssmlab.words import shorten

_PRINCIPAL_TYPES: Final = ("AWS", "Service", "Federated", "CanonicalUser")
_ACTION = re.compile(r"\*|[A-Za-z0-9*?-]+:[A-Za-z0-9*?_-]+")
_ACCOUNT = re.compile(r"\d{12}")
_NO_PATTERN = re.compile(r"\*|[^*?]*")  # everyone, or a name in full


class RefusedError(ValueError):
    """A rule of the grammar is broken; `where` is the JSON path inside the statement."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(what)
        self.where = where


def check_pair(raw: Mapping[str, Any], name: str, required: bool) -> None:
    """An element or its Not form, not both."""
    given = [element for element in (name, f"Not{name}") if element in raw]
    if len(given) == 2:
        raise RefusedError(f".{given[1]}", f"expected `{name}` or `Not{name}`, got both")
    if required and not given:
        raise RefusedError("", f"expected `{name}` or `Not{name}`, got neither")


def read_actions(source: Mapping[str, Any]) -> tuple[str, ...]:
    """Action or NotAction."""
    name, texts = _texts(source, "Action")
    for text in texts:
        if not _ACTION.fullmatch(text):
            raise RefusedError(f".{name}", f"expected `*` or `service:Action`, got `{text}`")
    return texts


def read_resources(source: Mapping[str, Any], variables: bool) -> tuple[Tokens, ...]:
    """Resource or NotResource, as tokens."""
    name, texts = _texts(source, "Resource")
    for text in texts:
        if text != "*" and not text.startswith("arn:"):
            raise RefusedError(f".{name}", f"expected `*` or an ARN, got `{text}`")
        if variables and any(variable_keys(part) for part in split_segments(parse_text(text))[:5]):
            raise RefusedError(f".{name}", f"expected variables only after the fifth colon of an ARN, got `{text}`")
    return tuple(parse_text(text, variables) for text in texts)


def part_resources(resources: tuple[Tokens, ...]) -> dict[str, Any]:
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
        raise RefusedError(f".{name}", f"expected a text or a list of texts, got {show_kind(value)}")
    return name, tuple(texts)


def read_principals(source: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Principal or NotPrincipal, as pairs of kind and text."""
    name = "Principal" if "Principal" in source else "NotPrincipal"
    value = source.get(name, {})
    if value == "*":
        return (("AWS", "*"),)
    if not isinstance(value, Mapping) or isinstance(value, RepeatedKeys) or not set(value) <= set(_PRINCIPAL_TYPES):
        raise RefusedError(f".{name}", f"expected `*` or any of {list_names(_PRINCIPAL_TYPES)}, got {show_kind(value)}")
    if name in source and not any(texts != [] for texts in value.values()):
        raise RefusedError(f".{name}", f"expected `*` or somebody, got {show_kind(value)}")
    pairs = [(kind, text) for kind, texts in value.items() for text in (texts if isinstance(texts, list) else [texts])]
    for kind, text in pairs:
        if not isinstance(text, str) or not _NO_PATTERN.fullmatch(text) or (kind == "AWS" and not _is_principal(text)):
            what = "an account, an ARN of no group and without wildcards, or `*`"
            raise RefusedError(f".{name}.{kind}", f"expected {what}, got {show_kind(text)}")
    return tuple(pairs)


def _is_principal(text: str) -> bool:
    is_arn = text.startswith("arn:") and ":group/" not in text
    return text == "*" or bool(_ACCOUNT.fullmatch(text)) or is_arn or text.isalnum()


def read_conditions(raw: Any, variables: bool, effect: str) -> tuple[Condition, ...]:
    """Every operator and key of Condition."""
    if not isinstance(raw, Mapping):
        raise RefusedError(".Condition", f"expected an object of operators, got {show_kind(raw)}")
    return tuple(
        _condition(operator, key, value, variables, effect)
        for operator, keys in _entries(raw, ".Condition")
        for key, value in _entries(keys, f".Condition.{operator}")
    )


def _entries(raw: Any, where: str) -> Iterable[tuple[str, Any]]:
    if not isinstance(raw, Mapping):
        raise RefusedError(where, f"expected an object of condition keys, got {show_kind(raw)}")
    if isinstance(raw, RepeatedKeys):
        raise RefusedError(where, f"the key {list_names(raw.repeated)} stands more than once in one object")
    return raw.items()


def _condition(operator: str, key: str, value: Any, variables: bool, effect: str) -> Condition:
    where = f".Condition.{operator}.{key}"
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(item, str | bool | int | float | Decimal) for item in values):
        raise RefusedError(where, f"expected a value or a list of values, got {show_kind(value)}")
    try:
        condition = Condition(operator, key, [scalar_text(item) for item in values], variables=variables, effect=effect)
    except OperatorError as error:
        raise RefusedError(f".Condition.{operator}", str(error)) from None
    if "BinaryEquals" in operator and condition.unreadable:
        raise RefusedError(where, f"expected base64 text, got {show_kind(value)}")
    return condition


def scalar_text(value: str | bool | int | float | Decimal) -> str:
    """The text of a value that JSON gives unquoted: `true` for True, digits for a number."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def list_names(names: Sequence[str]) -> str:
    """Names in backticks."""
    return ", ".join(f"`{name}`" for name in names)


def show_kind(value: Any) -> str:
    """What was got, in words and shortened."""
    if value is None:
        return "nothing"
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except RecursionError:
        return "a value that is nested too deeply"
    return f"`{shorten(text, 80)}`"
