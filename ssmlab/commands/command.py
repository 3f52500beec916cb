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
from ssmlab.commands.statuses import ERRORS, status_of
from ssmlab.explanation import Explanation
from ssmlab.reachability import Reach
from ssmlab.words import say_count

_TIME: Final = "datetime64[ms, UTC]"


def _columns(texts: str, **others: str) -> dict[str, str]:
    """Columns in this order → dtype, where it is not text."""
    return {name: others.get(name, "str") for name in texts.split()}


_INVOCATIONS: Final = _columns(
    "node status status_details response_code output reason node_id"
    " standard_output_content standard_error_content ended",
    response_code="int64",
    ended=_TIME,
)
_HISTORY: Final = _columns("time node status status_details reason", time=_TIME, node="object")
_LOG_EVENTS: Final = _columns("log_group log_stream timestamp message", timestamp=_TIME)
FINDINGS: Final = _columns("node finding why mend")
RULES: Final = _columns("time rule event role command reason", time=_TIME, command="object")


@dataclass(frozen=True, eq=False)
class Command:
    """What became of a command.

    Attributes
    ----------
    command_id, document, parameters, principal, account, region
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
    parameters: Mapping[str, Sequence[str]]
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
    rules: pd.DataFrame = field(default_factory=lambda: make_frame([], RULES))

    def __repr__(self) -> str:
        nodes = say_count(len(self.invocations), "node")
        return f"Command({self.command_id}: {self.document} on {nodes}, {self.status_details})"

    def explain(self, node: str) -> Explanation:
        """Why the sender may reach a node with the document, or not."""
        return self.reach.explain(self.principal, node, self.document)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a node ended, when, and what it wrote, by stream."""

    member: Member
    change: Change
    time: pd.Timestamp
    wrote: Mapping[str, str]


def read_endings(
    members: Sequence[Member], answers: Sequence[Answer], changes: Sequence[Change], start: pd.Timestamp
) -> list[Ending]:
    """The ending of each node, in their order; what was killed wrote something until then."""
    last = {change.node: change for change in changes}
    found = []
    for number, (member, answer) in enumerate(zip(members, answers, strict=True)):
        end, killed = last[number], {"stdout": answer.output, "stderr": answer.error}
        wrote = read_streams(answer) if end.details in ("Success", "Failed") else killed if end.ran else {}
        found.append(Ending(member, end, at(start, end.time), wrote))
    return found


def make_history(members: Sequence[Member], changes: Sequence[Change], start: pd.Timestamp) -> pd.DataFrame:
    """The timeline of the command and its nodes."""
    nodes = [None if change.node is None else members[change.node].node for change in changes]
    rows = [
        (at(start, change.time), node, status_of(change.details), change.details, change.reason)
        for node, change in zip(nodes, changes, strict=True)
    ]
    return make_frame(rows, _HISTORY)


def make_invocations(endings: Iterable[Ending]) -> pd.DataFrame:
    """How every node ended."""
    rows = []
    for end in endings:
        output, error = end.wrote.get("stdout", ""), end.wrote.get("stderr", "")
        told = status_of(end.change.details), end.change.details, end.change.code, join_output(output, error)
        contents = standard_output_content(output), standard_error_content(error)
        rows.append((end.member.node, *told, end.change.reason, end.member.node_id, *contents, end.time))
    return make_frame(rows, _INVOCATIONS)


def make_log_events(endings: Iterable[Ending], group: str, command_id: str, plugin: str) -> pd.DataFrame:
    """The log events of nodes, in time order.

    One event holds a whole stream, standard output without its last newline; an empty stream is not made.
    """
    rows = [
        (group, name_stream(command_id, end.member.node_id, plugin, stream), end.time, message)
        for end in sorted(endings, key=lambda end: end.time)
        for stream, text in end.wrote.items()
        if (message := text.removesuffix("\n") if stream == "stdout" else text)
    ]
    return make_frame(rows, _LOG_EVENTS)


def make_frame(rows: Iterable[Sequence[Any]], columns: Mapping[str, str]) -> pd.DataFrame:
    """A frame with declared columns, from rows of values in their order; also from none."""
    return pd.DataFrame([*rows], columns=[*columns], dtype="object").astype(columns)


def count_ends(details: Iterable[str]) -> dict[str, int]:
    """The counts of a command that has ended."""
    ended = Counter(details)
    total, errors, lost = ended.total(), sum(ended[name] for name in ERRORS), ended["DeliveryTimedOut"]
    return {"TargetCount": total, "CompletedCount": total, "ErrorCount": errors, "DeliveryTimedOutCount": lost}


def at(start: pd.Timestamp, seconds: float) -> pd.Timestamp:
    """A time so many seconds later, to the millisecond."""
    return start + pd.Timedelta(round(seconds * 1000), "ms")
