"""`ReachExplorer`: who reaches what. Reads the controls, asks the layers above, shows; no rule of IAM stands here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import ipywidgets as w
import networkx as nx
import numpy as np
import pandas as pd

from ssmlab.explanation import Trial
from ssmlab.graphs import add_ways
from ssmlab.paths import Paths, find_paths
from ssmlab.reachability import Reach, reach
from ssmlab.snapshots.memory import Memory
from ssmlab.snapshots.trials import narrow
from ssmlab.widgets import views
from ssmlab.widgets.controls import ANY, WIDE, Finder, PrincipalPicker, RequestControls, dropdown, search
from ssmlab.widgets.explorer import Explorer, with_own_memory
from ssmlab.widgets.filters import PLACES, choose_nodes, fold_filters, list_tag_values, make_filters
from ssmlab.widgets.graph_view import GraphView
from ssmlab.widgets.matrix import SORTS, MatrixView, make_matrix, to_table
from ssmlab.widgets.reasons import Pair, explain_mark
from ssmlab.widgets.texts import write_explanation
from ssmlab.widgets.trials import TrialButtons, say_trial
from ssmlab.widgets.views import State

GRAPH, MATRIX = range(2)  # views, by their numbers
_SAME_MARKS: Final = ("search", "order", "denied", "ways")  # fields that leave the groups of nodes as they are
_OUTCOMES: Final = (("reached (both)", ANY), ("allowed", "allowed"), ("conditional", "conditional"))


class ReachExplorer(Explorer):
    """Choose principals, nodes, documents and the request; see graph, matrix and pairs; select to read why.

    Parameters
    ----------
    snapshot
        From `ssmlab.load`.
    state
        Fields of `views.State` to start from, such as `principals=["web-ops"]`, `region="eu-west-1"`, or
        `principals=[], node="web-1"`: everyone who reaches it. Without principals, the user with the most telling reach
        is chosen.

    Examples
    --------
    >>> import ssmlab
    >>> ReachExplorer(ssmlab.load("data/sample"), principals=["web-ops"]).state.principals
    ('arn:aws:iam::123456789012:user/web-ops',)
    """

    _searched: Any = None  # the context of `_paths`
    _pair: Pair | None = None  # the selection of all views: what is explained
    _mark = ""  # and the mark of the graph, where it was made there
    _everyone: Reach | None = None
    title = "Who reaches what"
    state_type = State
    chosen = ("principals",)
    formats = ("CSV", "Parquet", "GraphML", "SVG", "PNG")

    @property
    def reach(self) -> Reach:
        """The reach under the request that the controls describe; of those chosen, where it must be asked anew."""
        context, people = self.state.context, self.state.principals
        if self._everyone is None or (self._everyone.context != context and not people):
            self._everyone = reach(self.snapshot, context=context)
        if self._everyone.context == context:
            return self._everyone
        asked = (frozenset(people), repr(context))
        return self._chosen.recall("reach", asked, lambda: reach(narrow(self.snapshot, people), context=context))

    def begin(self, given: Mapping[str, Any]) -> State:
        """Without principals, nodes and documents somebody worth looking at."""
        self._chosen = Memory()
        state = self.state = State(**given)
        if not {"principals", "node", "document"} & {*given}:
            return replace(state, principals=views.first_principals(self.reach))
        rows = self.reach.rows("principals", [*state.principals])
        return replace(state, principals=tuple(self.snapshot.principals.index[rows]))

    def make_controls(self) -> dict[str, w.Widget]:
        """A control for each field."""
        state, nodes, documents = self.state, self.snapshot.nodes, self.snapshot.documents
        return {
            "principals": PrincipalPicker(self.snapshot.principals, state.principals),
            "document": Finder("Document", documents["name"], state.document),
            **make_filters(nodes, state),
            "outcome": dropdown("Outcome", _OUTCOMES, state.outcome),
            "denied": w.Checkbox(description="what is denied, too", value=state.denied, indent=False, layout=WIDE),
            "ways": w.Checkbox(description="other ways in", value=state.ways, indent=False, layout=WIDE),
            "context": RequestControls(state.context),
            "order": dropdown("Order", SORTS, state.order),
            "search": search("principal, node or document", state.search),
        }

    def arrange(self) -> list[w.Widget]:
        """Principals, documents and nodes always; further filters and the request can be folded."""
        rest = (*PLACES, "context", "order", "search")
        above = [control for name, control in self.controls.items() if name not in rest]
        return [w.HTML("<b>Ask</b>"), *above, fold_filters(self.controls)]

    def make_views(self) -> dict[str, w.Widget]:
        """Graph, matrix and table; what can be tried stands below the reason."""
        self._trials = TrialButtons(self._try)
        self._pairs, self._cells = pd.DataFrame(), dict[str, Any]()
        self._graph = GraphView(height=350)
        self._fold = self.build_button("Unfold", self._turn_fold, "the selected node group", layout={}, disabled=True)
        order, self._matrix = self.controls["order"], MatrixView()
        order.layout.width = "260px"
        self._table = self.build_table(self._explain_row, self.controls["search"])
        self._graph.observe(lambda change: self._explain(change["new"]), "selected")
        self._matrix.observe(lambda change: self._explain_cell(change["new"]), "selected")
        self.below, self.answers = [self._fold], [self._trials]
        return {"Graph": self._graph, "Matrix": w.VBox([order, self._matrix]), "Table": self._table}

    def to_frame(self) -> pd.DataFrame:
        """The matrix where that is seen, else every pair that the filters leave."""
        if self.seen == MATRIX:
            return to_table(self._cells)
        pairs = views.list_pairs(self.reach, self.state, limit=views.MOST_SAVED)[0]
        return pairs.assign(only_if=views.list_open(self.reach, pairs))

    def react(self, field: str) -> None:
        """Another tag key has other values; what was unfolded is no longer there once the filters change."""
        if field == "tag_key":
            self.set_control("tag_value", ANY, list_tag_values(self.snapshot.nodes, self.state.tag_key))
        if field not in _SAME_MARKS:
            self.state = replace(self.state, unfolded=())
        if field not in (*_SAME_MARKS, "outcome", "context"):
            self._pair, self._mark = None, ""

    # --- State to views ---

    def show(self) -> None:
        """Draw what is seen."""
        self._keep([self._show_graph, self._show_matrix, self._show_table][self.seen])
        self._fold.layout.visibility = "visible" if self.seen == GRAPH else "hidden"

    def draw(self) -> nx.DiGraph[str]:
        """What the chosen reach, without other ways in."""
        return views.draw_state(self.reach, self.state)

    def _show_graph(self) -> None:
        self.drawn = self.draw()
        self._graph.show(self.drawn)
        self.say("")
        if self.state.ways:
            self._add_ways()

    def _add_ways(self) -> None:
        """Other ways in of the chosen principals; the search takes a moment, with a memory of its own."""
        state, drawn = self.state, self.drawn.copy()

        def done(paths: Paths) -> None:
            nodes = choose_nodes(self.snapshot.nodes, state)
            add_ways(drawn, self.reach, paths, state.principals, nodes)
            self.drawn = drawn
            self._keep(lambda: self._graph.show(drawn))
            self.say("" if state.principals else "Choose principals to see their other ways in.")

        def work() -> Paths:
            if self._searched != state.context:
                paths = find_paths(with_own_memory(self.snapshot), state.context)
                self._paths, self._searched = paths, state.context
            return self._paths

        self.later("Looking for other ways in…", work, done)

    def _show_matrix(self) -> None:
        self._cells = make_matrix(self.reach, self.state, self.state.order)
        with self._matrix.hold_sync():
            self._matrix.matrix = {name: part for name, part in self._cells.items() if name != "members"}
            self._matrix.selected = ""
        self.say(self._cells["caption"])

    def _show_table(self) -> None:
        self._pairs, words = views.list_pairs(self.reach, self.state)
        self._table.show(views.short_pairs(self._pairs, self.reach), "")
        self.say(words)

    # --- Selection ---

    def _keep(self, draw: Callable[[], None]) -> None:
        """Draw; then what was selected, in this view or another, is selected in what is seen, where it is there."""
        pair, mark = self._pair, self._mark
        draw()
        self._explain("" if pair or self.seen == GRAPH else mark)
        members = (self._cells if self.seen == MATRIX else self.drawn.graph)["members"].items()
        node = self.snapshot.nodes.index.get_loc(pair[1]) if pair else -1
        place = next((name for name, rows in members if not name.startswith("document:") and node in rows), "")
        if self.seen == GRAPH:
            self._graph.selected = mark if all(part in self.drawn for part in mark.split("→")) else place
        elif pair and self.seen == MATRIX:
            self._matrix.selected = f"{pair[0]}|{place}"
        elif pair:
            self._table.select(np.flatnonzero((self._pairs.iloc[:, :3] == [*pair]).all(axis=1)))
        if pair and pair != self._pair:
            self.why.value = self._explain_pair(pair)

    def _explain(self, mark: str) -> None:
        words, example = explain_mark(self.reach, self.drawn, mark, self.state)
        self._trials.offer("", ())
        self.why.value = self._explain_pair(example, words) if example else words
        self._pair, self._mark = example, mark
        groups = self.drawn.graph["groups"]
        self._fold.disabled = not (mark.startswith("group:") or mark in groups)
        self._fold.description = "Fold" if mark in groups else "Unfold"

    def _turn_fold(self) -> None:
        """Unfold the selected node group into its nodes, or fold it back."""
        mark = self.drawn.graph["groups"].get(self._graph.selected, self._graph.selected)
        kept = tuple(other for other in self.state.unfolded if other != mark)
        self.state = replace(self.state, unfolded=kept if len(kept) < len(self.state.unfolded) else (*kept, mark))
        self.update()

    def _explain_cell(self, cell: str) -> None:
        principal, _, column = cell.rpartition("|")
        if not column:
            self._explain("")
        else:
            documents = views.choose_documents(self.snapshot.documents, self.state)
            found = views.first_pair(self.reach, principal, self._cells["members"][column], documents)
            self.why.value = self._explain_pair(found) if found else "<p>No document in this Region.</p>"

    def _explain_row(self, row: int) -> str:
        principal, node, document = self._pairs.iloc[row, :3]
        return self._explain_pair((principal, node, document))

    def _explain_pair(self, pair: Pair, words: str = "") -> str:
        """An explanation after some words, as HTML; what can be tried is offered."""
        explanation, self._pair, self._mark = self.reach.explain(*pair), pair, ""
        self._trials.offer(pair[1], explanation.trials)
        return words + write_explanation(explanation)

    def _try(self, node: str, trials: Sequence[Trial]) -> str:
        if self._everyone is None or self._everyone.context != self.state.context:
            self._everyone = reach(self.snapshot, context=self.state.context)
        return say_trial(self._everyone, node, trials)
