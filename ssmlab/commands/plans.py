"""What is settled before anything is sent: which nodes, who of them never runs the command, and whole refusals.

Access is what `reach` says of each resource alone: of the document and of every node.

Sources: Systems Manager User Guide, "Understanding command statuses"; API reference, `SendCommand`; recordings of AWS,
September 2026.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any, Final

import pandas as pd

from ssmlab.commands.answers import Answer
from ssmlab.commands.calls import GROUP, INSTANCE_IDS, Call
from ssmlab.commands.contents import KNOWN_PLATFORMS, Content
from ssmlab.commands.errors import AccessDenied, CommandError
from ssmlab.commands.rights import Context, decide_right
from ssmlab.commands.statuses import READINGS, Readings
from ssmlab.commands.targets import Groups, find_ids, find_targets, group_name, invalid_ids, missing_ids
from ssmlab.reachability import Reach
from ssmlab.snapshots import Snapshot
from ssmlab.snapshots.documents import are_usable
from ssmlab.snapshots.tags import Place
from ssmlab.words import last_part, say_count

OFFLINE: Final = "Delayed"
_CONDITIONAL: Final = "conditional"
_LATE: Final = (
    "whether Targets with the key InstanceIds are checked node by node, as tags, or all at once, as InstanceIds, is not"
    " written; AWS was recorded to resolve them late, as tags"
)


@dataclass(frozen=True, slots=True)
class Member:
    """A node of a command.

    Attributes
    ----------
    fate
        "" if the agent gets the command; "Delayed" if it is not connected; else the StatusDetails in which the node
        ends without having run it.
    reason
        Why, in words.
    """

    node: str
    node_id: str
    fate: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The nodes of a command; `verdict`: the StatusDetails in which it ends before any node, with its reason."""

    members: tuple[Member, ...]
    verdict: str = ""
    reason: str = ""
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True)
class Planner:
    """Who (ARN) sends which document (ARN) where."""

    settings: Settings
    reach: Reach
    principal: str
    document: str
    region: str

    @property
    def account(self) -> str:
        """The account of the caller."""
        return self.principal.split(":")[4]

    @cached_property
    def outcomes(self) -> pd.Series[Any]:
        """What the policies say of each node alone."""
        return self.reach.nodes(self.principal)["resource_outcome"]

    def make(self, call: Call) -> Plan:
        """The plan of a call.

        Raises
        ------
        AccessDenied, CommandError
            Where AWS refuses the whole call.
        """
        nodes, notes = self.reach.snapshot.nodes, list[str]()
        here = nodes[(nodes["account"] == self.account) & (nodes["region"] == self.region)]
        if call.ids:
            nodes = find_ids(here, call.ids)
            self._check_ids(nodes)
        else:
            nodes, notes = find_targets(here, self.settings.groups, call.targets)
        self._check(self.document, str(self.reach.documents(self.principal)["resource_outcome"][self.document]))
        if refused := self._refuse_group(call):
            return Plan((), "AccessDenied", refused)
        named = call.targets.get(INSTANCE_IDS, ()) if len(call.targets) == 1 else ()
        members = (*self._members(nodes), *map(self._stranger, missing_ids(here, named)))
        verdict = self._find_verdict(len(members))
        doubts = tuple(self._find_doubts(call, members))
        return Plan(() if verdict[0] else members, *verdict, (*notes, *self._note(nodes)), doubts)

    def _find_verdict(self, total: int) -> tuple[str, str]:
        """How a command to so many nodes ends before any, and why; empty if it is sent."""
        limit = self.settings.pending_limit
        if limit is not None and total > limit:
            targets = say_count(total, "target", "is", "are")
            return "RateExceeded", f"{targets} more than the account may have pending, {limit}"
        return ("", "") if total else ("NoInstancesInTag", "no node is meant by the targets")

    def _is_refused(self, outcome: str) -> bool:
        return outcome != "allowed" and not (outcome == _CONDITIONAL and self.settings.allow_unknown)

    def _check(self, resource: str, outcome: str) -> None:
        """Refuse the whole call for a document or node that the caller may not use; a role acts in a session."""
        if self._is_refused(outcome):
            start, is_role, name = self.principal.partition(":role/")
            session = f"{start.replace(':iam:', ':sts:')}:assumed-role/{name.split('/')[-1]}/ssmlab"
            raise AccessDenied(session if is_role else start, resource, outcome)

    def _check_ids(self, nodes: pd.DataFrame) -> None:
        for node, outcome in self.outcomes[nodes.index].items():
            self._check(str(node), outcome)
        if dead := [*nodes["node_id"][_is_dead(nodes)]]:
            raise invalid_ids(dead)

    def _find_doubts(self, call: Call, members: Iterable[Member]) -> Iterator[str]:
        """What the papers leave open of this call; where the reading is so, the whole call is refused."""
        fates = {member.fate: member for member in members}
        if call.ids and (unfit := fates.get("InvalidPlatform")):
            if self.settings.readings["platform"] == "whole call":
                raise CommandError("UnsupportedPlatformType", f"`{unfit.node_id}`: {unfit.reason}")
            yield READINGS["platform"].note
        if INSTANCE_IDS in call.targets and "AccessDenied" in fates:
            yield _LATE

    def _note(self, nodes: pd.DataFrame) -> Iterator[str]:
        """What is not known of these nodes, and what is taken."""
        if self.settings.allow_unknown and (opened := int((self.outcomes[nodes.index] == _CONDITIONAL).sum())):
            nodes_hang = say_count(opened, "node", "hangs", "hang")
            yield f"{nodes_hang} on keys of the request that `context` does not give: taken as allowed"
        if unknown := int(nodes["managed"].isna().sum()):
            yield f"whether {say_count(unknown, 'node', 'is', 'are')} managed was not collected: taken as managed"

    def _refuse_group(self, call: Call) -> str:
        """Why the caller may not list the resource group that it targets; empty if it may, or targets none."""
        if GROUP not in call.targets:
            return ""
        start = f"arn:{self.principal.split(':')[1]}:resource-groups:{self.region}:{self.account}"
        arn, action = f"{start}:group/{group_name(call.targets[GROUP][0])}", "resource-groups:ListGroupResources"
        outcome = decide_right(self.reach.snapshot, self.principal, action, arn, self.settings.context).outcome.value
        return f"{action} on `{arn}` is {outcome}" if self._is_refused(outcome) else ""

    def _members(self, nodes: pd.DataFrame) -> Iterator[Member]:
        listed: Any = self.reach.snapshot.documents["platforms"][self.document]
        platforms = tuple(listed) or KNOWN_PLATFORMS.get(last_part(self.document), ())  # none: not known, or all
        told = nodes[["node_id", "platform", "ping_status", "state"]].astype("object")
        told = told.assign(outcome=self.outcomes[nodes.index].astype("str"), dead=_is_dead(nodes))
        for node, node_id, platform, ping, state, outcome, is_dead in told.itertuples():
            dead = ("stopped" if state == "stopped" else "not managed by Systems Manager") if is_dead else ""
            yield Member(node, node_id, *self._fate(outcome, dead, platform, ping, platforms))

    def _fate(self, outcome: str, dead: str, platform: Any, ping: Any, fit: tuple[str, ...]) -> tuple[str, str]:
        """StatusDetails and reason: the first row that holds."""
        open_ = ": it hangs on a key of the request that `context` does not give" * (outcome == _CONDITIONAL)
        unfit = bool(fit) and pd.notna(platform) and platform not in fit
        table = (
            (self._is_refused(outcome), "AccessDenied", f"ssm:SendCommand on this node is {outcome}{open_}"),
            (bool(dead), "Undeliverable", f"the node is {dead}"),
            (unfit, "InvalidPlatform", f"the node runs {platform}, the document is for {', '.join(fit)}"),
            (pd.notna(ping) and ping != "Online", OFFLINE, f"the agent is not connected: {ping}"),
            (True, "", ""),
        )
        return next((details, reason) for holds, details, reason in table if holds)

    def _stranger(self, node_id: str) -> Member:
        """A node that targets name and nobody knows."""
        arn = Place(self.account, self.region).node_arn(node_id)
        return Member(arn, node_id, "Undeliverable", "the account has no such node in this Region")


def _is_dead(nodes: pd.DataFrame) -> pd.Series[bool]:
    """Stopped or not managed; of what is not known, the better is taken."""
    return ~nodes["managed"].fillna(True).astype(bool) | (nodes["state"].astype(object) == "stopped")


def find_document(documents: pd.DataFrame, name: str, account: str, region: str) -> str:
    """The ARN of a document by name, or by ARN where another account owns it.

    Raises
    ------
    CommandError
        "InvalidDocument": there is none that the account sees in the Region, or it is no Command document.
    """
    here = documents[documents["region"] == region]
    if name.startswith("arn:"):
        found = here[(here.index == name) & are_usable(here, account)]
    else:
        found = here[(here["name"] == name) & here["account"].isin(["", account])]
    if found.empty:
        hint = "; that of another account goes by its ARN" * (name in {*here["name"]})
        raise CommandError("InvalidDocument", f"expected a document of `{account}` in {region}, got `{name}`{hint}")
    kind = found["document_type"].astype(object).iloc[0]
    if pd.notna(kind) and kind != "Command":
        raise CommandError("InvalidDocument", f"expected a document of type Command, got `{name}` of type {kind}")
    return str(found.index[0])
