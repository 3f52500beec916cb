"""The picture of a graph for print, reports and notebooks without widgets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import matplotlib.pyplot as plt
import networkx as nx
from matplotlib.lines import Line2D

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe-Ito; one shape a kind, one line style an outcome: never colour alone.
KINDS: Final = {
    "principal": ("s", "#0072B2", "principal"),
    "role": ("p", "#56B4E9", "role"),
    "statement": ("D", "#999999", "statement"),
    "document": ("d", "#E69F00", "documents"),
    "group": ("o", "#009E73", "node group"),
}
OUTCOME_LINES: Final[dict[str, tuple[Literal["-", ":", "--"], str]]] = {
    "allowed": ("-", "#009E73"),
    "conditional": (":", "#D55E00"),
    "denied": ("--", "#CC79A7"),
}
_MOST_LETTERS: Final = 44


def draw_graph(graph: nx.DiGraph[str], ax: Axes | None = None) -> Axes:
    """Draw a graph of `to_networkx` with title, legend and words.

    Parameters
    ----------
    ax
        Where to draw; None: a new figure with transparent ground, as high as the graph needs.

    Returns
    -------
    matplotlib Axes
    """
    rows = max((y for _, y in graph.nodes(data="y")), default=0.0) + 1
    axes = ax if ax is not None else plt.subplots(figsize=(10, max(2.5, 0.42 * rows + 1.4)), facecolor="none")[1]
    words: dict[str, Any] = {"color": plt.rcParams["text.color"], "parse_math": False}
    for source, target, data in graph.edges(data=True):
        style, colour = OUTCOME_LINES[data["outcome"]]
        ends = [graph.nodes[name] for name in (source, target)]
        line: dict[str, Any] = {"linestyle": style, "color": colour, "linewidth": 1.2, "zorder": 1}
        axes.plot([end["x"] for end in ends], [-end["y"] for end in ends], **line)
    for _, data in graph.nodes(data=True):
        marker, colour, _ = KINDS[data["kind"]]
        axes.scatter(data["x"], -data["y"], marker=marker, s=60 + 12 * min(data["count"], 40), color=colour, zorder=2)
        side = {0: ("right", -0.05), 1: ("center", 0.0)}.get(data["layer"], ("left", 0.05))
        below = 0.42 if data["layer"] == 1 else 0.0
        look = words | {"ha": side[0], "va": "center", "fontsize": 8, "zorder": 3}
        axes.text(data["x"] + side[1], -data["y"] - below, _plain(_label(data)), **look)
    axes.set_title(_plain(graph.graph.get("title", "")), fontsize=10, parse_math=False)
    axes.set_xlim(-0.75, 2.9)
    axes.set_ylim(-rows + 0.2, 0.8)
    axes.set_axis_off()
    look = words | {"ha": "center", "va": "top", "fontsize": 9, "transform": axes.transAxes}
    axes.text(0.5, -0.02, _plain(graph.graph.get("caption", "")), **look)
    _add_legend(axes, graph)
    return axes


def _label(data: dict[str, Any]) -> str:
    text = data["label"] if len(data["label"]) <= _MOST_LETTERS else f"{data['label'][:24]}…{data['label'][-16:]}"
    return f"{text} ({data['count']})" if data["kind"] == "group" else text


def _plain(text: str) -> str:
    """Text as it is: control characters, which fonts cannot show, become visible marks."""
    return "".join(char if char.isprintable() else "␣" for char in text)


def _add_legend(axes: Axes, graph: nx.DiGraph[str]) -> None:
    """A legend of only what occurs."""
    kinds = {kind for _, kind in graph.nodes(data="kind")}
    outcomes = {outcome for *_, outcome in graph.edges(data="outcome")}
    marks = (shape for kind, shape in KINDS.items() if kind in kinds)
    handles = [Line2D([], [], marker=m, color=colour, linestyle="", label=words) for m, colour, words in marks]
    lines = ((name, look) for name, look in OUTCOME_LINES.items() if name in outcomes)
    handles += [Line2D([], [], color=colour, linestyle=style, label=name) for name, (style, colour) in lines]
    look: dict[str, Any] = {"loc": "upper left", "fontsize": 7, "frameon": False, "bbox_to_anchor": (0.0, 1.0)}
    if handles:
        axes.legend(handles=handles, ncols=len(handles), **look)
