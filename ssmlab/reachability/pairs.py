"""Pairs, filtered before they are expanded: whole groups are taken or left, and only what is asked for becomes rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ssmlab.reachability.columns import Truths
from ssmlab.reachability.fleets import OUTCOMES
from ssmlab.reachability.matrices import Matrices
from ssmlab.reachability.names import Names, find_rows
from ssmlab.reachability.places import count_per_region

_CHUNK = 1 << 20  # pairs that are looked at together
OUTCOME_TYPE = pd.CategoricalDtype([outcome.value for outcome in OUTCOMES], ordered=True)


def to_outcomes(places: Truths) -> pd.Categorical:
    """Places in `OUTCOMES` as an ordered categorical."""
    return pd.Categorical.from_codes(places.astype(np.int8), dtype=OUTCOME_TYPE)


class Selection:
    """The pairs of chosen principals, nodes and documents with one outcome (None: all)."""

    def __init__(self, reach: Matrices, principals: Names, nodes: Names, documents: Names, outcome: str | None) -> None:
        if outcome is not None and outcome not in OUTCOME_TYPE.categories:
            raise ValueError(f"expected an outcome of {', '.join(OUTCOME_TYPE.categories)}, got `{outcome}`")
        self._reach = reach
        self._wanted = None if outcome is None else [*OUTCOME_TYPE.categories].index(outcome)
        self._principals = find_rows(reach.snapshot, "principals", principals)
        self._nodes = find_rows(reach.snapshot, "nodes", nodes)
        self._documents = find_rows(reach.snapshot, "documents", documents)

    def _blocks(self) -> Any:
        """For each principal and Region: node rows, document rows and the outcomes of their groups, only those that
        can give a row.
        """
        reach = self._reach
        node_groups, document_groups = reach.node_group_codes[self._nodes], reach.document_group_codes[self._documents]
        node_region, document_region = (
            reach.places.node_region[node_groups],
            reach.places.document_region[document_groups],
        )
        sides = [
            (np.flatnonzero(node_region == place), np.flatnonzero(document_region == place))
            for place in range(reach.places.regions)
        ]
        for who in self._principals:
            for nodes, documents in sides:
                at_nodes = reach.node_outcomes[who, node_groups[nodes]]
                yield who, nodes, documents, at_nodes, reach.document_outcomes[who, document_groups[documents]]

    def count(self) -> int:
        """How many rows there are, from the counts of each side."""
        if self._wanted is None:
            return self._count(0)
        return self._count(self._wanted) - self._count(self._wanted + 1)

    def _count(self, least: int) -> int:
        """Pairs with this outcome or a better one: a pair is as good as its worse side."""
        reach, places = self._reach, self._reach.places
        sides = []
        for outcomes, codes, rows, region in (
            (reach.node_outcomes, reach.node_group_codes, self._nodes, places.node_region),
            (reach.document_outcomes, reach.document_group_codes, self._documents, places.document_region),
        ):
            chosen = np.bincount(codes[rows], minlength=len(region))
            sides.append(count_per_region(outcomes[self._principals], least, chosen, region, places.regions))
        return int((sides[0] * sides[1]).sum())

    def expand(self, limit: int) -> pd.DataFrame:
        """At most `limit` rows: principal, node, document, outcome."""
        taken: list[tuple[Any, ...]] = []
        left = limit
        for who, nodes, documents, at_nodes, at_documents in self._blocks():
            if left <= 0:
                break
            found = self._rows(nodes, documents, at_nodes, at_documents, left)
            left -= len(found[0])
            taken.append((np.full(len(found[0]), who), *found))
        who, node, document, outcome = (
            np.concatenate([part[i] for part in taken] or [np.empty(0, dtype=np.int64)]) for i in range(4)
        )
        snapshot = self._reach.snapshot
        principals, rows = snapshot.principals.index.take(who), self._documents[document]
        pair = {"principal": principals, "node": snapshot.nodes.index.take(self._nodes[node])}
        return pd.DataFrame({**pair, "document": snapshot.documents.index.take(rows), "outcome": to_outcomes(outcome)})

    def _rows(
        self, nodes: Any, documents: Any, at_nodes: Truths, at_documents: Truths, most: int
    ) -> tuple[Any, Any, Any]:
        if self._wanted is not None:  # a pair is as good as its worse side
            keep_nodes, keep_documents = at_nodes >= self._wanted, at_documents >= self._wanted
            nodes, at_nodes = nodes[keep_nodes], at_nodes[keep_nodes]
            documents, at_documents = documents[keep_documents], at_documents[keep_documents]
        found = [(nodes[:0], documents[:0], at_nodes[:0])]
        step = max(1, _CHUNK // max(len(documents), 1))
        for start in range(0, len(nodes) if len(documents) else 0, step):
            joint = np.minimum.outer(at_nodes[start : start + step], at_documents)
            wanted = np.ones_like(joint, dtype=bool) if self._wanted is None else joint == self._wanted
            node, document = np.nonzero(wanted)
            found.append((nodes[start + node[:most]], documents[document[:most]], joint[wanted][:most]))
            most -= len(node)
            if most <= 0:
                break
        return tuple(np.concatenate(part) for part in zip(*found, strict=True))  # type: ignore[return-value]
