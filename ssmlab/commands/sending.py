"""One command on a snapshot: from the checked call to the frames of what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

import pandas as pd

from ssmlab.commands.answers import Answer
from ssmlab.commands.calls import Call, resolve_limit
from ssmlab.commands.command import (
    Command,
    at,
    count_ends,
    endings,
    make_findings,
    make_history,
    make_invocations,
    make_log_events,
)
from ssmlab.commands.contents import Content
from ssmlab.commands.notices import Sender, make_event, make_id
from ssmlab.commands.outputs import name_log_group
from ssmlab.commands.plans import Plan, Planner, find_document
from ssmlab.commands.rights import Context
from ssmlab.commands.simulation import Change, Limits, simulate
from ssmlab.commands.statuses import READINGS, Readings, find_doubts
from ssmlab.commands.targets import Groups, choose_region
from ssmlab.commands.writing import Writing, check_writing
from ssmlab.reachability import reach
from ssmlab.snapshots import Snapshot

_UNTIL_VERDICT: Final = 1.0  # seconds until a command that goes to no node has ended


@dataclass(frozen=True)
class Settings:
    """What all commands of one simulation share; see `send_command`."""

    snapshot: Snapshot
    answer: Callable[[str, Random], Answer]
    context: Context
    groups: Groups
    allow_unknown: bool
    readings: Readings
    log_group: str | bool | None
    contents: Callable[[str], Content]
    pending_limit: int | None
    random: Random


def send_call(
    settings: Settings,
    call: Call,
    principal: str,
    region: str | None,
    start: pd.Timestamp,
    cancelled: float | None = None,
) -> Command:
    """Send a command as a principal (ARN), and follow it to its end.

    Raises
    ------
    AccessDenied, CommandError
        Where AWS refuses the whole call.
    """
    snapshot, account = settings.snapshot, principal.split(":")[4]
    nodes = snapshot.nodes[snapshot.nodes["account"].astype(str) == account]
    where = choose_region(nodes, call, region)
    document = find_document(snapshot.documents, call.document, account, where)
    found = reach(snapshot, context=settings.context)
    planner = Planner(found, principal, document, where, settings.groups, settings.allow_unknown, settings.readings)
    plan = planner.make(call)
    content = settings.contents(document)
    if call.parameters is not None:
        content.check(call.parameters)
    return _follow(settings, call, planner, _hold_back(plan, settings.pending_limit), content, start, cancelled)


def _hold_back(plan: Plan, limit: int | None) -> Plan:
    """The plan, or that of a command with too many targets, which is cancelled before it goes to any."""
    total = len(plan.members)
    if limit is None or total <= limit:
        return plan
    reason = f"{total} targets are more than the account may have pending, {limit}"
    return replace(plan, members=(), verdict="RateExceeded", reason=reason)


def _follow(
    settings: Settings,
    call: Call,
    planner: Planner,
    plan: Plan,
    content: Content,
    start: pd.Timestamp,
    cancelled: float | None,
) -> Command:
    readings, random, members = settings.readings, settings.random, plan.members
    command_id, answers = make_id(random), [settings.answer(member.node, random) for member in members]
    limits, notes = _limit(call, content, len(members), cancelled)
    changes = _follow_verdict(plan) or simulate(members, answers, limits, readings, random)
    group = name_log_group(settings.log_group, planner.document_name)
    ran = [members[node].node for node, _, streams in endings(changes, answers) if any(streams.values())]
    writing = Writing()
    if group and ran:
        exists = settings.log_group is not True
        writing = check_writing(settings.snapshot, ran, planner.region, group, exists=exists)
    silent = writing.silent if group else ran
    history = make_history(changes, members, start, readings)
    invocations = make_invocations(changes, members, answers, start, readings)
    end, expires = history.iloc[-1], at(start, limits.expires)
    sender = Sender(command_id, planner.called, planner.account, planner.region, start, expires, call.parameters or {})
    return Command(
        command_id=command_id,
        document=planner.document,
        principal=planner.principal,
        account=planner.account,
        region=planner.region,
        requested=start,
        expires=expires,
        status=str(end["status"]),
        status_details=str(end["status_details"]),
        reason=str(end["reason"]),
        counts=count_ends(invocations["status_details"]),
        invocations=invocations,
        history=history,
        events=_make_events(sender, history, [member.node for member in members], random),
        log_events=make_log_events(changes, members, answers, start, (group or "", command_id, content.plugin), silent),
        findings=make_findings(writing.findings),
        notes=(*plan.notes, *notes),
        doubts=(*plan.doubts, *_find_doubts(history, invocations, limits.errors, readings), *writing.doubts),
        reach=planner.reach,
    )


def _find_doubts(
    history: pd.DataFrame, invocations: pd.DataFrame, max_errors: int, readings: Readings
) -> Iterable[str]:
    """What the documentation says in two ways of what happened here."""
    if len(invocations):
        yield from find_doubts(invocations["status_details"], max_errors, readings)
    for name in ("Terminated", "Delayed"):
        if (history["status_details"] == name).any():
            yield READINGS[name.lower()].note


def _limit(call: Call, content: Content, total: int, cancelled: float | None) -> tuple[Limits, list[str]]:
    """The limits of a command with so many nodes, and a note where a percentage was rounded."""
    (at_once, cut), (errors, cut_errors) = (resolve_limit(text, total) for text in (call.concurrency, call.errors))
    rounded = [text for text, is_cut in ((call.concurrency, cut), (call.errors, cut_errors)) if is_cut]
    notes = [f"`{text}` of {total} nodes is rounded down; how AWS rounds is not documented" for text in rounded]
    execution = content.execution_timeout(call.parameters or {})
    return Limits(max(at_once, 1), errors, call.timeout + execution, execution, cancelled), notes


def _follow_verdict(plan: Plan) -> list[Change]:
    """The status changes of a command that goes to no node."""
    if not plan.verdict:
        return []
    return [Change(0, None, "Pending", "accepted"), Change(_UNTIL_VERDICT, None, plan.verdict, plan.reason)]


def _make_events(
    sender: Sender, history: pd.DataFrame, nodes: Sequence[str], random: Random
) -> tuple[dict[str, Any], ...]:
    """An event for each status change."""
    columns = zip(*(history[name] for name in ("time", "node", "status")), strict=True)
    return tuple(make_event(sender, time, node, nodes, status, random) for time, node, status in columns)
