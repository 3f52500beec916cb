"""Pseudonyms: a snapshot that is safe to teach with, in which everybody reaches what they reached before.

The rule: every letter and digit of a name, account, id or tag value is exchanged for another of its kind (vowel,
consonant, digit), by a secret that is not kept. What stands before it in its word decides which. So equal texts stay
equal, and `Web*` still matches the names that began with `Web`. Kept are tag keys, Regions, actions, and what AWS
itself named. Scripts in documents, and the notes of loading, are left out.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from ipaddress import ip_address, ip_network
from random import Random
from typing import Any, Final

import pandas as pd

from ssmlab.policies import RepeatedKeys
from ssmlab.reachability import reach
from ssmlab.snapshots import Snapshot
from ssmlab.snapshots.schema import SCHEMAS, TAG

_VOWELS, _CONSONANTS, _DIGITS, _HEX = "aeiou", "bcdfghjklmnpqrstvwxyz", "0123456789", "0123456789abcdef"
_VARIABLE: Final = re.compile(r"(\$\{[^}]*\})")
_PIECE: Final = re.compile(r"(?P<id>(?<![\w-])m?i-[0-9a-f]+)|[^\W_]+")  # the id of a node, or a word
_AWS_OWN: Final = re.compile(r"(AWS|Amazon|aws)(?![a-z]).*|service-role|.*\.amazonaws\.com|root")
_PLAIN: Final = re.compile(r"[-+]?\d+(\.\d+)?|\d{4}-\d\d-\d\d(T[\d:.]+Z)?|true|false")  # of numbers, dates, truths
_ACCOUNT: Final = re.compile(r"\d{12}")
_TYPES: Final = re.compile("assumed-role|document|group|(managed-)?instance|instance-profile|mfa|policy|role|user")
_KEPT_ELEMENTS: Final = ("Version", "Effect", "Action", "NotAction", "Service")
# Condition keys whose values name nobody.
_KEPT_KEYS: Final = re.compile(
    "aws:(requestedregion|multifactorauth.*|viaawsservice|securetransport|currenttime|epochtime|principaltype|tagkeys"
    "|calledvia.*|principalisawsservice)|iam:passedtoservice",
    re.IGNORECASE,
)
_TEXTS: Final = {  # frame → columns that name something; the others say what kind of thing it is
    "principals": "name account path groups boundary instance_profiles",
    "policies": "name account attached_to",
    "nodes": "node_id account name instance_profile iam_role",
    "documents": "name owner account shared_with",
}


def pseudonymise(snapshot: Snapshot, secret: str | None = None) -> Snapshot:
    """A snapshot with other names, accounts, ids, addresses and tag values, and the same reach.

    Parameters
    ----------
    secret
        What decides the pseudonyms; default: drawn anew, and forgotten.

    Raises
    ------
    ValueError
        If the reach would not be the same: a condition hangs on something else than equal texts and beginnings.

    Examples
    --------
    >>> import ssmlab
    >>> taught = pseudonymise(ssmlab.load("data/sample"), "secret")
    >>> "web-ops" in set(taught.principals["name"]), len(taught.principals)
    (False, 31)
    """
    drawn = secret or secrets.token_hex()
    for by_place in (True, False):  # a pattern that begins with `*` needs letters that do not hang on what is before
        names = Names(drawn, by_place)
        made = _rename(snapshot, names)
        if not (changed := _find_changed(snapshot, made, names)):
            return made
    raise ValueError(f"the reach of `{changed}` would change: one of its conditions compares more than names")


def _find_changed(before: Snapshot, after: Snapshot, names: Names) -> str:
    """A principal for whom a node or a document has another outcome, alone or with the other; empty: none."""
    first, second = reach(before), reach(after)
    for arn in before.principals.index:
        for side in ("nodes", "documents"):
            was, becomes = getattr(first, side)(arn), getattr(second, side)(names.change(arn))
            if not all((was[column].array == becomes[column].array).all() for column in was):
                return str(arn)
    return ""


@dataclass(frozen=True, slots=True)
class Names:
    """How texts are changed; `by_place`: does what stands before a letter in its word matter?"""

    secret: str
    by_place: bool

    def change(self, text: str) -> str:
        """An ARN part by part, any other text word by word."""
        if not text.startswith("arn:"):
            return text if _PLAIN.fullmatch(text) and not _ACCOUNT.fullmatch(text) else self._change_path(text)
        parts = text.split(":", 5)
        if len(parts) < 6 or parts[4] == "aws" or (parts[2:5:2] == ["ssm", ""]):
            return text if len(parts) == 6 else self._change_words(text)
        kind, slash, rest = parts[5].partition("/")
        named = f"{kind}/{self._change_path(rest)}" if slash and _TYPES.fullmatch(kind) else self._change_path(parts[5])
        return ":".join([*parts[:4], self._change_words(parts[4]), named])

    def change_address(self, text: str) -> str:
        """An IP address or range: another one, of the same size."""
        try:
            network = ip_network(text, strict=False)
        except ValueError:
            return text
        bits = Random(f"{self.secret} {network}").getrandbits(network.max_prefixlen)
        other = ip_address(bits if network.version == 4 else (0x20010DB8 << 96) | (bits >> 32))
        made = ip_network(f"{other}/{network.prefixlen}", strict=False)
        return str(made) if "/" in text else str(made.network_address)

    def change_policy(self, value: Any, element: str = "") -> Any:
        """A policy: what names something in it."""
        if element == "Condition" and isinstance(value, dict):
            return _map(value, lambda name, keys: _map(keys, partial(self._change_values, name)))
        if isinstance(value, dict):
            return _map(value, lambda key, held: self.change_policy(held, key))
        if isinstance(value, list):
            return [self.change_policy(item, element) for item in value]
        return self.change(value) if isinstance(value, str) and element not in _KEPT_ELEMENTS else value

    def _change_values(self, operator: str, key: str, value: Any) -> Any:
        if isinstance(value, list):
            return [self._change_values(operator, key, item) for item in value]
        if not isinstance(value, str) or _KEPT_KEYS.fullmatch(key):
            return value
        return self.change_address(value) if "IpAddress" in operator else self.change(value)

    def _change_path(self, text: str) -> str:
        """Words between slashes, but for AWS's own and for variables of policies, which stand at every second place."""
        pieces = [
            part if number % 2 or _AWS_OWN.fullmatch(part) else self._change_words(part)
            for number, piece in enumerate(_VARIABLE.split(text))
            for part in ([piece] if number % 2 else re.split("(/)", piece))
        ]
        return "".join(pieces)

    def _change_words(self, text: str) -> str:
        return _PIECE.sub(self._change_piece, text)

    def _change_piece(self, match: re.Match[str]) -> str:
        kind, dash, digits = match[0].partition("-") if match["id"] else ("", "", match[0])
        return kind + dash + _exchange(digits, self.secret, self.by_place, bool(match["id"]))


def _exchange(word: str, secret: str, by_place: bool, is_hex: bool) -> str:
    made = []
    for number, letter in enumerate(word):
        before = word[:number].lower() if by_place else ""
        other = _table(secret, before, is_hex).get(letter.lower()) or _draw_letter(f"{secret} {before} {letter}")
        made.append(other.upper() if letter.isupper() else other)
    return "".join(made)


@cache
def _table(secret: str, before: str, is_hex: bool) -> Mapping[str, str]:
    """Letter → letter of the same kind."""
    random, table = Random(f"{secret} {before}"), dict[str, str]()
    for kind in (_HEX,) if is_hex else (_VOWELS, _CONSONANTS, _DIGITS):
        table |= dict(zip(kind, random.sample(kind, len(kind)), strict=True))
    return table


def _draw_letter(seed: str) -> str:
    """For a letter of another script: one of many ideographs."""
    return chr(0x4E00 + Random(seed).randrange(20_000))


def _map(body: Any, change: Callable[[str, Any], Any]) -> Any:
    """An object with changed values; repeated keys stay seen."""
    if not isinstance(body, dict):
        return body
    made = type(body)({key: change(key, value) for key, value in body.items()})
    if isinstance(body, RepeatedKeys) and isinstance(made, RepeatedKeys):
        made.repeated = body.repeated
    return made


def _rename(snapshot: Snapshot, names: Names) -> Snapshot:
    frames = {name: _rename_frame(name, getattr(snapshot, name), names) for name in SCHEMAS}
    organization = snapshot.organization.assign(
        **{column: _change_column(snapshot.organization[column], names) for column in ("account", "target")}
    )
    manager = snapshot.management_account and names.change(snapshot.management_account)
    bare = replace(snapshot, organization=organization, noted=snapshot.noted[:0], management_account=manager)
    return bare.replace(**frames)


def _rename_frame(name: str, frame: pd.DataFrame, names: Names) -> pd.DataFrame:
    """The columns of the schema and the tags; what else was loaded is left out."""
    tags = [column for column in frame.columns if column.startswith(TAG)]
    changed: dict[str, Any] = {
        column: _change_column(frame[column], names) for column in (*_TEXTS[name].split(), *tags)
    }
    for column in ("document", "trust"):
        if column in frame:
            changed[column] = frame[column].map(names.change_policy, na_action="ignore")
    changed |= {column: None for column in ("content",) if column in frame}
    changed |= {column: value for column, value in (("file", ""), ("where", "$")) if column in frame}
    index = pd.Index([names.change(arn) for arn in frame.index], name=frame.index.name)
    return frame[[*SCHEMAS[name].columns, *tags]].assign(**changed).set_axis(index)


def _change_column(column: pd.Series[Any], names: Names) -> pd.Series[Any]:
    """Texts, or tuples of texts; what is missing stays missing."""

    def change(value: Any) -> Any:
        return tuple(map(names.change, value)) if isinstance(value, tuple) else names.change(value)

    return column.astype(object).map(change, na_action="ignore")
