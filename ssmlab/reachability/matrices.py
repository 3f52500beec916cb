"""The outcomes of every principal on every group of nodes and documents, alone and together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ssmlab.evaluation import Applied, Asked, Decision
from ssmlab.evaluation.requests import ContextValue
from ssmlab.explanation import Part, last_part
from ssmlab.patterns import Value
from ssmlab.reachability.callers import Principal
from ssmlab.reachability.columns import Codes, Resources, Truths
from ssmlab.reachability.fleets import IMPLICIT, Fleet
from ssmlab.reachability.places import Places, best_per_region
from ssmlab.services import TAG_KEYS
from ssmlab.snapshots import Snapshot

Side = tuple[list[Principal], Fleet]


@dataclass(frozen=True)
class Matrices:
    """Principals x groups, as places in `OUTCOMES`; rows in the order of `snapshot.principals`.

    Attributes
    ----------
    snapshot, action, context
        What was asked.
    """

    snapshot: Snapshot
    action: str
    context: Mapping[str, ContextValue | None]
    _nodes: Side = field(repr=False)
    _documents: Side = field(repr=False)

    @cached_property
    def places(self) -> Places:
        """Accounts and Regions of the groups, and who acts and sees there."""
        return Places(self.snapshot, self._nodes[1], self._documents[1])

    @cached_property
    def node_outcomes(self) -> Truths:
        """Each node group alone: the caller acts in the node's account."""
        return self._nodes[1].outcomes

    @cached_property
    def document_outcomes(self) -> Truths:
        """Each document group alone: only documents that the caller's account can see."""
        return np.where(self.places.sees, self._documents[1].outcomes, np.int8(IMPLICIT))

    @cached_property
    def _best_document(self) -> Truths:
        """Principals x Regions: the best outcome of a document there."""
        return best_per_region(self.document_outcomes, self.places.document_region, self.places.regions)

    @cached_property
    def _best_node(self) -> Truths:
        return best_per_region(self.node_outcomes, self.places.node_region, self.places.regions)

    @cached_property
    def joint_nodes(self) -> Truths:
        """Each node group with the best document of its Region."""
        return np.minimum(self.node_outcomes, self._best_document[:, self.places.node_region])

    @cached_property
    def joint_documents(self) -> Truths:
        """Each document group with the best node of its Region."""
        return np.minimum(self.document_outcomes, self._best_node[:, self.places.document_region])

    def pair_outcomes(self, node: int, document: int) -> Truths:
        """Every principal on one pair, by row numbers: both must allow, and be in one Region."""
        group, other = self._nodes[1].groups[node], self._documents[1].groups[document]
        alone = np.minimum(self.node_outcomes[:, group], self.document_outcomes[:, other])
        together = self.places.node_region[group] == self.places.document_region[other]
        return alone if together else np.full_like(alone, IMPLICIT)

    @property
    def node_group_codes(self) -> Codes:
        """The group of each node, in the order of `snapshot.nodes`."""
        return self._nodes[1].groups

    @property
    def document_group_codes(self) -> Codes:
        """The group of each document, in the order of `snapshot.documents`: documents that every loaded policy treats
        alike.
        """
        return self._documents[1].groups

    @property
    def node_resources(self) -> Resources:
        """The nodes as columns, asked by condition key."""
        return self._nodes[1].resources

    @property
    def document_resources(self) -> Resources:
        """The documents as columns."""
        return self._documents[1].resources

    def tag_keys(self, principals: Iterable[int]) -> list[str]:
        """The tag keys (lower case) that the policies of these principals read, those that most statements read
        first.
        """
        every = (self._nodes[0][who].policies.relevant(self.action) for who in principals)
        keys = (key for found in every for a in found for c in a.statement.conditions for key in c.keys)
        return [key for key, _ in Counter(k.split("/", 1)[1] for k in keys if k.startswith(TAG_KEYS)).most_common()]

    def allowing_nodes(self, who: int) -> list[tuple[Applied, Truths]]:
        """The Allow statements of a principal's own policies, each with its truth on every node group."""
        principals, fleet = self._nodes
        return fleet.allowing(principals[who], self.action)

    def allowing_documents(self, who: int) -> list[tuple[Applied, Truths]]:
        """The same on every document group."""
        principals, fleet = self._documents
        return fleet.allowing(principals[who], self.action)

    def ask_node(self, principal: int, node: int) -> Part:
        """The single question on a node, by row numbers."""
        return ask_one("node", self._nodes, principal, node, self.action)

    def ask_document(self, principal: int, document: int) -> Part:
        """The single question on a document, by row numbers."""
        return ask_one("document", self._documents, principal, document, self.action)

    def decide_node(self, principal: int, node: int) -> Decision:
        """The single decision on a node."""
        return self.ask_node(principal, node).decide()

    def decide_document(self, principal: int, document: int) -> Decision:
        """The single decision on a document."""
        return self.ask_document(principal, document).decide()


def ask_one(kind: str, side: Side, who: int, row: int, action: str) -> Part:
    """The single question behind one cell of a side, by row numbers."""
    principals, fleet = side
    principal, resources = principals[who], fleet.resources

    def lookup(key: str) -> Value:
        return resources.read(key, row) if resources.answers(key) else principal.lookup(key)

    arn = resources.frame.index[row]
    return Part(kind, last_part(arn), Asked(principal.caller, action, arn, lookup), principal.policies)
