"""A call of SendCommand, checked as the API checks it before anything is looked up.

Sources: API reference, `SendCommand`, `Target` and the patterns of its parameters; recordings of AWS, September 2026.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from ssmlab.commands.errors import CommandError
from ssmlab.policies import scalar_text

DEFAULT_TIMEOUT: Final = 3600  # of TimeoutSeconds, and of an executionTimeout that is not given
INSTANCE_IDS, GROUP, GROUP_TYPES = "InstanceIds", "resource-groups:Name", "resource-groups:ResourceTypeFilters"
TAG: Final = "tag:"
TAG_KEY: Final = "tag-key"
_GROUPED: Final = {GROUP, GROUP_TYPES}
NODE_TYPES: Final = ("AWS::EC2::Instance", "AWS::SSM::ManagedInstance")
_MOST_PAYLOAD: Final = 100_000  # bytes
_ID: Final = r"(^i-(\w{8}|\w{17})$)|(^mi-\w{17}$)"
_KEY: Final = r"^[\w\s.:/=@-]{1,163}$"
_CONCURRENCY: Final = r"^([1-9][0-9]*|[1-9][0-9]%|[1-9]%|100%)$"
_ERRORS: Final = r"^([1-9][0-9]*|[0]|[1-9][0-9]%|[0-9]%|100%)$"


@dataclass(frozen=True, slots=True)
class Target:
    """A key and its values, of which one must hold."""

    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked of SendCommand.

    Attributes
    ----------
    ids
        Instance ids, None if targets are given.
    concurrency, errors
        A number or a percentage, as text.
    timeout
        TimeoutSeconds.
    start, cancel_after
        When it is sent, and after how many seconds CancelCommand is called.
    """

    document: str
    ids: tuple[str, ...] | None
    targets: tuple[Target, ...]
    concurrency: str
    errors: str
    timeout: int
    parameters: Mapping[str, tuple[str, ...]] | None
    region: str | None
    start: pd.Timestamp
    cancel_after: float | None = None


def read_call(
    document: str,
    instance_ids: Iterable[str] | str | None,
    targets: Sequence[Mapping[str, Any]] | Mapping[str, Any] | None,
    region: str | None,
    start: pd.Timestamp,
    *,
    concurrency: str | int = "50",
    errors: str | int = "0",
    timeout: int | None = None,
    parameters: Mapping[str, Any] | None = None,
    cancel_after: float | None = None,
) -> Call:
    """A checked call.

    Raises
    ------
    CommandError
        "ValidationException", "DuplicateInstanceId", "InvalidParameters".
    """
    ids = None if instance_ids is None else _read_ids(instance_ids)
    found = tuple(map(_read_target, [targets] if isinstance(targets, Mapping) else targets or ()))
    seconds = DEFAULT_TIMEOUT if timeout is None else timeout
    _check(
        (bool(ids) == bool(found), "either instance ids or targets", "both" if ids else "neither"),
        (not 30 <= seconds <= 2_592_000, "`timeoutSeconds` from 30 to 2592000", seconds),
    )
    _check_targets(found)
    _check_pattern("maxConcurrency", concurrency, _CONCURRENCY)
    _check_pattern("maxErrors", errors, _ERRORS)
    limits = str(concurrency), str(errors), seconds, _read_parameters(parameters)
    return Call(document, ids or None, found, *limits, region, start, cancel_after)


def resolve_limit(limit: str, total: int) -> tuple[int, bool]:
    """A number, or a percentage of all targets rounded down; and whether that was rounded."""
    if not limit.endswith("%"):
        return int(limit), False
    number, rest = divmod(int(limit[:-1]) * total, 100)
    return number, rest > 0


def _read_ids(given: Iterable[str] | str) -> tuple[str, ...]:
    ids = tuple(str(text).rpartition("/")[2] for text in ([given] if isinstance(given, str) else given))
    for node_id in ids:
        _check_pattern("instanceIds", node_id, _ID)
    _check((len(ids) > 50, "at most 50 `instanceIds`", len(ids)))
    if twice := _twice(ids):
        raise CommandError("DuplicateInstanceId", f"expected every instance id once, got `{twice}` twice")
    return ids


def _read_target(given: Any) -> Target:
    is_target = isinstance(given, Mapping) and not set(given) - {"Key", "Values"} and isinstance(given.get("Key"), str)
    _check((not is_target, 'targets such as {"Key": "tag:Env", "Values": ["dev"]}', given))
    key, values = given["Key"], given.get("Values")
    is_list = isinstance(values, list | tuple) and len(values) > 0 and all(isinstance(value, str) for value in values)
    _check((not is_list, f"a list of texts as `Values` of `{key}`", values))
    return Target(INSTANCE_IDS if key.lower() == INSTANCE_IDS.lower() else key, tuple(values))


def _check_targets(targets: tuple[Target, ...]) -> None:
    of = {target.key: target.values for target in targets}
    groups, types = of.get(GROUP, ()), of.get(GROUP_TYPES, NODE_TYPES)
    _check(
        (len(targets) > 5, "at most 5 `targets`", len(targets)),
        (len(of) < len(targets), "every key of `targets` once, not twice", _twice([t.key for t in targets])),
        (bool(of.keys() & _GROUPED and of.keys() - _GROUPED), "a resource group beside no other target", ", ".join(of)),
        (GROUP_TYPES in of and GROUP not in of, f"`{GROUP_TYPES}` beside `{GROUP}`", GROUP_TYPES),
        (len(groups) > 1, "one resource group", len(groups)),
        (not {*types} & {*NODE_TYPES}, f"`{NODE_TYPES[0]}` or `{NODE_TYPES[1]}` among the types", ", ".join(types)),
    )
    for key, values in of.items():
        _check_target(key, values)


def _check_target(key: str, values: tuple[str, ...]) -> None:
    known, most = (INSTANCE_IDS, TAG_KEY, *_GROUPED), 5 if key == GROUP_TYPES else 50
    _check(
        (key not in known and not key.startswith(TAG), f"a key `{INSTANCE_IDS}`, `{TAG}<key>` or `{GROUP}`", key),
        (len(values) > most, f"at most {most} values of `{key}`", len(values)),
        (len({*values}) < len(values), f"every value of `{key}` once, not twice", _twice(values)),
    )
    _check_pattern("targets", key, _KEY, re.UNICODE)
    for node_id in values if key == INSTANCE_IDS else ():
        _check_pattern("targets", node_id, _ID)


def _read_parameters(given: Mapping[str, Any] | None) -> dict[str, tuple[str, ...]] | None:
    if given is None:
        return None
    lists = {name: value if isinstance(value, list | tuple) else [value] for name, value in given.items()}
    found = {name: tuple(map(scalar_text, values)) for name, values in lists.items()}
    size = sum(len(text.encode()) for name, values in found.items() for text in (name, *values))
    _check((size > _MOST_PAYLOAD, "at most 97KB of parameters", f"{size:,} bytes"))
    return found


def _check_pattern(member: str, value: Any, pattern: str, flags: re.RegexFlag = re.ASCII) -> None:
    if isinstance(value, bool) or not re.search(pattern, str(value), flags) or str(value).endswith("\n"):
        text = f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: "
        raise CommandError("ValidationException", f"{text}Member must satisfy regular expression pattern: {pattern}")


def _check(*rules: tuple[bool, str, Any]) -> None:
    """Refuse by the first rule that is broken: is it, what was expected, what was got."""
    for is_broken, expected, got in rules:
        if is_broken:
            raise CommandError("ValidationException", f"expected {expected}, got `{got}`")


def _twice(texts: Sequence[str]) -> str | None:
    return next((text for place, text in enumerate(texts) if text in texts[:place]), None)
