"""Which nodes may write their output to CloudWatch Logs: their role decides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ssmlab.commands.outputs import find_missing_rights
from ssmlab.commands.rights import find_node_roles
from ssmlab.evaluation import Outcome
from ssmlab.snapshots import Snapshot

_FINDING = "log-group-not-writable"
_NO_ROLE = "the role of some nodes is not known; taken is that it may write to CloudWatch Logs"


@dataclass(frozen=True, slots=True)
class Writing:
    """Nodes that may not write (node, finding, why, mend), and what is doubtful."""

    findings: tuple[tuple[str, str, str, str], ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def silent(self) -> list[str]:
        """The nodes that may not."""
        return [node for node, *_ in self.findings]


def check_writing(snapshot: Snapshot, nodes: Iterable[str], region: str, group: str, *, exists: bool) -> Writing:
    """Decide for nodes (ARNs) whether they may write to a log group, once a role."""
    wanted = [*nodes]
    own = find_node_roles(snapshot) if wanted else {}
    roles = {node: own.get(node) for node in wanted}
    missing = {
        role: find_missing_rights(snapshot, role, region, group, exists=exists)
        for role in dict.fromkeys(roles.values())
        if role
    }
    refused = {
        role: [name for name, o in found.items() if o is not Outcome.CONDITIONAL] for role, found in missing.items()
    }
    doubts = [
        f"whether {role} may {', '.join(found)} for log group `{group}` hangs on keys that are not known"
        for role, found in missing.items()
        if found and not refused[role]
    ]
    findings = tuple(
        _describe(node, role, refused[role], group) for node, role in roles.items() if role and refused[role]
    )
    return Writing(findings, (*doubts, *[_NO_ROLE] * (None in roles.values())))


def _describe(node: str, role: str, refused: list[str], group: str) -> tuple[str, str, str, str]:
    name, actions = role.rpartition("/")[2], ", ".join(refused)
    return (
        node,
        _FINDING,
        f"its role {name} may not {actions} for log group `{group}`",
        f"allow {name} {actions} on `log-group:{group}:*`, logs:DescribeLogGroups on `*`",
    )
