"""Rules that hear of a command and start the next one: Run Command as a target of EventBridge.

A target names a document by ARN, one block of targets, parameters as `Input`, and the role that sends: what that role
may decides, not who sent the first command. Events of the new command are on the bus too, so rules can start
themselves; after some generations that is cut and told.

Sources: EventBridge User Guide, "Using identity-based policies"; API reference, `Target` and `RunCommandParameters`.
"""

import heapq
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import count
from typing import Any, Final

import pandas as pd

from ssmlab.commands.calls import read_call
from ssmlab.commands.command import RULES, Command, at, make_frame
from ssmlab.commands.errors import CommandError
from ssmlab.commands.plans import Settings
from ssmlab.commands.rights import decide_trust
from ssmlab.commands.sending import send_call
from ssmlab.evaluation import Outcome
from ssmlab.events import Rule, Rules

MOST_STARTED: Final = 100
DEEPEST: Final = 5
_SERVICE: Final = "events.amazonaws.com"
_UNTIL_STARTED: Final = 1.0  # seconds from an event to the command that it starts
_LOOP: Final = "rule `{}` starts a command that it hears of again: cut after {} in a row"
_MANY: Final = "rules start more commands than are followed: cut after {}"


def follow_rules(settings: Settings, first: Command, rules: Iterable[Rule] | Rules) -> Command:
    """The command, with all events on the bus, the commands that rules started, and what became of each match."""
    compiled = rules if isinstance(rules, Rules) else Rules(rules)
    if not compiled.rules:
        return first
    serial, due, heard = count(), list[tuple[pd.Timestamp, int, Mapping[str, Any], int]](), list[Mapping[str, Any]]()
    started, rows, cuts = list[Command](), list[tuple[Any, ...]](), dict[str, None]()

    def put(command: Command, depth: int) -> None:
        """Events on the bus, with how many commands started one another before."""
        for time, event in zip(command.history["time"], command.events, strict=True):
            heapq.heappush(due, (time, next(serial), event, depth))

    put(first, 0)
    while due:
        time, _, event, depth = heapq.heappop(due)
        heard.append(event)
        for rule, target in _find_targets(compiled.matching(event)):
            role, cut = target.get("RoleArn") or rule.role or "", _find_cut(rule, depth, len(started))
            command, reason = (None, cut) if cut else _start(settings, target, role, event, time)
            if command is not None:
                started.append(command)
                put(command, depth + 1)
            cuts |= dict.fromkeys([cut] if cut else [])
            rows.append((time, rule.name, event["id"], role, command and command.command_id, reason))
    told, notes = make_frame(rows, RULES), (*first.notes, *cuts)
    return replace(first, events=tuple(heard), started=tuple(started), rules=told, notes=notes)


def _find_targets(rules: Iterable[Rule]) -> list[tuple[Rule, Mapping[str, Any]]]:
    """The targets that are documents: others are something else than Run Command."""
    return [(rule, target) for rule in rules for target in rule.targets if ":document/" in str(target.get("Arn"))]


def _find_cut(rule: Rule, depth: int, started: int) -> str:
    """Why no further command is followed; empty if it is."""
    if depth >= DEEPEST:
        return _LOOP.format(rule.name, DEEPEST)
    return _MANY.format(MOST_STARTED) if started >= MOST_STARTED else ""


def _start(
    settings: Settings, target: Mapping[str, Any], role: str, event: Mapping[str, Any], time: pd.Timestamp
) -> tuple[Command | None, str]:
    """The command that a target starts, or None, and why."""
    if refused := _refuse(settings, role, event):
        return None, refused
    given = target.get("RunCommandParameters")
    blocks = given.get("RunCommandTargets") if isinstance(given, Mapping) else None
    if not isinstance(blocks, list | tuple) or len(blocks) != 1:
        return None, f"expected one block of `RunCommandTargets`, got `{blocks}`"
    # What the sender's request said of itself, such as its MFA, is not so of the role's.
    own = replace(settings, context={})
    try:
        place = str(event["region"]), _read_input(target), at(time, _UNTIL_STARTED)
        command = send_call(own, read_call(str(target["Arn"]), None, blocks, *place), role)
    except CommandError as error:
        return None, str(error)
    return command, command.reason


def _refuse(settings: Settings, role: str, event: Mapping[str, Any]) -> str:
    """Why the role of a target cannot send at all; empty if it can."""
    if not role:
        return "expected a role in the target or the rule, got none: Run Command as a target needs one"
    if role not in settings.snapshot.principals.index:
        return f"the role `{role}` is not loaded: what it may is not known"
    if role.split(":")[4] != event["account"]:
        return f"the role `{role}` is of another account than the event bus, `{event['account']}`"
    trust = decide_trust(settings.snapshot, role, _SERVICE)
    if trust and trust.outcome is not Outcome.ALLOWED:
        return f"the role's trust policy does not let {_SERVICE} assume it: {trust.outcome}"
    return ""


def _read_input(target: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The document's parameters, which are the target's constant input."""
    if "Input" not in target:
        return None
    try:
        found = json.loads(target["Input"])
    except (TypeError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise CommandError("InvalidParameters", f"expected `Input` as a JSON object, got `{target['Input']}`")
    return found
