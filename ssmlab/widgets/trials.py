"""What an explanation says would change the answer, tried: who else gains and loses by it."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Sequence

import ipywidgets as w

from ssmlab.explanation import Trial
from ssmlab.graphs import say_changes
from ssmlab.reachability import Reach, count_changes, reach
from ssmlab.widgets.controls import WIDE
from ssmlab.widgets.texts import write_lines

Trials = Sequence[Trial]


class TrialButtons(w.VBox):
    """A button for each change that can be tried; `tell` says, as HTML, what it would do."""

    def __init__(self, tell: Callable[[str, Trials], str]) -> None:
        self._tell, self._told = tell, w.HTML()
        super().__init__()
        self.add_class("ssmlab-trials")

    def offer(self, node: str, ways: Iterable[Trials]) -> None:
        """The changes of an explanation about a node."""
        self._told.value = ""
        tried = (way for way in dict.fromkeys(ways) if way and all(trial.of != "document" for trial in way))
        buttons = [self._make(node, way) for way in tried]
        self.children = [*buttons, self._told] if buttons else []

    def _make(self, node: str, way: Trials) -> w.Button:
        words = " and ".join(map(_say, way))
        button = w.Button(description=f"Try: {words}", tooltip=f"What if {words}?", layout=WIDE)
        button.on_click(lambda _: setattr(self._told, "value", self._tell(node, way)))
        return button


def _say(trial: Trial) -> str:
    return f"without {trial.key}" if trial.value is None else f"{trial.key} = {trial.value or '(empty)'}"


def say_trial(before: Reach, node: str, way: Trials) -> str:
    """Who gains and loses when a node's tags, or keys of the request, have other values: HTML, with a line to copy."""
    tags = {trial.key: trial.value for trial in way if trial.of == "node"}
    context = {**before.context, **{trial.key: trial.value for trial in way if trial.of == "request"}}
    snapshot = before.snapshot.with_tags(node, tags) if tags else before.snapshot
    counts = count_changes(before, reach(snapshot, before.action, context))
    edits = [{"key": key, "value": value, "nodes": [node]} for key, value in tags.items()]
    asked = f", context={context}" if context else ""
    line = f"TagLab(snapshot, edits={edits}{asked})" if edits else f"ReachExplorer(snapshot{asked})"
    where = f" on {before.node_resources.call(before.rows('nodes', node))[0]}" if tags else ""
    words = write_lines(f"With {' and '.join(map(_say, way))}{where}: {say_changes(counts)}")
    copied = f"<details><summary>As a line to copy</summary><code>{html.escape(line)}</code></details>"
    return f"<div role='status'>{words}{copied}</div>"
