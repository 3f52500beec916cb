"""Answers to data: each reader takes text or plain data, and refuses the rest by place. Nothing is executed."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from ssmlab import events, logs
from ssmlab.policies import PolicyError, RepeatedKeys, parse_policy, read_json
from ssmlab.snapshots.schema import listed
from ssmlab.words import shorten

_MOST: Final = {"key": 128, "value": 256}  # letters in a tag [Tagging AWS Resources User Guide, tag naming limits]
_ALARM: Final = {  # PutMetricAlarm → `alarm_states`
    "Threshold": "threshold",
    "ComparisonOperator": "comparison",
    "EvaluationPeriods": "evaluation_periods",
    "DatapointsToAlarm": "datapoints_to_alarm",
    "TreatMissingData": "treat_missing_data",
}


_LISTS: Final = (tuple, set, frozenset, np.ndarray, pd.Series, pd.Index, pd.api.extensions.ExtensionArray)


class AnswerError(ValueError):
    """An answer that cannot be read: where, what was expected, what was got."""


def read_policy(answer: Any) -> Mapping[str, Any]:
    """A policy as an object; `check_policy` says whether it can be stored."""
    return _read_object(answer, "a policy")


def check_policy(body: Mapping[str, Any], layer: str = "identity") -> None:
    """Refuse what IAM would not store in this place."""
    try:
        problems = parse_policy(body, layer=layer).problems
    except PolicyError as error:
        raise AnswerError(str(error)) from None
    for problem in problems:
        raise AnswerError(f"IAM would refuse this policy: {_say_place(problem.where)}: {problem.what}")


def _say_place(path: str) -> str:
    """A JSON path in words, statements counted from 1 as everywhere else."""
    number, rest = re.match(r"\$\.?(?:Statement(?:\[(\d+)\])?\.?)?(.*)", path).groups()  # type: ignore[union-attr]
    where = f"in statement {int(number or 0) + 1}" if path.startswith("$.Statement") else "in the policy"
    return f"{where}, `{rest}`" if rest else where


def read_tags(answer: Any) -> Mapping[str, str | None]:
    """Tags: key → value; null removes a tag."""
    body = _read_object(answer, "tags")
    for key, value in body.items():
        if not (isinstance(value, str) or value is None):
            raise AnswerError(f"tag `{key}`: expected a text, or None to remove the tag, got `{json.dumps(value)}`")
        for what, text in (("key", key), ("value", value or "")):
            if len(text) > _MOST[what]:
                raise AnswerError(f"tag `{key[:20]}`: expected a {what} of at most {_MOST[what]} letters")
        if key.lower().startswith(("aws:", "tag:")):
            raise AnswerError(
                f"tag `{key}`: keys that begin with `aws:` are AWS's own; `tag:` is written in tables only"
            )
    return body


def read_request(answer: Any) -> Mapping[str, Any]:
    """What a request carries: condition key → value; null: known to be absent."""
    body = _read_object(answer, "a request: condition keys and their values")
    for key, value in body.items():
        if ":" not in key:
            raise AnswerError(f"expected a condition key such as `aws:SourceIp`, got `{key}`")
        texts = value if isinstance(value, list) else [value]
        if not all(isinstance(text, str) or (text is None and text is value) for text in texts):
            raise AnswerError(f'`{key}`: requests carry texts: expected `"true"`, not `true`, or None for absent')
        if key.lower() == "aws:sourceip" and "/" in str(value):
            raise AnswerError(f"`{key}`: a request carries one address, such as `203.0.113.9`, not a range")
    return body


def read_names(answer: Any) -> list[str]:
    """Names: a list, tuple, set or array of texts, a column or index of a frame, or one text with commas or lines."""
    if isinstance(answer, pd.DataFrame):
        columns = listed(f'["{column}"]' for column in answer.columns)
        raise AnswerError(f"expected a list of names, got a whole table: take one column of it, such as {columns}")
    if isinstance(answer, _LISTS):
        answer = sorted(answer, key=str) if isinstance(answer, set | frozenset) else list(answer)
    if isinstance(answer, list) and any(isinstance(name, float) and name != name for name in answer):
        raise AnswerError("a machine in your list has no name, it is `nan`: take the column `node_id`, or fewer rows")
    if isinstance(answer, str) and not answer.lstrip().startswith("["):
        return [name for part in re.split(r"[,\n]", answer) if (name := part.strip())]
    names = _read_json(answer)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise AnswerError(f'expected a list of names, such as `["name-1", "name-2"]`, got `{shorten(str(names), 40)}`')
    return names


def read_event_pattern(answer: Any) -> Mapping[str, Any]:
    """An event pattern that EventBridge takes."""
    body = _read_object(answer, "an event pattern")
    try:
        events.compile_pattern(body)
    except events.PatternError as error:
        raise AnswerError(f"EventBridge would refuse this pattern: {error}") from None
    return body


def read_filter_pattern(answer: Any) -> str:
    """A filter pattern that CloudWatch Logs takes."""
    if not isinstance(answer, str):
        raise AnswerError(f"expected a filter pattern as text, got `{shorten(str(answer), 40)}`")
    try:
        return logs.compile_filter(answer).pattern
    except logs.PatternError as error:
        raise AnswerError(f"CloudWatch Logs would refuse this pattern: {error}") from None


def read_alarm(answer: Any) -> dict[str, Any]:
    """The settings of an alarm, in CloudWatch's names, as arguments of `alarm_states`."""
    body = _read_object(answer, "an alarm")
    for name in body:
        if name not in _ALARM:
            raise AnswerError(f"expected the settings {listed(_ALARM)}, got `{name}`")
    for name in ("Threshold", "ComparisonOperator", "EvaluationPeriods"):
        if name not in body:
            raise AnswerError(f"the alarm lacks `{name}`")
    settings = {_ALARM[name]: value for name, value in body.items()}
    try:
        logs.alarm_states([], **settings)
    except (TypeError, ValueError) as error:
        own = {f"`{theirs}`": f"`{name}`" for name, theirs in _ALARM.items()}
        said = re.sub("`\\w+`", lambda found: own.get(found[0], found[0]), str(error))
        raise AnswerError(f"CloudWatch would refuse this alarm: {said}") from None
    return settings


def _read_object(answer: Any, what: str) -> Mapping[str, Any]:
    body = _read_json(answer)
    if not isinstance(body, dict):
        raise AnswerError(f"expected {what} as a JSON object, got `{shorten(str(body), 40)}`")
    if isinstance(body, RepeatedKeys):
        raise AnswerError(f"the key {listed(body.repeated)} stands more than once in one object: only one would count")
    return body


def _read_json(answer: Any) -> Any:
    """JSON, from text or from plain Python data."""
    try:
        return read_json(answer if isinstance(answer, str) else json.dumps(answer))
    except json.JSONDecodeError as error:
        raise AnswerError(_say_json(error)) from None
    except (TypeError, ValueError, RecursionError):
        raise AnswerError(f"expected JSON text or plain data, got `{type(answer).__name__}`") from None


def _say_json(error: json.JSONDecodeError) -> str:
    line = error.doc.split("\n")[error.lineno - 1]
    near = f", near `{line[max(0, error.colno - 21) : error.colno + 9].strip()}`" if line.strip() else ""
    return f"this is not JSON yet: {error.msg.lower()} at line {error.lineno}, column {error.colno}{near}"
