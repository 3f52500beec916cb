"""The graph of a reach, its layout, and its picture."""

from itertools import combinations

import networkx as nx
import pandas as pd
import pytest

import ssmlab
from ssmlab.explanation import last_part
from ssmlab.exports import write_graphml
from ssmlab.graphs import draw_changes, place_layers, to_marks
from ssmlab.reachability import count_changes
from ssmlab.widgets.graph_view import GraphView
from ssmlab.widgets.matrix import make_matrix
from ssmlab.widgets.views import State, short_pairs


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


def crossings(graph: nx.DiGraph) -> int:
    """How many pairs of edges between the same two layers cross."""
    lines = [tuple(graph.nodes[name][place] for name in edge for place in ("x", "y")) for edge in graph.edges]
    pairs = combinations(lines, 2)
    return sum(a[0] == b[0] and a[2] == b[2] and (a[1] - b[1]) * (a[3] - b[3]) < 0 for a, b in pairs)


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


# --- What a change gives and takes ---


def drawn_changes(graph: nx.DiGraph) -> dict[tuple[str, str], list[tuple[str, int]]]:
    """For each principal and kind of resource, what becomes of how many, from all its lines."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for principal in (name for name, layer in graph.nodes(data="layer") if layer == 0):
        for source in (principal, *graph.successors(principal)):
            for _, target, data in graph.out_edges(source, data=True):
                if graph.nodes[target]["layer"] == 2:
                    kind = graph.nodes[target]["kind"]
                    assert (
                        found.setdefault((principal, kind), {}).setdefault(target, data["outcome"]) == data["outcome"]
                    )
    return {
        key: sorted((outcome, graph.nodes[target]["count"]) for target, outcome in marks.items())
        for key, marks in found.items()
    }


def test_of_two_that_hold_a_statement_one_may_gain_what_the_other_loses() -> None:
    snapshot = ssmlab.load("data/sample")
    red = snapshot.nodes.index[snapshot.nodes["tag:Team"] == "red"][:2]
    before, after = ssmlab.reach(snapshot), ssmlab.reach(snapshot.with_tags(red, {"Team": "blue"}))
    graph = draw_changes(before, after)
    assert (
        graph.graph["caption"]
        == "user/team-red loses 2 nodes. user/team-blue gains 2 nodes. role/TeamOps gains 2 nodes."
    )
    changed = {
        (last_part(arn), outcome): count
        for (arn, kind), marks in drawn_changes(graph).items()
        for outcome, count in marks
        if kind == "group" and outcome != "unchanged"
    }
    assert changed == {("user/team-red", "lost"): 2, ("user/team-blue", "gained"): 2, ("role/TeamOps", "gained"): 2}


@pytest.mark.parametrize(
    ("tags", "context"),
    [
        ({"Finance": "Ledger"}, {}),
        ({"Env": "prod", "Team": None}, {}),
        ({"Env": "dev"}, {"aws:MultiFactorAuthPresent": "true"}),
    ],
)
def test_the_picture_of_a_change_holds_what_both_reaches_say(tags: dict, context: dict) -> None:
    snapshot = ssmlab.load("data/sample")
    before = ssmlab.reach(snapshot, context=context)
    after = ssmlab.reach(snapshot.with_tags(snapshot.nodes.index[::3], tags), context=context)
    graph = draw_changes(before, after, limit=5000)
    counts = count_changes(before, after)
    for arn in counts.index:
        first, then = (side.nodes(arn)["outcome"].astype(str) for side in (before, after))
        first, then = (column.replace("explicitDeny", "implicitDeny") for column in (first, then))
        reached = ~((first == then) & (then == "implicitDeny"))
        named = {"allowed": "gained", "conditional": "conditional", "implicitDeny": "lost"}
        expected = then.map(named).mask(first == then, "unchanged")[reached].value_counts().to_dict()
        shown: dict[str, int] = {}
        for outcome, count in drawn_changes(graph)[arn, "group"]:
            shown[outcome] = shown.get(outcome, 0) + count
        assert shown == expected, arn
        told = counts.loc[arn, ["nodes_gained", "nodes_lost", "nodes_conditional"]].to_list()
        assert told == [expected.get(name, 0) for name in ("gained", "lost", "conditional")]


def test_two_reaches_on_different_nodes_are_not_drawn_as_a_change(reach: ssmlab.Reach) -> None:
    fewer = ssmlab.reach(reach.snapshot.replace(nodes=reach.snapshot.nodes[1:]))
    with pytest.raises(ValueError, match="expected the same nodes before and after"):
        draw_changes(reach, fewer)


def test_a_change_beyond_the_limit_says_what_it_leaves_out(reach: ssmlab.Reach) -> None:
    after = ssmlab.reach(
        reach.snapshot.with_tags(reach.snapshot.nodes.index, {"Finance": None, "Env": None, "Team": None})
    )
    graph = draw_changes(reach, after, limit=40)
    assert len(graph) + graph.number_of_edges() <= 40
    assert graph.graph["folded"].endswith("principals that change most are drawn")


def test_what_is_not_managed_is_told_apart(reach: ssmlab.Reach) -> None:
    counts = reach.summary().loc["arn:aws:iam::123456789012:user/op-ana"]
    graph = ssmlab.to_networkx(reach, principals="op-ana")
    assert counts[["nodes", "nodes_conditional", "unmanaged_nodes"]].tolist() == [26, 1, 5]
    assert graph.graph["caption"] == (
        "user/op-ana reaches 26 of 53 managed nodes; 1 more depends on what is not known. "
        "5 more are not managed: no command reaches them yet."
    )
    named = [data["label"] for name, data in graph.nodes(data=True) if name.startswith("group:")]
    waiting = sum(int(label.split(" · ")[-1].removesuffix(" not managed")) for label in named if "not managed" in label)
    assert waiting == 5
    turned = ssmlab.to_networkx(reach, nodes="bastion").graph["caption"]
    assert turned.endswith("It is not managed: no command reaches it yet.")


def test_every_line_goes_through_what_decides_it(reach: ssmlab.Reach) -> None:
    graph = ssmlab.to_networkx(reach, nodes="web-1", outcomes=["allowed", "conditional", "denied"], limit=2000)
    steps = {(graph.nodes[s]["layer"], graph.nodes[t]["layer"]) for s, t in graph.edges}
    assert steps == {(0, 1), (1, 2)}
    between = {name: [graph.nodes[n]["label"] for n in graph.successors(name)] for name, layer in graph.nodes("layer")}
    assert between["arn:aws:iam::123456789012:root"] == ["no policy needed"]
    assert "nothing allows it" in between["arn:aws:iam::123456789012:user/auditor"]
    assert sum(label == "nothing allows it" for _, label in graph.nodes(data="label")) == 7  # one for all alike
    denying = {graph.nodes[s]["label"] for s, _, said in graph.edges(data="outcome") if said == "denied" and "#" in s}
    assert denying == {"p-devguard1 · NoRemoteScripts", "not-prod: Inline · 2"}


def test_nodes_that_differ_only_in_what_xml_cannot_hold_stay_different_when_saved() -> None:
    names = ["a\x01", "a\x02", "a�", "b", "a\ud800"]
    graph: nx.DiGraph[str] = nx.DiGraph()
    nx.add_path(graph, names)
    saved = nx.parse_graphml(write_graphml(graph).decode())
    assert [*saved] == ["a��", "a���", "a�", "b", "a����"]
    assert [*saved.edges] == [*zip([*saved], [*saved][1:], strict=False)]


TWINS = ["arn:aws:iam::123456789012:user/twin", "arn:aws:iam::210987654321:user/twin"]


@pytest.fixture(scope="module")
def twins(sample: ssmlab.Snapshot) -> ssmlab.Snapshot:
    """Two users of one name, in two accounts, who reach every node of theirs."""
    frame = sample.principals
    users = frame.loc[["arn:aws:iam::123456789012:user/web-ops"] * 2].set_axis(pd.Index(TWINS, name="arn"))
    users = users.assign(name="twin", account=[arn.split(":")[4] for arn in TWINS])
    both = sample.replace(principals=pd.concat([frame, users]))
    everything = {"Statement": {"Effect": "Allow", "Action": "ssm:SendCommand", "Resource": "*"}}
    return both.with_policy(everything, name="Everything", principal=TWINS)


def test_principals_of_one_name_are_told_apart_in_every_view(twins: ssmlab.Snapshot) -> None:
    names, reach = ["user/twin (…9012)", "user/twin (…4321)"], ssmlab.reach(twins)
    graph = ssmlab.to_networkx(reach, TWINS)
    assert [graph.nodes[arn]["label"] for arn in TWINS] == names
    assert graph.graph["title"] == f"What {', '.join(names)} reach with Run Command"
    matrix = make_matrix(reach, State(principals=tuple(TWINS)), "name")
    assert sorted(row["label"] for row in matrix["rows"]) == sorted(names)
    pairs = pd.concat([reach.pairs(arn, limit=1) for arn in TWINS], ignore_index=True)
    assert [*short_pairs(pairs, reach)["principal"]] == names


def test_principals_of_one_name_are_told_apart_in_a_change(twins: ssmlab.Snapshot) -> None:
    stop = {"Statement": {"Effect": "Deny", "Action": "ssm:SendCommand", "Resource": "*"}}
    before, after = ssmlab.reach(twins), ssmlab.reach(twins.with_policy(stop, name="Stop", principal=TWINS))
    graph = draw_changes(before, after)
    assert {graph.nodes[arn]["label"] for arn in TWINS} == {"user/twin (…9012)", "user/twin (…4321)"}
    assert all(f"user/twin (…{arn.split(':')[4][-4:]}) loses" in graph.graph["caption"] for arn in TWINS)


def test_thousands_are_told_as_thousands_everywhere_in_a_sentence() -> None:
    inventory = ssmlab.load("data/sample").nodes.iloc[:1]
    arns = [f"arn:aws:ec2:eu-west-1:123456789012:instance/i-{number:017x}" for number in range(2000)]
    nodes = inventory.loc[[inventory.index[0]] * 2000].set_axis(pd.Index(arns, name="arn"))
    nodes["node_id"] = [last_part(arn) for arn in arns]
    graph = ssmlab.to_networkx(ssmlab.reach(ssmlab.load("data/sample").replace(nodes=nodes)), "web-ops")
    assert graph.graph["caption"] == "user/web-ops reaches 2,000 of 2,000 managed nodes."
