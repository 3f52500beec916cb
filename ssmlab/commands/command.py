"""`Command`: the life of a command as frames, made from the status changes of its simulation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd

from ssmlab.commands.answers import Answer
from ssmlab.commands.outputs import (
    join_output,
    name_stream,
    read_streams,
    standard_error_content,
    standard_output_content,
)
from ssmlab.commands.plans import Member
from ssmlab.commands.simulation import Change
from ssmlab.commands.statuses import ERRORS, NEXT, Readings, status_of
from ssmlab.explanation import Explanation
from ssmlab.reachability import Reach

_TIME: Final = "datetime64[ms, UTC]"
_TEXT: Final = "str"
_INVOCATIONS: Final = {
    **dict.fromkeys(("node", "status", "status_details"), _TEXT),
    "response_code": "int64",
    **dict.fromkeys(("output", "reason", "node_id", "standard_output_content", "standard_error_content"), _TEXT),
    "ended": _TIME,
}
_HISTORY: Final = {"time": _TIME, "node": "object", **dict.fromkeys(("status", "status_details", "reason"), _TEXT)}
_LOG_EVENTS: Final = {"log_group": _TEXT, "log_stream": _TEXT, "timestamp": _TIME, "message": _TEXT}
_FINDINGS: Final = dict.fromkeys(("node", "finding", "why", "mend"), _TEXT)
_RULES: Final = {
    "time": _TIME,
    **dict.fromkeys(("rule", "event", "role"), _TEXT),
    "command": "object",
    "reason": _TEXT,
}


@dataclass(frozen=True, eq=False)
class Command:
    """What became of a command.

    Attributes
    ----------
    command_id, document, principal, account, region
        What was sent, by whom (ARN), and where.
    requested, expires
        When it was sent, and when every node must have ended.
    status, status_details, reason
        How it ended, and why in words.
    counts
        TargetCount, CompletedCount, ErrorCount, DeliveryTimedOutCount, as ListCommands shows them at the end.
    invocations
        A row a node: `node` (ARN), `status`, `status_details`, `response_code` (-1: not run), `output` (both streams,
        cut as the API does), `reason`, `node_id`, `standard_output_content`, `standard_error_content`, `ended`.
    history
        Every status change: `time`, `node` (ARN; None: the command), `status`, `status_details`, `reason`.
    events
        EventBridge events as dicts, in time order, those of commands that rules started among them.
    log_events
        What the nodes wrote, whole: `log_group`, `log_stream`, `timestamp`, `message`.
    findings
        Nodes whose role may not write there: `node`, `finding`, `why`, `mend`.
    notes, doubts
        What one should know; where AWS's documentation leaves the result open.
    started
        The commands that rules started, and `rules`: what each match led to: `time`, `rule`, `event` (its id), `role`,
        `command` (its id, None: none), `reason`.
    """

    command_id: str
    document: str
    principal: str
    account: str
    region: str
    requested: pd.Timestamp
    expires: pd.Timestamp
    status: str
    status_details: str
    reason: str
    counts: Mapping[str, int]
    invocations: pd.DataFrame
    history: pd.DataFrame
    events: Sequence[Mapping[str, Any]]
    log_events: pd.DataFrame
    findings: pd.DataFrame
    notes: tuple[str, ...]
    doubts: tuple[str, ...]
    reach: Reach = field(repr=False)
    started: tuple[Command, ...] = ()
    rules: pd.DataFrame = field(default_factory=lambda: make_rules([]))

    def __repr__(self) -> str:
        return f"Command({self.command_id}: {self.document} on {len(self.invocations)} nodes, {self.status_details})"

    def explain(self, node: str) -> Explanation:
        """Why the sender may reach a node with the document, or not."""
        return self.reach.explain(self.principal, node, self.document)


def make_frame(rows: Iterable[Sequence[Any]], columns: Mapping[str, str]) -> pd.DataFrame:
    """A frame with declared columns, from rows of values in their order; also from none."""
    frame = pd.DataFrame([*rows], columns=[*columns], dtype="object")
    return frame.astype(columns)


def make_rules(rows: Iterable[Sequence[Any]]) -> pd.DataFrame:
    """What the matches of rules led to."""
    return make_frame(rows, _RULES)


def make_findings(rows: Iterable[Sequence[Any]]) -> pd.DataFrame:
    """Nodes that cannot write their output."""
    return make_frame(rows, _FINDINGS)


def make_history(
    changes: Iterable[Change], members: Sequence[Member], start: pd.Timestamp, readings: Readings
) -> pd.DataFrame:
    """The timeline of a command and its nodes."""
    rows = [
        (
            at(start, change.time),
            None if change.node is None else members[change.node].node,
            status_of(change.details, readings),
            change.details,
            change.reason,
        )
        for change in changes
    ]
    return make_frame(rows, _HISTORY)


def make_invocations(
    changes: Iterable[Change],
    members: Sequence[Member],
    answers: Sequence[Answer],
    start: pd.Timestamp,
    readings: Readings,
) -> pd.DataFrame:
    """How every node ended."""
    rows = [
        (
            members[node].node,
            status_of(change.details, readings),
            change.details,
            change.code,
            join_output(*streams.values()),
            change.reason,
            members[node].node_id,
            standard_output_content(streams["stdout"]),
            standard_error_content(streams["stderr"]),
            at(start, change.time),
        )
        for node, change, streams in endings(changes, answers)
    ]
    return make_frame(rows, _INVOCATIONS)


def make_log_events(
    changes: Iterable[Change],
    members: Sequence[Member],
    answers: Sequence[Answer],
    start: pd.Timestamp,
    place: tuple[str, str, str],
    silent: Iterable[str],
) -> pd.DataFrame:
    """The log events of all nodes but silent ones, in time order; place: log group, command id, plugin.

    One event holds a whole stream, standard output without its last newline; an empty stream is not made.
    """
    (group, command_id, plugin), mute = place, {*silent}
    rows = [
        (group, name_stream(command_id, members[node].node_id, plugin, stream), at(start, change.time), message)
        for node, change, streams in sorted(endings(changes, answers), key=lambda row: row[1].time)
        if members[node].node not in mute
        for stream, text in streams.items()
        if (message := text.removesuffix("\n") if stream == "stdout" else text)
    ]
    return make_frame(rows, _LOG_EVENTS)


def endings(changes: Iterable[Change], answers: Sequence[Answer]) -> list[tuple[int, Change, dict[str, str]]]:
    """Each node's last change and what it wrote, in the order of the nodes."""
    last = {change.node: change for change in changes if change.node is not None and change.details not in NEXT}
    return [(node, last[node], _streams(last[node], answers[node])) for node in sorted(last)]


def _streams(change: Change, answer: Answer) -> dict[str, str]:
    if change.details in ("Success", "Failed"):
        return read_streams(answer)
    # what was killed wrote something until then
    return {"stdout": answer.output, "stderr": answer.error} if change.ran else {"stdout": "", "stderr": ""}


def count_ends(details: Iterable[str]) -> dict[str, int]:
    """The counts of a command that has ended."""
    ended = Counter(details)
    return {
        "TargetCount": ended.total(),
        "CompletedCount": ended.total(),
        "ErrorCount": sum(ended[name] for name in ERRORS),
        "DeliveryTimedOutCount": ended["DeliveryTimedOut"],
    }


def at(start: pd.Timestamp, seconds: float) -> pd.Timestamp:
    """A time so many seconds later, to the millisecond."""
    return start + pd.Timedelta(round(seconds * 1000), "ms")
