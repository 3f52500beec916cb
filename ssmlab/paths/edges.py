"""Edges of paths: from a principal to a node or to another principal, decided again one by one, and in words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from ssmlab.evaluation import Decision
from ssmlab.explanation import last_part, say_open, say_statement
from ssmlab.paths.matrices import WayTables
from ssmlab.paths.ways import Step, Way, read_ways
from ssmlab.reachability.columns import Codes, Truths
from ssmlab.reachability.fleets import IMPLICIT
from ssmlab.reachability.matrices import ask_one

NODE_ROLE: Final = "node-role"
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Edge:
    """One step of a path: from whom, by which way, to what; why, and what is open."""

    way: str
    source: str
    target: str
    outcome: str
    sentence: str
    statements: tuple[str, ...] = ()
    open_conditions: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


class Edges(WayTables):
    """What each principal reaches in one step, and the edge behind it."""

    @cached_property
    def _nodes(self) -> Truths:
        """Principals x groups: the best of all ways by oneself."""
        found = np.maximum.reduce([*self.to_node.values()])
        anything = np.maximum.reduce([*self.to_account.values()])
        return np.asarray(np.maximum(found, np.where(self.own, anything[:, None], np.int8(IMPLICIT))), dtype=np.int8)

    @cached_property
    def _node_roles(self) -> Codes:
        """The principal that each group of nodes acts as, by row; -1: none that is known."""
        principals = self.snapshot.principals
        rows = {name: who for who, own in enumerate(principals["instance_profiles"]) for name in own or ()}
        profiles = self.snapshot.nodes["instance_profile"].astype(object).iloc[self.rows]
        return np.array([rows.get(profile, -1) for profile in profiles], dtype=np.int64)

    @cached_property
    def _acts(self) -> Truths:
        """Principals x principals: as whom one may act next, the role of a node that one reaches included."""
        found: Truths = np.maximum.reduce([*self.act_as.values()])
        for group in np.flatnonzero(self._node_roles >= 0):
            role = self._node_roles[group]
            found[:, role] = np.maximum(found[:, role], self._nodes[:, group])
        np.fill_diagonal(found, IMPLICIT)
        return found

    def _act_edges(self, who: int, other: int, least: int) -> list[Edge]:
        for name, table in self.act_as.items():
            if table[who, other] >= least:
                return [self._edge(read_ways()[name], who, other, str(self.snapshot.principals.index[other]))]
        groups = np.flatnonzero((self._node_roles == other) & (self._nodes[who] >= least))
        node, role = self._node_name(groups[0]), str(self.snapshot.principals.index[other])
        sentence = f"whoever runs code on {last_part(node)} acts as {last_part(role)}"
        return [self._node_edge(who, int(groups[0]), least), Edge(NODE_ROLE, node, role, "allowed", sentence)]

    def _node_edge(self, who: int, group: int, least: int) -> Edge:
        by_way = [(name, table[who, group]) for name, table in self.to_node.items()]
        by_way += [(name, table[who]) for name, table in self.to_account.items()]
        name = next(name for name, outcome in by_way if outcome >= least)
        variants = self.tables.variants(read_ways()[name])
        best = variants[self.variant[name][who, group] if name in self.variant else 0]
        return self._edge(best, who, group, self._node_name(group))

    def _node_name(self, group: int) -> str:
        return str(self.snapshot.nodes.index[self.rows[group]])

    def _edge(self, way: Way, who: int, target: int, name: str) -> Edge:
        decisions = [*self._decisions(way, who, target)]
        source = str(self.snapshot.principals.index[who])
        opened = [*dict.fromkeys(clause for each in decisions for clause in say_open(each.open_conditions))]
        is_bound = way.to == "account" and self.tables.people[who].policies.boundary is not None
        opened += [way.open] if way.open else ["the permissions boundary allows it too"] if is_bound else []
        called = f"account {source.split(':')[4]}" if way.to == "account" else last_part(name)
        sentence = f"{last_part(source)} {way.verb.format(called)}" + (f", if {' and '.join(opened)}" if opened else "")
        statements = [*dict.fromkeys(say_statement(a) for d in decisions for a in d.determining_statements)]
        doubts = [*dict.fromkeys(doubt for decision in decisions for doubt in decision.doubts)]
        outcome = "conditional" if opened else "allowed"
        return Edge(way.name, source, name, outcome, sentence, tuple(statements), tuple(opened), tuple(doubts))

    def _decisions(self, way: Way, who: int, target: int) -> list[Decision]:
        """The single decisions behind an edge: of each step, on the resource where it is best."""
        if way.name == "assume-role":
            return [self.assumed[who, int(np.searchsorted(self.rows_of("role"), target))]]
        found, place = [], self._best_places(way, who, target)
        for step in way.steps:
            if step.on == "node":
                row = int(self.rows[target])
            elif step.on == way.to:
                row = int(np.searchsorted(self.rows_of(way.to), target))
            elif step.retags:
                row = self._best_row(step, who, self.tables.classes(step) == self._alike[step.action][target])
            else:
                row = self._best_row(step, who, next(self.tables.lie_in(step, place), None))
            found.append(ask_one(step.on, self.tables.side(step), who, row, step.action).decide())
        if way.trust:
            found.append(self.trusted(way.trust)[int(np.searchsorted(self.rows_of(way.to), target))])
        return found

    def _best_places(self, way: Way, who: int, target: int) -> list[tuple[str, str]]:
        """The account and Region in which the steps are decided: that of the node, else the best; none: anywhere."""
        is_placed = way.to == "role" and any(step.on != way.to for step in way.steps)
        rows = [self._place[target]] if way.to == "node" else [self.placed(way)[who].argmax()] if is_placed else []
        return [*self.tables.places.iloc[rows].itertuples(index=False, name=None)]

    def _best_row(self, step: Step, who: int, here: Flags | None) -> int:
        outcomes = self.tables.outcomes(step)[who].copy()
        if step.on.startswith("own ") and step.on != "own document":
            outcomes[~self.owned(step)[who]] = -1
        if here is not None:
            outcomes[~here] = -1
        return int(outcomes.argmax())
