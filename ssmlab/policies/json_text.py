"""Strict JSON: repeated keys are seen, numbers stay exact."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import orjson

_HALF = re.compile("[\ud800-\udfff]")  # of a surrogate pair: a whole one is one character
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


def drop_halves(values: list[Any]) -> Iterator[tuple[int, str]]:
    """Leave nothing of a text with half of a surrogate pair, which no file can hold, or of an object with such a key:
    whoever reads the record finds it damaged. Says which value, and where in it.
    """
    try:
        orjson.dumps(values, default=str)  # of nearly every file it is quickly said that there is none
    except TypeError:
        todo: list[tuple[Any, Any, int, str]] = [(values, number, number, "") for number in range(len(values))]
        for holder, key, number, path in todo:
            item = holder[key]
            if isinstance(item, str | dict) and _HALF.search(item if isinstance(item, str) else "".join(item)):
                holder[key] = None
                yield number, path
            elif isinstance(item, dict):
                todo += [(item, name, number, f"{path}.{name}") for name in item]
            elif isinstance(item, list):
                todo += [(item, place, number, f"{path}[{place}]") for place in range(len(item))]


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
