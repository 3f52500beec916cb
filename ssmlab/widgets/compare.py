"""`Compare`: what two snapshots, or two policies, give and take, why, and what sets them apart beyond the inventory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import ipywidgets as w
import networkx as nx
import pandas as pd
import traitlets

from ssmlab.explanation import last_part, to_html
from ssmlab.graphs import draw_causes
from ssmlab.policies import check_text
from ssmlab.snapshots import Snapshot, expect_snapshot
from ssmlab.snapshots.accounts import list_accounts
from ssmlab.widgets import differences
from ssmlab.widgets.controls import ANY, RequestControls, area, dropdown, fold, search
from ssmlab.widgets.differences import ACCOUNTS, POLICIES, SNAPSHOTS, State
from ssmlab.widgets.explorer import Explorer, with_own_memory
from ssmlab.widgets.graph_view import GraphView
from ssmlab.widgets.texts import describe_data, list_problems, show_controls, write_explanation, write_lines
from ssmlab.widgets.views import MOST_ROWS
from ssmlab.widgets.whatif import dim

GRAPH, WITNESSES = 1, 2  # views, by their numbers
_CHANGES: Final = (("gained and lost", ANY), ("gained", "gained"), ("lost", "lost"))
_ASKED: Final = {POLICIES: ("first", "second"), ACCOUNTS: ("nodes_of", "policies_of")}
_CHOOSE: Final = "Choose a row, or a mark in the picture, to see why."


class PolicyChoice(w.VBox):
    """A policy of the snapshot, or one that is pasted as JSON."""

    value = traitlets.Unicode()

    def __init__(self, label: str, policies: Mapping[str, str], value: str) -> None:
        options = [("(pasted below)", ANY), *((name, policy) for policy, name in policies.items())]
        pasted = "" if value in policies else value
        self._list = dropdown(label, options, ANY if pasted else value)
        self._text = area(f"{label}, pasted", pasted, "or paste a policy: JSON", rows=2)
        self._known, self._wrong = policies, w.HTML().add_class("ssmlab-words")
        super().__init__([self._list, self._text, self._wrong], value=value)
        self._list.observe(self._choose, "value")
        self._text.observe(self._paste, "value")

    def check(self) -> bool:
        """Whether AWS would store it; what it would refuse is said below the text."""
        problems = check_text(self.value) if self.value not in ("", *self._known) else []
        self._wrong.value = list_problems(problems, self.value) if problems else ""
        return not problems

    def _choose(self, change: Mapping[str, Any]) -> None:
        self.value = change["new"] or self._text.value

    def _paste(self, change: Mapping[str, Any]) -> None:
        if change["new"].strip():
            self._list.value = ANY
            self.value = change["new"]


class Compare(Explorer):
    """See what changes between two snapshots, two policies or two accounts, grouped by cause.

    Parameters
    ----------
    before, after
        Snapshots from `ssmlab.load`, or changed copies. Without `after` two policies of `before` are compared.
    state
        Fields of `differences.State` to start from, such as `what="policies", first="Page-1-OneTag"`.

    Examples
    --------
    >>> import ssmlab
    >>> snapshot = ssmlab.load("data/sample")
    >>> Compare(snapshot, snapshot.with_tags("i-0123456789abcdef0", {"Finance": "Ledger"})).state.what
    'snapshots'
    """

    title = "What changes"
    state_type = State
    graph_at = GRAPH
    chosen = ("what", "first", "second", "nodes_of", "policies_of")
    formats = ("CSV", "Parquet", "GraphML", "SVG", "PNG")

    def __init__(self, before: Snapshot, after: Snapshot | None = None, **state: Any) -> None:
        for side in (before, after or before):
            expect_snapshot(side)
        self._sides = (before, after)
        self._own = with_own_memory(before), after and with_own_memory(after)  # asked in the background
        self.arguments = "snapshot" if after is None else "before, after"
        self._known: dict[Any, Any] = {}  # what was compared -> the difference; and its witnesses
        super().__init__(before, **state)

    def describe(self) -> str:
        """Both sides."""
        before, after = self._sides
        told = f"<div><span class='ssmlab-side'>Before: </span>{describe_data(before)}</div>"
        return f"{told}<div class='ssmlab-side'>After: {describe_data(after)}</div>" if after else describe_data(before)

    def begin(self, given: Mapping[str, Any]) -> State:
        """The snapshots where there are two, and two policies that are about Run Command."""
        self._policies = differences.list_policies(self.snapshot)
        first, second = ([*self._policies, ANY, ANY])[:2]
        what = POLICIES if self._sides[1] is None else SNAPSHOTS
        own, others = self._accounts = [list_accounts(side or self.snapshot) for side in self._sides]
        other = next((account for account in others if account not in own[:1]), ANY)
        state = replace(State(what, first, second, nodes_of=next(iter(own), ANY), policies_of=other), **given)
        first, second = (text and differences.find_policy(self.snapshot, text) for text in (state.first, state.second))
        return replace(state, first=first, second=second)

    def make_controls(self) -> dict[str, w.Widget]:
        """A control for each field."""
        state = self.state
        sides = [] if self._sides[1] is None else [("two snapshots", SNAPSHOTS)]
        more = [("two accounts", ACCOUNTS)] if len({*self._accounts[0], *self._accounts[1]}) > 1 else []
        own, others = ([("(none)", ANY), *((name, name) for name in names)] for names in self._accounts)
        self._search = search("principal, node, document or cause", state.search)
        return {
            "what": dropdown("Compare", [*sides, ("two policies", POLICIES), *more], state.what),
            "first": PolicyChoice("First", self._policies, state.first),
            "second": PolicyChoice("Second", self._policies, state.second),
            "nodes_of": dropdown("Nodes of", own, state.nodes_of),
            "policies_of": dropdown("Policies of", others, state.policies_of),
            "change": dropdown("Change", _CHANGES, state.change),
            "cause": dropdown("Cause", [("any", ANY)], ANY),
            "context": RequestControls(state.context),
            "search": self._search,
        }

    def arrange(self) -> list[w.Widget]:
        """The request can be folded."""
        names = ("what", *_ASKED[POLICIES], *_ASKED[ACCOUNTS], "change", "cause")
        folded = fold({RequestControls.heading: self.controls["context"]})
        return [w.HTML("<b>Ask</b>"), *(self.controls[name] for name in names), folded]

    def make_views(self) -> dict[str, w.Widget]:
        """What is gained and lost, the picture of it, and witnesses."""
        self._rows = self._found = self._witnesses = pd.DataFrame()
        self._causes = w.HTML()
        self._table = self.build_table(self._explain_row, self._search, self._causes, height=290)
        self._graph = GraphView(height=350)
        self._graph.observe(lambda change: self.tell_why(self._explain_mark, change["new"]), "selected")
        self._proofs = self.build_table(self._explain_witness)
        return {"Gained and lost": self._table, "Graph": self._graph, "Witnesses": self._proofs}

    def to_frame(self) -> pd.DataFrame:
        """The witnesses where they are seen, else every row that the filters leave."""
        if self.seen == WITNESSES:
            told = [differences.say_context(context) for context in self._witnesses.get("context", [])]
            return self._witnesses.assign(context=told)
        if "group" not in self._found:
            raise ValueError("nothing was compared yet")
        return self._found.astype({"group": "str"})

    # --- State to views ---

    def show(self) -> None:
        """Ask, unless it was asked already, and draw what is seen."""
        self.why.value = write_lines(_CHOOSE)
        texts = filter(None, (self.state.first, self.state.second))
        is_told = all(differences.is_policy(self.snapshot, text) for text in texts)
        self.no_line = "" if is_told else "There is no line: what is pasted is no JSON object."
        for what, names in _ASKED.items():
            for name in names:
                self.controls[name].layout.display = "" if self.state.what == what else "none"
        (self.remove_class if self.state.what == SNAPSHOTS else self.add_class)("ssmlab-one-side")
        dim(self.tabs, True)
        are_good = [self.controls[name].check() for name in _ASKED[POLICIES]]
        if self.state.what == POLICIES and not all(are_good):
            self.say("Not compared: AWS would refuse what is pasted.")
        else:
            self.later("Comparing…", self._ask, self._draw)

    def _ask(self) -> Any:
        """In the background: what is compared, and its witnesses where those are seen."""
        state = self.state
        chosen = (getattr(state, name) for name in _ASKED.get(state.what, ()))
        name = (state.what, repr(sorted(state.context.items())), *chosen)
        if name not in self._known:
            before, after = self._own
            self._known = {name: differences.compare(before, after, state)}
        difference = self._known[name]
        if self.seen == WITNESSES and WITNESSES not in self._known:
            self._known[WITNESSES] = differences.seek_witnesses(difference.policies)
        if state.cause not in {*difference.found["cause"]}:  # one of another difference
            state = replace(state, cause=ANY)
        found = differences.choose_rows(difference, state)
        return difference, state, found, differences.fold_documents(found), self._known.get(WITNESSES)

    def _draw(self, answer: Any) -> None:
        dim(self.tabs, False)
        self._difference, state, self._found, rows, witnesses = answer
        causes = sorted(self._difference.found["cause"].unique())
        self.set_control("cause", state.cause, [("any", ANY), *((cause, cause) for cause in causes)])
        words = differences.say_difference(self._found, state)
        if self.seen == WITNESSES:
            self._show_witnesses(witnesses)
        elif self.seen == GRAPH:
            self._show_graph(words)
        else:
            self._show_rows(rows, words)

    def _show_rows(self, rows: pd.DataFrame, words: str) -> None:
        self._rows = rows.head(MOST_ROWS)
        self._causes.value = write_lines(differences.count_causes(self._found))
        cut = f"first {len(self._rows)} of {len(rows):,} rows. " if len(self._rows) < len(rows) else ""
        self._table.show(differences.short_rows(self._rows, self._difference.names), f"{cut}{words}")

    def draw(self) -> nx.DiGraph[str]:
        """What is gained and lost, by cause."""
        return draw_causes(self._found, self._difference.names)

    def _show_graph(self, words: str) -> None:
        self.drawn = self.draw()
        self.drawn.graph["caption"] = words
        self._graph.show(self.drawn)

    def _show_witnesses(self, witnesses: pd.DataFrame) -> None:
        self._witnesses = witnesses
        both = ("first", "second") if self.state.what == POLICIES else ("before", "after")
        rows = witnesses.head(MOST_ROWS)
        shown = differences.short_witnesses(rows, both) if len(rows) else pd.DataFrame({"": []})
        self._proofs.show(shown, differences.say_witnesses(witnesses))

    # --- Why ---

    def _explain_row(self, row: int) -> str:
        return self._explain(self._rows.iloc[row])

    def _explain(self, row: Any) -> str:
        """Before and after, for one pair."""
        parts: list[str] = []
        heads = [write_lines(f"{last_part(row['principal'])}: {row['change']}, because of: {row['cause']}.")]
        asked = {"principals": row["principal"], "nodes": row["example"], "documents": row["document"]}
        for called, reach in (("Before", self._difference.before), ("After", self._difference.after)):
            missing = [arn for frame, arn in asked.items() if arn not in getattr(reach.snapshot, frame).index]
            heads.append(f"<p><b>{called}</b></p>")
            if missing:
                heads.append(write_lines(f"{last_part(missing[0])} is not there."))
                continue
            told = reach.explain(*asked.values())
            heads.append(f"<p>{show_controls(to_html(told.sentence))}</p>")
            parts.append(f"<details><summary>{called}, step by step</summary>{write_explanation(told)}</details>")
        return "".join([*heads, *parts])

    def _explain_mark(self, mark: str) -> str:
        """The first row that a mark or line stands for."""
        members = self.drawn.graph["members"]
        ends = [members[part] for part in mark.split("→") if part in members]
        rows = ends[0].intersection(ends[-1]) if ends else []
        return self._explain(self._found.loc[rows[0]]) if len(rows) else write_lines(_CHOOSE)

    def _explain_witness(self, row: int) -> str:
        witness = self._witnesses.iloc[row]
        pairs = self._witnesses.attrs["policies"]
        pair = next(pair for name, pair in pairs.items() if last_part(name) == witness["policy"])
        lines = [*differences.explain_witness(dict(witness), pair), differences.NO_PROOF]
        return "".join(f"<p>{show_controls(to_html(line))}</p>" for line in lines)
