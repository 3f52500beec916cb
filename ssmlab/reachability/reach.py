"""`reach`: Run Command's rule over whole frames.

A pair (node, document) is allowed only if both are. Node and document are in one Region; the caller acts in the
node's account; the document is AWS-owned, that account's own, or shared with it, and is decided under the caller's
own policies.

Sources: the AWS page "Setting up Run Command"; Systems Manager User Guide, `security_iam_service-with-iam`; Service
Authorization Reference.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd

from ssmlab.evaluation import Outcome
from ssmlab.explanation import Explanation
from ssmlab.reachability.columns import Codes, Truths, combine, encode, first_rows
from ssmlab.reachability.comparing import Comparison
from ssmlab.reachability.explaining import explain_row
from ssmlab.reachability.fleets import ALLOWED, CONDITIONAL, OUTCOMES, Fleet
from ssmlab.reachability.matrices import Matrices
from ssmlab.reachability.names import Names, find_document, find_node, find_principal, find_rows
from ssmlab.reachability.pairs import Selection, to_outcomes
from ssmlab.reachability.places import count_per_region
from ssmlab.snapshots.schema import list_tags

MOST_PAIRS: Final = 1_000_000


@dataclass(frozen=True)
class Reach(Matrices):
    """Who reaches what: decided per group of resources, expanded only where asked.

    Outcome columns are ordered categoricals: explicitDeny < implicitDeny < conditional < allowed. Unmanaged nodes are
    decided too, and counted apart.
    """

    def outcome(self, principal: str, node: str, document: str) -> Outcome:
        """The outcome of one pair for one principal; ARNs, or names and ids where unambiguous.

        Raises
        ------
        KeyError
            For a name that is not known, with the nearest known ones, or that means several.

        Examples
        --------
        >>> import ssmlab
        >>> reach = ssmlab.reach(ssmlab.load("data/sample"))
        >>> reach.outcome("web-ops", "web-1", "AWS-RunShellScript")
        <Outcome.ALLOWED: 'allowed'>
        """
        who, where, what = self._find(principal, node, document)
        return OUTCOMES[self.pair_outcomes(where, what)[who]]

    def rows(self, frame: str, names: Names) -> Codes:
        """Row numbers in "principals", "nodes" or "documents" of ARNs, names or ids; None: all."""
        return find_rows(self.snapshot, frame, names)

    def _find(self, principal: str, node: str, document: str) -> tuple[int, int, int]:
        where = find_node(self.snapshot, node)
        return find_principal(self.snapshot, principal), where, find_document(self.snapshot, document, where)

    def nodes(self, principal: str) -> pd.DataFrame:
        """All nodes for one principal: index arn; `resource_outcome`: the node alone; `outcome`: with at least one
        document of its Region.

        Raises
        ------
        KeyError
            As `outcome`.

        Examples
        --------
        >>> import ssmlab
        >>> reach = ssmlab.reach(ssmlab.load("data/sample"))
        >>> (reach.nodes("web-ops")["outcome"] == "allowed").sum().item()  # two of them are not managed
        8
        """
        who = find_principal(self.snapshot, principal)
        groups = self._nodes[1].groups
        return _outcome_frame(self.snapshot.nodes.index, self.node_outcomes[who][groups], self.joint_nodes[who][groups])

    def documents(self, principal: str) -> pd.DataFrame:
        """All documents for one principal: index arn; `resource_outcome`: alone; `outcome`: with at least one node of
        its Region. Raises as `outcome`.
        """
        who = find_principal(self.snapshot, principal)
        groups = self._documents[1].groups
        return _outcome_frame(
            self.snapshot.documents.index, self.document_outcomes[who][groups], self.joint_documents[who][groups]
        )

    def summary(self) -> pd.DataFrame:
        """Counts for every principal, without expanding: index arn; nodes, documents, pairs, nodes_conditional,
        pairs_conditional, unmanaged_nodes.

        All but the last count managed nodes (and those of which it is not known), jointly: a node counts with at
        least one document.

        Examples
        --------
        >>> import ssmlab
        >>> reach = ssmlab.reach(ssmlab.load("data/sample"))
        >>> counts = reach.summary().loc["arn:aws:iam::123456789012:user/web-ops"]
        >>> counts[["nodes", "documents", "pairs", "unmanaged_nodes"]].to_list()
        [6, 23, 72, 2]
        """
        places = self.places
        at_nodes, at_documents = (places.node_region, places.regions), (places.document_region, places.regions)
        allowed = count_per_region(self.node_outcomes, ALLOWED, places.managed, *at_nodes)
        possible = count_per_region(self.node_outcomes, CONDITIONAL, places.managed, *at_nodes)
        unmanaged = count_per_region(self.node_outcomes, ALLOWED, places.unmanaged, *at_nodes)
        documents = count_per_region(self.document_outcomes, ALLOWED, places.document_count, *at_documents)
        usable = count_per_region(self.document_outcomes, CONDITIONAL, places.document_count, *at_documents)
        nodes = (allowed * (documents > 0)).sum(axis=1)
        pairs = (allowed * documents).sum(axis=1)
        return pd.DataFrame(
            {
                "nodes": nodes,
                "documents": (documents * (allowed > 0)).sum(axis=1),
                "pairs": pairs,
                "nodes_conditional": (possible * (usable > 0)).sum(axis=1) - nodes,
                "pairs_conditional": (possible * usable).sum(axis=1) - pairs,
                "unmanaged_nodes": (unmanaged * (documents > 0)).sum(axis=1),
            },
            index=self.snapshot.principals.index,
        )

    def who_can(self, node: str | None = None, document: str | None = None) -> pd.DataFrame:
        """Every principal that may reach a node, a document, or the node with the document: columns principal,
        outcome (allowed or conditional).

        Raises
        ------
        ValueError
            For neither.
        KeyError
            As `outcome`.

        Examples
        --------
        >>> import ssmlab
        >>> reach = ssmlab.reach(ssmlab.load("data/sample"))
        >>> reach.who_can(node="web-1", document="AWS-RunShellScript").head(1).values.tolist()
        [['arn:aws:iam::123456789012:user/web-ops', 'allowed']]
        """
        if node is None and document is None:
            raise ValueError("expected a node, a document, or both")
        where = None if node is None else find_node(self.snapshot, node)
        what = None if document is None else find_document(self.snapshot, document, where)
        if where is not None and what is not None:
            found = self.pair_outcomes(where, what)
        elif where is not None:
            found = self.joint_nodes[:, self._nodes[1].groups[where]]
        else:
            found = self.joint_documents[:, self._documents[1].groups[what]]
        frame = pd.DataFrame({"principal": self.snapshot.principals.index, "outcome": to_outcomes(found)})
        return frame[found >= CONDITIONAL].sort_values("outcome", ascending=False, kind="stable").reset_index(drop=True)

    def pairs(
        self,
        principal: Names = None,
        node: Names = None,
        document: Names = None,
        outcome: str | None = "allowed",
        limit: int | None = None,
    ) -> pd.DataFrame:
        """The pairs themselves, filtered before they are expanded: columns principal, node, document, outcome.

        Parameters
        ----------
        outcome
            One outcome, or None for all.
        limit
            Rows at most. `frame.attrs["total"]` holds how many there are. Without a limit, more than a million are
            cut off with a warning.

        Nodes that are not managed are listed too.

        Raises
        ------
        KeyError
            As `outcome`.
        ValueError
            For an outcome that there is not.

        Examples
        --------
        >>> import ssmlab
        >>> reach = ssmlab.reach(ssmlab.load("data/sample"))
        >>> len(reach.pairs(principal="web-ops", document="AWS-RunShellScript"))
        8
        """
        chosen = Selection(self, principal, node, document, outcome)
        total = chosen.count()
        cut = MOST_PAIRS if limit is None else limit
        _warn_if_cut(total, limit)
        frame = chosen.expand(min(cut, total))
        frame.attrs["total"] = total
        return frame

    def compare(self, other: Matrices, limit: int | None = None, *, denials: bool = True) -> pd.DataFrame:
        """What another reach gives and takes: a row for each principal, group of nodes and document that differs.

        Groups are those of the common refinement: nodes that both reaches treat alike.

        Returns
        -------
        pandas.DataFrame
            Columns `principal`, `group`, `document`, `before`, `after`; `count` nodes in the group, one of them as
            `example`, and `nodes`: on "both" sides, or "added" or "removed", where an outcome is missing and only what
            is reached is listed. `attrs`: `total` rows, ARNs `added` and `removed`.
        limit
            Rows at most, as in `pairs`.
        denials
            List also what is denied before and after, but in another way (implicitly, explicitly).

        Examples
        --------
        >>> import ssmlab
        >>> snapshot = ssmlab.load("data/sample")
        >>> changed = snapshot.with_tags("i-0123456789abcdef0", {"Finance": "WebServer"})
        >>> lost = ssmlab.reach(snapshot).compare(ssmlab.reach(changed))
        >>> lost[["principal", "before", "after"]].iloc[0].to_list()
        ['arn:aws:iam::123456789012:user/web-ops', 'allowed', 'implicitDeny']
        """
        cut = MOST_PAIRS if limit is None else limit
        frame = Comparison(self, other, denials=denials).frame(cut)
        _warn_if_cut(frame.attrs["total"], limit)
        return frame

    @cached_property
    def node_groups(self) -> pd.DataFrame:
        """Nodes that every loaded policy treats alike: group, count, managed (how many), account, region, kind,
        example, and the tags all of them share.
        """
        fleet, nodes = self._nodes[1], self.snapshot.nodes
        size = len(fleet.rows)
        first = nodes.iloc[fleet.rows]
        count = np.bincount(fleet.groups, minlength=size)
        frame = pd.DataFrame({"group": np.arange(size), "count": count, "managed": self.places.managed})
        for name in ("account", "region", "kind"):
            frame[name] = first[name].astype(str).to_numpy()
        frame["example"] = first.index.to_numpy()
        for name in list_tags(nodes):
            frame[name] = _shared(nodes[name], fleet)
        return frame

    def explain(self, principal: str, node: str, document: str) -> Explanation:
        """Why: a sentence, the steps for document and node, and the smallest changes that would turn the answer. Asks
        the single decision, not the columns.

        Examples
        --------
        >>> import ssmlab
        >>> found = ssmlab.reach(ssmlab.load("data/sample")).explain("team-red", "web-1", "AWS-RunShellScript")
        >>> found.nearest[0]
        "the node's tag `Team` is `blue`, the policy wants `red` (policy Team-Match, statement 2)"
        """
        return explain_row(self, *self._find(principal, node, document))


def _warn_if_cut(total: int, limit: int | None) -> None:
    if limit is None and total > MOST_PAIRS:
        warnings.warn(f"{total:,} rows: the first {MOST_PAIRS:,} are returned; filter, or give a limit", stacklevel=3)


def _outcome_frame(arns: pd.Index[str], alone: Truths, joint: Truths) -> pd.DataFrame:
    return pd.DataFrame({"resource_outcome": to_outcomes(alone), "outcome": to_outcomes(joint)}, index=arns)


def _shared(tag: pd.Series[Any], fleet: Fleet) -> pd.Series[Any]:
    """The value that all nodes of a group have; missing where they differ or have none."""
    codes, values = encode(tag)
    rows = first_rows(combine([fleet.groups, codes], len(codes)))  # one for each group and value in it
    single = np.bincount(fleet.groups[rows], minlength=len(fleet.rows)) == 1
    shared = [values[code] if alone else None for code, alone in zip(codes[fleet.rows], single, strict=True)]
    return pd.Series(shared, dtype=tag.dtype)
