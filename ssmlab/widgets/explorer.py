"""What all explorers are: a panel that asks, shows and says why. A state of the controls in, views out."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from threading import RLock
from typing import Any, ClassVar, Final, get_origin, get_type_hints

import ipywidgets as w
import networkx as nx
import pandas as pd

from ssmlab.exports import write_csv, write_graphml, write_parquet
from ssmlab.snapshots import Snapshot, expect_snapshot
from ssmlab.snapshots.memory import Memory
from ssmlab.widgets.controls import expect_one
from ssmlab.widgets.keys import Keys
from ssmlab.widgets.saver import Saver
from ssmlab.widgets.tables import TableView
from ssmlab.widgets.texts import describe_data, write_error

_STYLE: Final = (Path(__file__).parent / "static" / "explorer.css").read_text("utf-8")
_BACKGROUND: Final = ThreadPoolExecutor(1, thread_name_prefix="ssmlab")
_LONGEST: Final = 50_000  # characters of a line to copy
_EXPECTED: Final = (KeyError, ValueError, TypeError, OSError)  # what data and texts can do; all else is a fault of ours

# Types of the fields of a state, in words.
_ONE: Final[Mapping[Any, str]] = {str: "a text", str | None: "a text or None", bool: "True or False", int: "a number"}
_SEVERAL: Final[Mapping[Any, tuple[type, str]]] = {
    tuple[str, ...]: (str, "a list of texts"),
    tuple[Mapping[str, Any], ...]: (Mapping, "a list of mappings"),
    Mapping[str, str | None]: (str, "a mapping with texts as keys"),
}


class Explorer(w.VBox):
    """One panel of three zones: ask (the controls), see (the views), why (the reason of what is selected).

    A subclass has a `title`, a `state_type` (a frozen dataclass: what the controls say), and says which controls and
    views there are; `show` draws `self.state`. A control stands for the field of the state after which it is named.

    Parameters
    ----------
    data
        What it is about: a snapshot, from `ssmlab.load`, where a subclass does not say otherwise.
    state
        Fields of the `state_type` to start from; `view`, the title of the view that is seen first.

    Raises
    ------
    ValueError
        For a field or a view that there is not, or a value that its control does not have.
    TypeError
        For a value of another type than its field.
    """

    title: ClassVar[str]
    arguments: str = "snapshot"  # in the line to copy
    state_type: ClassVar[type]
    formats: ClassVar[tuple[str, ...]] = ("CSV", "Parquet")  # the kinds of files that can be saved
    chosen: ClassVar[tuple[str, ...]] = ()  # fields that `begin` chooses where they are not given: always in the line
    no_line = ""  # why no line to copy gives this view again, where none does
    above: Sequence[w.Widget] = ()  # what stands above the views, at their full width
    below: Sequence[w.Widget] = ()  # below the views, at the left
    answers: Sequence[w.Widget] = ()  # below the reason
    snapshot: Snapshot  # the data, where they are a snapshot
    graph_at: ClassVar[int] = 0  # the number of the view that holds the graph
    drawn: nx.DiGraph[str] = nx.DiGraph(members={}, groups={})  # the graph that was seen last

    def __init__(self, data: Any, *, view: str = "", **state: Any) -> None:
        given, self._default = read_state(self.state_type, state), self.state_type()
        if self.arguments == "snapshot":
            expect_snapshot(data)
        self.data = self.snapshot = data
        self.state: Any = self.begin(given)
        self._latest: Future[Any] | None = None
        self._turn = RLock()  # what comes from the background never draws while a change is drawn
        self._said = self._saved = ""
        self.controls = self.make_controls()
        self.why, self._live, self._line = (w.HTML().add_class(f"ssmlab-{n}") for n in ("why-text", "live", "line"))
        views = self.make_views()
        expect_one("view", [*views], view := view or next(iter(views)))
        self.tabs = w.Tab([*views.values()], titles=(*views,), selected_index=[*views].index(view))
        self.tabs.add_class("ssmlab-views")
        saver = Saver(self.export, self.formats, lambda saved: self.say(self._said, saved))
        foot = w.HBox([w.HBox(self.below), saver], layout=w.Layout(justify_content="space-between"))
        see = [*self.above, self._live, self.tabs, foot]
        zones = {"ask": self.arrange(), "see": see, "why": [w.HTML("<b>Why</b>"), self.why, *self.answers]}
        about = w.HTML(f"<h3>{html.escape(self.title)}</h3>{self.describe()}").add_class("ssmlab-header")
        header = w.HBox([about, self._line], layout=w.Layout(justify_content="space-between"))
        style = w.HTML(f"<style>{_STYLE}</style>")
        panel = w.HBox([w.VBox(children).add_class(f"ssmlab-{name}") for name, children in zones.items()])
        super().__init__([style, header, panel, Keys()])
        self.add_class("ssmlab-explorer")
        for _, part in self._captions():
            part.observe(lambda _: self._tell(), "caption")
        for control in self.controls.values():
            control.observe(self._changed, "value")
        self.tabs.observe(lambda _: self.update(), "selected_index")
        self.update()

    # --- What a subclass says ---

    def begin(self, given: Mapping[str, Any]) -> Any:
        """The state to begin with; what is not given is chosen so that the first view is worth looking at."""
        return self.state_type(**given)

    def describe(self) -> str:
        """What is loaded and how complete it is, as HTML."""
        return describe_data(self.snapshot)

    def make_controls(self) -> dict[str, w.Widget]:
        """A control for each field of the state that people may change, in the order in which they stand."""
        raise NotImplementedError

    def make_views(self) -> dict[str, w.Widget]:
        """The views by their titles; the first is seen first. What stands around them is made here, too."""
        raise NotImplementedError

    def arrange(self) -> list[w.Widget]:
        """The zone "ask"."""
        return [w.HTML("<b>Ask</b>"), *self.controls.values()]

    def show(self) -> None:
        """Draw the state. An error that the data make is told in the panel."""
        raise NotImplementedError

    def react(self, field: str) -> None:
        """What follows from a change of one field, before the state is drawn: other options of another control."""

    def to_frame(self) -> pd.DataFrame:
        """What is seen, as a table, complete."""
        raise NotImplementedError

    def draw(self) -> nx.DiGraph[str] | None:
        """The graph of the state; None: there is none."""

    def to_graph(self) -> nx.DiGraph[str] | None:
        """The graph as it is drawn, where it is seen; else as it would be."""
        return self.drawn if self.seen == self.graph_at else self.draw()

    def to_picture(self) -> str | None:
        """The picture that the kernel draws, as SVG; None: there is none."""
        return None

    # --- What it has from here ---

    def build_button(self, label: str, act: Callable[[], None], tooltip: str | None = None, **look: Any) -> w.Button:
        """A button; an error that its act makes is told in the panel."""
        button = w.Button(description=label, tooltip=tooltip, **{"layout": {"width": "auto"}, **look})
        button.on_click(lambda _: self._guard(act))
        return button

    def tell_why(self, explain: Callable[[Any], str], what: Any) -> None:
        """What `explain` says of what is selected, as HTML; an error is told in its place."""
        self._guard(lambda: self.why.set_trait("value", explain(what)))

    def build_table(self, explain: Callable[[int], str], *above: w.Widget, height: int = 330) -> TableView:
        """A table of which a row that is selected is explained, by its number."""
        return TableView(*above, selected=partial(self.tell_why, explain), height=height)

    @property
    def seen(self) -> int:
        """The number of the view that is seen."""
        return self.tabs.selected_index or 0

    def say(self, text: str, saved: str = "") -> None:
        """The result in words, above the views, which screen readers read out. The `caption` of the view that is seen
        stands before it, unless that view is old or work is under way; what was saved, after it.
        """
        self._said, self._saved = text, saved
        self._tell()

    def _captions(self) -> list[tuple[int, Any]]:
        """The widgets with a caption, with the number of the view in which they stand."""
        inside = [(number, part) for number, view in enumerate(self.tabs.children) for part in _parts(view)]
        return [(number, part) for number, part in inside if part.has_trait("caption")]

    def _tell(self) -> None:
        captions = [part.caption for number, part in self._captions() if number == self.seen]
        is_old = self._latest or "ssmlab-old" in self.tabs._dom_classes
        words = [*([] if is_old else captions), self._said, self._saved]
        told = html.escape(" ".join(dict.fromkeys(filter(None, words))))
        self._live.value = f"<span role='status'>{told}</span>" if told else ""

    def set_control(self, field: str, value: Any, options: Sequence[Any] | None = None) -> None:
        """Give a control a value, and other options, without acting on it."""
        control = self.controls[field]
        control.unobserve(self._changed, "value")
        if options is not None:
            control.options = options
        control.value = value
        control.observe(self._changed, "value")
        self.state = replace(self.state, **{field: value})

    def later(self, words: str, work: Callable[[], Any], done: Callable[[Any], None], *, at_once: bool = False) -> None:
        """Slow work in the background, little at once; what comes after the next change is not shown any more."""
        if at_once:
            done(work())
            return
        ticket = self._latest = _BACKGROUND.submit(work)
        self.say(words)

        def finish(future: Future[Any]) -> None:
            with self._turn:
                if future is self._latest:
                    self._latest = None
                    self.say("")
                    self._guard(lambda: done(future.result()))
                    self._tell()

        ticket.add_done_callback(finish)

    def wait(self) -> None:
        """Until work in the background is done (for tests)."""
        _BACKGROUND.submit(lambda: None).result()

    def update(self) -> None:
        """Draw the state anew."""
        with self._turn:
            before, self._latest = self._latest, None
            if before:
                before.cancel()
            self._guard(self.show)
        values = {field.name: getattr(self.state, field.name) for field in fields(self.state_type)}
        kept = [n for n, value in values.items() if n in self.chosen or value != getattr(self._default, n)]
        told = "".join(f", {name}={_plain(values[name])!r}" for name in kept)
        told += f", view={self.tabs.titles[self.seen]!r}" * bool(self.seen)
        line = f"{type(self).__name__}({self.arguments}{told})"
        why_none = self.no_line or "Too long for a line." * (len(line) >= _LONGEST)
        line = f"<p>{html.escape(why_none)}</p>" if why_none else f"<code>{html.escape(line)}</code>"
        line += "<p><code>snapshot</code> is what this panel was given.</p>" if self.arguments == "snapshot" else ""
        self._line.value = f"<details><summary>This view as a line to copy</summary>{line}</details>"

    def export(self, kind: str) -> tuple[str, bytes]:
        """A file of what is seen: its name and content."""
        name = f"{type(self).__name__}.{kind.lower()}"
        if kind == "GraphML":
            return name, write_graphml(self.to_graph())
        if kind == "Picture":
            return f"{type(self).__name__}.svg", (self.to_picture() or "").encode()
        return name, {"CSV": write_csv, "Parquet": write_parquet}[kind](self.to_frame())

    def _changed(self, change: Mapping[str, Any]) -> None:
        field = next(name for name, control in self.controls.items() if control is change["owner"])
        self.state = replace(self.state, **{field: change["new"]})
        self._guard(lambda: self.react(field))
        self.update()

    def _guard(self, act: Callable[[], None]) -> None:
        try:
            act()
        except _EXPECTED as error:
            self.why.value = write_error(error)


def read_state(kind: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """What is given for fields of a class of states, several values as a tuple; what is no such field is refused."""
    hints = get_type_hints(kind)
    if unknown := sorted({*given} - {*hints}):
        raise ValueError(f"unknown state {unknown}, expected some of {[*hints]}")
    return {name: _read_field(name, value, hints[name]) for name, value in given.items()}


def _read_field(name: str, value: Any, hint: Any) -> Any:
    several = get_origin(hint) if hint in _SEVERAL else None
    if several is tuple and isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping):
        value = tuple(value)
    part, called = _SEVERAL[hint] if several else (object, _ONE[hint])
    fits = isinstance(value, several or hint) and isinstance(value, bool) == (hint is bool)
    if not fits or (several and not all(isinstance(each, part) for each in value)):
        raise TypeError(f"{name}: expected {called}, got `{value!r:.80}`")
    return value


def with_own_memory(snapshot: Snapshot) -> Snapshot:
    """The same, to be asked in the background: what it remembers is not shared with the foreground."""
    return replace(snapshot, memory=Memory())


def _parts(view: w.Widget) -> list[w.Widget]:
    return [view, *(part for child in getattr(view, "children", ()) for part in _parts(child))]


def _plain(value: Any) -> Any:
    """As one writes it: a list for a tuple, a dict for a mapping."""
    return [*value] if isinstance(value, tuple) else dict(value) if isinstance(value, Mapping) else value
