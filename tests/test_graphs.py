"""The graph of a reach, its layout, and its picture."""

import networkx as nx
import pytest

import ssmlab
from ssmlab.graphs import place_layers, to_marks
from ssmlab.graphs.layout import crossings
from ssmlab.widgets.graph_view import GraphView


def test_the_graph_leads_from_principal_through_statement_to_resources(reach: ssmlab.Reach) -> None:
    graph = ssmlab.to_networkx(reach, principals="web-ops")
    assert {kind for _, kind in graph.nodes(data="kind")} == {"principal", "statement", "document", "group"}
    assert nx.is_directed_acyclic_graph(graph)
    assert all(graph.nodes[s]["layer"] < graph.nodes[t]["layer"] for s, t in graph.edges)


def test_the_counts_of_the_groups_are_the_nodes_reached(reach: ssmlab.Reach) -> None:
    graph = ssmlab.to_networkx(reach, principals="web-ops")
    drawn = sum(count for name, count in graph.nodes(data="count") if name.startswith("group:"))
    assert drawn == (reach.nodes("web-ops")["outcome"] == "allowed").sum()


def test_every_edge_says_whether_it_is_allowed_or_depends(reach: ssmlab.Reach) -> None:
    graph = ssmlab.to_networkx(reach, principals="OnCall")
    into_groups = {data["outcome"] for _, target, data in graph.edges(data=True) if target.startswith("group:")}
    assert into_groups == {"conditional"}


def test_a_filter_leaves_only_its_nodes_and_documents(reach: ssmlab.Reach) -> None:
    graph = ssmlab.to_networkx(reach, "web-ops", nodes=["i-0123456789abcdef0"], documents="AWS-RunShellScript")
    counts = {data["kind"]: data["count"] for _, data in graph.nodes(data=True)}
    assert counts == {"principal": 1, "statement": 1, "document": 1, "group": 1}


@pytest.mark.parametrize(
    ("principals", "words"),
    [
        (["auditor"], "user/auditor does not reach any of"),
        (["documents-only"], "there are documents it may use, but no node it is allowed on"),
        ([], "No principal matches the filters."),
    ],
)
def test_an_empty_graph_says_why(reach: ssmlab.Reach, principals: list[str], words: str) -> None:
    graph = ssmlab.to_networkx(reach, principals=principals)
    assert (len(graph), words in graph.graph["caption"]) == (0, True)


def test_a_graph_beyond_the_limit_says_what_it_leaves_out(reach: ssmlab.Reach) -> None:
    graph = ssmlab.to_networkx(reach, limit=40)
    assert len(graph) + graph.number_of_edges() <= 40
    assert graph.graph["folded"].endswith("principals that reach most are drawn")


def test_the_layout_crosses_no_lines_where_it_need_not() -> None:
    graph = nx.DiGraph()
    for name, layer in (("a", 0), ("b", 0), ("c", 0), ("x", 1), ("y", 1), ("z", 1)):
        graph.add_node(name, layer=layer, kind="group")
    graph.add_edges_from([("a", "z"), ("b", "y"), ("c", "x")])
    place_layers(graph)
    assert crossings(graph) == 0


def test_documents_stand_above_node_groups(reach: ssmlab.Reach) -> None:
    graph = ssmlab.to_networkx(reach, principals="admin-adele")
    rows = {kind: [d["y"] for _, d in graph.nodes(data=True) if d["kind"] == kind] for kind in ("document", "group")}
    assert max(rows["document"]) < min(rows["group"])


def test_the_view_takes_every_mark(reach: ssmlab.Reach) -> None:
    marks = to_marks(ssmlab.to_networkx(reach))
    assert GraphView(graph=marks).graph == marks


def test_the_picture_has_title_legend_and_words(reach: ssmlab.Reach) -> None:
    axes = ssmlab.draw_graph(ssmlab.to_networkx(reach, principals="web-ops"))
    assert axes.get_title() == "What user/web-ops reaches with Run Command"
    assert [text.get_text() for text in axes.get_legend().get_texts()][:1] == ["principal"]
    assert any("user/web-ops reaches" in text.get_text() for text in axes.texts)


def test_hostile_labels_are_drawn_as_text() -> None:
    graph = nx.DiGraph(title="$x$ <b>", caption="\x00 $\\frac{1}{0}$")
    graph.add_node("a", kind="group", layer=0, label="$\\bad{ <img onerror=alert(1)> \u202e 🦀", detail="", count=1)
    place_layers(graph)
    axes = ssmlab.draw_graph(graph)
    assert axes.get_title() == "$x$ <b>"
