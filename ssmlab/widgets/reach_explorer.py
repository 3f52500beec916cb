"""`ReachExplorer`: who reaches what. Reads the controls, asks the layers above, shows; no rule of IAM stands here."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final

import ipywidgets as w
import networkx as nx
import pandas as pd
from itables.widget import ITable

from ssmlab.graphs import to_marks
from ssmlab.paths import Paths, find_paths
from ssmlab.reachability import Reach, reach
from ssmlab.reachability.columns import TAG
from ssmlab.snapshots import Snapshot
from ssmlab.widgets import views
from ssmlab.widgets.graph_view import GraphView
from ssmlab.widgets.other_ways import describe_around
from ssmlab.widgets.views import ANY, UNTAGGED, State

MFA: Final = "aws:MultiFactorAuthPresent"
_MFA_CHOICES: Final = (("not known", "unknown"), ("yes", "true"), ("no", "false"), ("key absent", "absent"))
_STYLE: Final = (Path(__file__).parent / "static" / "explorer.css").read_text("utf-8")
_WIDE: Final = w.Layout(width="100%")
GRAPH, TABLE = 0, 1
_TABLE_LOOK: Final[Any] = {  # search and paging are ours: the table holds only what is shown
    "select": True,
    "paging": False,
    "scrollY": "330px",
    "showIndex": False,
    "allow_html": False,
    "classes": "display compact",
    "layout": {"topStart": None, "topEnd": None, "bottomStart": None, "bottomEnd": None},
}


class ReachExplorer(w.VBox):
    """Choose principals, document, tags and request; see graph and pairs; select a mark to read why.

    Parameters
    ----------
    snapshot
        From `ssmlab.load`.
    state
        Fields of `views.State` to start from, such as `principals=["web-ops"]` or `region="eu-west-1"`; without
        principals, the user with the most telling reach is chosen.

    Examples
    --------
    >>> import ssmlab
    >>> ReachExplorer(ssmlab.load("data/sample"), principals=["web-ops"]).state.principals
    ('arn:aws:iam::123456789012:user/web-ops',)
    """

    def __init__(self, snapshot: Snapshot, **state: Any) -> None:
        self._snapshot = snapshot
        self._reaches: dict[tuple[tuple[str, str | None], ...], Reach] = {}
        self._paths: dict[tuple[tuple[str, str | None], ...], Paths] = {}
        self._drawn: nx.DiGraph[str] = nx.DiGraph()
        self._pairs = pd.DataFrame()
        self.state = self._first_state(state)
        self._make_controls()
        self._graph = GraphView(height=400)
        self._table = ITable(pd.DataFrame({"principal": []}), **_TABLE_LOOK)
        self._count, self._why = w.HTML(), w.HTML()
        self._count.add_class("ssmlab-count")
        super().__init__(
            [w.HTML(f"<style>{_STYLE}</style>"), self._header(), w.HBox([self._ask(), self._see(), self._reason()])]
        )
        self.add_class("ssmlab-explorer")
        self._watch()
        self._show()

    @property
    def reach(self) -> Reach:
        """The reach under the request that the controls describe."""
        key = tuple(sorted(self.state.context.items(), key=str))
        if key not in self._reaches:
            self._reaches[key] = reach(self._snapshot, context=self.state.context)
        return self._reaches[key]

    # --- Parts
    # ------------------------------------------------------------------------------------------------------------------

    def _first_state(self, given: Mapping[str, Any]) -> State:
        unknown = set(given) - {field.name for field in fields(State)}
        if unknown:
            raise ValueError(
                f"unknown state {sorted(unknown)}, expected some of {[field.name for field in fields(State)]}"
            )
        self.state = replace(State(), **given)
        if not self.state.principals:
            return replace(self.state, principals=views.first_principals(self.reach))
        rows = self.reach.rows("principals", self.state.principals)
        return replace(self.state, principals=tuple(self._snapshot.principals.index[rows]))

    def _make_controls(self) -> None:
        state, snapshot = self.state, self._snapshot
        self._find = w.Text(description="Find", placeholder="part of a name", continuous_update=True, layout=_WIDE)
        self._principals = w.SelectMultiple(
            description="Principals", rows=7, options=self._principal_options(""), value=state.principals, layout=_WIDE
        )
        self._document = _dropdown("Document", [("any", ANY), *_plain(snapshot.documents["name"])], state.document)
        keys = sorted(column[len(TAG) :] for column in snapshot.nodes.columns if column.startswith(TAG))
        self._tag_key = _dropdown("Tag", [("any", ANY), *((key, key) for key in keys)], state.tag_key)
        self._tag_value = _dropdown("Value", self._tag_values(state.tag_key), state.tag_value)
        self._account = _dropdown("Account", [("any", ANY), *_plain(snapshot.nodes["account"])], state.account)
        self._region = _dropdown("Region", [("any", ANY), *_plain(snapshot.nodes["region"])], state.region)
        self._mfa = _dropdown("MFA used", _MFA_CHOICES, _mfa_choice(state.context))
        self._search = w.Text(
            description="Search", placeholder="principal, node or document", value=state.search, layout=_WIDE
        )

    def _header(self) -> w.HTML:
        header = w.HTML(f"<h3>Who reaches what</h3>{views.describe_data(self._snapshot)}")
        header.add_class("ssmlab-header")
        return header

    def _ask(self) -> w.VBox:
        request = w.HTML("<b>Request</b>")
        self._around = w.Button(description="Other ways in", tooltip="Can these limits be walked round?", layout=_WIDE)
        self._around.on_click(lambda _: self._show_around())
        return _panel(
            "ask",
            [
                w.HTML("<b>Ask</b>"),
                self._find,
                self._principals,
                self._document,
                self._tag_key,
                self._tag_value,
                self._account,
                self._region,
                request,
                self._mfa,
                self._around,
            ],
        )

    def _see(self) -> w.Tab:
        listed = w.VBox([self._search, self._count, self._table])
        self._tabs = w.Tab([self._graph, listed], titles=("Graph", "Table"))
        self._tabs.add_class("ssmlab-see")
        return self._tabs

    def _reason(self) -> w.VBox:
        self._why.add_class("ssmlab-why-text")
        return _panel("why", [w.HTML("<b>Why</b>"), self._why])

    def _principal_options(self, text: str) -> list[tuple[str, str]]:
        """Those that are chosen first, then those whose name holds the text; the account where there are several."""
        frame = self._snapshot.principals
        several = frame["account"].nunique() > 1
        labels = {
            arn: f"{row.kind} {row.name}{f' (…{row.account[-4:]})' if several else ''}" for arn, row in _labelled(frame)
        }
        chosen = [(labels[arn], arn) for arn in self.state.principals]
        found = [(label, arn) for arn, label in labels.items() if text.lower() in label.lower()]
        return list(dict.fromkeys([*chosen, *found]))

    def _tag_values(self, key: str) -> list[tuple[str, str]]:
        if not key:
            return [("any", ANY)]
        return [("any value", ANY), ("(without this tag)", UNTAGGED), *_plain(self._snapshot.nodes[TAG + key].dropna())]

    # --- Controls to state
    # ------------------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        for control in (
            self._principals,
            self._document,
            self._tag_key,
            self._tag_value,
            self._account,
            self._region,
            self._mfa,
            self._search,
        ):
            control.observe(self._changed, "value")
        self._find.observe(self._found, "value")
        self._tabs.observe(lambda _: self._show_table(), "selected_index")
        self._graph.observe(lambda change: self._explain(change["new"]), "selected")
        self._table.observe(lambda change: self._explain_row(change["new"]), "selected_rows")

    def _found(self, change: Mapping[str, Any]) -> None:
        self._offer(self._principals, self._principal_options(change["new"]), self.state.principals)

    def _offer(self, control: w.Widget, options: Sequence[tuple[str, str]], value: Any) -> None:
        """Give a control other options: it would choose by itself, and tell, before it has its value."""
        control.unobserve(self._changed, "value")
        control.options = options
        control.value = value
        control.observe(self._changed, "value")

    def _changed(self, change: Mapping[str, Any]) -> None:
        if change["owner"] is self._tag_key:
            self._offer(self._tag_value, self._tag_values(self._tag_key.value), ANY)
        self.state = State(
            principals=tuple(self._principals.value),
            document=self._document.value,
            tag_key=self._tag_key.value,
            tag_value=self._tag_value.value,
            account=self._account.value,
            region=self._region.value,
            context=_with_mfa(self.state.context, self._mfa.value),
            search=self._search.value,
        )
        self._show()

    # --- State to views
    # ---------------------------------------------------------------------------------------------------------

    def _show(self) -> None:
        """Draw the state; an error that the data makes appears in the panel."""
        try:
            self._drawn = views.draw_state(self.reach, self.state)
        except (KeyError, ValueError) as error:
            self._why.value = f"<p role='alert'>{html.escape(str(error))}</p>"
            return
        about = self._drawn.graph
        caption = " ".join(part for part in (about["caption"], about["folded"] and f"({about['folded']}.)") if part)
        with self._graph.hold_sync():
            self._graph.graph, self._graph.label, self._graph.caption = to_marks(self._drawn), about["title"], caption
            self._graph.empty = "" if len(self._drawn) else about["caption"]
            self._graph.selected = ""
        self._explain("")
        self._show_table()

    def _show_table(self) -> None:
        if self._tabs.selected_index != TABLE:
            return
        self._pairs, words = views.list_pairs(self.reach, self.state)
        self._count.value = f"<span>{html.escape(words)}</span>"
        self._table.update(views.short_pairs(self._pairs, self.reach), selected_rows=[])

    def _explain(self, mark: str) -> None:
        self._why.value = views.explain_mark(self.reach, self._drawn, mark, self.state)

    def _show_around(self) -> None:
        """Say how the limits of the chosen principals can be walked round; the first time takes a moment."""
        self._why.value = "<p>Looking for other ways…</p>"
        key = tuple(sorted(self.state.context.items(), key=str))
        if key not in self._paths:
            self._paths[key] = find_paths(self._snapshot, self.state.context)
        self._why.value = describe_around(self._paths[key], self.state.principals)

    def _explain_row(self, rows: Sequence[int]) -> None:
        if rows and rows[-1] < len(self._pairs):
            pair = self._pairs.iloc[rows[-1]]
            self._why.value = views.explanation_html(
                self.reach.explain(pair["principal"], pair["node"], pair["document"])
            )


def _labelled(frame: pd.DataFrame) -> list[tuple[str, Any]]:
    return list(zip(frame.index, frame[["kind", "name", "account"]].itertuples(index=False, name="Row"), strict=True))


def _plain(values: pd.Series[Any]) -> list[tuple[str, str]]:
    """Options from data: sorted, each once; long or empty ones made readable, the value untouched."""
    texts = sorted({str(value) for value in values})
    return [(text if 0 < len(text) <= 60 else f"{text[:57]}…" if text else "(empty)", text) for text in texts]


def _dropdown(label: str, options: Sequence[tuple[str, str]], value: str) -> w.Dropdown:
    known = [option for _, option in options]
    if value not in known:
        raise ValueError(f"{label}: expected one of {', '.join(f'`{option}`' for option in known[:20])}, got `{value}`")
    return w.Dropdown(description=label, options=options, value=value, layout=_WIDE)


def _panel(name: str, children: Sequence[w.Widget]) -> w.VBox:
    panel = w.VBox(children)
    panel.add_class(f"ssmlab-{name}")
    return panel


def _mfa_choice(context: Mapping[str, str | None]) -> str:
    return (context[MFA] or "absent") if MFA in context else "unknown"


def _with_mfa(context: Mapping[str, str | None], choice: str) -> dict[str, str | None]:
    rest = {key: value for key, value in context.items() if key != MFA}
    return rest if choice == "unknown" else rest | {MFA: None if choice == "absent" else choice}
