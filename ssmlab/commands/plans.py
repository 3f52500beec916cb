"""What is settled before anything is sent: which nodes, who of them never runs the command, and whole refusals.

Access is what `reach` says of each resource alone: of the document and of every node.

Sources: Systems Manager User Guide, "Understanding command statuses"; API reference, `SendCommand`; recordings of AWS,
September 2026.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any, Final

import numpy as np
import pandas as pd

from ssmlab.commands.answers import Answer
from ssmlab.commands.calls import GROUP, INSTANCE_IDS, Call
from ssmlab.commands.contents import KNOWN_PLATFORMS, Content
from ssmlab.commands.errors import AccessDenied, CommandError
from ssmlab.commands.rights import Context, decide_right
from ssmlab.commands.statuses import READINGS, Readings
from ssmlab.commands.targets import Groups, Scope, find_ids, find_targets, group_name, invalid_ids, missing_ids
from ssmlab.reachability import Reach
from ssmlab.snapshots import Snapshot

OFFLINE: Final = "Delayed"
_CONDITIONAL: Final = "conditional"


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

    @cached_property
    def account(self) -> str:
        """The account of the caller."""
        return self.principal.split(":")[4]

    @property
    def document_name(self) -> str:
        """The document's name."""
        return self.document.rpartition("/")[2]

    @cached_property
    def scope(self) -> Scope:
        """The nodes that the caller's account has in the Region."""
        nodes = self.reach.snapshot.nodes
        here = (nodes["account"].astype(str) == self.account) & (nodes["region"].astype(str) == self.region)
        return Scope(nodes[here], self.settings.groups)

    @cached_property
    def outcomes(self) -> pd.Series[str]:
        """What the policies say of each node alone."""
        return self.reach.nodes(self.principal)["resource_outcome"].astype("str")

    def is_refused(self, outcome: str) -> bool:
        """Does an outcome count as refused?"""
        return outcome != "allowed" and not (outcome == _CONDITIONAL and self.settings.allow_unknown)

    def make(self, call: Call) -> Plan:
        """The plan of a call.

        Raises
        ------
        AccessDenied, CommandError
            Where AWS refuses the whole call.
        """
        if call.ids is not None:
            nodes, notes = find_ids(self.scope, call.ids), list[str]()
            self._check_ids(nodes)
        else:
            nodes, notes = find_targets(self.scope, call.targets)
        self.check_document()
        if call.ids is None and (refused := self._refuse_group(call)):
            return Plan((), "AccessDenied", refused)
        missing = missing_ids(self.scope, call.targets) if len(call.targets) == 1 else []
        members = (*self._members(nodes), *map(self._stranger, missing))
        verdict = ("", "") if members else ("NoInstancesInTag", "no node is meant by the targets")
        return Plan(members, *verdict, (*notes, *self._note(nodes)), tuple(self._find_doubts(call, members)))

    def check_document(self) -> None:
        """Refuse a document that the caller may not send."""
        outcome = str(self.reach.documents(self.principal)["resource_outcome"][self.document])
        if self.is_refused(outcome):
            raise AccessDenied(self._user, self.document, outcome)

    @property
    def _user(self) -> str:
        """The caller as AWS names it: a role acts in a session."""
        start, is_role, name = self.principal.partition(":role/")
        return f"{start.replace(':iam:', ':sts:')}:assumed-role/{name.split('/')[-1]}/ssmlab" if is_role else start

    def _check_ids(self, nodes: pd.DataFrame) -> None:
        for node, outcome in self.outcomes[nodes.index].items():
            if self.is_refused(outcome):
                raise AccessDenied(self._user, str(node), outcome)
        if dead := [*nodes["node_id"][_is_dead(nodes)]]:
            raise invalid_ids(dead)

    def _find_doubts(self, call: Call, members: Sequence[Member]) -> Iterator[str]:
        """What the papers leave open of this call; where the reading is so, the whole call is refused."""
        unfit = [member for member in members if member.fate == "InvalidPlatform"]
        refused = [member.node for member in members if member.fate == "AccessDenied"]
        if unfit and call.ids is not None:
            if self.settings.readings["platform"] == "whole call":
                raise CommandError("UnsupportedPlatformType", f"`{unfit[0].node_id}`: {unfit[0].reason}")
            yield READINGS["platform"].note
        if refused and any(target.key == INSTANCE_IDS for target in call.targets):
            if self.settings.readings["instance_ids_target"] == "whole call":
                raise AccessDenied(self._user, refused[0], self.outcomes[refused[0]])
            yield READINGS["instance_ids_target"].note

    def _note(self, nodes: pd.DataFrame) -> Iterator[str]:
        """What is not known of these nodes, and what is taken."""
        if self.settings.allow_unknown and (opened := int((self.outcomes[nodes.index] == _CONDITIONAL).sum())):
            yield f"{opened} nodes hang on keys of the request that `context` does not give: taken as allowed"
        if unknown := int(nodes["managed"].isna().sum()):
            yield f"whether {unknown} nodes are managed was not collected: taken as managed"

    def _refuse_group(self, call: Call) -> str:
        """Why the caller may not list the resource group that it targets; empty if it may, or targets none."""
        named = next((target.values[0] for target in call.targets if target.key == GROUP), None)
        if named is None:
            return ""
        partition = self.principal.split(":")[1]
        arn = f"arn:{partition}:resource-groups:{self.region}:{self.account}:group/{group_name(named)}"
        action = "resource-groups:ListGroupResources"
        outcome = decide_right(self.reach.snapshot, self.principal, action, arn, self.reach.context).outcome.value
        return f"{action} on `{arn}` is {outcome}" if self.is_refused(outcome) else ""

    def _members(self, nodes: pd.DataFrame) -> Iterable[Member]:
        platforms = self._platforms()
        told = nodes[["node_id", "platform", "ping_status"]].astype("object")
        told = told.assign(outcome=self.outcomes[nodes.index], dead=_is_dead(nodes))
        for node, node_id, platform, ping, outcome, dead in told.itertuples():
            yield Member(node, node_id, *self._fate(outcome, dead, platform, ping, platforms))

    def _fate(self, outcome: str, dead: bool, platform: Any, ping: Any, fit: tuple[str, ...]) -> tuple[str, str]:
        """StatusDetails and reason: the first row that holds."""
        open_ = ": it hangs on a key of the request that `context` does not give" if outcome == _CONDITIONAL else ""
        unfit = bool(fit) and pd.notna(platform) and platform not in fit
        table = (
            (self.is_refused(outcome), "AccessDenied", f"ssm:SendCommand on this node is {outcome}{open_}"),
            (dead, "Undeliverable", "the node is stopped, or not managed by Systems Manager"),
            (unfit, "InvalidPlatform", f"the node runs {platform}, the document is for {', '.join(fit)}"),
            (pd.notna(ping) and ping != "Online", OFFLINE, f"the agent is not connected: {ping}"),
        )
        return next(((details, reason) for holds, details, reason in table if holds), ("", ""))

    def _platforms(self) -> tuple[str, ...]:
        """The platforms of the document; empty: not known, or all."""
        name, listed = self.reach.snapshot.documents.loc[[self.document], ["name", "platforms"]].to_numpy()[0]
        return tuple(listed) or KNOWN_PLATFORMS.get(str(name), ())

    def _stranger(self, node_id: str) -> Member:
        """A node that targets name and nobody knows."""
        service, kind = ("ec2", "instance") if node_id.startswith("i-") else ("ssm", "managed-instance")
        arn = f"arn:{self.principal.split(':')[1]}:{service}:{self.region}:{self.account}:{kind}/{node_id}"
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
    here = documents[documents["region"].astype(str) == region]
    owners = here["account"].astype(str)
    if name.startswith("arn:"):
        shared = np.array([account in (with_ or ()) for with_ in here["shared_with"]], dtype=bool)
        found = here[(here.index == name) & (owners.isin(["", account]) | shared)]
    else:
        found = here[(here["name"] == name) & owners.isin(["", account])]
    if found.empty:
        hint = "; that of another account goes by its ARN" * (name in {*here["name"]})
        raise CommandError("InvalidDocument", f"expected a document of `{account}` in {region}, got `{name}`{hint}")
    kind = found["document_type"].astype(object).iloc[0]
    if pd.notna(kind) and kind != "Command":
        raise CommandError("InvalidDocument", f"expected a document of type Command, got `{name}` of type {kind}")
    return str(found.index[0])
