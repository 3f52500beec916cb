"""`LogLab`: a filter pattern on log events, a metric of it and an alarm. Reads the controls, asks, shows."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any, Final

import ipywidgets as w
import numpy as np
import pandas as pd

from ssmlab.logs import PatternError, compile_filter
from ssmlab.logs.alarms import COMPARISONS, MISSING
from ssmlab.logs.metrics import STATISTICS
from ssmlab.widgets import log_views as views
from ssmlab.widgets.command_views import name_nodes, tell_first
from ssmlab.widgets.controls import WIDE, below, dropdown, entry, frame_editor
from ssmlab.widgets.explorer import Explorer
from ssmlab.widgets.filters import Flags
from ssmlab.widgets.log_views import ALL, MATCHED, State
from ssmlab.widgets.metric import SIGNS, draw_metric
from ssmlab.widgets.tables import scroll
from ssmlab.widgets.texts import write_alert
from ssmlab.words import say_count

MESSAGES, METRIC, PERIODS = range(3)
_PERIODS: Final = (10, 30, 60, 300, 900, 3600, 86_400)
_MOST_ROWS: Final = 500
_FEW: Final = 2_000  # log events that are searched at once, more in the background
_Found = tuple[Flags, str, pd.DataFrame | str]  # which match; a hint; the metric, or what CloudWatch refuses of it


class LogLab(Explorer):
    """Write a filter pattern; see what it finds while you type, the metric that it makes, and when the alarm goes off.

    Parameters
    ----------
    data
        Log events: a frame with `timestamp` and `message`, such as `load_logs` gives; or exported files; a command,
        whose output they are; a snapshot, on which a first command is sent.
    state
        Fields of `log_views.State` to start from, such as `pattern="ERROR"`, `threshold="3"`.

    Examples
    --------
    >>> lines = pd.DataFrame({"timestamp": [0, 1000, 61_000], "message": ["ERROR a", "ok", "ERROR b"]})
    >>> LogLab(lines, pattern="ERROR").matched.tolist()
    [True, False, True]
    """

    title = "What the output says"
    state_type = State
    chosen = ("pattern", "period")
    formats = ("CSV", "Parquet", "Picture")
    arguments = "log_events"

    def begin(self, given: Mapping[str, Any]) -> State:
        """The log events, and a pattern that finds something."""
        self.log_events, self._names = views.gather_logs(self.data), name_nodes(self.data)
        self.matched = np.zeros(len(self.log_events), dtype=np.bool_)
        self.measured = pd.DataFrame({"period_start": [], "value": [], "state": []})
        return State(**{**views.first_state(self.log_events), **given})

    def describe(self) -> str:
        """How many log events there are, from when to when."""
        told = views.describe_logs(self.log_events) + tell_first(self.data, self.log_events)
        return f"<span>{html.escape(told)}</span>"

    def make_controls(self) -> dict[str, w.Widget]:
        """A control for each field."""
        state, periods = self.state, sorted({*_PERIODS, self.state.period})
        signs = [(f"{SIGNS[name]} threshold", name) for name in COMPARISONS]
        hint = "ERROR, ?WARN ?ERROR, { $.status >= 500 }, [ip, ..., code]"
        return {
            "pattern": w.Text(description="Filter pattern", value=state.pattern, placeholder=hint, layout=WIDE),
            "shown": dropdown("Show", [(name, name) for name in (MATCHED, ALL)], state.shown),
            "value": entry("Value", state.value, "1, $.latency or $size"),
            "default": entry("Default", state.default, "none"),
            "period": dropdown("Period", [(f"{seconds} s", seconds) for seconds in periods], state.period),
            "statistic": dropdown("Statistic", [(name, name) for name in STATISTICS], state.statistic),
            "comparison": dropdown("If value", signs, state.comparison),
            "threshold": entry("Threshold", state.threshold, "a number"),
            "datapoints": _offer_periods("In at least", state.datapoints),
            "evaluation_periods": _offer_periods("of the last", state.evaluation_periods),
            "missing": below(dropdown("Treat missing as", [(name, name) for name in MISSING], state.missing)),
        }

    def arrange(self) -> list[w.Widget]:
        """What is shown, the metric, the alarm; the pattern itself stands above the views."""
        own = self.controls
        metric = [own[name] for name in ("value", "default", "period", "statistic")]
        alarm = [own[name] for name in ("comparison", "threshold", "datapoints", "evaluation_periods", "missing")]
        return [w.HTML("<b>Ask</b>"), own["shown"], w.HTML("<b>Metric</b>"), *metric, w.HTML("<b>Alarm</b>"), *alarm]

    def make_views(self) -> dict[str, w.Widget]:
        """Messages, metric and periods; above them the pattern, and what is wrong with it."""
        self.above, self._wrong = frame_editor(self.controls["pattern"])
        self._count = w.HTML().add_class("ssmlab-count")
        self._messages, self._picture = w.HTML(), w.HTML(layout=WIDE)
        self._table = self.build_table(self._explain, height=370)
        messages = w.VBox([self._count, scroll(self._messages, 380, tabbable=True)])
        return {"Messages": messages, "Metric": self._picture, "Periods": self._table}

    def to_picture(self) -> str | None:
        """The metric and its alarm."""
        return draw_metric(views.measure(self.log_events, self.state, self.matched), self.state)

    def to_frame(self) -> pd.DataFrame:
        """What is seen, as a table, complete: the messages, or the periods."""
        return self.measured if self.seen in (METRIC, PERIODS) else self.log_events.assign(matched=self.matched)

    # --- State to views ---

    def show(self) -> None:
        """Search, measure, and draw what is seen."""
        state, few = self.state, len(self.log_events) <= _FEW
        try:
            compiled = compile_filter(state.pattern)
        except PatternError as error:
            self.matched, self.measured = np.zeros(len(self.log_events), dtype=np.bool_), self.measured.head(0)
            self._wrong.value = views.explain_place(error)
            self._clear("CloudWatch Logs refuses this pattern.")
            return
        self._wrong.value = ""
        is_measured = self.seen in (METRIC, PERIODS)

        def search() -> _Found:
            flags = compiled.flags(self.log_events["message"])
            hint = views.tell_other_case(self.log_events, state.pattern, flags)
            try:
                measured = views.measure(self.log_events, state, flags) if is_measured else self.measured.head(0)
            except ValueError as error:
                return flags, hint, str(error)
            return flags, hint, measured

        self.later("Searching…", search, self._draw, at_once=few)

    def _draw(self, found: _Found) -> None:
        self.matched, hint, measured = found
        if isinstance(measured, str):
            self.measured = self.measured.head(0)
            self._clear("CloudWatch refuses this metric or alarm.", write_alert(measured))
            return
        self.measured, seen = measured, self.seen
        self.why.value = views.explain_logs(self.state.pattern, self.matched)
        self.say(f"{views.say_matches(self.matched) if seen == MESSAGES else views.say_alarm(measured)} {hint}".strip())
        if seen == MESSAGES:
            asked = self.state.pattern, self.matched, self.state.shown, self._names
            self._messages.value, self._count.value = views.write_messages(self.log_events, *asked)
        elif seen == METRIC:
            self._picture.value = draw_metric(measured, self.state)
        else:
            self._table.show(views.list_periods(measured).head(_MOST_ROWS), say_count(len(measured), "period"))

    def _clear(self, words: str, why: str = "") -> None:
        self._messages.value = self._count.value = self._picture.value = ""
        self._table.show(pd.DataFrame({"": []}), "")
        self.why.value = why
        self.say(words)

    def _explain(self, row: int) -> str:
        return views.explain_period(self.log_events, self.measured, row, self.state)


def _offer_periods(label: str, value: int) -> w.BoundedIntText:
    return w.BoundedIntText(description=label, value=value, min=1, max=100, layout=WIDE)
