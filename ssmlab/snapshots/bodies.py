"""Bodies of policies: from the forms in which AWS hands them out to objects, and to JSON text that loses nothing."""

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from ssmlab.policies import RepeatedKeys, decode_url, read_json


def to_object(body: Any) -> Any:
    """The object in JSON text or URL-encoded JSON text; anything else as it is.

    >>> to_object("%7B%22Version%22%3A%222012-10-17%22%7D")
    {'Version': '2012-10-17'}
    """
    if not isinstance(body, str):
        return body
    try:
        return read_json(decode_url(body))
    except json.JSONDecodeError:
        return body


def to_json(body: Any, margin: str = "") -> str:
    """JSON text that `to_object` reads to the same: a repeated key is repeated, numbers stay exact.

    With a margin, a line break and blanks, it is indented and keeps letters as they are.

    >>> to_json({"Statement": [{"Effect": "Allow"}]})
    '{"Statement": [{"Effect": "Allow"}]}'
    """
    inner = margin and f"{margin}  "
    if isinstance(body, dict):
        again = body.repeated if isinstance(body, RepeatedKeys) else ()
        parts = [f"{to_json(key, inner)}: {to_json(body[key], inner)}" for key in (*again, *body)]
        return "{" + _join(parts, margin) + "}"
    if isinstance(body, list):
        return "[" + _join([to_json(item, inner) for item in body], margin) + "]"
    return str(body) if isinstance(body, Decimal) else json.dumps(body, ensure_ascii=not margin)


def _join(parts: list[str], margin: str) -> str:
    if not (parts and margin):
        return ", ".join(parts)
    return "".join([f"{margin}  ", f",{margin}  ".join(parts), margin])


def rebuild(old: dict[str, Any], pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """An object with other keys and values, of the same kind: a repeated key stays repeated."""
    made = type(old)(pairs)
    if isinstance(made, RepeatedKeys) and isinstance(old, RepeatedKeys):
        made.repeated = old.repeated
    return made
