"""Strict JSON: repeated keys are seen, numbers stay exact."""

from __future__ import annotations

import json
import re
from collections import Counter
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

_SPACE = re.compile(r"[ \t\r\n]*")


class RepeatedKeys(dict[str, Any]):
    """A JSON object in which a key stands twice; AWS refuses it. The last value is kept, `repeated` names the keys."""

    repeated: tuple[str, ...] = ()


def read_json(data: str | bytes, *, many: bool = False) -> Any:
    """Read JSON strictly: repeated keys are marked, numbers stay exact (`Decimal`), NaN is refused.

    Parameters
    ----------
    many
        Return a list of the one or several values that stand one after the other.

    Raises
    ------
    json.JSONDecodeError
        For text that is no JSON, or nests deeper than any policy.
    """
    text = data.decode("utf-8-sig") if isinstance(data, bytes) else data.removeprefix("\ufeff")
    decoder = json.JSONDecoder(object_pairs_hook=_read_object, parse_float=Decimal, parse_constant=_refuse_constant)
    values: list[Any] = []
    position = _skip_space(text, 0)
    try:
        while position < len(text) or not values:
            value, position = decoder.raw_decode(text, position)
            values.append(value)
            position = _skip_space(text, position)
            if not many and position < len(text):
                raise json.JSONDecodeError("more text after the end of the value", text, position)
    except RecursionError:
        raise json.JSONDecodeError("nested too deeply", text, 0) from None
    return values if many else values[0]


def decode_url(text: str) -> str:
    """JSON text from text that may be URL-encoded (RFC 3986), as the raw IAM API gives policies."""
    return text if text.lstrip().startswith(("{", "[")) else unquote(text)


def _skip_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _refuse_constant(name: str) -> Any:
    raise json.JSONDecodeError(f"`{name}` is no JSON", name, 0)


def _read_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) == len(pairs):
        return read
    marked = RepeatedKeys(read)
    marked.repeated = tuple(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
    return marked
