"""One command on a snapshot: from the checked call to the frames of what became of it."""

from dataclasses import replace
from typing import Final

from ssmlab.commands.answers import Answer
from ssmlab.commands.calls import Call, resolve_limit
from ssmlab.commands.command import (
    FINDINGS,
    Command,
    at,
    count_ends,
    make_frame,
    make_history,
    make_invocations,
    make_log_events,
    read_endings,
)
from ssmlab.commands.contents import Content
from ssmlab.commands.notices import make_events, make_id
from ssmlab.commands.outputs import check_writing, name_log_group
from ssmlab.commands.plans import Plan, Planner, Settings, find_document
from ssmlab.commands.simulation import Change, Limits, simulate
from ssmlab.commands.statuses import find_doubts, status_of
from ssmlab.commands.targets import choose_region
from ssmlab.reachability import reach
from ssmlab.words import last_part, say_count

_UNTIL_VERDICT: Final = 1.0  # seconds until a command that goes to no node has ended


def send_call(settings: Settings, call: Call, principal: str) -> Command:
    """Send a command as a principal (ARN), and follow it to its end.

    Raises
    ------
    AccessDenied, CommandError
        Where AWS refuses the whole call.
    """
    snapshot, account = settings.snapshot, principal.split(":")[4]
    region = choose_region(snapshot.nodes[snapshot.nodes["account"] == account], call)
    document = find_document(snapshot.documents, call.document, account, region)
    planner = Planner(settings, reach(snapshot, context=settings.context), principal, document, region)
    plan, content = planner.make(call), settings.contents(document)
    if call.parameters is not None:
        content.check(call.parameters)
    return _follow(call, planner, plan, content)


def _follow(call: Call, planner: Planner, plan: Plan, content: Content) -> Command:
    settings, members, start = planner.settings, plan.members, call.start
    random, command_id = settings.random, make_id(settings.random)
    answers = [Answer() if member.fate else settings.answer(member.node, random) for member in members]
    limits, notes = _limit(call, content, len(members))
    changes = _follow_verdict(plan) or simulate(members, answers, limits, settings.readings, random)
    endings, end = read_endings(members, answers, changes, start), changes[-1]
    history, invocations = make_history(members, changes, start), make_invocations(endings)
    doubts = find_doubts(invocations["status_details"], history["status_details"], limits.errors, settings.readings)
    group = name_log_group(settings.log_group, last_part(planner.document))
    wrote = [ending for ending in endings if group and any(ending.wrote.values())]
    nodes, exists = [ending.member.node for ending in wrote], settings.log_group is not True
    findings, unsure = check_writing(settings.snapshot, nodes, planner.region, group, exists=exists)
    silent = {node for node, *_ in findings}
    heard = [ending for ending in wrote if ending.member.node not in silent]
    command = Command(
        *(command_id, planner.document, call.parameters or {}, planner.principal, planner.account, planner.region),
        *(start, at(start, limits.expires), status_of(end.details), end.details, end.reason),
        counts=count_ends(invocations["status_details"]),
        invocations=invocations,
        history=history,
        events=(),
        log_events=make_log_events(heard, group, command_id, content.plugin),
        findings=make_frame(findings, FINDINGS),
        notes=(*plan.notes, *notes),
        doubts=(*plan.doubts, *doubts, *unsure),
        reach=planner.reach,
    )
    return replace(command, events=make_events(command, random))


def _limit(call: Call, content: Content, total: int) -> tuple[Limits, list[str]]:
    """The limits of a command with so many nodes, and a note where a percentage was rounded."""
    (at_once, cut), (errors, cut_errors) = (resolve_limit(text, total) for text in (call.concurrency, call.errors))
    rounded = [text for text, is_cut in ((call.concurrency, cut), (call.errors, cut_errors)) if is_cut]
    note = f"of {say_count(total, 'node')} is rounded down; how AWS rounds is not documented"
    execution = content.execution_timeout(call.parameters or {})
    after = call.cancel_after, call.alarm_after
    limits = Limits(max(at_once, 1), errors, call.timeout + execution, execution, *after)
    return limits, [f"`{text}` {note}" for text in rounded]


def _follow_verdict(plan: Plan) -> list[Change]:
    """The status changes of a command that goes to no node."""
    if not plan.verdict:
        return []
    return [Change(0, None, "Pending", "accepted"), Change(_UNTIL_VERDICT, None, plan.verdict, plan.reason)]
