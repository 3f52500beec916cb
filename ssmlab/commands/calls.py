"""A call of SendCommand, checked as the API checks it before anything is looked up.

Sources: API reference, `SendCommand`, `Target` and the patterns of its parameters; recordings of AWS, September 2026.
"""

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
NODE_TYPES: Final = ("AWS::EC2::Instance", "AWS::SSM::ManagedInstance")
_GROUPED: Final = {GROUP, GROUP_TYPES}
_MOST_PAYLOAD: Final = 100_000  # bytes
# Member of the call → the pattern that the API prints, and what that means.
_PATTERNS: Final = {
    "instanceIds": (r"(^i-(\w{8}|\w{17})$)|(^mi-\w{17}$)", "`i-` and 8 or 17 letters or digits, or `mi-` and 17"),
    "targets": (r"^[\w\s.:/=@-]{1,163}$", "at most 163 letters, digits, spaces and `_.:/=@-` as a key"),
    "maxConcurrency": (r"^([1-9][0-9]*|[1-9][0-9]%|[1-9]%|100%)$", "a number from 1, or a percentage such as `10%`"),
    "maxErrors": (r"^([1-9][0-9]*|[0]|[1-9][0-9]%|[0-9]%|100%)$", "a number, or a percentage such as `10%`"),
}

Targets = Mapping[str, tuple[str, ...]]  # key → values, of which one must hold


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked of SendCommand.

    Attributes
    ----------
    ids
        Instance ids; empty if targets are given.
    concurrency, errors
        A number or a percentage, as text.
    timeout
        TimeoutSeconds.
    start, cancel_after, alarm_after
        When it is sent, and after how many seconds CancelCommand is called, or an alarm of the command goes off.
    """

    document: str
    ids: tuple[str, ...]
    targets: Targets
    region: str | None
    parameters: Mapping[str, tuple[str, ...]] | None
    concurrency: str
    errors: str
    timeout: int
    start: pd.Timestamp
    cancel_after: float | None = None
    alarm_after: float | None = None


def read_call(
    document: str,
    instance_ids: Iterable[str] | str | None,
    targets: Sequence[Mapping[str, Any]] | Mapping[str, Any] | None,
    region: str | None,
    parameters: Mapping[str, Any] | None,
    start: pd.Timestamp,
    concurrency: str | int = "50",
    errors: str | int = "0",
    timeout: int | None = None,
    *after: float | None,
) -> Call:
    """A checked call.

    Raises
    ------
    CommandError
        "ValidationException", "DuplicateInstanceId".
    """
    ids, found = _read_ids(instance_ids), _read_targets(targets)
    seconds = DEFAULT_TIMEOUT if timeout is None else timeout
    in_range = isinstance(seconds, int) and 30 <= seconds <= 2_592_000
    _check(
        (not isinstance(document, str), "the name or ARN of a document", document),
        (bool(ids) == bool(found), "either instance ids or targets", "both" if ids else "neither"),
        (not in_range, "`timeoutSeconds` from 30 to 2592000", seconds),
    )
    limits = _fit("maxConcurrency", concurrency), _fit("maxErrors", errors), seconds
    return Call(document, ids, found, region, _read_parameters(parameters), *limits, start, *after)


def resolve_limit(limit: str, total: int) -> tuple[int, bool]:
    """A number, or a percentage of all targets rounded down; and whether that was rounded."""
    if not limit.endswith("%"):
        return int(limit), False
    number, rest = divmod(int(limit[:-1]) * total, 100)
    return number, rest > 0


def _read_ids(given: Iterable[str] | str | None) -> tuple[str, ...]:
    texts = [given] if isinstance(given, str | int) else given or ()
    ids = tuple(_fit("instanceIds", str(text).rpartition("/")[2]) for text in texts)
    _check((len(ids) > 50, "at most 50 `instanceIds`", len(ids)))
    if twice := _twice(ids):
        raise CommandError("DuplicateInstanceId", f"expected every instance id once, got `{twice}` twice")
    return ids


def _read_targets(given: Sequence[Mapping[str, Any]] | Mapping[str, Any] | None) -> Targets:
    _check((not isinstance(given, Mapping | list | tuple | None), "a list of `targets`", given))
    pairs = [_read_target(target) for target in ([given] if isinstance(given, Mapping) else given or ())]
    of = dict(pairs)
    types = of.get(GROUP_TYPES, NODE_TYPES)
    _check(
        (len(pairs) > 5, "at most 5 `targets`", len(pairs)),
        (len(of) < len(pairs), "every key of `targets` once, not twice", _twice([key for key, _ in pairs])),
        (bool(of.keys() & _GROUPED and of.keys() - _GROUPED), "a resource group beside no other target", ", ".join(of)),
        (GROUP_TYPES in of and GROUP not in of, f"`{GROUP_TYPES}` beside `{GROUP}`", GROUP_TYPES),
        (len(of.get(GROUP, ())) > 1, "one resource group", len(of.get(GROUP, ()))),
        (not {*types} & {*NODE_TYPES}, f"`{NODE_TYPES[0]}` or `{NODE_TYPES[1]}` among the types", ", ".join(types)),
    )
    return of


def _read_target(given: Any) -> tuple[str, tuple[str, ...]]:
    is_target = isinstance(given, Mapping) and not set(given) - {"Key", "Values"} and isinstance(given.get("Key"), str)
    _check((not is_target, 'targets such as {"Key": "tag:Env", "Values": ["dev"]}', given))
    key, values = given["Key"], given.get("Values")
    key = INSTANCE_IDS if key.lower() == INSTANCE_IDS.lower() else key
    is_list = isinstance(values, list | tuple) and len(values) > 0 and all(isinstance(value, str) for value in values)
    _check((not is_list, f"a list of texts as `Values` of `{key}`", values))
    is_known, most = key in (INSTANCE_IDS, TAG_KEY, *_GROUPED) or key.startswith(TAG), 5 if key == GROUP_TYPES else 50
    _check(
        (not is_known, f"a key `{INSTANCE_IDS}`, `{TAG}<key>` or `{GROUP}`", key),
        (len(values) > most, f"at most {most} values of `{key}`", len(values)),
        (len({*values}) < len(values), f"every value of `{key}` once, not twice", _twice(values)),
    )
    _fit("targets", key)
    return key, tuple(_fit("instanceIds", value) if key == INSTANCE_IDS else value for value in values)


def _read_parameters(given: Mapping[str, Any] | None) -> dict[str, tuple[str, ...]] | None:
    if given is None:
        return None
    _check((not isinstance(given, Mapping), "`parameters` by name", given))
    lists = {str(name): value if isinstance(value, list | tuple) else [value] for name, value in given.items()}
    for name, values in lists.items():
        _check((not all(isinstance(one, str | int | float) for one in values), f"texts as parameter `{name}`", values))
    found = {name: tuple(map(scalar_text, values)) for name, values in lists.items()}
    size = sum(len(text.encode("utf-8", "replace")) for name, values in found.items() for text in (name, *values))
    _check((size > _MOST_PAYLOAD, "at most 97KB of parameters", f"{size:,} bytes"))
    return found


def _fit(member: str, value: Any) -> str:
    """The text of a value that must fit the pattern of a member."""
    text, (pattern, words) = str(value), _PATTERNS[member]
    if not re.search(pattern, text) or text.endswith("\n"):
        told = f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: "
        told = f"expected {words}, as `{member}`, got `{text}`\n{told}"
        raise CommandError("ValidationException", f"{told}Member must satisfy regular expression pattern: {pattern}")
    return text


def _check(*rules: tuple[bool, str, Any]) -> None:
    """Refuse by the first rule that is broken: is it, what was expected, what was got."""
    for is_broken, expected, got in rules:
        if is_broken:
            raise CommandError("ValidationException", f"expected {expected}, got `{got}`")


def _twice(texts: Sequence[str]) -> str | None:
    return next((text for place, text in enumerate(texts) if text in texts[:place]), None)
