"""Reaches compared on the common refinement of their groupings: gained and lost, without expanding nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from ssmlab.reachability.columns import Codes, Texts, Truths, combine, first_rows
from ssmlab.reachability.fleets import ALLOWED, CONDITIONAL, IMPLICIT
from ssmlab.reachability.matrices import Matrices
from ssmlab.reachability.pairs import to_outcomes

_NONE: Final = -1  # of a principal, node or document that is on one side only


@dataclass(frozen=True, slots=True)
class _Union:
    """Things of all sides, before and after first, and groups common to them.

    `group`: common group of each thing; `rows`: a thing of each; `sides`: its group on each side (`_NONE`: not there).
    """

    index: pd.Index[Any]
    group: Codes
    rows: Codes
    sides: tuple[Codes, ...]

    @classmethod
    def of(cls, indexes: Sequence[pd.Index[Any]], codes: Sequence[Codes]) -> _Union:
        """From the indexes of the sides and the group of each thing there."""
        union = indexes[0] if indexes[0].equals(indexes[1]) else indexes[0].append(indexes[1]).unique()
        sides = [_look_up(own, union, index) for own, index in zip(codes, indexes, strict=True)]
        group = combine([side + 1 for side in sides], len(union))
        rows = first_rows(group)
        return cls(union, group, rows, tuple(side[rows] for side in sides))

    @property
    def before(self) -> Codes:
        """The group before."""
        return self.sides[0]

    @property
    def after(self) -> Codes:
        """The group after."""
        return self.sides[1]

    def missing(self, groups: Codes) -> Texts:
        """For each of some groups: "added", "removed", or "" where it is on both sides."""
        found: Texts = np.where(self.before == _NONE, "added", np.where(self.after == _NONE, "removed", "")).astype(
            object
        )
        return found[groups]

    def only(self, missing: Codes) -> list[str]:
        """What is not there on the side whose groups are given."""
        return [*self.index[missing[self.group] == _NONE]]


def _look_up(codes: Codes, union: pd.Index[Any], index: pd.Index[Any]) -> Codes:
    return codes if union.equals(index) else np.append(codes, _NONE)[index.get_indexer(union)]


class Comparison:
    """What differs between two reaches, principal by principal.

    `trials` are reaches of the things of `before`; with them a row has a column for each: the outcome there, as a place
    in `OUTCOMES`. Nodes that a trial treats differently are then in different groups. Without `denials` only what is,
    or may be, reached on one of the sides.
    """

    def __init__(
        self, before: Matrices, after: Matrices, trials: Mapping[str, Matrices] | None = None, denials: bool = True
    ) -> None:
        self._trials, self._denials = dict(trials or {}), denials
        self._sides = (before, after, *self._trials.values())
        snapshots = [side.snapshot for side in self._sides]
        people = [snapshot.principals.index for snapshot in snapshots]
        self.people = _Union.of(people, [np.arange(len(index)) for index in people])
        nodes, documents = ([getattr(s, name).index for s in snapshots] for name in ("nodes", "documents"))
        self.nodes = _Union.of(nodes, [side.node_group_codes for side in self._sides])
        self.documents = _Union.of(documents, [side.document_group_codes for side in self._sides])
        self._members = np.bincount(self.documents.group, minlength=len(self.documents.rows))

    def frame(self, limit: int) -> pd.DataFrame:
        """A row for each principal, common group of nodes and document whose outcome differs; at most `limit` rows."""
        total, taken = 0, [np.empty((5, 0), dtype=np.int64)]
        for part in self._parts():
            if total < limit:
                taken.append(self._expand(*part))
            total += int(self._members[part[2]].sum())
        who, group, document, first, then = np.concatenate(taken, axis=1)[:, :limit]
        counts = np.bincount(self.nodes.group, minlength=len(self.nodes.rows))
        there = self.nodes.missing(group)
        found = pd.DataFrame(
            {
                "principal": self.people.index.take(self.people.rows[who]),
                "group": group,
                "document": self.documents.index.take(document),
                "before": to_outcomes(first),
                "after": to_outcomes(then),
                "count": counts[group],
                "example": self.nodes.index.take(self.nodes.rows[group]),
                "nodes": np.where(there == "", "both", there),
                **{name: self._outcomes(2 + n, who, group, document) for n, name in enumerate(self._trials)},
            }
        )
        added, removed = self.nodes.only(self.nodes.before), self.nodes.only(self.nodes.after)
        found.attrs.update(total=total, added=added, removed=removed)
        return found

    def counts(self) -> pd.DataFrame:
        """A row for each principal that differs, those with most changes first; see `count_changes`."""
        sizes = np.bincount(self.nodes.group, minlength=len(self.nodes.rows))
        pairs = {who: _tally(then, sizes[g] * self._members[d]) for who, g, d, _, then in self._parts()}
        people = np.array([*pairs], dtype=np.int64)
        first, last = (self._joint(place, people) for place in (0, 1))
        differs = (first != last) & (np.maximum(first, last) >= CONDITIONAL)  # nobody loses what is new and denied
        nodes = [_tally(now, sizes) for now in np.where(differs, last, _NONE)]
        names = [f"{what}_{how}" for what in ("nodes", "pairs") for how in ("gained", "lost", "conditional")]
        rows = [[*both[0], *both[1]] for both in zip(nodes, pairs.values(), strict=True)]
        index = pd.Index(self.people.index[people], dtype="str", name="arn")
        found = pd.DataFrame(rows, columns=names, index=index, dtype="int64")
        found = found[found.any(axis=1)]
        return found.loc[found.sum(axis=1).sort_values(ascending=False, kind="stable").index]

    def _joint(self, place: int, people: Codes) -> Truths:
        """Common principals x node groups, each with the best document of its Region; denials are one."""
        side = self._sides[place]
        found = _take(side.joint_nodes, self.people.sides[place][people], self.nodes.sides[place])
        return np.where((found != _NONE) & (found < IMPLICIT), np.int8(IMPLICIT), found)

    def _outcomes(self, side: int, who: Codes, group: Codes, document: Codes) -> Truths:
        """Of rows on one side; `_NONE` where one of the three is not there."""
        matrices, person = self._sides[side], self.people.sides[side][who]
        node, other = self.nodes.sides[side][group], self.documents.sides[side][self.documents.group[document]]
        found = np.full(len(who), _NONE, dtype=np.int8)
        there = np.flatnonzero(np.minimum.reduce([person, node, other]) != _NONE)
        person, node, other = person[there], node[there], other[there]
        found[there] = np.minimum(matrices.node_outcomes[person, node], matrices.document_outcomes[person, other])
        return found

    def _parts(self) -> Iterator[tuple[int, Codes, Codes, Truths, Truths]]:
        """For each principal that differs: common node group, common document group, before, after."""
        before, after = self._sides[:2]
        nodes = _take(before.node_outcomes, self.people.before, self.nodes.before)
        nodes_after = _take(after.node_outcomes, self.people.after, self.nodes.after)
        documents = _take(before.document_outcomes, self.people.before, self.documents.before)
        documents_after = _take(after.document_outcomes, self.people.after, self.documents.after)
        regions = self._regions("nodes", self.nodes), self._regions("documents", self.documents)
        together = regions[0][:, None] == regions[1][None, :]
        changed, changed_documents = nodes != nodes_after, documents != documents_after
        for who in np.flatnonzero(changed.any(axis=1) | changed_documents.any(axis=1)).tolist():
            rows = np.flatnonzero(changed[who] | changed_documents[who].any())  # only where something may differ
            columns = np.flatnonzero(changed_documents[who] | changed[who].any())
            first = np.minimum.outer(nodes[who, rows], documents[who, columns])
            then = np.minimum.outer(nodes_after[who, rows], documents_after[who, columns])
            on_both = (first != _NONE) & (then != _NONE) & self._denials
            kept = together[np.ix_(rows, columns)] & (first != then)
            kept &= on_both | (np.maximum(first, then) >= CONDITIONAL)
            group, document = np.nonzero(kept)
            yield who, rows[group], columns[document], first[kept], then[kept]

    def _regions(self, frame: str, union: _Union) -> Texts:
        """The Region of each common group."""
        arns = union.index[union.rows]
        found: Texts = np.full(len(arns), "", dtype=object)
        for side in reversed(self._sides[:2]):
            own = getattr(side.snapshot, frame)["region"]
            places = union.rows if union.index.equals(own.index) else own.index.get_indexer(arns)
            found[places >= 0] = own.iloc[places[places >= 0]].astype("str")
        return found

    def _expand(self, who: int, group: Codes, document: Codes, first: Truths, then: Truths) -> Codes:
        """The same with a column for each document of the groups."""
        size = self._members[document]
        row = np.repeat(np.arange(len(document)), size)
        within = np.arange(len(row)) - np.repeat(np.cumsum(size) - size, size)
        start = np.cumsum(self._members) - self._members
        member = np.argsort(self.documents.group, kind="stable")[start[document[row]] + within]
        return np.array([np.full(len(row), who), group[row], member, first[row], then[row]], dtype=np.int64)


def _tally(outcomes: Truths, sizes: Codes) -> list[int]:
    """How many are allowed now, denied now, conditional now; `_NONE` is not counted."""
    denied = (outcomes != _NONE) & (outcomes < CONDITIONAL)
    kinds = (outcomes == ALLOWED, denied, outcomes == CONDITIONAL)
    return [int(sizes[kind].sum()) for kind in kinds]


def count_changes(before: Matrices, after: Matrices) -> pd.DataFrame:
    """What another reach gives and takes, counted for each principal without expanding anything.

    Returns
    -------
    pandas.DataFrame
        Index arn, only principals for whom something differs, those with most changes first. `nodes_gained`: allowed
        now, with at least one document, and not before; `nodes_lost`: denied now; `nodes_conditional`: conditional now;
        the same for `pairs`. Nodes that are not managed count too.

    Examples
    --------
    >>> import ssmlab
    >>> snapshot = ssmlab.load("data/sample")
    >>> changed = snapshot.with_tags("i-0123456789abcdef0", {"Finance": "WebServer"})
    >>> lost = count_changes(ssmlab.reach(snapshot), ssmlab.reach(changed))
    >>> lost.loc["arn:aws:iam::123456789012:user/web-ops", ["nodes_lost", "pairs_lost"]].to_list()
    [1, 13]
    """
    return Comparison(before, after, denials=False).counts()


def _take(outcomes: Truths, who: Codes, groups: Codes) -> Truths:
    """Common principals x common groups; `_NONE` where either is not there."""
    taken = (
        outcomes[who].take(groups, axis=1) if outcomes.size else np.full((len(who), len(groups)), _NONE, dtype=np.int8)
    )
    taken[who == _NONE] = _NONE
    taken[:, groups == _NONE] = _NONE
    return taken
