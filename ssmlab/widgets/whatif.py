"""What explorers of a change share: before and after, who gains and loses, in a graph, in tables and in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import ipywidgets as w
import networkx as nx
import pandas as pd

from ssmlab.explanation import call_all, last_part
from ssmlab.graphs import draw_changes, say_changes, to_networkx
from ssmlab.reachability import Reach, count_changes
from ssmlab.widgets.explorer import Explorer
from ssmlab.widgets.graph_view import GraphView
from ssmlab.widgets.reasons import find_principal, find_statement
from ssmlab.widgets.texts import write_explanation, write_json, write_lines
from ssmlab.widgets.views import MOST_ROWS, MOST_SAVED, SAID, first_pair
from ssmlab.words import say_count

_COLUMNS: Final = {"gained": "gained", "lost": "lost", "conditional": "now conditional"}
MOST_DRAWN: Final = 12  # principals


def dim(views: w.DOMWidget, is_old: bool) -> None:
    """Views that hold the result of something else than what is asked now are dimmed."""
    (views.add_class if is_old else views.remove_class)("ssmlab-old")


class WhatIf(Explorer):
    """An explorer of a change. A subclass says with `decide` what is before and after, and whose reach is drawn."""

    formats = ("CSV", "Parquet", "GraphML", "SVG", "PNG")

    def decide(self) -> tuple[Reach, Reach, Sequence[str]]:
        """The reach before and after (the same one: nothing is changed), and whom (ARNs) it is about."""
        raise NotImplementedError

    def make_views(self) -> dict[str, w.Widget]:
        """The reach with what changes in it, by node group and document, and by principal."""
        self.notice = w.HTML().add_class("ssmlab-notice")  # what must be known of the results before one reads them
        self.above, self.graph = [self.notice], GraphView(height=310)
        self.graph.observe(lambda change: self.tell_why(self._explain, change["new"]), "selected")
        self.changes = self.build_table(self._explain_row)
        self.by_principal = self.build_table(lambda row: self._say_principal(str(self.counts.index[row])))
        self.add_class("ssmlab-whatif")
        return {"Reach": self.graph, "Changes": self.changes, "By principal": self.by_principal}

    def show(self) -> None:
        """Decide, and draw what is seen."""
        self.before, self.after, self.whom = self.decide()
        self.counts = count_changes(self.before, self.after)
        self.words = say_changes(self.counts)
        self.why.value = self._explain("")
        self.say("" if self.seen == 0 else self.words)
        [self._show_graph, self._show_changes, self._show_counts, *self.show_more()][self.seen]()

    def draw_unchanged(self) -> nx.DiGraph[str]:
        """What is drawn where nothing changes."""
        return to_networkx(self.after, [*self.whom[:MOST_DRAWN]])

    def show_more(self) -> list[Any]:
        """What draws the views that a subclass adds."""
        return []

    def to_frame(self) -> pd.DataFrame:
        """The counts where those are seen, else every change."""
        if self.seen == 2:
            return self.counts.reset_index()
        return self.before.compare(self.after, limit=MOST_SAVED, denials=False)

    def draw(self) -> nx.DiGraph[str]:
        """What changes, else what is reached."""
        changed = [*self.counts.index[:MOST_DRAWN]]
        told = draw_changes(self.before, self.after, changed, counts=self.counts) if changed else None
        drawn, every = told or self.draw_unchanged(), len(self.counts) or len(self.whom)
        if every > MOST_DRAWN:
            drawn.graph["folded"] = f"{MOST_DRAWN} of {every} principals are drawn"
        return drawn

    def _show_graph(self) -> None:
        self.drawn = self.draw()
        # where something changes, the caption tells it; with nothing to tell, what is reached is enough
        self.graph.show(self.drawn, "" if len(self.counts) or self.before is self.after else self.words)

    def _show_changes(self) -> None:
        self._rows = rows = self.before.compare(self.after, limit=MOST_ROWS, denials=False)
        places = self.after.snapshot.nodes.index.get_indexer(pd.Index(rows["example"]))
        names = zip(self.after.node_resources.call(places), rows["count"], strict=True)
        nodes = [name if count == 1 else f"{name} and {count - 1:,} like it" for name, count in names]
        shown = {
            "principal": call_all(rows["principal"]),
            "nodes": pd.Series(nodes, dtype="str"),
            "document": [last_part(arn) for arn in rows["document"]],
            **{name: [SAID.get(o, o) for o in rows[name].astype(str)] for name in ("before", "after")},
        }
        self.changes.show(pd.DataFrame(shown), say_count(rows.attrs["total"], "change", shown=len(rows)))

    def _show_counts(self) -> None:
        named = {f"{what}_{how}": f"{what}: {word}" for what in ("nodes", "pairs") for how, word in _COLUMNS.items()}
        frame = self.counts.head(MOST_ROWS).rename(columns=named)
        frame.insert(0, "principal", call_all(map(str, frame.index)))
        words = say_count(len(self.counts), "principal", "gains or loses something", "gain or lose something")
        self.by_principal.show(frame.reset_index(drop=True), words)

    # --- Why ---

    def _explain(self, mark: str) -> str:
        path = [part for part in mark.split("→") if part in self.drawn]
        if not path:
            return write_lines("Choose a mark in the picture or a row in a table to see why.")
        node = self.drawn.nodes[path[-1]]
        if node["layer"] == 0:
            return self._say_principal(path[-1])
        return self._say_statement(path[-1]) if node["kind"] == "statement" else self._say_target(path)

    def _say_principal(self, arn: str) -> str:
        changed = say_changes(self.counts.loc[self.counts.index == arn])
        row: Any = self.after.summary().loc[arn]
        counts = say_count(row["nodes"], "managed node"), say_count(row["documents"], "document")
        return write_lines(changed, f"{last_part(arn)} now reaches {' with '.join(counts)}.", arn)

    def _say_statement(self, mark: str) -> str:
        sides = {"Before": self.before, "Now": self.after}
        found = {said: find_statement(reach.snapshot, mark) for said, reach in sides.items()}
        sources = {said: statement.source for said, statement in found.items() if statement}
        if len(sources) == 2 and sources["Before"] == sources["Now"]:
            sources = {"As before": sources["Now"]}
        held = ", ".join(last_part(arn) for arn in self.drawn.predecessors(mark))
        shown = [f"<p>{said}</p>{write_json(source)}" for said, source in sources.items()]
        return write_lines(self.drawn.nodes[mark]["detail"], f"Held by {held}.") + "".join(shown)

    def _say_target(self, path: Sequence[str]) -> str:
        """One example of a group, before and now, for the principal on the path, else one for whom it changed."""
        graph, target = self.drawn, path[-1]
        changed = min(graph.predecessors(target), key=lambda name: graph.edges[name, target]["outcome"] == "unchanged")
        path = path if len(path) > 1 else [changed, target]
        arn = find_principal(graph, path) or ""
        members = {"group": None, "document": None} | {graph.nodes[target]["kind"]: graph.graph["members"][target]}
        for reach in (self.after, self.before):
            found = first_pair(reach, arn, members["group"], members["document"])
            if found and reach.outcome(*found).value in ("allowed", "conditional"):
                break
        count = graph.nodes[target]["count"]
        example = f"{graph.nodes[target]['label']}: one example of {count:,}." if count > 1 else ""
        return write_lines(example) + (self._say_pair(*found) if found else "")

    def _say_pair(self, principal: str, node: str, document: str) -> str:
        first, then = (reach.explain(principal, node, document) for reach in (self.before, self.after))
        words = ["As before:"] if first.sentence == then.sentence else [f"Before: {first.sentence}", "Now:"]
        return write_lines(*words) + write_explanation(then)

    def _explain_row(self, row: int) -> str:
        return self._say_pair(*self._rows.loc[row, ["principal", "example", "document"]])
