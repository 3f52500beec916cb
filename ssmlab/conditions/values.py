"""What a text means as a number, a date, a truth value, bytes or an IP address.

A reader returns None for a text that it cannot read; what follows from that stands in the operator table of
`conditions`.

Sources: IAM User Guide, `reference_policies_elements_condition_operators`; answers recorded from AWS in September
2026 (named "recorded").
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,9})?", re.ASCII)
_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:?\d\d)?)?)?)?", re.ASCII
)
_EPOCH = re.compile(r"[+-]?\d{1,15}", re.ASCII)
_MASK = re.compile(r"\+?\d{1,9}", re.ASCII)


def read_number(text: str) -> Decimal | None:
    """A decimal number, exact: `01`, `+1`, `1.` and `1e0` are 1; NaN and Infinity are none (recorded)."""
    try:
        return Decimal(text) if _NUMBER.fullmatch(text) else None
    except InvalidOperation:  # an exponent that no number of this size can hold
        return None


def read_date(text: str) -> int | None:
    """Milliseconds since 1970 from an ISO 8601 date or from epoch seconds; no zone means UTC (recorded)."""
    match = _DATE.fullmatch(text)
    if match is None or (text.isdigit() and len(text) > 4):
        return int(text) * 1000 if _EPOCH.fullmatch(text) else None
    year, month, day, hour, minute, second = (
        int(part) if part else default for part, default in zip(match.groups()[:6], (0, 1, 1, 0, 0, 0), strict=True)
    )
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC) - _offset(match[8])
    except (ValueError, OverflowError):
        return None
    milliseconds = int(((match[7] or "") + "000")[:3])
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1) + milliseconds


def _offset(zone: str | None) -> timedelta:
    if zone in (None, "Z"):
        return timedelta()
    digits = zone[1:].replace(":", "")
    size = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -size if zone[0] == "-" else size


def read_bool(text: str) -> bool:
    """True for `true` in any case; every other text counts as false (recorded)."""
    return text.lower() == "true"


def read_binary(text: str) -> bytes | None:
    """The bytes of a base64 text."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


@dataclass(frozen=True, slots=True)
class Network:
    """An IP range: version, first address, number of host bits."""

    version: int
    address: int
    host_bits: int

    def holds(self, other: Network) -> bool:
        """Is the other's address in this range? An IPv6 range written with host bits holds nothing (recorded)."""
        if self.version == 6 and self.address & ((1 << self.host_bits) - 1):
            return False
        return self.version == other.version and self.address >> self.host_bits == other.address >> self.host_bits


def read_address(text: str) -> Network | None:
    """One IPv4 or IPv6 address. Leading zeros in IPv4 are decimal (recorded)."""
    if re.fullmatch(r"\d{1,9}(\.\d{1,9}){3}", text, re.ASCII):
        octets = [int(octet) for octet in text.split(".")]
        return Network(4, int.from_bytes(bytes(octets), "big"), 0) if max(octets) < 256 else None
    try:
        return Network(6, int(ipaddress.IPv6Address(text)), 0) if "%" not in text else None
    except ipaddress.AddressValueError:
        return None


def read_network(text: str) -> Network | None:
    """An address with or without a mask; no mask means one address."""
    head, slash, mask = text.partition("/")
    address = read_address(head)
    if address is None or not slash:
        return address
    bits = 32 if address.version == 4 else 128
    length = int(mask) if _MASK.fullmatch(mask) else bits + 1
    return Network(address.version, address.address, bits - length) if length <= bits else None
