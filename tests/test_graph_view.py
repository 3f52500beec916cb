"""What GraphView takes and refuses; how it looks and acts is a matter for `browser/test_graph_view.py`."""

import re

import pytest
from traitlets import TraitError

from ssmlab.widgets.graph_view import KINDS, OUTCOMES, GraphView

USER = {"id": "u", "kind": "principal", "label": "web-ops", "detail": "user web-ops", "layer": 0, "x": 0, "y": 0}
NODE = {"id": "n", "kind": "node", "label": "i-0a", "detail": "node i-0a", "layer": 1, "x": 1, "y": 0}
EDGE = {"id": "e", "source": "u", "target": "n", "outcome": "allowed", "detail": "web-ops reaches i-0a"}


def test_a_view_sends_its_graph_its_module_and_its_style_sheet():
    view = GraphView(graph={"nodes": [USER, NODE], "edges": [EDGE]})
    state = view.get_state()
    assert state["graph"] == {"nodes": [USER, NODE], "edges": [EDGE]}
    assert "export default" in state["_esm"]
    assert ".ssmlab-graph" in state["_css"]


def test_a_view_starts_with_nothing_selected_and_nothing_to_show():
    view = GraphView()
    assert {name: getattr(view, name) for name in ("graph", "selected", "height", "label", "caption", "empty")} == {
        "graph": {},
        "selected": "",
        "height": 430,
        "label": "Graph",
        "caption": "",
        "empty": "Nothing to show.",
    }


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        pytest.param(
            {"nodes": [USER | {"kind": "robot"}]},
            f"kind of `u`: expected one of {', '.join(KINDS)}, got `robot`",
            id="unknown kind",
        ),
        pytest.param(
            {"nodes": [USER, NODE], "edges": [EDGE | {"outcome": "explicitDeny"}]},
            f"outcome of `e`: expected one of {', '.join(OUTCOMES)}, got `explicitDeny`",
            id="unknown outcome",
        ),
        pytest.param(
            {"nodes": [USER, NODE], "edges": [EDGE | {"id": "n"}]},
            "ids of nodes and edges: expected each once, got `n` twice or more",
            id="one id for a node and an edge",
        ),
    ],
)
def test_a_graph_that_cannot_be_drawn_is_refused(graph, message):
    with pytest.raises(TraitError, match=f"^{re.escape(message)}$"):
        GraphView(graph=graph)


def test_the_module_has_a_row_for_every_kind_and_outcome_and_loads_nothing():
    module = GraphView().get_state()["_esm"]
    for name in (*KINDS, *OUTCOMES):
        assert re.search(rf"\b{name}: ", module), name
    assert set(re.findall(r"https?://[^\"]+", module)) == {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml"}
    assert not re.search(r"\bimport\b|innerHTML|outerHTML|insertAdjacent|\beval\b", module)
