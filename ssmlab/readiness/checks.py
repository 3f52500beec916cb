"""The steps of the checklist, each a question to a snapshot.

Sources: Systems Manager User Guide, `systems-manager-setting-up-nodes`, `setup-instance-permissions`,
`managed-instances-default-host-management`, `sysman-managed-instance-activation`, `systems-manager-prereqs`,
`systems-manager-setting-up-messageAPIs`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from ssmlab.commands.rights import decide_right, decide_trust, find_node_roles
from ssmlab.evaluation import Decision, Outcome
from ssmlab.explanation import last_part, say_statement
from ssmlab.patterns import Wild
from ssmlab.reachability.callers import recall_people
from ssmlab.snapshots import Snapshot
from ssmlab.snapshots.documents import are_usable

YES, NO, NOT_KNOWN = "yes", "no", "not known"
STEPS: Final = ("agent", "permissions", "connection", "platform", "documents")
CORE_POLICY: Final = "AmazonSSMManagedInstanceCore"
ORDER: Final = (NO, NOT_KNOWN, YES)  # the first of them that there is decides
_UPDATE: Final = "ssm:UpdateInstanceInformation"
# An agent gets its commands by the first where it can, else by the second. [systems-manager-setting-up-messageAPIs]
_CHANNELS: Final = {
    "ssmmessages": ("CreateControlChannel", "CreateDataChannel", "OpenControlChannel", "OpenDataChannel"),
    "ec2messages": ("AcknowledgeMessage", "FailMessage", "GetEndpoint", "GetMessages", "SendReply"),
}
_DEFAULT: Final = "Default Host Management Configuration"
_DEFAULT_AGENT: Final = "SSM Agent 3.2.582.0 or later and IMDSv2"
_PLATFORMS: Final = ("Linux", "Windows", "MacOS")
_ENDPOINTS: Final = (
    "Allow outbound HTTPS (port 443) to ssm, ssmmessages and ec2messages of its Region, or make VPC endpoints for them;"
    " then restart SSM Agent."
)
Answer = tuple[str, ...]  # answer, why, and how to mend it


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the checklist for a machine: "yes", "no" or "not known", why, and how to mend it."""

    name: str
    answer: str
    why: str
    mend: str = ""


@dataclass(frozen=True, eq=False)
class Checks:
    """The steps as questions to a snapshot; what is asked of roles is remembered."""

    snapshot: Snapshot
    _known: dict[Any, Answer] = field(default_factory=dict, init=False)

    @cached_property
    def roles(self) -> Mapping[str, str | None]:
        """The role of each machine, by ARN."""
        return find_node_roles(self.snapshot, self.snapshot.nodes)

    @cached_property
    def by_arn(self) -> frozenset[str]:
        """Roles with a statement on the health signal that names resources, so that each node is asked alone."""
        people = zip(self.snapshot.principals.index, recall_people(self.snapshot), strict=True)
        found = ((role, applied.statement) for role, own in people for applied in own.policies.relevant(_UPDATE))
        return frozenset(role for role, s in found if any(r != (Wild.MANY,) for r in s.resources))

    @cached_property
    def default(self) -> frozenset[tuple[str, str]]:
        """Accounts and Regions in which an instance is managed without a profile: default host management is on."""
        nodes = self.snapshot.nodes
        is_so = nodes["managed"].fillna(False) & (nodes["kind"] == "ec2") & nodes["state"].notna()
        own = nodes[is_so & nodes["instance_profile"].isna()]
        return frozenset(zip(own["account"], own["region"], strict=True))

    def run(self, node: Mapping[str, Any]) -> list[Step]:
        """All steps of one machine."""
        checks = (self._agent, self._permissions, self._connection, self._platform, self._documents)
        return [Step(name, *check(node)) for name, check in zip(STEPS, checks, strict=True)]

    def _agent(self, node: Mapping[str, Any]) -> Answer:
        if node["agent_version"]:
            return YES, f"SSM Agent {node['agent_version']} is installed"
        if node["managed"]:
            return YES, "it is registered, so SSM Agent is installed"
        mend = "Check that SSM Agent is installed and running; many AMIs from AWS have it preinstalled."
        return NOT_KNOWN, "whether SSM Agent is installed and running: an agent that never reported is not seen", mend

    def _connection(self, node: Mapping[str, Any]) -> Answer:
        if node["ping_status"] == "Online":
            return YES, "its agent reports (Online)"
        if node["state"] in ("stopped", "stopping"):
            return NO, f"the instance is {node['state']}", "Start the instance."
        if node["ping_status"]:
            return NO, f"its agent has stopped reporting ({node['ping_status']})", _ENDPOINTS
        return NOT_KNOWN, "whether it reaches the endpoints of Systems Manager", _ENDPOINTS

    def _platform(self, node: Mapping[str, Any]) -> Answer:
        platform = node["platform"]
        if platform in _PLATFORMS:
            return YES, f"{platform} is a type of platform that Systems Manager manages"
        if platform is None:
            return NOT_KNOWN, "its platform was not collected"
        return NO, f"Systems Manager does not manage the platform {platform}", "Use a supported operating system."

    def _documents(self, node: Mapping[str, Any]) -> Answer:
        return self._recall((node["account"], node["region"], node["platform"]), lambda: self._fitting(node))

    def _fitting(self, node: Mapping[str, Any]) -> Answer:
        documents = self.snapshot.documents
        there = documents[are_usable(documents, node["account"]) & (documents["region"] == node["region"])]
        if there.empty or not node["platform"]:
            what = "the documents of its Region were" if there.empty else "its platform was"
            return NOT_KNOWN, f"which documents fit: {what} not collected"
        commands = there[there["document_type"].isin(["Command"]) | there["document_type"].isna()]
        fits = sum(not platforms or node["platform"] in platforms for platforms in commands["platforms"])
        if fits:
            return YES, f"{fits} Command documents of its Region are for {node['platform']}"
        mend = "Write or share a document for this platform."
        return NO, f"no Command document of its Region is for {node['platform']}", mend

    def _recall(self, key: Any, ask: Callable[[], Answer]) -> Answer:
        if key not in self._known:
            self._known[key] = ask()
        return self._known[key]

    # --- Permissions ---

    def _permissions(self, node: Mapping[str, Any]) -> Answer:
        """Of its role, as far as that is known; a machine that reports has them, from wherever."""
        answer, why, mend = self._of_role(node)
        if node["ping_status"] != "Online" or answer == YES:
            return answer, why, mend
        if answer == NOT_KNOWN:
            return YES, "it reports to Systems Manager, so it has them"
        other = f"{_DEFAULT} may give them, or " if node["kind"] == "ec2" and node["default_role"] != "" else ""
        return NOT_KNOWN, f"{why}; yet it reports: {other}they have changed since", mend

    def _of_role(self, node: Mapping[str, Any]) -> Answer:
        role, is_ec2 = self.roles[node["arn"]], node["kind"] == "ec2"
        if role:
            named = node["arn"] if role in self.by_arn else ""
            return self._recall((role, node["region"], is_ec2, named), lambda: self._decide(role, node["arn"], is_ec2))
        name = node["instance_profile"] if is_ec2 else node["iam_role"]
        if name:
            return NOT_KNOWN, f"what {last_part(name)} may do: its role was not collected", ""
        if is_ec2:
            return self._without_profile(node)
        mend = "Register it with a hybrid activation, whose service role trusts ssm.amazonaws.com."
        return NOT_KNOWN, "the service role of its activation was not collected", mend

    def _without_profile(self, node: Mapping[str, Any]) -> Answer:
        if node["state"] is None:
            return NOT_KNOWN, "its instance profile was not collected", ""
        mend = f"Attach an instance profile with {CORE_POLICY}, or turn on {_DEFAULT} ({_DEFAULT_AGENT})."
        if node["default_role"] == "":
            return NO, f"it has no instance profile, and {_DEFAULT} is off there", mend
        if node["managed"]:
            return YES, f"it is managed without an instance profile, by {_DEFAULT}", ""
        role = f"{node['arn'].split(':ec2:')[0]}:iam::{node['account']}:role/{node['default_role']}"
        if role in self.snapshot.principals.index:
            named = node["arn"] if role in self.by_arn else ""
            decided = self._recall((role, node["region"], False, named), lambda: self._decide(role, node["arn"], False))
            if decided[0] == NO:
                return NO, f"it has no instance profile, and {_DEFAULT} does not help: {decided[1]}", decided[2]
        if node["default_role"] or (node["account"], node["region"]) in self.default:
            return NOT_KNOWN, f"it has no instance profile; {_DEFAULT} is on there, and needs {_DEFAULT_AGENT}", mend
        return NOT_KNOWN, f"it has no instance profile; whether {_DEFAULT} is on was not collected", mend

    def _decide(self, role: str, arn: str, is_ec2: bool) -> Answer:
        """May the service assume the role, and the role send the health signal and receive commands?"""
        name, service = last_part(role), "ec2.amazonaws.com" if is_ec2 else "ssm.amazonaws.com"
        context = {"aws:SourceAccount": role.split(":")[4]}
        trust = decide_trust(self.snapshot, role, service, context, ("aws:SourceArn",))
        if trust is None or trust.outcome is Outcome.CONDITIONAL:
            what = "was not collected" if trust is None else "depends on what is not known"
            trusted = NOT_KNOWN, f"the trust policy of {name} {what}", ""
        elif trust.outcome is Outcome.ALLOWED:
            trusted = YES, "", ""
        else:
            trusted = NO, f"{name} does not trust {service}", f"Let {service} assume {name} in its trust policy."
        rights = self._decide_rights(role, arn)
        return min((rights, trusted), key=lambda found: ORDER.index(found[0]))

    def _decide_rights(self, role: str, arn: str) -> Answer:
        signal = {_UPDATE: decide_right(self.snapshot, role, _UPDATE, arn, {})}
        channels = [
            {f"{service}:{name}": decide_right(self.snapshot, role, f"{service}:{name}", "*", {}) for name in names}
            for service, names in _CHANNELS.items()
        ]
        best = max(channels, key=lambda asked: ORDER.index(_answer(asked)))
        asked, name = signal | best, last_part(role)
        answer = _answer(asked)
        if answer == YES:
            return YES, f"{name} may send the health signal and receive commands", ""
        lacking = [action for action, decision in asked.items() if _say_outcome(decision) == answer]
        denying = [say_statement(s) for a in lacking for s in asked[a].determining_statements if answer == NO]
        why = f"{name} may not, or not for certain, call" if answer == NOT_KNOWN else f"{name} may not call"
        why += f" {', '.join(lacking[:2])}{f' and {len(lacking) - 2} more' if len(lacking) > 2 else ''}"
        if denying:
            return answer, f"{why}: denied by {denying[0]}", f"Change {denying[0]}."
        return answer, why, f"Attach {CORE_POLICY} to {name}."


def _say_outcome(decision: Decision) -> str:
    return {Outcome.ALLOWED: YES, Outcome.CONDITIONAL: NOT_KNOWN}.get(decision.outcome, NO)


def _answer(asked: Mapping[str, Decision]) -> str:
    """All of them must be allowed."""
    return min(map(_say_outcome, asked.values()), key=ORDER.index)
