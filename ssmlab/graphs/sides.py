"""The chosen nodes and documents by group, and what marks that stand for them are called."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import networkx as nx
import numpy as np
import numpy.typing as npt
import pandas as pd

from ssmlab.evaluation import Applied
from ssmlab.explanation import Part, call_all
from ssmlab.reachability import Reach
from ssmlab.reachability.columns import Codes, Resources, Truths, combine, encode, first_rows
from ssmlab.reachability.fleets import IMPLICIT
from ssmlab.reachability.names import Names
from ssmlab.reachability.places import best_per_region
from ssmlab.snapshots.schema import TAG, list_tags

_MOST_NAMES: Final = 12


@dataclass(frozen=True, slots=True)
class Side:
    """The chosen nodes, or documents, by group."""

    kind: str  # of the marks: "group" or "document"
    resources: Resources
    rows: Codes  # chosen rows of the frame
    codes: Codes  # group of each chosen row, as a place in `groups`
    groups: Codes  # groups of the reach that hold a chosen row
    counts: Codes  # chosen rows in each
    regions: Codes  # Region of each, as in `reach.places`
    waiting: Any  # which rows of the frame are not managed
    outcomes: Truths  # principals x all groups of the reach
    allowing: Callable[[int], list[tuple[Applied, Truths]]]
    ask: Callable[[int, int], Part]

    @property
    def frame(self) -> pd.DataFrame:
        """`snapshot.nodes` or `snapshot.documents`."""
        return self.resources.frame

    def count_managed(self) -> Codes:
        """Of each group of nodes the chosen ones that are managed, or of which it is not known."""
        return self.counts - np.bincount(self.codes[self.waiting[self.rows]], minlength=len(self.groups))

    @property
    def first(self) -> Codes:
        """The first chosen row of each group."""
        return self.rows[first_rows(self.codes)]

    def merge(self, rows: Codes, columns: Iterable[npt.NDArray[Any]]) -> Codes:
        """Groups, each with one of its rows, numbered: alike where account, Region and all columns are alike."""
        places = (encode(self.frame[name])[0][rows] for name in ("account", "region"))
        return combine([*places, *(column.astype(np.int64) for column in columns)], len(rows))


Sides = tuple[Side, Side]


def read_sides(reach: Reach, nodes: Names, documents: Names) -> Sides:
    """Nodes and documents, by ARNs, names, ids or row numbers; None: all."""
    places = reach.places
    of_nodes = (places.node_region, reach.node_outcomes, reach.allowing_nodes, reach.ask_node)
    of_documents = (places.document_region, reach.document_outcomes, reach.allowing_documents, reach.ask_document)
    node_rows, document_rows = reach.rows("nodes", nodes), reach.rows("documents", documents)
    return (
        _read_side("group", reach.node_resources, node_rows, reach.node_group_codes, *of_nodes),
        _read_side("document", reach.document_resources, document_rows, reach.document_group_codes, *of_documents),
    )


def _read_side(kind: str, resources: Resources, rows: Codes, codes: Codes, regions: Codes, *of: Any) -> Side:
    groups, places, counts = np.unique(codes[rows], return_inverse=True, return_counts=True)
    managed = resources.frame.get("managed")
    waiting: Any = [] if managed is None else ~managed.astype("boolean").fillna(True).to_numpy(dtype=bool)
    return Side(kind, resources, rows, places, groups, counts, regions[groups], waiting, *of)


def join_sides(reach: Reach, sides: Sides, chosen: Codes) -> tuple[Truths, Truths]:
    """Chosen principals x chosen groups, of nodes and of documents, each with the best other of its Region."""
    alone = [side.outcomes[np.ix_(chosen, side.groups)] for side in sides]
    regions, places = [side.regions for side in sides], reach.places.regions
    best = [np.maximum(best_per_region(o, r, places), IMPLICIT) for o, r in zip(alone, regions, strict=True)]
    return np.minimum(alone[0], best[1][:, regions[0]]), np.minimum(alone[1], best[0][:, regions[1]])


def name_rows(side: Side, rows: Codes, keys: Sequence[str], several: bool) -> dict[str, str]:
    """Label and detail of a mark: one by its name, several by what they have in common.

    `keys`: the tag keys that the policies read; `several`: whether the account must be told.
    """
    names = [*side.resources.call(rows[:_MOST_NAMES])]
    account, region = (str(side.frame[column].iloc[rows[0]]) for column in ("account", "region"))
    if len(rows) == 1:
        label = names[0]
    elif side.kind == "document":
        label = f"{len(rows)} {'own' if account else 'AWS'} documents"
    else:
        label = ", ".join(_common(side, rows, keys)) or "nodes"
    places = [region, *([f"…{account[-4:]}"] if several and account else [])]
    waiting = np.count_nonzero(side.waiting[rows]) if side.kind == "group" else 0
    if waiting:
        places.append("not managed" if waiting == len(rows) else f"{waiting} not managed")
    listed = ", ".join(names) + (f" and {len(rows) - len(names)} more" if len(rows) > len(names) else "")
    return {"label": " · ".join([label, *places]), "detail": f"{listed} in {region}"}


def add_principals(graph: nx.DiGraph[str], arns: Sequence[str]) -> None:
    """The marks of principals; the end of the account stands with names that two of them have."""
    for arn, label in zip(arns, call_all(arns), strict=True):
        kind = "role" if ":role/" in arn else "principal"
        graph.add_node(arn, kind=kind, layer=0, label=label, detail=arn, count=1)


def _common(side: Side, rows: Codes, keys: Sequence[str]) -> list[str]:
    """Tags that all nodes share: two, at most, that the policies read, else another one, else what kind they are.

    As to a policy, tag keys that differ only by case are one.
    """
    written = [name[len(TAG) :] for name in list_tags(side.frame)]
    spelt = {key.lower(): key for key in reversed(written)}
    read = [key for key in keys if key in spelt]
    for chosen, most in ((read, 2), ([key for key in spelt if key not in read], 1)):
        values = ((key, side.resources.shared((f"ssm:resourcetag/{key}",), rows)) for key in chosen)
        shared = (f"{spelt[key]}={value[0]}" for key, value in values if value and isinstance(value[0], str))
        if told := [*islice(shared, most)]:
            return told
    codes, kinds = encode(side.frame["kind"])
    return [f"{kinds[codes[rows[0]]]} nodes"] if (codes[rows] == codes[rows[0]]).all() else []
