"""A call of SendCommand, checked as the API checks it before anything is looked up.

Sources: API reference, `SendCommand`, `Target` and the patterns of its parameters; recordings of AWS, September 2026.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ssmlab.commands.errors import CommandError
from ssmlab.policies import scalar_text

DEFAULT_TIMEOUT: Final = 3600  # of TimeoutSeconds, and of an executionTimeout that is not given
INSTANCE_IDS, GROUP, GROUP_TYPES = "InstanceIds", "resource-groups:Name", "resource-groups:ResourceTypeFilters"
TAG: Final = "tag:"
TAG_KEY: Final = "tag-key"
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
    """

    document: str
    ids: tuple[str, ...] | None
    targets: tuple[Target, ...]
    concurrency: str
    errors: str
    timeout: int
    parameters: Mapping[str, tuple[str, ...]] | None


def read_call(
    document: str,
    instance_ids: Iterable[str] | str | None,
    targets: Sequence[Mapping[str, Any]] | Mapping[str, Any] | None,
    concurrency: str | int,
    errors: str | int,
    timeout: int | None,
    parameters: Mapping[str, Any] | None,
) -> Call:
    """A checked call.

    Raises
    ------
    CommandError
        "ValidationException", "DuplicateInstanceId", "InvalidParameters".
    """
    ids = None if instance_ids is None else _read_ids(instance_ids)
    listed = [targets] if isinstance(targets, Mapping) else list(targets or ())
    if bool(ids) == bool(listed):
        raise _invalid("either instance ids or targets", "both" if ids else "neither")
    found = tuple(map(_read_target, listed))
    _check_targets(found)
    seconds = DEFAULT_TIMEOUT if timeout is None else timeout
    if not 30 <= seconds <= 2_592_000:
        raise _invalid("`timeoutSeconds` from 30 to 2592000", f"`{seconds}`")
    _check_pattern("maxConcurrency", concurrency, _CONCURRENCY)
    _check_pattern("maxErrors", errors, _ERRORS)
    return Call(document, ids or None, found, str(concurrency), str(errors), seconds, _read_parameters(parameters))


def resolve_limit(limit: str, total: int) -> tuple[int, bool]:
    """A number, or a percentage of all targets rounded down; and whether that was rounded."""
    if not limit.endswith("%"):
        return int(limit), False
    number, rest = divmod(int(limit[:-1]) * total, 100)
    return number, rest > 0


def _read_ids(given: Iterable[str] | str) -> tuple[str, ...]:
    ids = tuple(text.rpartition("/")[2] for text in ([given] if isinstance(given, str) else given))
    for node_id in ids:
        _check_pattern("instanceIds", node_id, _ID)
    if len(ids) > 50:
        raise _invalid("at most 50 `instanceIds`", f"{len(ids)}")
    if twice := _first_twice(ids):
        raise CommandError("DuplicateInstanceId", f"expected every instance id once, got `{twice}` twice")
    return ids


def _read_target(given: Mapping[str, Any]) -> Target:
    if not isinstance(given, Mapping) or set(given) - {"Key", "Values"} or not isinstance(given.get("Key"), str):
        raise _invalid('targets such as {"Key": "tag:Env", "Values": ["dev"]}', f"`{given}`")
    values = given.get("Values")
    key = INSTANCE_IDS if given["Key"].lower() == INSTANCE_IDS.lower() else given["Key"]
    if isinstance(values, str) or not values or not all(isinstance(value, str) for value in values):
        raise _invalid(f"a list of texts as `Values` of `{key}`", f"`{values}`")
    return Target(key, tuple(values))


def _check_targets(targets: tuple[Target, ...]) -> None:
    keys = [target.key for target in targets]
    by_key = dict(zip(keys, targets, strict=True))
    if len(targets) > 5:
        raise _invalid("at most 5 `targets`", f"{len(targets)}")
    if twice := _first_twice(keys):
        raise _invalid("every key of `targets` once", f"`{twice}` twice")
    for target in targets:
        _check_target(target)
    grouped = {GROUP, GROUP_TYPES}.intersection(keys)
    if grouped and not {*keys} <= {GROUP, GROUP_TYPES}:
        raise _invalid("a resource group beside no other target", ", ".join(f"`{key}`" for key in keys))
    if GROUP_TYPES in keys and GROUP not in keys:
        raise _invalid(f"`{GROUP_TYPES}` beside `{GROUP}`", f"`{GROUP_TYPES}` alone")
    if GROUP in keys and len(by_key[GROUP].values) > 1:
        raise _invalid("one resource group", f"{len(by_key[GROUP].values)}")
    if GROUP_TYPES in keys and not {*by_key[GROUP_TYPES].values} & {*NODE_TYPES}:
        wanted = " or ".join(f"`{name}`" for name in NODE_TYPES)
        raise _invalid(f"{wanted} among `{GROUP_TYPES}`", f"`{', '.join(by_key[GROUP_TYPES].values)}`")


def _check_target(target: Target) -> None:
    if target.key not in (INSTANCE_IDS, GROUP, GROUP_TYPES, TAG_KEY) and not target.key.startswith(TAG):
        raise _invalid(f"a target key `{INSTANCE_IDS}`, `{TAG}<key>`, `{GROUP}` or `{GROUP_TYPES}`", f"`{target.key}`")
    _check_pattern("targets", target.key, _KEY, re.UNICODE)
    most = 5 if target.key == GROUP_TYPES else 50
    if len(target.values) > most:
        raise _invalid(f"at most {most} values of `{target.key}`", f"{len(target.values)}")
    if twice := _first_twice(target.values):
        raise _invalid(f"every value of `{target.key}` once", f"`{twice}` twice")
    for node_id in target.values if target.key == INSTANCE_IDS else ():
        _check_pattern("targets", node_id, _ID)


def _read_parameters(given: Mapping[str, Any] | None) -> dict[str, tuple[str, ...]] | None:
    if given is None:
        return None
    found = {name: tuple(map(scalar_text, _listed(value))) for name, value in given.items()}
    size = sum(len(text.encode()) for name, values in found.items() for text in (name, *values))
    if size > _MOST_PAYLOAD:
        raise _invalid("at most 97KB of parameters", f"{size:,} bytes")
    return found


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else [value]


def _check_pattern(member: str, value: Any, pattern: str, flags: re.RegexFlag = re.ASCII) -> None:
    if isinstance(value, bool) or not re.search(pattern, str(value), flags) or str(value).endswith("\n"):
        raise CommandError(
            "ValidationException",
            f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: "
            f"Member must satisfy regular expression pattern: {pattern}",
        )


def _invalid(expected: str, got: str) -> CommandError:
    return CommandError("ValidationException", f"expected {expected}, got {got}")


def _first_twice(texts: Sequence[str]) -> str | None:
    return next((text for place, text in enumerate(texts) if text in texts[:place]), None)
