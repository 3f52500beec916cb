"""A table that holds the first rows of an answer, says how many there are, and lets one row be selected."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import ipywidgets as w
import pandas as pd
import traitlets
from itables.widget import ITable

_LOOK: Final[Any] = {  # search and paging are ours: the table holds only what is shown
    "select": "single",
    "paging": False,
    "showIndex": False,
    "allow_html": False,
    "autoWidth": False,  # columns are as wide as their content
    "classes": "display compact",
    "style": "table-layout:auto;width:100%;margin:0",
    "layout": {"topStart": None, "topEnd": None, "bottomStart": None, "bottomEnd": None},
}
_SHORT: Final = 24  # letters: no word of a column of no longer texts is broken


def scroll(inside: w.Widget, height: int, **look: Any) -> w.Box:
    """What scrolls where it is higher than so many px."""
    return w.Box([inside], layout={"max_height": f"{height}px", "overflow": "auto"}, **look).add_class("ssmlab-scroll")


class TableView(w.VBox):
    """Rows, and a line that says how many there are; a whole sentence is the `caption`, which stands above the views.

    `selected` is called with the number of the row selected.
    """

    caption = traitlets.Unicode()

    def __init__(self, *above: w.Widget, selected: Callable[[int], None] = lambda _: None, height: int = 330) -> None:
        self._count = w.HTML().add_class("ssmlab-count")
        self._table = ITable(pd.DataFrame({"": []}), **_LOOK)
        self._scroll = scroll(self._table, height)
        super().__init__([*above, self._count, self._scroll])
        self._selected, self._rows = selected, 0
        self._table.observe(lambda change: self._select(change["new"]), "selected_rows")

    def _select(self, rows: Sequence[int]) -> None:
        if rows and rows[-1] < self._rows:  # a click may be older than the table
            self._selected(rows[-1])

    def select(self, rows: Iterable[int]) -> None:
        """Select rows by their numbers, as a click does."""
        self._table.selected_rows = [*map(int, rows)]

    def show(self, frame: pd.DataFrame, words: str) -> None:
        """Other rows, and how many there are in words."""
        self._count.value = f"<span role='status'>{html.escape(words)}</span>"
        self.caption = words if words.endswith(".") else ""
        self._count.layout.display = "none" if self.caption else None
        self._scroll.layout.display = None if len(frame) else "none"
        texts = [frame[name].astype("str") for name in frame]
        short = [place for place, column in enumerate(texts) if column.str.len().max() <= _SHORT]
        whole = [place for place in short if not texts[place].str.contains(" ").any()]
        look = [{"className": f"ssmlab-{name}", "targets": to} for name, to in {"short": short, "whole": whole}.items()]
        self._rows = len(frame)
        self._table.update(frame, selected_rows=[], **_LOOK, columnDefs=look)
