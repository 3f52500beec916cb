"""A reach as a networkx graph: principal, statement, documents above and node groups below.

Resources that all drawn principals reach in the same way, through the same statements, are one mark: the picture is as
small as what it says. `graph.graph["members"]` tells which nodes or documents a mark stands for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import networkx as nx
import numpy as np
import pandas as pd

from ssmlab.evaluation import Applied, Decision, Outcome
from ssmlab.explanation import last_part, say_condition, say_statement
from ssmlab.graphs.layout import place_layers
from ssmlab.reachability import Reach
from ssmlab.reachability.columns import TAG, Codes, Resources, Truths, combine, encode, first_rows
from ssmlab.reachability.fleets import ALLOWED, CONDITIONAL, IMPLICIT, OUTCOMES
from ssmlab.reachability.names import Names
from ssmlab.truth import FALSE

COLUMNS: Final = ("Principal", "Statement that allows it", "Documents and nodes")
MOST_MARKS: Final = 300
_MOST_NAMES: Final = 12


def to_networkx(
    reach: Reach, principals: Names = None, nodes: Names = None, documents: Names = None, *, limit: int = MOST_MARKS
) -> nx.DiGraph[str]:
    """The graph of who reaches what.

    Parameters
    ----------
    principals, nodes, documents
        ARNs, names or ids (a document's name means it in every Region), or row numbers; None: all.
    limit
        Marks (nodes and edges) at most. Beyond it the principals that reach least are left out; `folded` says so.

    Returns
    -------
    networkx.DiGraph
        Nodes: `kind` (principal, role, statement, document, group), `label`, `detail`, `layer`, `x`, `y`, `count`.
        Edges: `outcome` ("allowed" or "conditional"), `detail`. Graph: `title`, `caption`, `folded`, `members`.

    Examples
    --------
    >>> import ssmlab
    >>> graph = to_networkx(ssmlab.reach(ssmlab.load("data/sample")), principals="web-ops")
    >>> sorted({kind for _, kind in graph.nodes(data="kind")})
    ['document', 'group', 'principal', 'statement']
    """
    chosen, sides = reach.rows("principals", principals), _read_sides(reach, nodes, documents)
    joint = [_join(reach, sides, who) for who in chosen]
    counts = [int((nodes_ >= CONDITIONAL) @ sides[0].counts) for nodes_, _ in joint]
    reaching = [place for place in np.argsort(-np.array(counts), kind="stable") if counts[place]]
    shown = len(reaching)
    graph = _draw(reach, sides, [(int(chosen[p]), joint[p]) for p in reaching])
    while shown > 1 and len(graph) + graph.number_of_edges() > limit:
        shown = max(1, int(0.95 * shown * limit / (len(graph) + graph.number_of_edges())))
        graph = _draw(reach, sides, [(int(chosen[p]), joint[p]) for p in reaching[:shown]])
    graph.graph.update(
        title=_title(reach, chosen),
        caption=_caption(reach, sides, chosen, joint, len(reaching)),
        folded="" if shown == len(reaching) else f"the {shown} of {len(reaching)} principals that reach most are drawn",
    )
    place_layers(graph)
    return graph


# --- Groups that the filters leave ---


@dataclass(frozen=True, slots=True)
class _Side:
    """The chosen nodes, or documents, by group."""

    kind: str  # of the marks: "group" or "document"
    resources: Resources
    rows: Codes  # chosen rows of the frame
    codes: Codes  # group of each chosen row, as a place in `groups`
    groups: Codes  # groups of the reach that hold a chosen row
    counts: Codes  # chosen rows in each
    regions: Codes  # Region of each, as in `reach.places`
    outcomes: Truths  # principals x all groups of the reach
    allowing: Callable[[int], list[tuple[Applied, Truths]]]
    decide: Callable[[int, int], Decision]

    @property
    def frame(self) -> pd.DataFrame:
        """`snapshot.nodes` or `snapshot.documents`."""
        return self.resources.frame


def _read_sides(reach: Reach, nodes: Names, documents: Names) -> tuple[_Side, _Side]:
    places = reach.places
    of_nodes = (places.node_region, reach.node_outcomes, reach.allowing_nodes, reach.decide_node)
    of_documents = (places.document_region, reach.document_outcomes, reach.allowing_documents, reach.decide_document)
    node_rows, document_rows = reach.rows("nodes", nodes), reach.rows("documents", documents)
    return (
        _read_side("group", reach.node_resources, node_rows, reach.node_group_codes, *of_nodes),
        _read_side("document", reach.document_resources, document_rows, reach.document_group_codes, *of_documents),
    )


def _read_side(kind: str, resources: Resources, rows: Codes, codes: Codes, regions: Codes, *of: Any) -> _Side:
    groups, places, counts = np.unique(codes[rows], return_inverse=True, return_counts=True)
    return _Side(kind, resources, rows, places, groups, counts, regions[groups], *of)


def _join(reach: Reach, sides: tuple[_Side, _Side], who: int) -> tuple[Truths, Truths]:
    """The outcomes of the chosen groups for one principal, each with the best of the other side in its Region."""
    alone = [side.outcomes[who, side.groups] for side in sides]
    best = []
    for side, outcomes in zip(sides, alone, strict=True):
        of_region = np.full(reach.places.regions, IMPLICIT, dtype=np.int8)
        np.maximum.at(of_region, side.regions, outcomes)
        best.append(of_region)
    nodes, documents = sides
    return np.minimum(alone[0], best[1][nodes.regions]), np.minimum(alone[1], best[0][documents.regions])


# --- Marks ---


def _draw(
    reach: Reach, sides: tuple[_Side, _Side], shown: Sequence[tuple[int, tuple[Truths, Truths]]]
) -> nx.DiGraph[str]:
    graph: nx.DiGraph[str] = nx.DiGraph(members={})
    principals = reach.snapshot.principals
    for who, _ in shown:
        arn = str(principals.index[who])
        kind = "role" if principals["kind"].iloc[who] == "role" else "principal"
        graph.add_node(arn, kind=kind, layer=0, label=last_part(arn), detail=arn, count=1)
    keys = reach.tag_keys(who for who, _ in shown)
    for place, side in enumerate(sides):
        if shown:
            _draw_side(graph, side, [(who, joint[place]) for who, joint in shown], [*principals.index], keys)
    return graph


def _draw_side(
    graph: nx.DiGraph[str], side: _Side, shown: Sequence[tuple[int, Truths]], arns: Sequence[str], keys: Sequence[str]
) -> None:
    """Marks for the groups of one side, merged where every drawn principal reaches them alike, and their edges."""
    ways = [(who, joint, _cards(side, who)) for who, joint in shown]
    several = len({arns[who].split(":")[4] for who, _ in shown}) > 1  # accounts that are drawn
    first = side.rows[first_rows(side.codes)]
    places = [encode(side.frame[name])[0][first] for name in ("account", "region")]
    bits = [cards[:, place].astype(np.int64) for _, _, (_, cards) in ways for place in range(cards.shape[1])]
    merged = combine([*places, *(joint.astype(np.int64) for _, joint, _ in ways), *bits], len(side.groups))
    for code, group in enumerate(first_rows(merged)):
        reached = [
            (who, joint[group], [a for a, card in zip(found, cards[group], strict=True) if card])
            for who, joint, (found, cards) in ways
        ]
        if all(outcome < CONDITIONAL for _, outcome, _ in reached):
            continue
        rows = side.rows[np.isin(side.codes, np.flatnonzero(merged == code))]
        mark = f"{side.kind}:{rows[0]}"
        graph.graph["members"][mark] = rows
        graph.add_node(mark, kind=side.kind, layer=2, count=len(rows), **_name(side, rows, keys, several))
        for who, outcome, allowing in reached:
            if outcome >= CONDITIONAL:
                said = "allowed" if outcome == ALLOWED else _said(side.decide(who, int(rows[0])))
                _connect(graph, arns[who], mark, OUTCOMES[outcome], allowing, said)


def _cards(side: _Side, who: int) -> tuple[list[Applied], Any]:
    """The statements that allow, and groups x statements: those that say it best for a group."""
    found = side.allowing(who)
    truths = np.array([truth[side.groups] for _, truth in found], dtype=np.int8).reshape(len(found), len(side.groups))
    best = truths.max(axis=0, initial=FALSE)
    return [applied for applied, _ in found], ((truths == best) & (best > FALSE)).T


def _connect(
    graph: nx.DiGraph[str], arn: str, mark: str, outcome: Outcome, allowing: Sequence[Applied], said: str
) -> None:
    """Edges from a principal through the statements that allow a mark; straight for who needs none (the root user)."""
    for applied in allowing:
        card = f"statement:{applied.policy}#{applied.index}"
        graph.add_node(card, kind="statement", layer=1, label=_card(applied), detail=say_statement(applied), count=1)
        known = graph.edges[arn, card]["outcome"] if graph.has_edge(arn, card) else outcome.value
        best = Outcome.ALLOWED.value if Outcome.ALLOWED.value in (known, outcome.value) else outcome.value
        graph.add_edge(arn, card, outcome=best, detail=f"{last_part(arn)} holds {say_statement(applied)}")
        graph.add_edge(card, mark, outcome=outcome.value, detail=said)
    if not allowing:
        graph.add_edge(arn, mark, outcome=outcome.value, detail=said)


def _card(applied: Applied) -> str:
    owner, _, name = applied.policy.rpartition("/")
    short = f"{last_part(owner).rpartition('/')[2]}: {name}" if ":policy" not in owner and owner else name
    return f"{short} · {applied.sid or applied.index + 1}"


def _said(decision: Decision) -> str:
    if not decision.open_conditions:
        return "depends on the other side"
    return "only if " + " and ".join(map(say_condition, decision.open_conditions))


def _name(side: _Side, rows: Codes, keys: Sequence[str], several: bool) -> dict[str, str]:
    """Label and detail of a mark: one by its name, several by what they have in common."""
    names = [*side.resources.names[rows[:_MOST_NAMES]]]
    account, region = (str(side.frame[column].iloc[rows[0]]) for column in ("account", "region"))
    if len(rows) == 1:
        label = names[0]
    elif side.kind == "document":
        label = f"{len(rows)} {'own' if account else 'AWS'} documents"
    else:
        label = ", ".join(_common(side, rows, keys)) or "nodes"
    places = [region, *([f"…{account[-4:]}"] if several and account else [])]
    listed = ", ".join(names) + (f" and {len(rows) - len(names)} more" if len(rows) > len(names) else "")
    return {"label": " · ".join([label, *places]), "detail": f"{listed} in {region}"}


def _common(side: _Side, rows: Codes, keys: Sequence[str]) -> list[str]:
    """Tags that all nodes share: two, at most, that the policies read, else another one, else what kind they are.

    As to a policy, tag keys that differ only by case are one.
    """
    written = [name[len(TAG) :] for name in side.frame.columns if name.startswith(TAG)]
    spelt = {key.lower(): key for key in reversed(written)}
    read = [key for key in keys if key in spelt]
    for chosen, most in ((read, 2), ([key for key in spelt if key not in read], 1)):
        values = ((key, side.resources.shared((f"ssm:resourcetag/{key}",), rows)) for key in chosen)
        shared = [f"{spelt[key]}={value[0]}" for key, value in values if value and isinstance(value[0], str)]
        if shared:
            return shared[:most]
    codes, kinds = encode(side.frame["kind"])
    return [f"{kinds[codes[rows[0]]]} nodes"] if (codes[rows] == codes[rows[0]]).all() else []


# --- Words ---


def _title(reach: Reach, chosen: Codes) -> str:
    names = [last_part(str(reach.snapshot.principals.index[who])) for who in chosen[:3]]
    more = f" and {len(chosen) - 3} more" if len(chosen) > 3 else ""
    return f"What {', '.join(names)}{more} {'reach' if len(chosen) > 1 else 'reaches'} with Run Command"


def _caption(
    reach: Reach, sides: tuple[_Side, _Side], chosen: Codes, joint: Sequence[tuple[Truths, Truths]], reaching: int
) -> str:
    """The result in words; where nothing is reached, why."""
    total = len(sides[0].rows)
    if not reaching:
        return _nothing(reach, sides, chosen)
    best = np.max([nodes for nodes, _ in joint], axis=0)
    allowed, depends = (int((best == outcome) @ sides[0].counts) for outcome in (ALLOWED, CONDITIONAL))
    one = last_part(str(reach.snapshot.principals.index[chosen[0]]))
    who = f"{reaching} of {len(chosen)} principals" if len(chosen) > 1 else one
    words = f"{who} {'reaches' if reaching == 1 else 'reach'} {allowed} of {total} nodes"
    return f"{words}; {depends} more depend on what is not known." if depends else f"{words}."


def _nothing(reach: Reach, sides: tuple[_Side, _Side], chosen: Codes) -> str:
    for what, rows in (("principal", chosen), ("node", sides[0].rows), ("document", sides[1].rows)):
        if not len(rows):
            return f"No {what} matches the filters."
    one = last_part(str(reach.snapshot.principals.index[chosen[0]]))
    who = f"None of {len(chosen)} principals reaches" if len(chosen) > 1 else f"{one} does not reach"
    nodes, documents = (bool((side.outcomes[chosen][:, side.groups] >= CONDITIONAL).any()) for side in sides)
    reason = {
        (True, False): "there are nodes it is allowed on, but no document it may use",
        (False, True): "there are documents it may use, but no node it is allowed on",
        (True, True): "where it may use a document, it is allowed on no node that the filters leave",
    }.get((nodes, documents), "no policy allows any of these nodes or documents")
    return f"{who} any of {len(sides[0].rows)} nodes: {reason}."


def to_marks(graph: nx.DiGraph[str]) -> dict[str, Any]:
    """The graph as plain data for a view: `nodes`, `edges` (lists of dicts with an `id`) and `columns`."""
    nodes = [{"id": name, **attributes} for name, attributes in graph.nodes(data=True)]
    edges = [{"id": f"{s}→{t}", "source": s, "target": t, **attributes} for s, t, attributes in graph.edges(data=True)]
    return {"nodes": nodes, "edges": edges, "columns": list(COLUMNS)}
