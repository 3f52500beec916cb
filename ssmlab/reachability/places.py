"""Where groups lie and who acts there; counts per Region."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from ssmlab.reachability.columns import Codes, Texts, Truths
from ssmlab.reachability.fleets import IMPLICIT, Fleet
from ssmlab.snapshots import Snapshot
from ssmlab.snapshots.documents import are_usable

Flags = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]
_CHUNK = 64  # principals at once


class Places:
    """Accounts and Regions of the groups.

    Attributes
    ----------
    sees
        Principals x document groups: a document that the principal's account owns, AWS owns, or is shared with it.
    node_region, document_region
        Region of each group, as a number below `regions`.
    managed, unmanaged, document_count
        Members of each group; nodes of which it is not known whether they are managed count as managed.
    """

    def __init__(self, snapshot: Snapshot, nodes: Fleet, documents: Fleet) -> None:
        accounts = snapshot.principals["account"].astype(str).to_numpy()
        node_first = snapshot.nodes[["region"]].iloc[nodes.rows]
        document_first = snapshot.documents[["account", "region", "shared_with"]].iloc[documents.rows]
        codes, names = pd.factorize(np.array([*node_first["region"], *document_first["region"]], dtype=object))
        self.regions = len(names)
        self.node_region: Codes = codes[: len(node_first)].astype(np.int64)
        self.document_region: Codes = codes[len(node_first) :].astype(np.int64)
        self.sees = find_usable(document_first, accounts)
        unmanaged = (~snapshot.nodes["managed"].astype("boolean").fillna(True)).to_numpy(dtype=bool)
        self.unmanaged: Counts = np.bincount(nodes.groups, weights=unmanaged, minlength=len(nodes.rows)).astype(
            np.int64
        )
        self.managed: Counts = np.bincount(nodes.groups, minlength=len(nodes.rows)) - self.unmanaged
        self.document_count: Counts = np.bincount(documents.groups, minlength=len(documents.rows))


def find_usable(documents: pd.DataFrame, accounts: Texts) -> Flags:
    """Accounts, as often as they stand there, x documents: those that each may use."""
    codes, names = pd.factorize(accounts)
    found = np.array([are_usable(documents, name) for name in names], dtype=bool)
    return found.reshape(len(names), len(documents))[codes]


def best_per_region(outcomes: Truths, region: Codes, regions: int) -> Truths:
    """Principals x Regions: the best outcome among the groups of a Region; implicit deny where there is none."""
    best = np.full((len(outcomes), regions), IMPLICIT, dtype=np.int8)
    for place in range(regions):
        members = outcomes[:, region == place]
        if members.shape[1]:
            best[:, place] = members.max(axis=1)
    return best


def count_per_region(outcomes: Truths, least: int, counts: Counts, region: Codes, regions: int) -> Counts:
    """Principals x Regions: how many members the groups have whose outcome is `least` or better."""
    order = np.argsort(region, kind="stable")
    there, starts = np.unique(region[order], return_index=True)
    total = np.zeros((len(outcomes), regions), dtype=np.int64)
    for first in range(0, len(outcomes) if len(order) else 0, _CHUNK):
        chosen = (outcomes[first : first + _CHUNK] >= least).take(order, axis=1) * counts[order]
        total[first : first + _CHUNK, there] = np.add.reduceat(chosen, starts, axis=1)
    return total
