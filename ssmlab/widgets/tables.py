"""A table that holds the first rows of an answer, says how many there are, and lets one row be selected."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Any, Final

import ipywidgets as w
import pandas as pd
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
_WHOLE: Final = 24  # letters: a column of no longer texts is not broken into lines


class TableView(w.VBox):
    """Rows, and a line that says how many there are. `selected` is called with the number of the row selected."""

    def __init__(self, *above: w.Widget, selected: Callable[[int], None] = lambda _: None, height: int = 330) -> None:
        self._count = w.HTML()
        self._count.add_class("ssmlab-count")
        self._table = ITable(pd.DataFrame({"": []}), **_LOOK)
        self._scroll = scroll = w.Box([self._table], layout=w.Layout(max_height=f"{height}px", overflow="auto"))
        scroll.add_class("ssmlab-scroll")
        super().__init__([*above, self._count, scroll])
        self._selected = selected
        self._table.observe(lambda change: self._select(change["new"]), "selected_rows")

    def _select(self, rows: Sequence[int]) -> None:
        if rows:
            self._selected(rows[-1])

    def show(self, frame: pd.DataFrame, words: str) -> None:
        """Other rows, and how many there are in words."""
        self._count.value = f"<span role='status'>{html.escape(words)}</span>"
        self._scroll.layout.display = None if len(frame) else "none"
        whole = [place for place, name in enumerate(frame) if frame[name].astype("str").str.len().max() <= _WHOLE]
        look = _LOOK | {"columnDefs": [{"className": "ssmlab-whole", "targets": whole}]}
        self._table.update(frame, selected_rows=[], **look)
