"""One command on a snapshot: from the checked call to the frames of what became of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import pandas as pd

from ssmlab.commands.calls import Call, resolve_limit
from ssmlab.commands.command import FINDINGS, Command, Life, at, count_ends, make_frame
from ssmlab.commands.contents import Content
from ssmlab.commands.notices import make_events, make_id
from ssmlab.commands.outputs import name_log_group
from ssmlab.commands.plans import Plan, Planner, Settings, find_document
from ssmlab.commands.simulation import Change, Limits, simulate
from ssmlab.commands.statuses import READINGS, Readings, find_doubts, status_of
from ssmlab.commands.targets import choose_region
from ssmlab.commands.writing import Writing, check_writing
from ssmlab.reachability import reach

_UNTIL_VERDICT: Final = 1.0  # seconds until a command that goes to no node has ended


def send_call(settings: Settings, call: Call, principal: str) -> Command:
    """Send a command as a principal (ARN), and follow it to its end.

    Raises
    ------
    AccessDenied, CommandError
        Where AWS refuses the whole call.
    """
    snapshot, account = settings.snapshot, principal.split(":")[4]
    region = choose_region(snapshot.nodes[snapshot.nodes["account"].astype(str) == account], call)
    document = find_document(snapshot.documents, call.document, account, region)
    planner = Planner(settings, reach(snapshot, context=settings.context), principal, document, region)
    plan, content = planner.make(call), settings.contents(document)
    if call.parameters is not None:
        content.check(call.parameters)
    return _follow(call, planner, _hold_back(plan, settings.pending_limit), content)


def _hold_back(plan: Plan, limit: int | None) -> Plan:
    """The plan, or that of a command with too many targets, which is cancelled before it goes to any."""
    total = len(plan.members)
    if limit is None or total <= limit:
        return plan
    reason = f"{total} targets are more than the account may have pending, {limit}"
    return replace(plan, members=(), verdict="RateExceeded", reason=reason)


def _follow(call: Call, planner: Planner, plan: Plan, content: Content) -> Command:
    settings, members, start = planner.settings, plan.members, call.start
    readings, random = settings.readings, settings.random
    command_id, answers = make_id(random), [settings.answer(member.node, random) for member in members]
    limits, notes = _limit(call, content, len(members))
    changes = _follow_verdict(plan) or simulate(members, answers, limits, readings, random)
    life = Life(members, answers, changes, start, readings)
    history, invocations, end = life.history(), life.invocations(), changes[-1]
    group = name_log_group(settings.log_group, planner.document_name)
    writing = _check_writing(planner, life, group)
    expires, parameters = at(start, limits.expires), call.parameters or {}
    command = Command(
        *(command_id, planner.document, parameters, planner.principal, planner.account, planner.region, start, expires),
        status=status_of(end.details, readings),
        status_details=end.details,
        reason=end.reason,
        counts=count_ends(invocations["status_details"]),
        invocations=invocations,
        history=history,
        events=(),
        log_events=life.log_events(group, command_id, content.plugin, writing.silent),
        findings=make_frame(writing.findings, FINDINGS),
        notes=(*plan.notes, *notes),
        doubts=(*plan.doubts, *_find_doubts(history, invocations, limits.errors, readings), *writing.doubts),
        reach=planner.reach,
    )
    return replace(command, events=make_events(command, random))


def _check_writing(planner: Planner, life: Life, group: str) -> Writing:
    """Whether the nodes that wrote something may write it to the log group; "": there is none."""
    wrote = [member.node for member, _, streams in life.endings() if any(streams.values())] if group else []
    exists = planner.settings.log_group is not True
    return check_writing(planner.reach.snapshot, wrote, planner.region, group, exists=exists)


def _find_doubts(
    history: pd.DataFrame, invocations: pd.DataFrame, max_errors: int, readings: Readings
) -> Iterable[str]:
    """What the documentation says in two ways of what happened here."""
    if len(invocations):
        yield from find_doubts(invocations["status_details"], max_errors, readings)
    for name in ("Terminated", "Delayed"):
        if (history["status_details"] == name).any():
            yield READINGS[name.lower()].note


def _limit(call: Call, content: Content, total: int) -> tuple[Limits, list[str]]:
    """The limits of a command with so many nodes, and a note where a percentage was rounded."""
    (at_once, cut), (errors, cut_errors) = (resolve_limit(text, total) for text in (call.concurrency, call.errors))
    rounded = [text for text, is_cut in ((call.concurrency, cut), (call.errors, cut_errors)) if is_cut]
    notes = [f"`{text}` of {total} nodes is rounded down; how AWS rounds is not documented" for text in rounded]
    execution = content.execution_timeout(call.parameters or {})
    return Limits(max(at_once, 1), errors, call.timeout + execution, execution, call.cancel_after), notes


def _follow_verdict(plan: Plan) -> list[Change]:
    """The status changes of a command that goes to no node."""
    if not plan.verdict:
        return []
    return [Change(0, None, "Pending", "accepted"), Change(_UNTIL_VERDICT, None, plan.verdict, plan.reason)]
