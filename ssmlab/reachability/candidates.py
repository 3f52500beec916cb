"""Texts that the patterns of policies set apart: what matches, what nearly does."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from ssmlab.conditions import Condition
from ssmlab.conditions.values import read_date, read_network, read_number
from ssmlab.patterns import Tokens, Variable, Wild, parse_text

_SAMPLE: Final = "sample"
_KNOWN: Final = {"aws:username": "somebody", "aws:principalaccount": "111122223333"}
_MOST_DIGITS: Final = 24  # of a number to which 1 is added
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
Given = str | tuple[str, ...]


def fill(tokens: Tokens) -> list[str]:
    """Texts that a pattern takes in: its `*` as nothing and as a letter, its `?` as a letter, variables as a sample.

    >>> fill(parse_text("Web-*"))
    ['Web-', 'Web-x']
    """
    return [*dict.fromkeys("".join(_write(token, many) for token in tokens) for many in ("", "x"))]


def _write(token: str | Wild | Variable, many: str) -> str:
    if isinstance(token, Variable):
        return sample(token.key)
    return token if isinstance(token, str) else many if token is Wild.MANY else "x"


def sample(key: str) -> str:
    """The value that a variable has."""
    return _KNOWN.get(key, _SAMPLE)


def near_misses(text: str) -> list[str]:
    """Texts that differ from one in a letter more, before or after, in one less, and in upper and lower case."""
    return [text + "x", "x" + text, text[:-1], text.swapcase()]


def joined(texts: Sequence[str], most: int = 20) -> list[str]:
    """Texts after each other: what two patterns, one with an open end and one with an open start, may both take in."""
    return [one + other for one in texts for other in texts if one != other][:most]


def list_values(condition: Condition, key: str) -> list[Given]:
    """Values of a key that a condition may set apart, those that it names first."""
    if key != condition.keys[0]:  # the key of a variable
        return [sample(key), f"{sample(key)}-2"]
    base = condition.operator.rpartition(":")[2].removesuffix("IfExists")
    found = [*dict.fromkeys(_texts(base, condition.values))]
    if condition.operator.startswith("For"):
        several = [tuple(found[:2]), *((one, "another") for one in found[:2])]
        return [*several, *((text,) for text in found)]
    return [*found]


def _texts(operator: str, values: Sequence[str]) -> Iterator[str]:
    if operator == "Null":
        yield "x"
    elif operator == "Bool":
        yield from ("true", "false")
    elif operator.startswith("Numeric"):
        yield from _around_numbers(values)
    elif operator.startswith("Date"):
        yield from _around_dates(values)
    elif "IpAddress" in operator:
        yield from _around_networks(values)
    else:
        yield from _around_texts(values, is_wild=operator.endswith("Like") or operator.startswith("Arn"))


def _around_texts(values: Sequence[str], is_wild: bool) -> Iterator[str]:
    matching = [text for value in values for text in (fill(parse_text(value)) if is_wild else _plain(value))]
    yield from matching
    for value in values:
        yield from near_misses((fill(parse_text(value)) if is_wild else _plain(value))[0])
    yield from joined(matching)


def _plain(value: str) -> list[str]:
    tokens = parse_text(value)
    return ["".join(token.value if isinstance(token, Wild) else _write(token, "") for token in tokens)]


def _around_numbers(values: Sequence[str]) -> Iterator[str]:
    for number in map(read_number, values):
        if number is not None and abs(number.adjusted()) > _MOST_DIGITS:
            yield from (str(number), "0")
        elif number is not None:
            yield from (f"{number + step:f}" for step in (0, -1, 1))


def _around_dates(values: Sequence[str]) -> Iterator[str]:
    for moment in map(read_date, values):
        if moment is not None:
            yield from (_write_date(moment + step) for step in (0, -1000, 1000))


def _write_date(milliseconds: int) -> str:
    try:
        return (_EPOCH + timedelta(milliseconds=milliseconds)).isoformat(timespec="seconds").replace("+00:00", "Z")
    except OverflowError:  # no year of four digits: seconds since 1970
        return str(milliseconds // 1000)


def _around_networks(values: Iterable[str]) -> Iterator[str]:
    """The first address of each range, the last, and those beside it."""
    for network in filter(None, map(read_network, values)):
        address = ipaddress.IPv4Address if network.version == 4 else ipaddress.IPv6Address
        first = network.address >> network.host_bits << network.host_bits
        last = first + (1 << network.host_bits) - 1
        top = 2 ** (32 if network.version == 4 else 128)
        yield from (str(address(number)) for number in (first, last, first - 1, last + 1) if 0 <= number < top)
