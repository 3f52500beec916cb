"""A layered graph as a picture that can be zoomed, walked with the keyboard and clicked."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, Final

import anywidget
import networkx as nx
import traitlets

from ssmlab.graphs import to_marks

_STATIC: Final = Path(__file__).parent / "static"

# The tables of graph.js have one row each.
KINDS: Final = ("principal", "role", "policy", "statement", "document", "group", "node")
OUTCOMES: Final = ("allowed", "conditional", "denied", "gained", "lost", "unchanged", "other")


class GraphView(anywidget.AnyWidget):
    """Picture of a layered graph, with a legend and a sentence below it.

    Marks are selected by click, Enter or Space, and Escape clears the selection; buttons and the wheel with Ctrl zoom,
    dragging pans. What all documents and nodes of a layer say after a " · ", their Region, stands in its heading.
    Text is data: it is shown as text, whatever it contains.

    Parameters
    ----------
    graph : dict
        What to show; replace it as a whole: a dict changed in place is not sent. It holds `nodes`, `edges`, and
        `columns`, the heading above each layer. An edge whose source or target is not among the nodes is not drawn.

        A node, a mark with a shape, has `id`, `kind` (one of `KINDS`), `label` (stands beside the shape, shortened in
        the middle to the room there is), `detail` (in full: for the pointer, the keyboard and screen readers), `layer`
        (which of the headings stands above it), `x` (its column), `y` (its row; rows are 1.0 apart), and, where it is a
        group, `count`: how many nodes. An edge, a line from left to right, has `id`, `source`, `target`, `outcome` (one
        of `OUTCOMES`, decides style and colour) and `detail`.
    selected : str
        Id of the selected node or edge, `""` for none; set from either side.
    height : int
        Height of the picture in px, without legend and caption.
    label : str
        Name of the picture for screen readers.
    caption : str
        The result in words, read out when it changes; an explorer shows it above its views.
    empty : str
        Why there is nothing to see, shown in place of a graph without nodes.

    Raises
    ------
    traitlets.TraitError
        For an unknown kind or outcome, and for an id that occurs twice.

    Examples
    --------
    >>> user = dict(id="u", kind="principal", label="web-ops", detail="user web-ops", layer=0, x=0, y=0)
    >>> view = GraphView(graph={"nodes": [user], "edges": []}, caption="`web-ops` reaches no node.")
    >>> view.selected = "u"
    >>> GraphView(graph={"nodes": [user | {"kind": "robot"}]})
    Traceback (most recent call last):
    traitlets.traitlets.TraitError: kind of `u`: expected one of principal, role, ..., got `robot`
    """

    _esm = _STATIC / "graph.js"
    _css = _STATIC / "graph.css"

    graph = traitlets.Dict().tag(sync=True)
    selected = traitlets.Unicode().tag(sync=True)
    height = traitlets.Int(430, min=120).tag(sync=True)
    label = traitlets.Unicode("Graph").tag(sync=True)
    caption = traitlets.Unicode().tag(sync=True)
    empty = traitlets.Unicode("Nothing to show.").tag(sync=True)

    def show(self, graph: nx.DiGraph[str], words: str = "") -> None:
        """Another graph, as of `to_networkx`, with its title and caption, the words before it; nothing is selected."""
        about = graph.graph
        folded = f"{about['folded'][:1].upper()}{about['folded'][1:]}." if about["folded"] else ""
        with self.hold_sync():
            self.graph, self.label, self.empty = to_marks(graph), about["title"], about["caption"]
            self.caption = " ".join(filter(None, (words, about["caption"], folded)))
            self.selected = ""

    @traitlets.validate("graph")
    def _check(self, proposal: Any) -> Any:
        nodes, edges = proposal.value.get("nodes", []), proposal.value.get("edges", [])
        _expect("kind", KINDS, nodes)
        _expect("outcome", OUTCOMES, edges)
        ids = Counter(mark["id"] for mark in [*nodes, *edges])
        if twice := [name for name, count in ids.items() if count > 1]:
            raise traitlets.TraitError(f"ids of nodes and edges: expected each once, got `{twice[0]}` twice or more")
        return proposal.value


def _expect(name: str, allowed: tuple[str, ...], marks: list[dict[str, Any]]) -> None:
    for mark in marks:
        if mark[name] not in allowed:
            wanted = f"{name} of `{mark['id']}`: expected one of {', '.join(allowed)}"
            raise traitlets.TraitError(f"{wanted}, got `{mark[name]}`")
