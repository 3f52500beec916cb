"""What every way makes of every principal: one table a way, on groups of nodes, on principals, or on accounts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from ssmlab.evaluation import Decision
from ssmlab.paths.tables import Tables
from ssmlab.paths.trust import decide_assume, trusts_service
from ssmlab.paths.ways import Step, Way, read_ways
from ssmlab.reachability.columns import Codes, Truths, combine, encode, first_rows
from ssmlab.reachability.fleets import ALLOWED, CONDITIONAL, IMPLICIT, OUTCOMES
from ssmlab.snapshots import Snapshot

Flags = npt.NDArray[np.bool_]


class WayTables:
    """The tables of all ways.

    Attributes
    ----------
    groups, rows
        Group of each node, and a node of each group: nodes that every way treats alike.
    variant
        By way to nodes: principals x groups, the best of the way's variants.
    managed, own
        Which groups Systems Manager manages; principals x groups: which lie in the principal's account.
    to_node
        By way: principals x groups, as places in `OUTCOMES`.
    act_as
        By way: principals x principals.
    to_account
        By way: for each principal, whether it may give itself any permission in its account.
    """

    def __init__(self, snapshot: Snapshot, tables: Tables) -> None:
        self.snapshot, self.tables = snapshot, tables
        ways = read_ways().values()
        steps = [step for way in ways for each in tables.variants(way) for step in each.steps]
        on_nodes = [step for step in steps if step.on in ("node", "any node")]
        alike = {step.action: tables.alike(step.action) for step in steps if step.retags}
        fleets = [tables.side(step)[1] for step in on_nodes]
        nodes = snapshot.nodes
        told = [encode(nodes[name])[0] for name in ("account", "region", "kind", "managed", "instance_profile")]
        self.groups: Codes = combine([*told, *alike.values(), *(fleet.groups for fleet in fleets)], len(nodes))
        self.rows: Codes = first_rows(self.groups)
        self._alike = {action: codes[self.rows] for action, codes in alike.items()}
        first = nodes.iloc[self.rows]
        places = pd.MultiIndex.from_frame(tables.places.astype(object))
        wanted = pd.MultiIndex.from_arrays([first["account"].astype(str), first["region"].astype(str)])
        self._place: Codes = np.asarray(places.get_indexer(wanted), dtype=np.int64)
        self._is_ec2: Flags = np.asarray(first.index.str.contains(":instance/"), dtype=bool)
        self.managed: Flags = first["managed"].astype("boolean").fillna(True).to_numpy(dtype=bool)
        accounts = first["account"].astype(str).to_numpy()
        self.own: Flags = np.asarray(tables.accounts[:, None] == accounts[None, :], dtype=bool)
        self.variant: dict[str, Truths] = {}
        self.to_node = {way.name: self._reach_nodes(way) for way in ways if way.to == "node"}
        self._trusted: dict[str, list[Decision]] = {}
        self.assumed = {(who, role): decision for who, role, decision in decide_assume(tables)}
        self.act_as = {way.name: self._reach_principals(way) for way in ways if way.to in ("role", "user")}
        self.to_account = {way.name: self._reach_account(way) for way in ways if way.to == "account"}

    def _reach_nodes(self, way: Way) -> Truths:
        found = [self._reach_by(variant) for variant in self.tables.variants(way)]
        self.variant[way.name] = np.argmax(found, axis=0).astype(np.int8)
        return np.asarray(np.maximum.reduce(found), dtype=np.int8)

    def _reach_by(self, way: Way) -> Truths:
        outcomes = np.minimum.reduce([self._on_groups(step) for step in way.steps])
        fits = self.managed | way.unmanaged
        fits &= {"ec2": self._is_ec2, "mi": ~self._is_ec2}.get(way.nodes, True)
        return _cap(np.where(fits & self.own, outcomes, np.int8(IMPLICIT)), way)

    def _on_groups(self, step: Step) -> Truths:
        if step.on == "node":
            _, fleet = self.tables.side(step)
            return fleet.outcomes[:, fleet.groups[self.rows]]
        if step.retags:
            return self.tables.per_class(step)[:, self._alike[step.action]]
        return self.tables.per_place(step)[:, self._place]

    def _reach_principals(self, way: Way) -> Truths:
        targets = self.rows_of(way.to)
        found = np.full((len(self.tables.people), len(targets)), IMPLICIT, dtype=np.int8)
        if way.name == "assume-role":
            for (who, role), decision in self.assumed.items():
                found[who, role] = OUTCOMES.index(decision.outcome)
        else:
            found = np.minimum.reduce([self._on_targets(step, way.to) for step in way.steps])
            if any(step.on != way.to for step in way.steps):
                found = np.minimum(found, self.placed(way).max(axis=1, initial=IMPLICIT)[:, None])
            if way.trust:
                trusts = [OUTCOMES.index(decision.outcome) for decision in self.trusted(way.trust)]
                found = np.minimum(found, np.array(trusts, dtype=np.int8)[None, :])
        # nobody changes, passes or takes over a service-linked role [IAM User Guide, using-service-linked-roles]
        linked = [self.tables.people[target].caller.is_service_linked for target in targets]
        found = np.where(np.array(linked, dtype=bool)[None, :], np.int8(IMPLICIT), found)
        spread = np.full((len(found),) * 2, IMPLICIT, dtype=np.int8)
        spread[:, targets] = _cap(found, way)
        np.fill_diagonal(spread, IMPLICIT)
        return spread

    def placed(self, way: Way) -> Truths:
        """Principals x places: the steps of a way that are free to choose what they are on, all of them in one."""
        found: Truths = np.minimum.reduce([self.tables.per_place(step) for step in way.steps if step.on != way.to])
        return found

    def trusted(self, service: str) -> list[Decision]:
        """Whether a service may assume each role."""
        if service not in self._trusted:
            self._trusted[service] = [*trusts_service(self.tables, service)]
        return self._trusted[service]

    def _on_targets(self, step: Step, to: str) -> Truths:
        if step.on == to:
            return self.tables.outcomes(step)
        return np.full((len(self.tables.people), len(self.rows_of(to))), ALLOWED, dtype=np.int8)

    def rows_of(self, kind: str) -> Codes:
        """The rows of principals of a kind."""
        return np.flatnonzero((self.snapshot.principals["kind"] == kind).to_numpy(dtype=bool))

    def _reach_account(self, way: Way) -> Truths:
        (step,) = way.steps
        outcomes, owned = self.tables.outcomes(step), self.owned(step)
        chosen = np.where(owned, outcomes, np.int8(IMPLICIT))
        bound = self.snapshot.principals["boundary"].notna().to_numpy(dtype=bool)
        best = chosen.max(axis=1, initial=IMPLICIT)
        best = np.where(bound, np.minimum(best, CONDITIONAL), best)  # any permission, within the boundary
        return _cap(best.astype(np.int8), way)

    def owned(self, step: Step) -> Flags:
        """Principals x resources of a step: which are the principal's own; for "any …": those of its account."""
        index = self.tables.frame(step).index
        if step.on.startswith("any "):
            of = np.array([arn.split(":")[4] for arn in index], dtype=object)
            return np.asarray(self.tables.accounts[:, None] == of[None, :], dtype=bool)
        owned = np.zeros((len(self.tables.people), len(index)), dtype=bool)
        place, groups = {arn: row for row, arn in enumerate(index)}, self.snapshot.principals["groups"].to_list()
        for who, arn in enumerate(self.snapshot.principals.index):
            own = (policy.name for policy in self.tables.people[who].policies.identity)
            owned[who, [place[name] for name in (arn, *groups[who], *own) if name in place]] = True
        return owned


def _cap(outcomes: Truths, way: Way) -> Truths:
    """What depends on more than policies is never certain."""
    return np.minimum(outcomes, np.int8(CONDITIONAL)) if way.open else outcomes
