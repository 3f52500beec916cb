"""`EventLab`: an event pattern on a stream of events. Reads the controls, asks the layers above, shows."""

from __future__ import annotations

import html
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

import ipywidgets as w
import numpy as np
import pandas as pd

from ssmlab.events import PatternError, Stream, compile_pattern
from ssmlab.reachability.columns import Codes
from ssmlab.widgets import event_views as views
from ssmlab.widgets.command_views import list_events, name_nodes, tell_first
from ssmlab.widgets.controls import WIDE, below, dropdown, frame_editor
from ssmlab.widgets.event_views import ALL, MATCHED, OTHERS, OWN, STARTS, State
from ssmlab.widgets.explorer import Explorer
from ssmlab.widgets.filters import Flags
from ssmlab.widgets.tables import TableView
from ssmlab.words import say_count

COUNTS = 1  # of the views
_MOST_ROWS: Final = 200
_FEW: Final = 2_000  # events that are matched at once, more in the background


class EventLab(Explorer):
    """Write an event pattern; see which events it matches while you type; select one to read why not.

    Parameters
    ----------
    data
        Events as dicts; or a command, whose events they are; a file of events; a snapshot, on which a first command is
        sent.
    state
        Fields of `event_views.State` to start from, such as `start="chosen states"`, or `pattern` as JSON or dict.

    Examples
    --------
    >>> lab = EventLab([{"source": "aws.ssm"}, {"source": "aws.ec2"}], pattern={"source": [{"prefix": "aws.s"}]})
    >>> lab.matched.tolist()
    [True, False]
    """

    title = "What a rule hears of"
    state_type = State
    chosen = ("pattern", "start")
    arguments = "events"

    def __init__(self, data: Any, **state: Any) -> None:
        if isinstance(pattern := state.get("pattern"), Mapping):
            state["pattern"] = views.write_pattern(pattern)
        super().__init__(data, **state)

    def begin(self, given: Mapping[str, Any]) -> State:
        """The events, and a pattern to begin with."""
        self.events, self._names = views.gather_events(self.data), name_nodes(self.data)
        self.matched, self._stream = np.zeros(len(self.events), dtype=np.bool_), Stream(self.events)
        return views.begin_state(given)

    def describe(self) -> str:
        """How many events there are, of whom."""
        return f"<span>{html.escape(views.describe_events(self.events) + tell_first(self.data, self.events))}</span>"

    def make_controls(self) -> dict[str, w.Widget]:
        """A control for each field."""
        state = self.state
        return {
            "start": below(dropdown("Start from", [(name, name) for name in (*STARTS, OWN)], state.start)),
            "shown": dropdown("Show", [(name, name) for name in (ALL, MATCHED, OTHERS)], state.shown),
            "pattern": w.Textarea(description="Event pattern", value=state.pattern, rows=8, layout=WIDE),
        }

    def arrange(self) -> list[w.Widget]:
        """The pattern itself stands above the views."""
        words = w.HTML(
            "<p>A pattern is JSON: every field that it names must hold, one value of its array is enough.</p>"
            "<p>Values: a text or number, or an operator such as <code>{&quot;prefix&quot;: &quot;Fail&quot;}</code>, "
            "<code>{&quot;anything-but&quot;: [&quot;Success&quot;]}</code>, <code>{&quot;exists&quot;: false}</code>, "
            "<code>{&quot;wildcard&quot;: &quot;*Out&quot;}</code>.</p>"
        )
        return [w.HTML("<b>Ask</b>"), self.controls["start"], self.controls["shown"], words]

    def make_views(self) -> dict[str, w.Widget]:
        """Events and counts; above them the pattern, and what is wrong with it."""
        self.above, self._wrong = frame_editor(self.controls["pattern"])
        self._places: Codes = np.arange(0)
        self._table, self._counts = self.build_table(self._explain, height=260), TableView(height=260)
        return {"Events": self._table, "Counts": self._counts}

    def to_frame(self) -> pd.DataFrame:
        """What is seen, as a table, complete."""
        if self.seen == COUNTS:
            return views.count_matches(self._kinds, self.matched)
        return pd.json_normalize([dict(event) for event in self.events]).astype("str").assign(matched=self.matched)

    def react(self, field: str) -> None:
        """A start gives its pattern; a pattern that is changed is one's own."""
        if field == "start" and self.state.start in STARTS:
            self.set_control("pattern", views.write_pattern(STARTS[self.state.start]))
        if field == "pattern":
            self.set_control("start", OWN)

    # --- State to views ---

    def show(self) -> None:
        """Match, then draw what is seen."""
        pattern, few = self.state.pattern, len(self.events) <= _FEW
        try:
            compile_pattern(pattern)
        except PatternError as error:
            self._wrong.value = views.explain_place(pattern, error)
            self._draw(np.zeros(len(self.events), dtype=np.bool_))
            self.why.value = ""
            self.say("EventBridge refuses this pattern: no event matches it.")
            return
        self._wrong.value = ""

        def match() -> tuple[Flags, str]:
            matched = self._stream.flags(pattern)
            return matched, views.explain_pattern(pattern, self.events, matched)

        self.later("Matching…", match, self._show_matches, at_once=few)

    def _show_matches(self, found: tuple[Flags, str]) -> None:
        matched, self.why.value = found
        self.say(views.say_matches(matched))
        self._draw(matched)

    @cached_property
    def _kinds(self) -> pd.DataFrame:
        return list_events(self.events, self._names)[["of", "status"]]

    def _draw(self, matched: Flags) -> None:
        self.matched = matched
        if self.seen == COUNTS:
            self._counts.show(views.count_matches(self._kinds, matched), "events by kind and status")
        else:
            self._show_events()

    def _show_events(self) -> None:
        self._places = views.choose_events(self.matched, self.state.shown)
        shown = self._places[:_MOST_ROWS]
        first = ", matches first" if self.state.shown == ALL and self.matched.any() else ""
        count = say_count(len(self._places), "event", shown=len(shown))
        words = f"{count}{first}" if len(shown) else "No event to show."
        self._table.show(views.list_matches(self.events, self._names, self.matched, shown), words)

    def _explain(self, row: int) -> str:
        return views.explain_match(self.state.pattern, self.events[self._places[row]])
