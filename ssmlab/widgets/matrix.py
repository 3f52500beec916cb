"""Principals x node groups as a picture for many: pure, and the view of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import anywidget
import numpy as np
import pandas as pd
import traitlets

from ssmlab.explanation import call_all, last_part
from ssmlab.graphs.sides import Side, join_sides, name_rows, read_sides
from ssmlab.reachability import Reach
from ssmlab.reachability.columns import Codes, Texts, Truths, first_rows
from ssmlab.reachability.fleets import CONDITIONAL, OUTCOMES
from ssmlab.widgets.filters import Flags, choose_nodes
from ssmlab.widgets.views import State, choose_documents, people
from ssmlab.words import say_count, say_some

SORTS: Final = (("most nodes first", "reach"), ("like beside like", "similar"), ("name", "name"))
_STATIC: Final = Path(__file__).parent / "static"
_MOST: Final = (40, 24)  # rows and columns
_NAMES: Final = ["denied" if outcome.value.endswith("Deny") else outcome.value for outcome in OUTCOMES]


class MatrixView(anywidget.AnyWidget):
    """A table of outcomes whose cells are selected by click, Enter or Space, and walked with the arrow keys.

    Parameters
    ----------
    matrix
        As `make_matrix` gives it.
    selected
        `row|column`, by their ids; "" for none.
    """

    _esm = _STATIC / "matrix.js"
    _css = _STATIC / "matrix.css"
    matrix = traitlets.Dict().tag(sync=True)
    selected = traitlets.Unicode().tag(sync=True)


def make_matrix(reach: Reach, state: State, sort: str = "reach") -> dict[str, Any]:
    """The matrix of a state: `rows` (principals) and `columns` (node groups that all reach alike), each with id, label,
    detail; `cells`, outcomes by row; `members`, the rows of `snapshot.nodes` in each column; `caption`.
    """
    grid = _read_grid(reach, state)
    reached: Flags = np.any(grid.cells >= CONDITIONAL, axis=0)
    rows, columns = _order(grid, sort)
    columns = columns if state.denied else columns[reached[columns]]
    few_rows, few_columns = rows[: _MOST[0]], columns[: _MOST[1]]
    keys, several = reach.tag_keys(grid.who[few_rows].tolist()), reach.snapshot.nodes["account"].nunique() > 1
    members = {str(c): grid.members(c) for c in few_columns.tolist()}
    arns = [str(reach.snapshot.principals.index[who]) for who in grid.who[few_rows]]
    cuts = [(few_rows, rows, "principals"), (few_columns, columns, "groups")]
    cut = " and ".join(f"{len(few)} of {len(every)} {what}" for few, every, what in cuts if len(few) < len(every))
    managed, every = int(grid.managed[reached].sum()), int(grid.counts[reached].sum())
    words = f"{_count(grid)} {say_count(managed, 'managed node')}, in {say_count(int(reached.sum()), 'group')}"
    words += f", and {every - managed} not managed" if every > managed else ""
    empty = "Nobody chosen reaches any of these nodes." if len(grid.counts) else "No node matches the filters."
    return {
        "rows": [{"id": arn, "label": name, "detail": arn} for arn, name in zip(arns, call_all(arns), strict=True)],
        "columns": [
            {"id": c, **name_rows(grid.side, own, keys, several), "count": len(own)} for c, own in members.items()
        ],
        "cells": [[_NAMES[grid.cells[row, column]] for column in few_columns] for row in few_rows],
        "members": members,
        "caption": f"{words}{cut and f' ({cut} are shown)'}." if reached.any() else empty,
        "empty": empty,
    }


@dataclass(frozen=True, slots=True)
class _Grid:
    """Principals (`who`, of `asked` ones) x node groups that they all reach alike, with the size of each."""

    side: Side
    who: Codes
    names: Texts
    asked: int
    merged: Codes
    counts: Codes
    managed: Codes
    cells: Truths

    def members(self, column: int) -> Codes:
        """The rows of `snapshot.nodes` in a column."""
        return self.side.rows[np.isin(self.side.codes, np.flatnonzero(self.merged == column))]


def _read_grid(reach: Reach, state: State) -> _Grid:
    nodes, documents = choose_nodes(reach.snapshot.nodes, state), choose_documents(reach.snapshot.documents, state)
    sides, chosen = read_sides(reach, nodes, documents), reach.rows("principals", people(state))
    side, outcomes = sides[0], join_sides(reach, sides, chosen)[0]
    kept = (outcomes >= CONDITIONAL).any(axis=1) | bool(state.principals)
    merged = side.merge(side.first, outcomes[kept])
    first = first_rows(merged)
    sizes = (side.counts, side.count_managed())
    counts, managed = (np.bincount(merged, weights=of, minlength=len(first)).astype(np.int64) for of in sizes)
    names = np.array([last_part(arn) for arn in reach.snapshot.principals.index[chosen[kept]]], dtype=object)
    return _Grid(side, chosen[kept], names, len(chosen), merged, counts, managed, outcomes[kept][:, first])


def _order(grid: _Grid, sort: str) -> tuple[Codes, Codes]:
    reached = grid.cells >= CONDITIONAL
    if sort == "similar":
        return _chain(grid.cells), _chain(grid.cells.T)
    by = grid.names if sort == "name" else -(reached @ grid.counts)
    return np.argsort(by, kind="stable"), np.lexsort((-grid.counts, -reached.sum(axis=0)))


def _chain(cells: Truths) -> Codes:
    """From the fullest on, always the one that differs least from the last: rows that are alike stand together."""
    left, order = list(range(len(cells))), list[int]()
    while left:
        last = cells[order[-1]] if order else np.full(cells.shape[1], cells.max(initial=0))
        near = int(np.abs(cells[left].astype(np.int64) - last).sum(axis=1).argmin())
        order.append(left.pop(near))
    return np.array(order, dtype=np.int64)


def _count(grid: _Grid) -> str:
    reaching = int((grid.cells >= CONDITIONAL).any(axis=1).sum())
    several = say_some(reaching, grid.asked, "principal", "reaches", "reach")
    return several if grid.asked > 1 else f"{grid.names[0]} reaches"


def to_table(matrix: dict[str, Any]) -> pd.DataFrame:
    """The matrix as a frame: a row a principal, a column a node group."""
    heads = [f"{column['label']} ({column['count']})" for column in matrix["columns"]]
    heads = [f"{head} #{heads[:at].count(head) + 1}" if head in heads[:at] else head for at, head in enumerate(heads)]
    frame = pd.DataFrame(matrix["cells"], columns=heads, dtype="str")
    frame.insert(0, "principal", [row["id"] for row in matrix["rows"]])
    return frame
