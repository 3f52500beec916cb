"""`find_paths`: from principals through other principals and nodes to nodes, each edge decided by the evaluator.

Nodes that every way treats alike form one group, so that the search does not grow with nodes. An edge is certain or
depends on open conditions; a path is as certain as its least certain edge.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ssmlab.evaluation.requests import ContextValue
from ssmlab.explanation import last_part
from ssmlab.paths.edges import Edge, Edges
from ssmlab.paths.tables import Tables
from ssmlab.paths.ways import DIRECT
from ssmlab.reachability.columns import Codes, Truths
from ssmlab.reachability.fleets import ALLOWED, CONDITIONAL, IMPLICIT, OUTCOMES
from ssmlab.reachability.names import find_node, find_principal
from ssmlab.snapshots import Snapshot
from ssmlab.snapshots.memory import without_collector

if TYPE_CHECKING:
    import networkx as nx

Flags = npt.NDArray[np.bool_]


def find_paths(snapshot: Snapshot, context: Mapping[str, ContextValue | None] | None = None) -> Paths:
    """Find every way to the nodes: Run Command, and what walks round its limits.

    Parameters
    ----------
    snapshot
        From `ssmlab.load`.
    context
        Condition keys of the requests; None: known to be absent. Others are unknown, and leave an edge open.

    Returns
    -------
    Paths

    Examples
    --------
    >>> import ssmlab
    >>> paths = ssmlab.find_paths(ssmlab.load("data/sample"))
    >>> [edge.way for edge in paths.shortest("admin-adele", "i-0123456789abcdef0")]
    ['run-command']
    """
    with without_collector():
        return Paths(snapshot, Tables(snapshot, context or {}))


class Paths(Edges):
    """The paths of a snapshot: from principals, as whom else they may act, to nodes."""

    def _closure(self, least: int) -> Flags:
        """Principals x principals: as whom one may come to act, oneself included."""
        known = np.eye(len(self._acts), dtype=bool)
        while True:
            step = (known.astype(np.float32) @ (self._acts >= least).astype(np.float32)) > 0
            if not (step & ~known).any():
                return known
            known |= step

    @cached_property
    def outcomes(self) -> Truths:
        """Principals x groups: by any path."""
        found = np.full(self._nodes.shape, IMPLICIT, dtype=np.int8)
        for least in (CONDITIONAL, ALLOWED):
            reached = (self._closure(least).astype(np.float32) @ (self._nodes >= least).astype(np.float32)) > 0
            found[reached] = least
        return found

    def summary(self) -> pd.DataFrame:
        """Nodes that each principal reaches: index arn; `direct`: by Run Command itself, `by_role`: also by roles that
        it may assume, `any_way`, `any_way_conditional`; `shortest` says the way round to one that is not direct.
        """
        sizes = np.bincount(self.groups, minlength=len(self.rows))
        direct = self.to_node[DIRECT] >= ALLOWED
        assume = np.eye(len(direct), dtype=bool) | (self.act_as["assume-role"] >= ALLOWED)
        for _ in range(len(assume).bit_length()):
            assume = (assume.astype(np.float32) @ assume.astype(np.float32)) > 0
        by_role = (assume.astype(np.float32) @ direct.astype(np.float32)) > 0
        found = {"direct": direct @ sizes, "by_role": by_role @ sizes, "any_way": (self.outcomes >= ALLOWED) @ sizes}
        found["any_way_conditional"] = (self.outcomes == CONDITIONAL) @ sizes
        return pd.DataFrame(found, index=self.snapshot.principals.index)

    def who_reaches(self, node: str) -> pd.DataFrame:
        """Everyone who reaches a node by any way: columns principal, outcome, steps, way (the first), path (words)."""
        group = int(self.groups[find_node(self.snapshot, node)])
        rows = []
        for who in np.flatnonzero(self.outcomes[:, group] >= CONDITIONAL).tolist():
            edges = self.find(who, group)
            outcome = OUTCOMES[self.outcomes[who, group]].value
            words = "; ".join(edge.sentence for edge in edges)
            rows.append((self.snapshot.principals.index[who], outcome, len(edges), edges[0].way, words))
        frame = pd.DataFrame(rows, columns=["principal", "outcome", "steps", "way", "path"])
        return frame.sort_values(["outcome", "steps"], kind="stable").reset_index(drop=True)

    def around(self) -> pd.DataFrame:
        """Limits on Run Command that can be walked round: who reaches managed nodes by other ways that Run Command by
        itself refuses: columns principal, nodes (how many), example, outcome, way, path.
        """
        sizes, rows = np.bincount(self.groups, minlength=len(self.rows)), []
        direct = self.to_node[DIRECT] >= CONDITIONAL
        limited = direct.any(axis=1)  # that no command reaches a node that is not managed is nobody's limit
        found = np.where(direct | ~self.managed, np.int8(IMPLICIT), self.outcomes)
        for who in np.flatnonzero(limited & (found >= CONDITIONAL).any(axis=1)).tolist():
            best = int(found[who].max())
            groups = np.flatnonzero(found[who] == best)
            edges = self.find(who, int(groups[0]))
            words, node = "; ".join(edge.sentence for edge in edges), self._node_name(int(groups[0]))
            arn = self.snapshot.principals.index[who]
            rows.append((arn, int(sizes[groups].sum()), node, OUTCOMES[best].value, edges[0].way, words))
        return pd.DataFrame(rows, columns=["principal", "nodes", "example", "outcome", "way", "path"])

    def others(self, principal: str) -> Iterator[tuple[list[Edge], Codes]]:
        """Other ways to nodes that Run Command by itself refuses: each as a path to one of them, and the rows in
        `snapshot.nodes` of all that its last actor reaches. Few paths say it all.
        """
        who = find_principal(self.snapshot, principal)
        found = np.where(self.to_node[DIRECT][who] >= CONDITIONAL, np.int8(IMPLICIT), self.outcomes[who])
        for least in (ALLOWED, CONDITIONAL):
            left = found == least
            while left.any():
                edges = self.find(who, int(left.argmax()))
                covered = left & (self._nodes[find_principal(self.snapshot, edges[-1].source)] >= least)
                yield edges, np.flatnonzero(covered[self.groups])
                left &= ~covered

    def blast_radius(self, name: str) -> pd.DataFrame:
        """What a principal, or whoever runs code on a node, comes to reach.

        Columns kind ("principal", "nodes"), name (of nodes that are alike, one), count, outcome.

        Raises
        ------
        KeyError
            For a name that is neither, with the nearest ones.
        """
        who = self._standing(name)
        if who is None:
            return pd.DataFrame(columns=["kind", "name", "count", "outcome"])
        sizes = np.bincount(self.groups, minlength=len(self.rows))
        certain, possible = self._closure(ALLOWED)[who], self._closure(CONDITIONAL)[who]
        people = self.snapshot.principals.index
        rows: list[tuple[str, str, int, str]] = [
            ("principal", str(people[p]), 1, OUTCOMES[ALLOWED if certain[p] else CONDITIONAL].value)
            for p in np.flatnonzero(possible).tolist()
            if p != who
        ]
        rows += [
            ("nodes", self._node_name(g), int(sizes[g]), OUTCOMES[self.outcomes[who, g]].value)
            for g in np.flatnonzero(self.outcomes[who] >= CONDITIONAL).tolist()
        ]
        return pd.DataFrame(rows, columns=["kind", "name", "count", "outcome"])

    def _standing(self, name: str) -> int | None:
        """The row of a principal, or of the role that a node acts as; None: it acts as nobody that is known."""
        try:
            return find_principal(self.snapshot, name)
        except KeyError as error:
            try:
                role = int(self._node_roles[self.groups[find_node(self.snapshot, name)]])
            except KeyError as other:
                raise KeyError(f"{error.args[0]}; {other.args[0]}") from None
            return role if role >= 0 else None

    def shortest(self, principal: str, node: str) -> list[Edge]:
        """The shortest path, of certain edges if there is one; empty: none.

        Raises
        ------
        KeyError
            For a name that is not known, with the nearest ones.
        """
        who, group = find_principal(self.snapshot, principal), int(self.groups[find_node(self.snapshot, node)])
        return self.find(who, group) if self.outcomes[who, group] >= CONDITIONAL else []

    def find(self, who: int, group: int) -> list[Edge]:
        """The shortest path by row numbers, where `outcomes` has one."""
        least = int(self.outcomes[who, group])
        before, queue = {who: who}, [who]
        for at in queue:
            if self._nodes[at, group] >= least:
                break
            for further in np.flatnonzero(self._acts[at] >= least).tolist():
                if further not in before:
                    before[further] = at
                    queue.append(further)
        edges = [self._node_edge(at, group, least)]
        while at != who:
            edges[:0] = self._act_edges(before[at], at, least)
            at = before[at]
        return edges

    def to_networkx(self, principals: Sequence[str] | str, nodes: Sequence[str] | str) -> nx.DiGraph[str]:
        """The shortest paths from principals to nodes as one graph.

        Nodes: ARNs with `kind` and `label`. Edges: `way`, `outcome`, `sentence`, `statements`, `open_conditions`.
        """
        import networkx as nx  # slow to import: only who draws waits

        graph: nx.DiGraph[str] = nx.DiGraph()
        for principal in [principals] if isinstance(principals, str) else principals:
            for node in [nodes] if isinstance(nodes, str) else nodes:
                for edge in self.shortest(principal, node):
                    self._add(graph, edge)
        return graph

    def _add(self, graph: nx.DiGraph[str], edge: Edge) -> None:
        for name in (edge.source, edge.target):
            kind = "node" if name in self.snapshot.nodes.index else name.split(":")[5].split("/")[0]
            graph.add_node(name, kind=kind, label=last_part(name))
        told: dict[str, Any] = {
            name: getattr(edge, name) for name in Edge.__slots__ if name not in ("source", "target")
        }
        graph.add_edge(edge.source, edge.target, **told)
