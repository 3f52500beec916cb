"""`reach`: one question to a snapshot; what an earlier question settled is used again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ssmlab.evaluation.requests import ContextValue
from ssmlab.reachability.callers import read_principals, recall_people
from ssmlab.reachability.changes import find_changes, update_fleet
from ssmlab.reachability.columns import Resources
from ssmlab.reachability.deciding import Decider
from ssmlab.reachability.fleets import Fleet, decide_fleet
from ssmlab.reachability.matrices import Side
from ssmlab.reachability.reach import Reach
from ssmlab.services import ACTIONS, REACH_ACTIONS
from ssmlab.snapshots import Snapshot, expect_snapshot
from ssmlab.snapshots.memory import without_collector

_FRAMES: Final = {"instance": "nodes", "document": "documents"}  # resource type -> frame


def reach(
    snapshot: Snapshot, action: str = "ssm:SendCommand", context: Mapping[str, ContextValue | None] | None = None
) -> Reach:
    """Decide who reaches which nodes with which documents.

    Parameters
    ----------
    snapshot
        From `ssmlab.load`.
    action
        "ssm:SendCommand" or "ssm:StartSession" (whose document is that of the session), in any case.
    context
        Condition keys of the request and their values; None: known to be absent. Keys that are not given are unknown,
        and what depends on them is conditional.

    Returns
    -------
    Reach

    Raises
    ------
    TypeError, ValueError
        For what is no snapshot; for an action whose resource types are not known.

    Examples
    --------
    >>> import ssmlab
    >>> found = ssmlab.reach(ssmlab.load("data/sample"))
    >>> found.outcome("web-ops", "i-0123456789abcdef0", "AWS-RunShellScript").value
    'allowed'
    """
    expect_snapshot(snapshot)
    action = {name.lower(): name for name in REACH_ACTIONS}.get(action.lower(), action)
    if action not in REACH_ACTIONS:
        raise ValueError(f"expected an action of {', '.join(f'`{name}`' for name in REACH_ACTIONS)}, got `{action}`")
    given = dict(context or {})
    with without_collector():
        sides = [_decide_side(snapshot, kind, action, given) for kind in _FRAMES]
    return Reach(snapshot, action, given, *sides)


def _decide_side(snapshot: Snapshot, kind: str, action: str, context: Mapping[str, ContextValue | None]) -> Side:
    """The principals and the nodes or documents, decided; what an earlier question to these frames settled is taken
    from there.
    """
    memory, frame = snapshot.memory, getattr(snapshot, _FRAMES[kind])
    people = recall_people(snapshot)
    given = frozenset((key, repr(value)) for key, value in context.items())
    keys = frozenset(filter(Resources(frame, kind).answers, map(str.lower, context)))
    principals = memory.recall(
        f"principals, {kind}", (people, action, given), lambda: read_principals(people, ACTIONS[action], kind, context)
    )
    decider = memory.recall(f"columns, {kind}", (frame, keys), lambda: Decider(Resources(frame, kind, keys)))

    def decide() -> Fleet:
        for fleet in memory.latest(f"fleet, {kind}"):
            is_same = fleet.clauses.principals is principals
            changes = find_changes(fleet.resources.frame, frame) if is_same else None
            if changes and (updated := update_fleet(fleet, decider, changes)):
                return updated
        return decide_fleet(decider, principals, action)

    return principals, memory.recall(f"fleet, {kind}", (principals, decider), decide)
