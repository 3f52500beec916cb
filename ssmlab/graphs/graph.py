"""A reach as a networkx graph: principal, statement, documents above and node groups below.

Resources that all drawn principals reach in the same way, through the same statements, are one mark: the picture is as
small as what it says. `graph.graph["members"]` tells which nodes or documents a mark stands for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

import networkx as nx
import numpy as np

from ssmlab.evaluation import Applied
from ssmlab.explanation import last_part, say_open, say_reason, say_statement
from ssmlab.graphs.layout import place_layers
from ssmlab.graphs.sides import Side, add_principals, join_sides, name_rows, read_sides
from ssmlab.graphs.words import say_result, say_title
from ssmlab.reachability import Reach
from ssmlab.reachability.columns import Codes, Truths, first_rows
from ssmlab.reachability.fleets import ALLOWED, CONDITIONAL, IMPLICIT, OUTCOMES
from ssmlab.reachability.names import Names
from ssmlab.truth import FALSE

_RANK: Final = ("denied", "conditional", "allowed")
COLUMNS: Final = ("Principal", "Statement that decides", "Documents and nodes")
MOST_MARKS: Final = 300
MOST_UNFOLDED: Final = 60
_WANTED: Final = {"allowed": {ALLOWED}, "conditional": {CONDITIONAL}, "denied": {*range(CONDITIONAL)}}


def to_networkx(
    reach: Reach,
    principals: Names = None,
    nodes: Names = None,
    documents: Names = None,
    *,
    outcomes: Collection[str] = ("allowed", "conditional"),
    unfolded: Collection[str] = (),
    limit: int = MOST_MARKS,
) -> nx.DiGraph[str]:
    """The graph of who reaches what.

    Parameters
    ----------
    principals, nodes, documents
        ARNs, names or ids (a document's name means it in every Region), or row numbers; None: all.
    outcomes
        The lines to draw: "allowed", "conditional", "denied" (with the reason).
    unfolded
        Node groups that are drawn as their nodes: `group:` and the ARN of the first node of each.
    limit
        Marks (nodes and edges) at most. Beyond it the principals that reach least are left out; `folded` says so.

    Returns
    -------
    networkx.DiGraph
        Nodes: `kind` (principal, role, statement, document, group, node), `label`, `detail`, `layer`, `x`, `y`,
        `count`. Edges: `outcome` ("allowed", "conditional" or "denied"), `detail`. Graph: `title`, `caption`, `folded`;
        `members`: the rows that a mark stands for; `groups`: the group of each node that was unfolded.

    Raises
    ------
    KeyError
        For a name that is not known, with the nearest ones, and for another outcome.

    Examples
    --------
    >>> import ssmlab
    >>> graph = to_networkx(ssmlab.reach(ssmlab.load("data/sample")), principals="web-ops")
    >>> sorted({kind for _, kind in graph.nodes(data="kind")})
    ['document', 'group', 'principal', 'statement']
    """
    wanted = frozenset().union(*(_WANTED[name] for name in outcomes))
    chosen, sides = reach.rows("principals", principals), read_sides(reach, nodes, documents)
    joint = [*zip(*join_sides(reach, sides, chosen), strict=True)]
    weights = np.array([(outcome + 1) * (outcome in wanted) for outcome in range(len(OUTCOMES))])
    counts = [int(weights[of_nodes] @ sides[0].counts) for of_nodes, _ in joint]
    drawn = [(int(chosen[place]), joint[place]) for place in np.argsort(-np.array(counts), kind="stable")]
    drawn = drawn[: np.count_nonzero(counts)]
    pen = _Pen(reach, wanted, frozenset(unfolded))
    graph, shown = draw_within(limit, len(drawn), lambda first: pen.draw(sides, drawn[:first]))
    pen.name(graph, sides)
    graph.graph.update(
        title=say_title(reach, sides, chosen, is_everyone=principals is None),
        caption=say_result(reach, sides, chosen, joint),
        folded="" if shown >= len(drawn) else f"the {shown} of {len(drawn)} principals that reach most are drawn",
    )
    place_layers(graph)
    return graph


def draw_within(limit: int, most: int, draw: Callable[[int], nx.DiGraph[str]]) -> tuple[nx.DiGraph[str], int]:
    """The graph of as many of the first principals as fit into so many marks, from a guess, and how many they are."""
    shown = max(min(most, limit // 15), 1)
    graph = draw(shown)
    if shown < most and 2 * (size := len(graph) + graph.number_of_edges()) < limit:
        shown = min(most, shown * limit // size)
        graph = draw(shown)
    while shown > 1 and (size := len(graph) + graph.number_of_edges()) > limit:
        shown = max(1, int(0.95 * shown * (limit / size) ** 0.5))  # each splits the groups of the others
        graph = draw(shown)
    return graph, shown


class _Pen:
    """Draws principals, what they reach, and the statements between them."""

    def __init__(self, reach: Reach, wanted: frozenset[int], unfolded: frozenset[str]) -> None:
        self._reach, self._wanted, self._unfolded = reach, wanted, unfolded
        self._arns, self._said = [*reach.snapshot.principals.index], dict[tuple[str, int, int], str]()

    def draw(self, sides: Sequence[Side], shown: Sequence[tuple[int, tuple[Truths, Truths]]]) -> nx.DiGraph[str]:
        """A graph of these principals, each with the outcomes of both sides."""
        self._graph: nx.DiGraph[str] = nx.DiGraph(members={}, groups={})
        self._keys = self._reach.tag_keys(who for who, _ in shown)
        self._several = len({self._arns[who].split(":")[4] for who, _ in shown}) > 1  # accounts that are drawn
        add_principals(self._graph, [self._arns[who] for who, _ in shown])
        for place, side in enumerate(sides):
            if shown:
                self._draw_side(side, [(who, joint[place]) for who, joint in shown])
        return nx.relabel_nodes(self._graph, self._find_alike())

    def name(self, graph: nx.DiGraph[str], sides: Sequence[Side]) -> None:
        """Label and detail of what is reached, in the graph drawn last: naming takes long, and that one stays."""
        for mark, rows in graph.graph["members"].items():
            graph.nodes[mark].update(name_rows(sides[mark.startswith("document:")], rows, self._keys, self._several))

    def _find_alike(self) -> dict[str, str]:
        """Of the marks that stand for no statement those that lead to the same, by the first of them."""
        first, named = dict[Any, str](), dict[str, str]()
        for card in (name for name in self._graph if name.startswith("none:")):
            lines = frozenset((mark, line["outcome"]) for mark, line in self._graph[card].items())
            named[card] = first.setdefault((lines, self._graph.nodes[card]["label"]), card)
        return named

    def _draw_side(self, side: Side, shown: Sequence[tuple[int, Truths]]) -> None:
        """Marks for the groups of one side, merged where every drawn principal reaches them alike, and their edges."""
        ways = [(who, joint, *read_cards(side, who)) for who, joint in shown]
        drawn = {who: [*map(draw_card, found)] for who, _, found, _ in ways}
        allowed_by = (column for *_, cards in ways for column in cards.T)
        merged = side.merge(side.first, [*(joint for _, joint in shown), *allowed_by])
        wanted = self._wanted if side.kind == "group" else self._wanted | {ALLOWED, CONDITIONAL}
        for code, group in enumerate(first_rows(merged)):
            lines = [
                (who, int(joint[group]), [drawn[who][place] for place in np.flatnonzero(cards[group])])
                for who, joint, _, cards in ways
                if joint[group] in wanted
            ]
            if lines:
                rows = side.rows[np.isin(side.codes, np.flatnonzero(merged == code))]
                for mark, own in self._marks(side, rows):
                    for who, outcome, allowing in lines:
                        self._connect(side, who, mark, int(own[0]), outcome, allowing)

    def _marks(self, side: Side, rows: Codes) -> list[tuple[str, Codes]]:
        """The mark of a group, or those of its nodes, with the rows that each stands for."""
        ids = side.frame.index
        group = f"{side.kind}:{ids[rows[0]]}"
        marks = [(group, side.kind, rows)]
        if group in self._unfolded and side.kind == "group":
            marks = [(f"node:{ids[row]}", "node", rows[at : at + 1]) for at, row in enumerate(rows[:MOST_UNFOLDED])]
            marks += [(group, "group", rows[MOST_UNFOLDED:])] if len(rows) > MOST_UNFOLDED else []
            self._graph.graph["groups"] |= {mark: group for mark, *_ in marks}
        for mark, kind, own in marks:
            self._graph.graph["members"][mark] = own
            self._graph.add_node(mark, kind=kind, layer=2, count=len(own))
        return [(mark, own) for mark, _, own in marks]

    def _connect(self, side: Side, who: int, mark: str, row: int, outcome: int, allowing: Sequence[_Card]) -> None:
        """Edges from a principal through the statements that decide a mark, or through the words that none does."""
        graph, arn, named = self._graph, self._arns[who], "denied" if outcome < CONDITIONAL else OUTCOMES[outcome].value
        asked = (side.kind, who, row)
        if outcome != ALLOWED and asked not in self._said:  # a graph may be drawn several times until it fits
            self._said[asked] = say_outcome(side, who, row, outcome)
        said = self._said.get(asked, "allowed")
        deciding = allowing if outcome >= CONDITIONAL else ()
        if outcome < IMPLICIT:  # what is allowed alone, with nothing that goes with it, has no statement either
            deciding = [*map(draw_card, side.ask(who, row).decide().determining_statements)]
        for card, about in deciding or [draw_no_card(arn)]:
            graph.add_node(card, **about)
            self._line(arn, card, named, f"{last_part(arn)}: {about['detail']}")
            self._line(card, mark, named, said)

    def _line(self, source: str, target: str, outcome: str, said: str) -> None:
        """An edge; of several that fall together, the best outcome."""
        known = self._graph.get_edge_data(source, target)
        if known is None or _RANK.index(outcome) > _RANK.index(known["outcome"]):
            self._graph.add_edge(source, target, outcome=outcome, detail=said)


_Card = tuple[str, dict[str, Any]]  # a mark's id and attributes


def draw_card(applied: Applied) -> _Card:
    """The mark of a statement: its id and attributes."""
    label = f"{call_policy(applied.policy)} · {applied.sid or applied.index + 1}"
    return f"statement:{applied.policy}#{applied.index}", _card(label, say_statement(applied))


def draw_no_card(arn: str) -> _Card:
    """The mark where no statement decides: the root user needs none, others are allowed by none."""
    if arn.endswith(":root"):
        return f"none:{arn}", _card("no policy needed", "the root user needs no policy")
    return f"none:{arn}", _card("nothing allows it", "no statement allows it")


def _card(label: str, detail: str) -> dict[str, Any]:
    return {"kind": "statement", "layer": 1, "label": label, "detail": detail, "count": 1}


def read_cards(side: Side, who: int) -> tuple[list[Applied], Any]:
    """The statements that allow, and groups x statements: those that say it best for a group."""
    found = side.allowing(who)
    truths = np.array([truth[side.groups] for _, truth in found], dtype=np.int8).reshape(len(found), len(side.groups))
    best = truths.max(axis=0, initial=FALSE)
    return [applied for applied, _ in found], ((truths == best) & (best > FALSE)).T


def call_policy(policy: str) -> str:
    """A policy by its id as a label: its name, of an inline policy after that of its holder."""
    owner, _, name = policy.rpartition("/")
    return f"{last_part(owner).rpartition('/')[2]}: {name}" if owner and ":policy" not in owner else name


def say_outcome(side: Side, who: int, row: int, outcome: int) -> str:
    """Why a resource is not simply allowed."""
    part = side.ask(who, row)
    if outcome <= IMPLICIT:
        alone = OUTCOMES.index(part.decide().outcome) >= CONDITIONAL
        other = {"document": "node", "node": "document"}[part.kind]
        return f"denied: no {other} that goes with it is allowed" if alone else f"denied: {say_reason(part)}"
    conditions = part.decide().open_conditions
    return "only if " + " and ".join(say_open(conditions)) if conditions else "depends on the other side"


def to_marks(graph: nx.DiGraph[str]) -> dict[str, Any]:
    """The graph as plain data for a view: `nodes`, `edges` (lists of dicts with an `id`) and `columns`."""
    nodes = [{"id": name, **attributes} for name, attributes in graph.nodes(data=True)]
    edges = [{"id": f"{s}→{t}", "source": s, "target": t, **attributes} for s, t, attributes in graph.edges(data=True)]
    return {"nodes": nodes, "edges": edges, "columns": list(graph.graph.get("columns", COLUMNS))}
