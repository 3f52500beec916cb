"""Rules that hear of a command and start the next one: Run Command as a target of EventBridge.

A target names a document by ARN, one block of targets, parameters as `Input`, and the role that sends: what that role
may decides, not who sent the first command. Events of the new command are on the bus too, so rules can start
themselves; after some generations that is cut and told.

Sources: EventBridge User Guide, "Using identity-based policies"; API reference, `Target` and `RunCommandParameters`.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
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


@dataclass(frozen=True, slots=True)
class _Heard:
    """An event on the bus, and how many commands started one another before it."""

    event: Mapping[str, Any]
    time: pd.Timestamp
    depth: int


def follow_rules(settings: Settings, first: Command, rules: Iterable[Rule] | Rules) -> Command:
    """The command, with all events on the bus, the commands that rules started, and what became of each match."""
    compiled = rules if isinstance(rules, Rules) else Rules(rules)
    if not compiled.rules:
        return first
    bus = _Bus(settings, compiled)
    bus.put(first, 0)
    bus.run()
    notes = (*first.notes, *bus.cuts)
    return replace(
        first, events=tuple(bus.heard), started=tuple(bus.started), rules=make_frame(bus.rows, RULES), notes=notes
    )


class _Bus:
    """The events that are still to be heard, in time order, and what has come of those that were."""

    def __init__(self, settings: Settings, rules: Rules) -> None:
        self._settings, self._rules = settings, rules
        self._serial = count()
        self._due: list[tuple[pd.Timestamp, int, _Heard]] = []
        self.heard: list[Mapping[str, Any]] = []
        self.started: list[Command] = []
        self.rows: list[tuple[Any, ...]] = []
        self.cuts: dict[str, None] = {}

    def put(self, command: Command, depth: int) -> None:
        """Put the events of a command on the bus."""
        for time, event in zip(command.history["time"], command.events, strict=True):
            heapq.heappush(self._due, (time, next(self._serial), _Heard(event, time, depth)))

    def run(self) -> None:
        """Hear all events."""
        while self._due:
            *_, now = heapq.heappop(self._due)
            self.heard.append(now.event)
            for rule in self._rules.matching(now.event):
                for target in rule.targets:
                    self._meet(rule, target, now)

    def _meet(self, rule: Rule, target: Mapping[str, Any], now: _Heard) -> None:
        """A rule's target meets an event."""
        if ":document/" not in str(target.get("Arn")):  # something else than Run Command
            return
        role = target.get("RoleArn") or rule.role or ""
        cut = self._find_cut(rule, now)
        command, reason = (None, cut) if cut else _start(self._settings, target, role, now)
        if command is not None:
            self.started.append(command)
            self.put(command, now.depth + 1)
        self.rows.append((now.time, rule.name, now.event["id"], role, command and command.command_id, reason))

    def _find_cut(self, rule: Rule, now: _Heard) -> str:
        """Why no further command is followed; empty if it is."""
        is_deep, are_many = now.depth >= DEEPEST, len(self.started) >= MOST_STARTED
        cut = _LOOP.format(rule.name, DEEPEST) if is_deep else _MANY.format(MOST_STARTED) if are_many else ""
        self.cuts |= {cut: None} if cut else {}
        return cut


def _start(settings: Settings, target: Mapping[str, Any], role: str, now: _Heard) -> tuple[Command | None, str]:
    """The command that a target starts, or None, and why."""
    if refused := _refuse(settings, role, now.event):
        return None, refused
    blocks = (target.get("RunCommandParameters") or {}).get("RunCommandTargets") or ()
    if len(blocks) != 1:
        return None, f"expected one block of `RunCommandTargets`, got {len(blocks)}"
    # What the sender's request said of itself, such as its MFA, is not so of the role's.
    own = replace(settings, context={})
    try:
        place = str(now.event["region"]), at(now.time, _UNTIL_STARTED)
        call = read_call(str(target["Arn"]), None, blocks, *place, parameters=_read_input(target))
        command = send_call(own, call, role)
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
    if trust is not None and trust.outcome is not Outcome.ALLOWED:
        return f"the role's trust policy does not let {_SERVICE} assume it: {trust.outcome.value}"
    return ""


def _read_input(target: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The document's parameters, which are the target's constant input."""
    if "Input" not in target:
        return None
    try:
        found = json.loads(target["Input"])
    except (TypeError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise CommandError("InvalidParameters", f"expected `Input` as a JSON object, got `{target['Input']}`")
    return found
