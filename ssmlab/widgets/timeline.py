"""The picture of a command's life: a row a node, a bar or a mark a status; pure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import pandas as pd

from ssmlab.commands import Command
from ssmlab.commands.spans import fold_nodes, list_spans
from ssmlab.explanation import last_part
from ssmlab.widgets.svg import bar, element, make_picture, mark, place_legend, write
from ssmlab.words import say_count

# On the way: colour, width and dashes of the bar.
BARS: Final[dict[str, tuple[str, int, str]]] = {
    "Pending": ("#999999", 2, "2 3"),
    "InProgress": ("#56B4E9", 9, "none"),
    "Delayed": ("#E69F00", 9, "3 2"),
    "Cancelling": ("#CC79A7", 5, "6 2"),
}
# At the end: shape, colour and letter of the mark.
MARKS: Final[dict[str, tuple[str, str, str]]] = {
    "Success": ("circle", "#009E73", "S"),
    "NoInstancesInTag": ("circle", "#999999", "0"),
    "Failed": ("square", "#D55E00", "F"),
    "Incomplete": ("square", "#F0E442", "I"),
    "FailedDueToAlarm": ("square", "#CC79A7", "!"),
    "RateExceeded": ("square", "#E69F00", "R"),
    "ExecutionTimedOut": ("triangle", "#D55E00", "E"),
    "DeliveryTimedOut": ("triangle", "#E69F00", "D"),
    "AccessDenied": ("diamond", "#CC79A7", "A"),
    "InvalidPlatform": ("diamond", "#56B4E9", "P"),
    "Undeliverable": ("diamond", "#F0E442", "U"),
    "Terminated": ("house", "#999999", "T"),
    "Cancelled": ("house", "#CC79A7", "C"),
}
_LEFT, _WIDTH, _RIGHT, _ROW = 142, 340, 492, 18
_WHOLE: Final = "the command"
_LONG: Final = 300  # seconds from which on the time is drawn shorter the later it is
_TICKS: Final = (0, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14_400, 43_200, 86_400, 172_800)
_APART: Final = 42
_UNITS: Final = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


class _Span(NamedTuple):
    status_details: str
    begin: float
    end: float


class _Axis(NamedTuple):
    """Seconds → px."""

    end: float

    def place(self, seconds: float) -> float:
        part, whole = (math.log1p(t) if self.end > _LONG else t for t in (seconds, self.end))
        return _LEFT + _WIDTH * part / (whole or 1)


def draw_timeline(command: Command, names: pd.Series[Any]) -> str:
    """An SVG of what the command and its nodes were in when; of many nodes some of every ending.

    Parameters
    ----------
    names
        Name of a node by ARN.
    """
    spans = list_spans(command)
    shown, rest = fold_nodes(command.invocations)
    axis, own = _Axis(float(spans["end"].max())), spans["node"].isna()
    used = spans[own | spans["node"].isin(shown)]
    legend, top = place_legend(_list_legend(used["status_details"]), 34)
    drawn, rows = [legend, *_draw_ticks(axis, top, len(shown) + 1)], defaultdict[str, list[_Span]](list)
    for node, *span in used[["node", *_Span._fields]].itertuples(index=False):
        rows[node or _WHOLE].append(_Span(*span))
    for number, name in enumerate([_WHOLE, *shown]):
        label = str(names.get(name, "")) or last_part(name)
        drawn.append(_draw_row(label, rows[name], axis, top + 24 + number * _ROW))
    height = top + 24 + (len(shown) + 1) * _ROW
    for number, line in enumerate(f"… and {say_count(count, 'node')} more: {how}" for how, count in rest.items()):
        drawn.append(write(8, height + 4 + number * _ROW, line, font_style="italic"))
    nodes, name = say_count(len(command.invocations), "node"), command.document.rpartition("/")[2]
    words = f"{name} on {nodes}, sent by {last_part(command.principal)}", describe_command(command)
    return make_picture(*words, drawn, height + len(rest) * _ROW, heard=say_end(command))


def describe_command(command: Command) -> str:
    """How its nodes ended, and how long it took, in words."""
    seconds = (command.history["time"].max() - command.requested).total_seconds()
    late = " Time is drawn shorter the later it is." if seconds > _LONG else ""
    return f"{count_endings(command)} It took {say_seconds(seconds)}.{late}"


def say_end(command: Command) -> str:
    """How a command ended, and why."""
    return f"The command is {say_status(command)}: {command.reason}."


def count_endings(command: Command) -> str:
    """How many nodes ended how."""
    counts = command.invocations["status_details"].value_counts(sort=False)
    return f"Nodes: {', '.join(f'{count} {details}' for details, count in counts.items()) or 'none'}."


def say_status(command: Command) -> str:
    """Status, and its details where they differ."""
    same = command.status == command.status_details
    return command.status if same else f"{command.status} ({command.status_details})"


def say_seconds(seconds: float) -> str:
    """A time as people say it.

    >>> say_seconds(2.456), say_seconds(7200), say_seconds(90)
    ('2.5 s', '2 h', '1.5 min')
    """
    size, unit = next(((size, unit) for size, unit in _UNITS if seconds >= size), (1, "s"))
    return f"{seconds / size:.1f}".removesuffix(".0") + f" {unit}"


def _list_legend(details: Iterable[str]) -> list[tuple[str, str]]:
    seen = {*details}
    bars = [(bar(-8, 0, 8, look), name) for name, look in BARS.items() if name in seen]
    return bars + [(mark(0, 0, *look), name) for name, look in MARKS.items() if name in seen]


def _draw_ticks(axis: _Axis, top: float, rows: int) -> list[str]:
    drawn, last = [write(8, top + 4, "since the request")], -math.inf
    for seconds in _TICKS:
        x = axis.place(seconds)
        if seconds <= axis.end and x - last >= _APART:
            foot = top + 12 + rows * _ROW
            drawn.append(element("line", x1=x, y1=top + 8, x2=x, y2=foot, stroke="currentColor", stroke_opacity=0.25))
            drawn.append(write(x, top + 4, say_seconds(seconds), text_anchor="middle"))
            last = x
    return drawn


def _draw_row(label: str, spans: Sequence[_Span], axis: _Axis, y: float) -> str:
    weight = {"font_weight": "bold"} if label == _WHOLE else {}
    drawn, last = [write(8, y + 4, label, most=21, **weight)], spans[-1]
    for details, begin, end in spans:
        drawn += [bar(axis.place(begin), y, axis.place(end), BARS[details])] if details in BARS else []
    if last.status_details in MARKS:
        drawn.append(mark(axis.place(last.begin), y, *MARKS[last.status_details]))
    words = f"{last.status_details} · {say_seconds(last.begin)}"
    return element("g", *drawn, write(_RIGHT + 4, y + 4, words, most=26))
