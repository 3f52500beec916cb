"""What the event lab shows for a state of its controls: pure, without widgets, tested without a browser."""

from __future__ import annotations

import html
import json
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from ssmlab.commands import Command
from ssmlab.commands.notices import OF_COMMAND, OF_NODE
from ssmlab.events import EventError, PatternError, compile_pattern, explain_mismatch, load_events
from ssmlab.reachability.columns import Codes
from ssmlab.snapshots import Snapshot
from ssmlab.widgets.command_views import list_events, send_first
from ssmlab.widgets.filters import Flags
from ssmlab.widgets.texts import show_controls, write_json, write_lines, write_list
from ssmlab.words import say_count, say_some, shorten

Events = Sequence[Mapping[str, Any]]
OWN: Final = "my own"
ALL, MATCHED, OTHERS = "all events", "matches", "no match"
_SSM: Final = {"source": ["aws.ssm"]}
_MOST_ASKED, _MOST_VALUES = 2_000, 8  # events that are asked why they do not match; values that are told
_RUNS: Final = "AWS-RunPatchBaseline"

# What the page "Setting up Run Command" proposes: a rule on any transition, on chosen states, one that runs a command.
STARTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "any transition of a command": {**_SSM, "detail-type": [OF_COMMAND]},
    "any transition of a node": {**_SSM, "detail-type": [OF_NODE]},
    "chosen states": {**_SSM, "detail-type": [OF_COMMAND, OF_NODE], "detail": {"status": ["Failed", "TimedOut"]}},
    "nodes that did not succeed": {
        **_SSM,
        "detail-type": [OF_NODE],
        "detail": {"status": [{"anything-but": ["Pending", "InProgress", "Success"]}]},
    },
    f"a failure that runs {_RUNS}": {
        **_SSM,
        "detail-type": [OF_COMMAND],
        "detail": {"status": ["Failed"], "document-name": [{"anything-but": [_RUNS]}]},
    },
}


@dataclass(frozen=True, slots=True)
class State:
    """What the controls say.

    Attributes
    ----------
    pattern
        An event pattern, as JSON.
    start
        Which of `STARTS` the pattern was begun with, or "my own".
    shown
        "all events", "matches" or "no match".
    """

    pattern: str = ""
    start: str = next(iter(STARTS))
    shown: str = ALL


def begin_state(given: Mapping[str, Any]) -> State:
    """The pattern that is given, else that of the start."""
    state = State(**given)
    text = given.get("pattern", write_pattern(STARTS.get(state.start, {})))
    start = OWN if "pattern" in given and "start" not in given else state.start
    return State(text, start, state.shown)


def write_pattern(pattern: Mapping[str, Any], indent: str = "") -> str:
    """A pattern as people write it: a field a line, with its array."""
    inner = indent + "  "
    parts = {name: write_pattern(v, inner) if isinstance(v, Mapping) else _write(v) for name, v in pattern.items()}
    lines = [f"{inner}{_write(name)}: {text}" for name, text in parts.items()]
    return "\n".join(["{", ",\n".join(lines), indent + "}"])


def _write(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def gather_events(data: Any) -> Events:
    """The events of a command, of a file, of a first command on a snapshot; or the events themselves.

    Raises
    ------
    EventError, LoadError
        For what holds something else than events.
    """
    if isinstance(data, Snapshot):
        data = send_first(data)[0] or ()
    if isinstance(data, str | Path):
        return load_events(data)
    events: Events = data.events if isinstance(data, Command) else [*data]
    for number, event in enumerate(events):
        if not isinstance(event, Mapping):
            raise EventError(f"event {number}", f"expected an object, got `{str(event)[:40]}`")
    return events


def describe_events(events: Events) -> str:
    """How many events there are, of whom."""
    sources = sorted({str(event.get("source", "no source")) for event in events})
    lost = len(getattr(events, "problems", ()))  # of a file
    told = f"; left out of the file: {say_count(lost, 'place')}" if lost else ""
    return f"{say_count(len(events), 'event')} of {show_controls(', '.join(sources[:5]) or 'nobody')}{told}"


def choose_events(flags: Flags, shown: str) -> Codes:
    """The places of those to show; of all, the matches first."""
    return np.argsort(~flags, kind="stable") if shown == ALL else np.flatnonzero(flags == (shown == MATCHED))


def list_matches(events: Events, names: Mapping[str, str], flags: Flags, places: Codes) -> pd.DataFrame:
    """Events as people read them, with the names of nodes by id and whether they match."""
    frame = list_events([events[place] for place in places], names)
    frame.insert(0, "match", ["✓ yes" if flags[place] else "no" for place in places])
    return frame


def count_matches(kinds: pd.DataFrame, flags: Flags) -> pd.DataFrame:
    """How many events of each kind match; `kinds`: `of` and `status` of `list_events`."""
    counts = kinds.assign(match=flags).groupby(["of", "status"], sort=False)["match"].agg(["sum", "count"])
    return counts.reset_index().rename(columns={"sum": "match", "count": "events"})


def explain_match(pattern: str, event: Mapping[str, Any]) -> str:
    """HTML of why an event does not match, or that it does; and its JSON."""
    found = explain_mismatch(pattern, event)
    words = f"It does not match: {found.sentence}." if found else "It matches: every field of the pattern holds."
    return write_lines(words) + write_json(event)


def explain_pattern(pattern: str, events: Events, flags: Flags) -> str:
    """HTML of why events do not match, as counts, and the doubts of a pattern."""
    doubts, words = compile_pattern(pattern).doubts, "Choose a row to see why it matches or not."
    counts = write_list(count_mismatches(pattern, events, flags))
    return counts + write_lines(words) + (f"<b>Doubt</b>{write_list(doubts)}" if doubts else "")


def count_mismatches(pattern: str, events: Events, flags: Flags) -> list[str]:
    """At which field how many events fail first, and what stands there; of many events the first are asked.

    >>> count_mismatches('{"source": ["b"]}', [{"source": "a"}, {"source": "b"}, {}], np.array([False, True, False]))
    ['2 of 2 others fail at `source`; values there: "a" (1), absent (1)']
    """
    asked = np.flatnonzero(~flags)[:_MOST_ASKED]
    found = (miss for place in asked if (miss := explain_mismatch(pattern, events[place])))
    of = "the first " * (len(asked) == _MOST_ASKED) + say_count(len(asked), "other" if flags.any() else "event")
    values: dict[str, Counter[str]] = defaultdict(Counter)
    for miss in found:
        values[miss.field][miss.actual] += 1
    told = ((field, n, "fails" if n.total() == 1 else "fail") for field, n in values.items())
    return [f"{n.total():,} of {of} {fail} at `{field}`; values there: {_tell(n)}" for field, n, fail in told]


def _tell(counts: Counter[str]) -> str:
    told = [f"{shorten(value, 60) or 'absent'} ({count:,})" for value, count in counts.most_common(_MOST_VALUES)]
    return ", ".join(told + ["…"] * (len(counts) > _MOST_VALUES))


def say_matches(flags: Flags) -> str:
    """How many match."""
    return say_some(int(flags.sum()), len(flags), "event", "matches", "match") + "."


def explain_place(pattern: str, error: PatternError) -> str:
    """HTML of what is wrong with a pattern: the place, the reason, and the line where there is one."""
    said = f"<p role='alert'><b>{html.escape(error.where)}</b>: {html.escape(show_controls(error.reason))}</p>"
    found = re.fullmatch(r"line (\d+), column (\d+)", error.where)
    if not found:
        return said
    line, column = pattern.split("\n")[int(found[1]) - 1], int(found[2]) - 1
    parts = line[:column], line[column : column + 1] or " ", line[column + 1 :]
    before, here, after = (html.escape(show_controls(part)) for part in parts)
    return f"{said}<pre>{before}<mark>{here}</mark>{after}</pre>"
