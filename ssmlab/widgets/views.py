"""What the reach explorer shows for a state of its controls: pure, without widgets, tested without a browser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Final

import networkx as nx
import numpy as np
import pandas as pd

from ssmlab.explanation import call_all, last_part, say_open
from ssmlab.graphs import to_networkx
from ssmlab.reachability import Reach
from ssmlab.reachability.columns import Codes, combine, first_rows
from ssmlab.snapshots import Snapshot
from ssmlab.widgets.controls import ANY
from ssmlab.widgets.filters import Filters, choose_nodes, holds, matches
from ssmlab.words import say_count

MOST_ROWS: Final = 200
MOST_SAVED: Final = 1_000_000
SAID: Final = {"implicitDeny": "denied", "explicitDeny": "denied"}  # outcomes, in words


@dataclass(frozen=True, slots=True)
class State(Filters):
    """What the controls say, with filters on nodes, of which account and Region count for documents too. Empty: any.

    Attributes
    ----------
    principals
        ARNs; none: everyone, so that the view is turned round: who reaches what the filters leave.
    document
        Text that the name holds.
    outcome
        "allowed" or "conditional".
    denied, ways
        Draw also what is denied, with the reason; and other ways in.
    context
        Keys of the request; None: known to be absent.
    unfolded
        Node groups that are drawn as their nodes: `group:` and the ARN of the first node of each.
    order, search
        How the matrix is sorted: "reach", "similar" or "name"; text that a row of the table must hold.
    """

    principals: tuple[str, ...] = ()
    document: str = ANY
    outcome: str = ANY
    denied: bool = False
    ways: bool = False
    context: Mapping[str, str | None] = field(default_factory=dict)
    unfolded: tuple[str, ...] = ()
    order: str = "reach"
    search: str = ""


def choose_documents(documents: pd.DataFrame, state: State) -> Codes:
    """Row numbers of the documents that the filters leave."""
    return np.flatnonzero(holds(documents, ("name",), state.document) & matches(documents, state, ("region",)))


def draw_state(reach: Reach, state: State) -> nx.DiGraph[str]:
    """The graph for a state."""
    nodes, documents = choose_nodes(reach.snapshot.nodes, state), choose_documents(reach.snapshot.documents, state)
    shown = _list_outcomes(state) + (["denied"] if state.denied else [])
    return to_networkx(reach, people(state), nodes, documents, outcomes=shown, unfolded=state.unfolded)


def people(state: State) -> list[str] | None:
    """The chosen principals; None: all."""
    return [*state.principals] or None


def list_pairs(reach: Reach, state: State, limit: int = MOST_ROWS) -> tuple[pd.DataFrame, str]:
    """The first rows of the table, full ARNs, and how many there are in words."""
    snapshot = reach.snapshot
    sides = {
        "principal": reach.rows("principals", people(state)),
        "node": choose_nodes(snapshot.nodes, state),
        "document": choose_documents(snapshot.documents, state),
    }
    frames: list[pd.DataFrame] = []
    for chosen, outcome in product(_search(sides, snapshot, state.search), _list_outcomes(state)):
        left = max(limit - sum(map(len, frames)), 0)
        frames.append(reach.pairs(**chosen, outcome=outcome, limit=left))
    filled = [frame for frame in frames if len(frame)] or frames[:1]
    shown = pd.concat(filled).sort_values("outcome", ascending=False, kind="stable", ignore_index=True)
    total = sum(frame.attrs["total"] for frame in frames)
    nothing = "No pair: nobody chosen reaches what the filters leave."
    return shown, say_count(total, "pair", shown=len(shown)) if total else nothing


def _list_outcomes(state: State) -> list[str]:
    return [state.outcome] if state.outcome else ["allowed", "conditional"]


def _search(sides: Mapping[str, Codes], snapshot: Snapshot, text: str) -> list[dict[str, Codes]]:
    """Choices that together hold every row in which the principal, the node or the document contains the text, each
    once.
    """
    if not text:
        return [dict(sides)]
    frames = {"principal": snapshot.principals, "node": snapshot.nodes, "document": snapshot.documents}
    columns = {"principal": ["name"], "node": ["node_id", "name"], "document": ["name"]}
    rest, choices = dict(sides), []
    for side, rows in sides.items():
        found = holds(frames[side].iloc[rows], columns[side], text, whole=False)
        choices.append(rest | {side: rows[found]})
        rest |= {side: rows[~found]}
    return choices


def first_pair(reach: Reach, principal: str, nodes: Any, documents: Any) -> tuple[str, str, str] | None:
    """The best of the pairs of a principal with these nodes and documents: an example to explain; None: no Region holds
    both.
    """
    for outcome in ("allowed", "conditional", "explicitDeny", "implicitDeny"):
        found = reach.pairs(principal, nodes, documents, outcome=outcome, limit=1)
        if len(found):
            return principal, found["node"][0], found["document"][0]
    return None


def short_pairs(pairs: pd.DataFrame, reach: Reach) -> pd.DataFrame:
    """The pairs as people read them: names instead of ARNs."""
    nodes = reach.snapshot.nodes.index.get_indexer(pd.Index(pairs["node"]))
    managed = reach.snapshot.nodes["managed"].iloc[nodes].astype("boolean").fillna(True)
    said = [SAID.get(outcome, outcome) for outcome in pairs["outcome"].astype(str)]
    shown: dict[str, Any] = {
        "principal": call_all(pairs["principal"]),
        "node": reach.node_resources.call(nodes),
        "document": [last_part(arn) for arn in pairs["document"]],
        "region": reach.snapshot.nodes["region"].astype(str).iloc[nodes].to_numpy(),
        "outcome": said,
    }
    if "conditional" in said:
        shown["only if"] = list_open(reach, pairs)
    if not managed.all():
        shown["managed"] = np.where(managed, "yes", "no")
    return pd.DataFrame(shown)


def list_open(reach: Reach, pairs: pd.DataFrame) -> list[str]:
    """For each pair that depends on something on what; asked once for all nodes and documents that are alike."""
    open_rows = np.flatnonzero(pairs["outcome"] == "conditional")
    frames = (reach.snapshot.principals, reach.snapshot.nodes, reach.snapshot.documents)
    columns = (pairs[name].iloc[open_rows] for name in ("principal", "node", "document"))
    rows = [frame.index.get_indexer(pd.Index(column)) for frame, column in zip(frames, columns, strict=True)]
    who, node, document = rows
    alike = combine([who, reach.node_group_codes[node], reach.document_group_codes[document]], len(open_rows))
    said = [_say_open(reach, *(int(side[place]) for side in rows)) for place in first_rows(alike)]
    told = np.full(len(pairs), "", dtype=object)
    told[open_rows] = np.array(said, dtype=object)[alike]
    return [*told]


def _say_open(reach: Reach, who: int, node: int, document: int) -> str:
    decided = (reach.decide_node(who, node), reach.decide_document(who, document))
    return " and ".join(dict.fromkeys(clause for d in decided for clause in say_open(d.open_conditions)))


def first_principals(reach: Reach, most: int = 1) -> tuple[str, ...]:
    """Principals worth looking at first: a user that reaches some of the nodes but not all, with the most pairs of
    those.
    """
    counts = reach.summary()
    users = counts[(reach.snapshot.principals["kind"] == "user").to_numpy(dtype=bool)]
    some = users[(users["nodes"] > 0) & (users["nodes"] < len(reach.snapshot.nodes) / 2)]
    chosen = next((frame for frame in (some, users, counts) if len(frame)), counts)
    return tuple(chosen.sort_values("pairs", ascending=False).index[:most])
