"""What a change gives and takes, as a graph of the form that `to_networkx` has.

A statement is one mark for all principals that it leads to the same resources in the same way, and else one for each:
of two that hold it one may gain what the other loses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import networkx as nx
import numpy as np
import pandas as pd

from ssmlab.evaluation import Applied
from ssmlab.explanation import last_part
from ssmlab.graphs.graph import MOST_MARKS, draw_card, draw_no_card, draw_within, read_cards, say_outcome
from ssmlab.graphs.layout import place_layers
from ssmlab.graphs.sides import Side, add_principals, join_sides, name_rows, read_sides
from ssmlab.graphs.words import say_changes
from ssmlab.reachability import Reach, count_changes
from ssmlab.reachability.changes import find_changes
from ssmlab.reachability.columns import Codes, Truths, first_rows
from ssmlab.reachability.comparing import Comparison
from ssmlab.reachability.fleets import ALLOWED, CONDITIONAL
from ssmlab.reachability.names import Names

_SAID: Final = {
    "gained": "gained: ",
    "lost": "lost, now ",
    "conditional": "now it depends: ",
    "unchanged": "as before: ",
}
_SIDES: Final = ("nodes", "documents")


def draw_changes(
    before: Reach,
    after: Reach,
    principals: Names = None,
    *,
    counts: pd.DataFrame | None = None,
    limit: int = MOST_MARKS,
) -> nx.DiGraph[str]:
    """The graph of what principals reach in one of two reaches on the same nodes and documents, and what changed.

    Parameters
    ----------
    principals
        ARNs, names or row numbers, as in `to_networkx`; None: those for whom something changed.
    counts
        From `count_changes`, where it is known already.
    limit
        Marks (nodes and edges) at most; principals with fewer changes are left out.

    Returns
    -------
    networkx.DiGraph
        As `to_networkx`, but the outcome of an edge is "gained" (allowed now), "lost" (denied now), "conditional" (it
        depends now) or "unchanged". Groups of nodes that are all tagged otherwise than before are called "changed".

    Raises
    ------
    ValueError
        If nodes or documents are not the same.
    KeyError
        As `to_networkx`.

    Examples
    --------
    >>> import ssmlab
    >>> snapshot = ssmlab.load("data/sample")
    >>> changed = snapshot.with_tags("i-0123456789abcdef0", {"Finance": "Ledger"})
    >>> graph = draw_changes(ssmlab.reach(snapshot), ssmlab.reach(changed))
    >>> graph.graph["caption"]
    'user/web-ops loses 1 node. role/WebOps loses 1 node.'
    """
    for name in _SIDES:
        if not getattr(before.snapshot, name).index.equals(getattr(after.snapshot, name).index):
            raise ValueError(f"expected the same {name} before and after")
    counts = count_changes(before, after) if counts is None else counts
    people = after.snapshot.principals.index
    chosen = [*counts.index] if principals is None else [*people[after.rows("principals", principals)]]
    chosen.sort(key=lambda arn: counts.index.get_loc(arn) if arn in counts.index else len(counts))  # type: ignore[arg-type, return-value]
    pen = _Pen(before, after)
    graph, shown = draw_within(limit, len(chosen), lambda first: pen.draw(chosen[:first]))
    graph.graph.update(
        title=f"What changes for {last_part(chosen[0]) if len(chosen) == 1 else f'{len(chosen)} principals'}",
        caption=say_changes(counts),
        folded="" if shown >= len(chosen) else f"the {shown} of {len(chosen)} principals that change most are drawn",
    )
    place_layers(graph)
    return graph


@dataclass(frozen=True, slots=True)
class _Way:
    """What becomes of one principal on groups that both reaches treat alike.

    Attributes
    ----------
    first, then
        The outcomes of nodes or documents.
    cards
        The statements that allow them, with the groups where they do: those of now; of what is lost, those of before.
    """

    who: int  # after
    arn: str
    first: Truths
    then: Truths
    cards: list[tuple[Applied, Truths]]


class _Pen:
    """Draws principals, what they reach before or after, and the statements between them."""

    def __init__(self, before: Reach, after: Reach) -> None:
        self._reaches = (before, after)
        both = Comparison(before, after)
        self._unions = (both.nodes, both.documents)
        changes = find_changes(*(reach.snapshot.nodes for reach in self._reaches))
        self._edited = changes.rows if changes else np.zeros(0, dtype=np.int64)
        of_each = [union.rows for union in self._unions]
        self._sides = [read_sides(reach, *of_each) for reach in self._reaches]

    def draw(self, arns: Sequence[str]) -> nx.DiGraph[str]:
        """A graph of these principals."""
        self._graph: nx.DiGraph[str] = nx.DiGraph(members={}, groups={})
        self._lines: dict[tuple[str, str], dict[str, dict[str, str]]] = {}  # principal, statement -> mark -> edge
        self._applied: dict[str, Applied] = {}
        rows = [[int(reach.rows("principals", arn)[0]) for reach in self._reaches] for arn in arns]
        chosen = np.array(rows, dtype=np.int64).reshape(-1, 2).T
        joined = [join_sides(*of) for of in zip(self._reaches, self._sides, chosen, strict=True)]
        self._keys = self._reaches[1].tag_keys(who[1] for who in rows)
        self._several = len({arn.split(":")[4] for arn in arns}) > 1
        for place in range(len(_SIDES)):
            outcomes = zip(*(sides[place] for sides in joined), strict=True)  # before and after, a pair a principal
            self._draw_side(place, [self._read(place, *way) for way in zip(arns, rows, outcomes, strict=True)])
        self._draw_cards()
        return self._graph

    def _read(self, place: int, arn: str, rows: Sequence[int], joint: Sequence[Truths]) -> _Way:
        sides = [side[place] for side in self._sides]
        first, then = (found[side.codes] for found, side in zip(joint, sides, strict=True))
        cards = []
        kept = ((first >= CONDITIONAL) & (then < CONDITIONAL), then >= CONDITIONAL)
        for side, who, rest in zip(sides, rows, kept, strict=True):
            found, holds = read_cards(side, who)
            cards += [(card, holds[side.codes, at] & rest) for at, card in enumerate(found)]
        return _Way(rows[1], arn, first, then, [card for card in cards if card[1].any()])

    def _draw_side(self, place: int, ways: Sequence[_Way]) -> None:
        """Marks for what every principal reaches alike before and after, and their edges."""
        side, union = self._sides[1][place], self._unions[place]
        outcomes = [np.maximum(outcome, CONDITIONAL - 1) for way in ways for outcome in (way.first, way.then)]
        merged = side.merge(union.rows, [*outcomes, *(held for way in ways for _, held in way.cards)])
        for code, group in enumerate(first_rows(merged)):
            reaching = [way for way in ways if max(way.first[group], way.then[group]) >= CONDITIONAL]
            if reaching:
                mark = self._mark(side, np.flatnonzero((merged == code)[union.group]))
                for way in reaching:
                    self._draw_lines(side, way, int(group), int(union.rows[group]), mark)

    def _mark(self, side: Side, rows: Codes) -> str:
        mark = f"{side.kind}:{rows[0]}"
        self._graph.graph["members"][mark] = rows
        named = name_rows(side, rows, self._keys, self._several)
        if side.kind == "group" and np.isin(rows, self._edited).all():  # another may have the same tags from before
            named["label"] += " · changed"
        self._graph.add_node(mark, kind=side.kind, layer=2, count=len(rows), **named)
        return mark

    def _draw_lines(self, side: Side, way: _Way, group: int, row: int, mark: str) -> None:
        then = int(way.then[group])
        outcome = _name(int(way.first[group]), then)
        said = _SAID[outcome] + ("allowed" if then == ALLOWED else say_outcome(side, way.who, row, then))
        cards = {f"{card.policy}#{card.index}": card for card, holds in way.cards if holds[group]}
        self._applied |= cards
        for name in cards or [""]:  # the root user needs none
            self._lines.setdefault((way.arn, name), {})[mark] = {"outcome": outcome, "detail": said}

    def _draw_cards(self) -> None:
        """Principals and statements; a statement once for all principals whom it leads to the same."""
        numbers: dict[str, list[Mapping[str, str]]] = {}
        add_principals(self._graph, [*dict.fromkeys(arn for arn, _ in self._lines)])
        for (arn, name), lines in self._lines.items():
            known, here = numbers.setdefault(name, []), {mark: line["outcome"] for mark, line in lines.items()}
            known += [] if here in known else [here]
            source, about = draw_card(self._applied[name]) if name else draw_no_card(arn)
            source += f"@{known.index(here)}" if name else ""
            self._graph.add_node(source, **about)
            outcomes = {*here.values()}
            held = outcomes.pop() if len(outcomes) == 1 else "unchanged"
            self._graph.add_edge(arn, source, outcome=held, detail=f"{last_part(arn)}: {about['detail']}")
            self._graph.add_edges_from((source, mark, line) for mark, line in lines.items())


def _name(first: int, then: int) -> str:
    if max(first, CONDITIONAL - 1) == max(then, CONDITIONAL - 1):
        return "unchanged"
    return {ALLOWED: "gained", CONDITIONAL: "conditional"}.get(then, "lost")
