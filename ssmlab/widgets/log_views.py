"""What the log lab shows for a state of its controls: pure, without widgets, tested without a browser."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from ssmlab.commands import Command
from ssmlab.logs import MetricFilter, PatternError, alarm_states, compile_filter, load_logs, metric_values
from ssmlab.snapshots import Snapshot
from ssmlab.widgets.command_views import send_first, shorten
from ssmlab.widgets.filters import Flags
from ssmlab.widgets.texts import show_controls, write_lines, write_list
from ssmlab.words import say_count, say_some

ALL, MATCHED = "all messages", "matches"
MOST_MESSAGES: Final = 200
_LONGEST: Final = 2000  # characters of a message
_KEPT: Final = "\n\t"
_STARTS: Final = ("ERROR", "%[Ee]rror%", "?fail ?Fail ?FAIL", "")
_SHORT, _PERIOD = 10, 60


@dataclass(frozen=True, slots=True)
class State:
    """What the controls say.

    Attributes
    ----------
    pattern
        A filter pattern.
    shown
        "all messages" or "matches".
    value, default
        Of the metric filter: a number, a selector or a field; what a period without a match has, "" for nothing.
    period, statistic
        Seconds; as in `metric_values`.
    threshold, comparison, evaluation_periods, datapoints, missing
        Of the alarm: as in `alarm_states`.
    """

    pattern: str = ""
    shown: str = MATCHED
    value: str = "1"
    default: str = ""
    period: int = _PERIOD
    statistic: str = "Sum"
    threshold: str = "1"
    comparison: str = "GreaterThanOrEqualToThreshold"
    evaluation_periods: int = 1
    datapoints: int = 1
    missing: str = "missing"


def gather_logs(data: Any) -> pd.DataFrame:
    """The log events of a command, of exported files, of a first command on a snapshot; or the frame itself.

    Raises
    ------
    LoadError
        For files that hold something else.
    ValueError
        For a frame without the columns `timestamp` and `message`.
    """
    if isinstance(data, Snapshot):
        data = send_first(data)[0] or {"timestamp": [], "message": []}
    if isinstance(data, str | Path):
        data = load_logs(data).events
    frame: pd.DataFrame = data.log_events if isinstance(data, Command) else pd.DataFrame(data)
    if missing := [name for name in ("timestamp", "message") if name not in frame]:
        raise ValueError(
            f"expected log events with the columns `timestamp` and `message`, got none named `{missing[0]}`"
        )
    given = frame["timestamp"]
    how: dict[str, Any] = {"unit": "ms"} if given.dtype.kind in "iuf" else {"format": "mixed"}
    times = pd.to_datetime(given, utc=True, errors="coerce", **how)
    for place in np.flatnonzero(times.isna() & given.notna()):
        raise ValueError(f"log event {place}: expected a time in `timestamp`, got `{given.iloc[place]}`")
    return frame.assign(timestamp=times, message=frame["message"].astype("str")).reset_index(drop=True)


def first_state(frame: pd.DataFrame) -> dict[str, Any]:
    """A pattern that finds something, and periods that fit the time between the first event and the last."""
    found = next((text for text in _STARTS if compile_filter(text).flags(frame["message"]).any()), "")
    is_short = len(frame) > 0 and frame["timestamp"].max() - frame["timestamp"].min() < pd.Timedelta(minutes=5)
    return {"pattern": found, "period": _SHORT if is_short else _PERIOD}


def describe_logs(frame: pd.DataFrame) -> str:
    """How many log events there are, from when to when."""
    if frame.empty:
        return "no log events"
    if frame["timestamp"].isna().all():
        return f"{say_count(len(frame), 'log event')} without a time"
    first, last = (time.strftime("%Y-%m-%d %H:%M:%S") for time in (frame["timestamp"].min(), frame["timestamp"].max()))
    groups = sorted({str(group) for group in frame.get("log_group", pd.Series(dtype="str")) if group})
    told = f"{say_count(len(frame), 'log event')}, {first} to {last}"
    return show_controls(f"{told}{', ' if groups else ''}{', '.join(groups[:3])}")


def write_messages(
    frame: pd.DataFrame, pattern: str, flags: Flags, shown: str, names: Mapping[str, str]
) -> tuple[str, str]:
    """HTML of the first messages, matches marked, with node (by its name, where there is one) and stream; and whether
    some are left out, in words.
    """
    rows = np.flatnonzero(flags | (shown == ALL))
    compiled, listed = compile_filter(pattern), list[str]()
    here, has_streams = frame.assign(match=flags).iloc[rows[:MOST_MESSAGES]], "log_stream" in frame
    streams = [_say_stream(str(name), names) if has_streams else [] for name in here.get("log_stream", here["match"])]
    told = here[["timestamp", "message", "match"]].itertuples(index=False)
    for (time, message, is_match), stream in zip(told, streams, strict=True):
        spans = compiled.spans(message) if is_match else []
        sign = "<b title='it matches'>✓</b>" if is_match else "<span title='it does not match'>·</span>"
        cells = [sign, _say_time(time), *(html.escape(shorten(text, 30)) for text in stream)]
        begin = "".join(f"<td style='white-space: nowrap'>{cell}</td>" for cell in cells)
        listed.append(f"<tr>{begin}<td>{mark_spans(message, spans)}</td></tr>")
    heads = ["match", "time", *["node", "stream"] * has_streams, "message"]
    head = "".join(f"<th scope='col'>{name}</th>" for name in heads)
    table = f"<table class='ssmlab-messages'><thead><tr>{head}</tr></thead><tbody>{''.join(listed)}</tbody></table>"
    words = f"The first {MOST_MESSAGES} are shown." if len(rows) > MOST_MESSAGES else ""
    return (table if listed else write_lines("No message to show: none matches.")), words


def _say_stream(name: str, names: Mapping[str, str]) -> list[str]:
    """Node and stream; Run Command names a log stream `command/node/plugin/stream`."""
    parts = name.split("/")
    return [names.get(parts[1]) or parts[1], parts[3]] if len(parts) == 4 else ["", name]


def mark_spans(message: str, spans: Sequence[tuple[int, int]]) -> str:
    """HTML of a message with these parts marked; control characters are visible.

    >>> mark_spans("a <b> c", [(2, 5)])
    'a <mark>&lt;b&gt;</mark> c'
    """
    parts, end = list[str](), 0
    for start, stop in spans:
        parts += [_show(message[end:start]), f"<mark>{_show(message[start:stop])}</mark>"]
        end = stop
    cut = message[end : max(end, _LONGEST)]
    return "".join([*parts, _show(cut), "…" if end + len(cut) < len(message) else ""])


def _show(text: str) -> str:
    return html.escape(show_controls(text, keep=_KEPT))


def _say_time(time: pd.Timestamp) -> str:
    return "" if pd.isna(time) else time.strftime("%H:%M:%S")


def say_matches(flags: Flags) -> str:
    """How many match."""
    return say_some(int(flags.sum()), len(flags), "message", "matches", "match") + "."


def tell_other_case(frame: pd.DataFrame, pattern: str, flags: Flags) -> str:
    """Of a pattern that finds nothing: how many messages hold it in other letters; nothing for none.

    >>> tell_other_case(pd.DataFrame({"message": ["ERROR a"]}), "error", np.array([False]))
    '1 line holds it in other letters: filter patterns count upper and lower case.'
    """
    if flags.any() or "%" in pattern:  # of a regular expression, letters in another case mean something else
        return ""
    try:
        found = int(compile_filter(pattern.lower()).flags(frame["message"].str.lower()).sum())
    except PatternError:  # such as a keyword in small letters
        return ""
    held = say_count(found, "line", "holds", "hold")
    return f"{held} it in other letters: filter patterns count upper and lower case." if found else ""


def explain_place(error: PatternError) -> str:
    """HTML of what is wrong with a filter pattern: the place marked in it, and the reason."""
    said = f"<p role='alert'>At character {error.where + 1}: {_show(error.reason)}</p>"
    start = max(0, error.where - 100)
    near = error.pattern.ljust(error.where + 1)[start : error.where + 100]  # what is missing at the end is a blank
    return f"{said}<pre>{mark_spans(near, [(error.where - start, error.where - start + 1)])}</pre>"


def measure(frame: pd.DataFrame, state: State, flags: Flags | None = None) -> pd.DataFrame:
    """The metric and the alarm: columns `period_start`, `value` and `state`; `flags`: which log events match.

    Raises
    ------
    PatternError, ValueError
        For a pattern, a metric filter or an alarm that CloudWatch refuses.
    """
    most, asked = state.evaluation_periods, state.datapoints
    if asked > most:
        raise ValueError(f"expected at most {most} of the last {say_count(most, 'period')}, got {asked}")
    default = float(_number("default", state.default)) if state.default.strip() else None
    metric = MetricFilter(state.pattern, state.value.strip(), default)
    values = metric_values(metric, frame, state.period, state.statistic, flags)[["period_start", "value"]]
    states = alarm_states(
        values["value"],
        threshold=_number("threshold", state.threshold),
        comparison=state.comparison,
        evaluation_periods=state.evaluation_periods,
        datapoints_to_alarm=state.datapoints,
        treat_missing_data=state.missing,
    )
    return values.assign(state=pd.Series(states, index=values.index, dtype="str"))


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{name}: expected a number, got `{text}`") from None


def list_runs(states: Sequence[str]) -> list[tuple[str, int, int]]:
    """Equal states in a row: the state, the first period and the one after the last.

    >>> list_runs(["OK", "ALARM", "ALARM"])
    [('OK', 0, 1), ('ALARM', 1, 3)]
    """
    runs = [(state, len([*same])) for state, same in groupby(states)]
    ends = accumulate(length for _, length in runs)
    return [(state, end - length, end) for (state, length), end in zip(runs, ends, strict=True)]


def describe_metric(measured: pd.DataFrame, state: State) -> str:
    """The values in words."""
    if measured.empty:
        return "There is no log event, so the metric has no period and the alarm no state."
    values, times = measured["value"], measured["period_start"]
    gaps, highest = values.isna(), "no period has a value"
    if not gaps.all():
        highest = f"the highest is {values.max():g} at {_say_time(times[int(values.argmax())])}"
    return f"{say_count(len(values), 'period')} of {state.period} s: {highest}; {gaps.sum()} without a value."


def say_alarm(measured: pd.DataFrame) -> str:
    """When the alarm is ALARM, in words."""
    if measured.empty:
        return ""
    times = measured["period_start"]
    alarms = [
        f"{_say_time(times[start])}{f' to {_say_time(times[end - 1])}' if end - start > 1 else ''}"
        for name, start, end in list_runs([*measured["state"]])
        if name == "ALARM"
    ]
    told = "It is never ALARM"
    if alarms:
        told = f"It is ALARM in the periods {', '.join(alarms[:6])}{' …' if len(alarms) > 6 else ''}"
    return f"{told}, and {measured['state'].iloc[-1]} at the end."


def explain_logs(pattern: str, flags: Flags) -> str:
    """HTML of what a pattern finds, what a metric can take from it, and its doubts."""
    compiled = compile_filter(pattern)
    names = f"A metric may take its value from {', '.join(compiled.names)}." if compiled.names else ""
    doubts = f"<b>Doubt</b>{write_list(compiled.doubts)}" if compiled.doubts else ""
    hint = "Marked is what the pattern found." if flags.any() else ""
    return write_lines(*filter(None, (hint, names))) + doubts


def list_periods(measured: pd.DataFrame) -> pd.DataFrame:
    """The periods as people read them."""
    shown = {
        "period": measured["period_start"].dt.strftime("%Y-%m-%d %H:%M:%S"),
        "value": ["no value" if pd.isna(value) else f"{value:g}" for value in measured["value"]],
        "alarm": measured["state"],
    }
    return pd.DataFrame(shown)


def explain_period(frame: pd.DataFrame, measured: pd.DataFrame, row: int, state: State) -> str:
    """HTML of a period: its value, the state after it, and the messages that made it."""
    start, found = measured["period_start"].iloc[row], measured.iloc[row]
    there = frame[(frame["timestamp"] >= start) & (frame["timestamp"] < start + pd.Timedelta(seconds=state.period))]
    flags = compile_filter(state.pattern).flags(there["message"])
    value = "no value" if pd.isna(found["value"]) else f"the value {found['value']:g}"
    head = f"{_say_time(start)}: {value}; the alarm is {found['state']} after it."
    none = "There is no log event in it." if there.empty else ""
    lines = [message[:_LONGEST] for message in there.loc[flags, "message"]]
    return write_lines(head, none, say_matches(flags) if len(there) else "") + write_list(lines, 8)
