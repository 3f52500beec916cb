"""The reach explorer without a browser: state in, views out."""

import html
import re
from collections.abc import Callable
from dataclasses import fields, replace
from itertools import product
from pathlib import Path
from threading import Event

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hostile import PAYLOADS
from hypothesis import given, settings
from hypothesis import strategies as st
from ipywidgets import HTML

import ssmlab
from ssmlab import widgets
from ssmlab.graphs import to_marks
from ssmlab.widgets import (
    CommandExplorer,
    Compare,
    EventLab,
    LogLab,
    PolicyLab,
    ReachExplorer,
    Readiness,
    TagLab,
    event_views,
    log_views,
    views,
)
from ssmlab.widgets.controls import UNTAGGED, RequestControls, list_options
from ssmlab.widgets.explorer import _parts
from ssmlab.widgets.filters import choose_nodes
from ssmlab.widgets.graph_view import GraphView
from ssmlab.widgets.matrix import make_matrix, to_table
from ssmlab.widgets.saver import Saver
from ssmlab.widgets.tables import TableView
from ssmlab.widgets.texts import describe_data
from ssmlab.widgets.views import State

WEB_OPS = "arn:aws:iam::123456789012:user/web-ops"

EXPLORERS = [ReachExplorer, PolicyLab, TagLab, Compare, CommandExplorer, EventLab, LogLab, Readiness]


@pytest.fixture
def explorer(sample: ssmlab.Snapshot) -> ReachExplorer:
    return ReachExplorer(sample, principals=["web-ops"])


def control(explorer: ReachExplorer, label: str):
    """A control by its label."""
    found, waiting = [], [explorer]
    while waiting:
        widget = waiting.pop()
        waiting += getattr(widget, "children", ())
        found += [widget] if getattr(widget, "description", None) == label else []
    assert len(found) == 1, f"{len(found)} controls are labelled {label}"
    return found[0]


def marks(explorer: ReachExplorer, kind: str) -> list[dict]:
    return [node for node in explorer._graph.graph["nodes"] if node["kind"] == kind]


def test_the_first_view_without_a_choice_shows_somebody_who_reaches_something(sample: ssmlab.Snapshot) -> None:
    explorer = ReachExplorer(sample)
    assert marks(explorer, "group")
    assert "reaches" in explorer._graph.caption


def test_a_tag_filter_narrows_the_nodes(explorer: ReachExplorer) -> None:
    control(explorer, "Tag").value = "Finance"
    control(explorer, "Value").value = "WebServers"
    assert explorer.state.tag_value == "WebServers"
    assert sum(mark["count"] for mark in marks(explorer, "group")) == 7
    control(explorer, "Value").value = "Ledger"
    assert marks(explorer, "group") == []
    assert "user/web-ops does not reach any of" in explorer._graph.empty


def test_nodes_without_a_tag_can_be_chosen(sample: ssmlab.Snapshot) -> None:
    rows = choose_nodes(sample.nodes, State(tag_key="Env", tag_value=UNTAGGED))
    assert sample.nodes["tag:Env"].iloc[rows].isna().all()
    assert len(rows) == sample.nodes["tag:Env"].isna().sum()


def test_another_tag_key_forgets_the_value_of_the_last(explorer: ReachExplorer) -> None:
    control(explorer, "Tag").value = "Finance"
    control(explorer, "Value").value = "WebServers"
    control(explorer, "Tag").value = "Env"
    assert explorer.state.tag_value == ""


def test_the_request_settles_what_depends_on_it(sample: ssmlab.Snapshot) -> None:
    explorer = ReachExplorer(sample, principals=["OnCall"])
    outcomes = {}
    for choice in ("", "true", "false", "absent"):
        control(explorer, "MFA used").value = choice
        outcomes[choice] = {edge["outcome"] for edge in explorer._graph.graph["edges"]}
    assert outcomes == {"": {"conditional"}, "true": {"allowed"}, "false": set(), "absent": set()}


def test_typing_finds_principals_and_keeps_the_chosen_one(explorer: ReachExplorer) -> None:
    control(explorer, "Find principal").value = "oncall"
    names = [label for label, _ in control(explorer, "Principals").options]
    assert [name.split()[1] for name in names] == ["web-ops", "OnCall"]
    assert explorer.state.principals == (WEB_OPS,)


def test_a_selected_mark_is_explained(explorer: ReachExplorer) -> None:
    explorer._graph.selected = marks(explorer, "group")[0]["id"]
    assert "user/web-ops may run" in explorer.why.value
    explorer._graph.selected = marks(explorer, "statement")[0]["id"]
    assert "ssm:SendCommand" in explorer.why.value
    explorer._graph.selected = WEB_OPS
    assert "may reach 6 managed nodes" in explorer.why.value
    explorer._graph.selected = ""
    assert "Choose a mark" in explorer.why.value


def test_what_has_nothing_that_goes_with_it_in_its_region_is_told_as_the_reason(sample: ssmlab.Snapshot) -> None:
    explorer = ReachExplorer(sample, principals=["web-ops"], node="web-2", denied=True)
    detail = {mark["id"]: mark["detail"] for mark in explorer._graph.graph["nodes"]}
    explorer._graph.selected = next(name for name, said in detail.items() if said == "SeedTestData in us-east-2")
    words = "SeedTestData in us-east-2: the filters leave nothing there that goes with it."
    assert explorer.why.value == f"<p>{words}</p>"


def test_a_selected_row_is_explained(explorer: ReachExplorer) -> None:
    explorer.tabs.selected_index = 2
    explorer._table._table.selected_rows = [0]
    assert "user/web-ops may run" in explorer.why.value


def test_what_would_mend_a_denial_is_tried_for_everyone(explorer: ReachExplorer) -> None:
    control(explorer, "what is denied, too").value = True
    explorer._graph.selected = next(m["id"] for m in marks(explorer, "group") if "Finance=WebServers" not in m["label"])
    button, told = explorer._trials.children
    assert button.description == "Try: Finance = WebServers"
    button.click()
    assert "With Finance = WebServers on web-4: user/web-ops gains 1 node. role/WebOps gains 1 node." in told.value
    line = html.unescape(told.value.split("<code>")[1].split("</code>")[0])
    lab = eval(line, {"TagLab": TagLab, "snapshot": explorer.snapshot})
    assert lab.counts["nodes_gained"].to_dict() == {WEB_OPS: 1, "arn:aws:iam::123456789012:role/WebOps": 1}
    explorer._graph.selected = ""
    assert explorer._trials.children == ()


def test_an_open_condition_is_tried_on_the_request(sample: ssmlab.Snapshot) -> None:
    explorer = ReachExplorer(sample, principals=["OnCall"])
    explorer._graph.selected = marks(explorer, "group")[0]["id"]
    button, told = explorer._trials.children
    assert button.description == "Try: aws:MultiFactorAuthPresent = true"
    button.click()
    assert "role/OnCall gains" in told.value
    assert "ReachExplorer(snapshot, context={&#x27;aws:MultiFactorAuthPresent&#x27;: &#x27;true&#x27;})" in told.value


@pytest.mark.parametrize("text", PAYLOADS[:12])
def test_what_is_tried_shows_untrusted_text_as_text(sample: ssmlab.Snapshot, text: str) -> None:
    wanted = {"StringEquals": {"ssm:resourceTag/Finance": text}}
    send = {"Effect": "Allow", "Action": "ssm:SendCommand", "Resource": "*"}
    document = send | {"Resource": "arn:aws:ssm:*:*:document/*"}
    policy = {"Version": "2012-10-17", "Statement": [document, send | {"Condition": wanted}]}
    changed = sample.with_policy(policy, name="Hostile", principal="arn:aws:iam::123456789012:user/ana")
    explorer = ReachExplorer(changed, principals=["ana"], denied=True)
    explorer._graph.selected = marks(explorer, "group")[0]["id"]
    button, told = explorer._trials.children
    button.click()
    assert "user/ana gains 1 node" in told.value
    assert not any(part in told.value for part in ("<script", "<img", "<svg", "<iframe"))


def test_the_table_says_how_much_it_shows(sample: ssmlab.Snapshot) -> None:
    reach = ssmlab.reach(sample)
    state = State(principals=("arn:aws:iam::123456789012:user/admin-adele",))
    rows, words = views.list_pairs(reach, state, limit=10)
    assert (len(rows), words) == (10, f"first 10 of {reach.pairs('admin-adele').attrs['total']} pairs")


def test_the_table_says_on_what_a_pair_depends_and_what_is_not_managed(sample: ssmlab.Snapshot) -> None:
    reach = ssmlab.reach(sample)
    state = State(principals=("arn:aws:iam::123456789012:role/OnCall",), document="AWS-RunShellScript")
    shown = views.short_pairs(views.list_pairs(reach, state)[0], reach)
    assert {*shown["only if"]} == {"`aws:MultiFactorAuthPresent` is `true`"}
    assert shown["managed"].value_counts().to_dict() == {"yes": 37, "no": 5}
    sure = views.short_pairs(reach.pairs("web-ops", "web-1"), reach)
    assert [*sure] == ["principal", "node", "document", "region", "outcome"]


@pytest.mark.parametrize("text", ["web-1", "AWS-RunPatch", "web-ops", "i-0123456789abcdef0", "nothing of it"])
def test_search_finds_every_row_that_holds_the_text_once(sample: ssmlab.Snapshot, text: str) -> None:
    reach = ssmlab.reach(sample)
    every = reach.pairs("web-ops")
    nodes = sample.nodes.loc[every["node"], ["node_id", "name"]].reset_index(drop=True)
    known = pd.concat([every[["principal", "document"]], nodes], axis=1).astype(str)
    holding = known.apply(lambda column: column.str.contains(text, regex=False)).any(axis=1)
    found, _ = views.list_pairs(reach, State(principals=(WEB_OPS,), search=text), limit=1000)
    assert {*found.itertuples(index=False)} == {*every[holding].itertuples(index=False)}
    assert not found.duplicated().any()


@pytest.mark.parametrize("text", PAYLOADS, ids=range(len(PAYLOADS)))
def test_text_of_the_data_is_escaped_in_every_panel(sample: ssmlab.Snapshot, text: str) -> None:
    nodes = sample.nodes.assign(**{"name": text, "tag:Finance": text})
    policy = {
        "Statement": {
            "Effect": "Allow",
            "Action": "ssm:SendCommand",
            "Resource": "*",
            "Condition": {"StringNotEquals": {"ssm:resourceTag/x": text}},
        }
    }
    changed = sample.replace(nodes=nodes).with_policy(policy, name=text, principal=WEB_OPS)
    explorer = ReachExplorer(changed, principals=[WEB_OPS], tag_key="Finance", tag_value=text)
    shown = [describe_data(changed), explorer._line.value]
    for mark in [*explorer._graph.graph["nodes"], *explorer._graph.graph["edges"]]:
        explorer._graph.selected = mark["id"]
        shown.append(explorer.why.value)
    assert len(shown) > 5
    assert not any(tag in text_ for text_ in shown for tag in ("<script", "<img", "<iframe", "<svg"))


def test_what_cannot_be_seen_in_a_policy_is_marked(sample: ssmlab.Snapshot) -> None:
    condition = {"StringNotEquals": {"ssm:resourceTag/x": "\u202e"}}
    policy = {"Statement": {"Effect": "Allow", "Action": "ssm:SendCommand", "Resource": "*", "Condition": condition}}
    explorer = ReachExplorer(sample.with_policy(policy, name="own", principal=WEB_OPS), principals=[WEB_OPS])
    explorer._graph.selected = next(mark["id"] for mark in marks(explorer, "statement") if "own#" in mark["id"])
    assert r"&quot;\u202e&quot;" in explorer.why.value
    told = []
    for mark in explorer._graph.graph["nodes"]:
        explorer._graph.selected = mark["id"]
        told.append(explorer.why.value)
    explorer.tabs.selected_index = 2
    explorer._table._table.selected_rows = [0]
    assert "\u202e" not in "".join([*told, explorer.why.value])


def test_a_state_that_does_not_exist_is_refused_by_name(sample: ssmlab.Snapshot) -> None:
    with pytest.raises(ValueError, match=r"unknown state \['colour'\], expected some of"):
        ReachExplorer(sample, colour="red")
    with pytest.raises(ValueError, match=r"Region: expected one of .* got `mars`"):
        ReachExplorer(sample, region="mars")


@pytest.mark.parametrize("kind", EXPLORERS)
def test_a_value_of_another_type_than_its_field_is_refused_by_name(sample: ssmlab.Snapshot, kind: type) -> None:
    for field in fields(kind.state_type):
        for value in (object(), 1.5, [[1]]):
            with pytest.raises(TypeError, match=f"^{field.name}: expected .*, got `"):
                kind(sample, **{field.name: value})


@pytest.mark.parametrize(
    ("kind", "state", "words"),
    [
        (ReachExplorer, {"node": 5}, "node: expected a text, got `5`"),
        (ReachExplorer, {"principals": "x"}, "principals: expected a list of texts, got `'x'`"),
        (ReachExplorer, {"principals": [5]}, "principals: expected a list of texts, got `(5,)`"),
        (ReachExplorer, {"context": 3}, "context: expected a mapping with texts as keys, got `3`"),
        (ReachExplorer, {"context": {5: "a"}}, "context: expected a mapping with texts as keys, got `{5: 'a'}`"),
        (ReachExplorer, {"denied": "yes"}, "denied: expected True or False, got `'yes'`"),
        (PolicyLab, {"text": {}}, "text: expected a text or None, got `{}`"),
        (LogLab, {"period": "60"}, "period: expected a number, got `'60'`"),
        (TagLab, {"edits": {"key": "a", "value": "b"}}, "edits: expected a list of mappings, got `{'key': 'a', "),
        (CommandExplorer, {"targets": ["tag:Env"]}, "targets: expected a list of mappings, got `('tag:Env',)`"),
        (CommandExplorer, {"targets": [{"Key": "a"}]}, 'targets: expected {"Key": "tag:Env", "Values": ["dev"]} each'),
    ],
)
def test_what_was_expected_of_a_field_is_told(sample: ssmlab.Snapshot, kind: type, state: dict, words: str) -> None:
    with pytest.raises(TypeError, match="^" + re.escape(words)):
        kind(sample, **state)


def test_an_empty_inventory_says_what_is_missing(sample: ssmlab.Snapshot) -> None:
    explorer = ReachExplorer(sample.replace(nodes=sample.nodes.iloc[:0]), principals=["web-ops"])
    assert explorer._graph.empty == "No node matches the filters."


def test_the_line_on_the_data_counts_what_is_wrong_with_it(sample: ssmlab.Snapshot) -> None:
    line = describe_data(sample)
    assert "60 nodes" in line
    assert "5 warnings in the data" in line


def test_other_ways_in_are_drawn_once_they_are_found(sample: ssmlab.Snapshot) -> None:
    explorer = ReachExplorer(sample, principals=["web-ops"], ways=True)
    explorer.wait()
    assert explorer._graph.caption.endswith("No other way round these limits is known from these policies.")
    tagging = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:CreateTags", "Resource": "*"}]}
    explorer = ReachExplorer(sample.with_policy(tagging, name="<img onerror>", principal=WEB_OPS), ways=True)
    explorer.controls["principals"].value = (WEB_OPS,)
    explorer.wait()
    assert explorer._graph.caption.endswith("By other ways 18 nodes that Run Command refuses.")
    explorer._graph.selected = next(mark["id"] for mark in marks(explorer, "policy"))
    assert "User/web-ops may tag i-" in explorer.why.value
    assert "<img" not in explorer.why.value


def test_what_comes_after_the_next_change_is_not_shown(sample: ssmlab.Snapshot) -> None:
    explorer = ReachExplorer(sample, principals=["web-ops"], ways=True)
    explorer.controls["ways"].value = False
    explorer.wait()
    assert "other way" not in explorer._graph.caption.lower()


def test_without_principals_the_view_is_turned_round(sample: ssmlab.Snapshot) -> None:
    explorer = ReachExplorer(sample, node="web-1")
    assert explorer._graph.label == "Who reaches web-1 with Run Command"
    assert explorer._graph.caption.startswith("10 of 31 principals reach web-1; 3 more depend")
    assert len({mark["id"] for mark in marks(explorer, "principal") + marks(explorer, "role")}) == 13


def test_another_request_leaves_the_title_of_the_picture_of_those_chosen(sample: ssmlab.Snapshot) -> None:
    explorer = ReachExplorer(sample, principals=["web-ops", "two-tags"])
    title = explorer._graph.label
    explorer.controls["context"].value = {"aws:MultiFactorAuthPresent": "true"}
    assert explorer._graph.label == title == "What user/web-ops, user/two-tags reach with Run Command"


def test_what_is_denied_is_drawn_with_its_reason(explorer: ReachExplorer) -> None:
    control(explorer, "what is denied, too").value = True
    details = [edge["detail"] for edge in explorer._graph.graph["edges"] if edge["outcome"] == "denied"]
    assert any("denied: no policy of the principal allows the node: the node" in detail for detail in details)
    explorer._graph.selected = next(e["id"] for e in explorer._graph.graph["edges"] if e["outcome"] == "denied")
    assert "may not run" in explorer.why.value


def test_a_node_group_unfolds_and_folds_back(explorer: ReachExplorer) -> None:
    groups = [mark for mark in marks(explorer, "group") if mark["count"] > 1]
    explorer._graph.selected = groups[0]["id"]
    explorer._fold.click()
    nodes = marks(explorer, "node")
    assert len(nodes) == groups[0]["count"]
    assert explorer.state.unfolded == (f"group:{explorer.snapshot.nodes.index[0]}",)  # not a row: those change
    explorer._graph.selected = nodes[0]["id"]
    assert "may run" in explorer.why.value
    explorer._fold.click()
    assert marks(explorer, "group") == [*marks(ReachExplorer(explorer.snapshot, principals=["web-ops"]), "group")]


def test_the_matrix_holds_what_reach_says(sample: ssmlab.Snapshot) -> None:
    explorer = ReachExplorer(sample, principals=[], node="", document="AWS-RunShellScript")
    explorer.tabs.selected_index = 1
    matrix, reach = explorer._cells, ssmlab.reach(sample)
    named = {"allowed": "allowed", "conditional": "conditional", "implicitDeny": "denied", "explicitDeny": "denied"}
    for row, cells in zip(matrix["rows"], matrix["cells"], strict=True):
        for column, cell in zip(matrix["columns"], cells, strict=True):
            node = sample.nodes.index[matrix["members"][column["id"]][0]]
            assert named[reach.outcome(row["id"], node, "AWS-RunShellScript").value] == cell
    explorer._matrix.selected = f"{matrix['rows'][0]['id']}|{matrix['columns'][0]['id']}"
    assert "AWS-RunShellScript on" in explorer.why.value


def test_an_empty_matrix_says_why_in_the_panel_and_above_it(sample: ssmlab.Snapshot) -> None:
    told = {"zzz": "No node matches the filters.", "i-07b918020d0644452": "Nobody chosen reaches any of these nodes."}
    for node, words in told.items():
        explorer = ReachExplorer(sample, principals=["web-ops"], node=node, view="Matrix")
        assert words in explorer._live.value
        assert (explorer._matrix.matrix["empty"], explorer._matrix.matrix["columns"]) == (words, [])


def selected(explorer: ReachExplorer) -> tuple[str, str, list[str]]:
    """What is selected in graph, matrix and table: the view that is seen, so that it is drawn."""
    rows = explorer._pairs.iloc[[*explorer._table._table.selected_rows]] if explorer.seen == 2 else pd.DataFrame()
    return explorer._graph.selected, explorer._matrix.selected, [*rows.to_numpy()[:, :3].ravel()]


PAIR = [
    WEB_OPS,
    "arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef0",
    "arn:aws:ssm:eu-west-1:123456789012:document/RestartWebServer",
]


@pytest.fixture
def linked(explorer: ReachExplorer) -> ReachExplorer:
    """A row of the table is selected."""
    explorer.tabs.selected_index = 2
    rows = explorer._pairs[["principal", "node", "document"]].to_numpy().tolist()
    explorer._table._table.selected_rows = [rows.index(PAIR)]
    assert "user/web-ops may run RestartWebServer on web-1" in explorer.why.value
    return explorer


def test_what_is_selected_in_one_view_is_selected_in_the_others_with_its_reason(linked: ReachExplorer) -> None:
    reason = linked.why.value
    linked.tabs.selected_index = 1
    members = linked._cells["members"]
    column = next(name for name, rows in members.items() if linked.snapshot.nodes.index.get_loc(PAIR[1]) in rows)
    assert linked._matrix.selected == f"{WEB_OPS}|{column}"
    assert linked.why.value == reason
    linked.tabs.selected_index = 0
    assert linked._graph.selected == f"group:{PAIR[1]}"
    assert linked.why.value == reason
    linked.tabs.selected_index = 2
    assert selected(linked)[2] == PAIR
    assert linked.why.value == reason


def test_a_mark_that_is_selected_is_told_in_the_other_views(explorer: ReachExplorer) -> None:
    explorer._graph.selected = f"group:{PAIR[1]}"
    explorer.tabs.selected_index = 2
    assert selected(explorer)[2][:2] == PAIR[:2]
    explorer.tabs.selected_index = 0
    assert explorer._graph.selected == f"group:{PAIR[1]}"
    explorer._graph.selected = WEB_OPS
    reason = explorer.why.value
    explorer.tabs.selected_index = 1
    assert (explorer.why.value, explorer._matrix.selected) == (reason, "")
    explorer.tabs.selected_index = 0
    assert (explorer.why.value, explorer._graph.selected) == (reason, WEB_OPS)


def test_a_selection_stays_with_another_request_and_goes_with_other_filters(linked: ReachExplorer) -> None:
    linked.controls["context"].value = {"aws:MultiFactorAuthPresent": "true"}
    assert selected(linked)[2] == PAIR
    linked.tabs.selected_index = 0
    linked._fold.click()
    assert linked._graph.selected == f"node:{PAIR[1]}"
    linked._fold.click()
    assert linked._graph.selected == f"group:{PAIR[1]}"
    control(linked, "Region").value = "us-east-2"
    assert linked._graph.selected == ""
    assert "Choose a mark" in linked.why.value


def test_a_selection_that_is_cleared_in_the_matrix_is_cleared_everywhere(linked: ReachExplorer) -> None:
    linked.tabs.selected_index = 1
    linked._matrix.selected = ""
    assert "Choose a mark" in linked.why.value
    linked.tabs.selected_index = 2
    assert selected(linked)[2] == []


def test_the_view_and_the_order_of_the_matrix_stand_in_the_line_to_copy(sample: ssmlab.Snapshot) -> None:
    explorer = ReachExplorer(sample, principals=[])
    explorer.tabs.selected_index = 1
    control(explorer, "Order").value = "name"
    line = html.unescape(explorer._line.value.partition("<code>")[2].partition("</code>")[0])
    assert line == "ReachExplorer(snapshot, principals=[], order='name', view='Matrix')"
    again = eval(line, {"ReachExplorer": ReachExplorer, "snapshot": sample})
    assert (again.seen, again._matrix.matrix) == (1, explorer._matrix.matrix)


@pytest.mark.parametrize("kind", EXPLORERS)
def test_a_view_that_there_is_not_is_refused_by_name(sample: ssmlab.Snapshot, kind: type) -> None:
    with pytest.raises(ValueError, match=r"view: expected one of .*, got `Globe`"):
        kind(sample, view="Globe")


def test_what_is_asked_of_those_chosen_alone_is_what_everyone_s_reach_says(sample: ssmlab.Snapshot) -> None:
    for principals, value in product((["OnCall"], ["web-ops", "admin-adele"]), ("true", "false", None)):
        explorer = ReachExplorer(sample, principals=principals)
        explorer.controls["context"].value = {"aws:MultiFactorAuthPresent": value}
        everyone = ssmlab.reach(sample, context=explorer.state.context)
        assert len(explorer.reach.snapshot.principals) == len(principals)
        assert to_marks(explorer.to_graph()) == to_marks(views.draw_state(everyone, explorer.state))
        listed = views.list_pairs(everyone, explorer.state, 10**6)[0]
        pd.testing.assert_frame_equal(explorer.to_frame().drop(columns="only_if"), listed)


@pytest.mark.parametrize("sort", ["reach", "similar", "name"])
def test_every_order_of_the_matrix_holds_the_same(sample: ssmlab.Snapshot, sort: str) -> None:
    state, reach = State(document="AWS-RunShellScript", region="us-east-2", tag_key="Env"), ssmlab.reach(sample)
    frames = [to_table(make_matrix(reach, state, s)).set_index("principal") for s in ("reach", sort)]
    pd.testing.assert_frame_equal(*frames, check_like=True)


def test_a_view_is_a_line_to_copy(explorer: ReachExplorer) -> None:
    control(explorer, "Region").value = "eu-west-1"
    control(explorer, "Source IP").value = "203.0.113.9"
    line = html.unescape(explorer._line.value.partition("<code>")[2].partition("</code>")[0])
    again = eval(line, {"ReachExplorer": ReachExplorer, "snapshot": explorer.snapshot})
    assert again.state == explorer.state


def test_what_is_seen_is_saved(explorer: ReachExplorer) -> None:
    name, content = explorer.export("CSV")
    assert name == "ReachExplorer.csv"
    assert len(content.decode().splitlines()) == 1 + explorer.reach.pairs("web-ops").attrs["total"]
    graph = nx.parse_graphml(explorer.export("GraphML")[1].decode())
    assert {*graph.nodes} == {mark["id"] for mark in explorer._graph.graph["nodes"]}


def saved_marks(explorer) -> set[str]:
    return {*nx.parse_graphml(explorer.export("GraphML")[1].decode()).nodes}


def test_the_graph_of_the_present_state_is_saved_where_another_view_is_seen(sample: ssmlab.Snapshot) -> None:
    two_tags = "arn:aws:iam::123456789012:user/two-tags"
    explorer = ReachExplorer(sample, principals=["web-ops"], view="Table")
    explorer.controls["principals"].value = (two_tags,)
    assert saved_marks(explorer) == saved_marks(ReachExplorer(sample, principals=["two-tags"]))
    lab = TagLab(sample, view="Changes")
    lab._undo()
    assert saved_marks(lab) == saved_marks(TagLab(sample, edits=[]))
    compare = Compare(sample, sample.with_tags("i-0123456789abcdef0", {"Finance": "Ledger"}))
    compare.wait()
    assert WEB_OPS in saved_marks(compare)


def test_what_is_saved_says_on_what_a_pair_depends(sample: ssmlab.Snapshot) -> None:
    saved = ReachExplorer(sample, principals=["OnCall", "web-ops"]).to_frame()
    told = saved.groupby("outcome", observed=True)["only_if"].unique().map(list).to_dict()
    assert told == {"allowed": [""], "conditional": ["`aws:MultiFactorAuthPresent` is `true`"]}


def test_a_request_that_cannot_be_read_is_told_beside_the_control(explorer: ReachExplorer) -> None:
    before = explorer.state
    control(explorer, "More keys").value = "aws:PrincipalOrgID o-1"
    assert "expected a line such as key = value" in explorer.controls["context"]._wrong.value
    assert explorer.state == before


KEYS = ("aws:SourceIp", "aws:MultiFactorAuthPresent", "aws:RequestTag/a=b", '"', " k ", "", "absent")


@pytest.mark.parametrize(
    "text", ["", "absent", '"', '"absent"', " a = b ", "a\nb = c", "\u2028\x00\ud800", "=", "é", None]
)
def test_an_edit_of_the_request_leaves_every_other_key_as_it_was(text: str | None) -> None:
    for key in KEYS:
        request = RequestControls({key: text})
        control(request, "Time").value = "2026-01-01T00:00:00Z"
        assert request.value == {key: text, "aws:CurrentTime": "2026-01-01T00:00:00Z"}
        control(request, "Time").value = ""
        assert request.value == {key: text}


@given(st.dictionaries(st.text() | st.sampled_from(KEYS), st.none() | st.text() | st.just("absent")))
@settings(max_examples=60, deadline=None)
def test_what_the_request_says_is_read_back_as_it_was(context: dict[str, str | None]) -> None:
    request = RequestControls(context)
    request._read()
    assert request._wrong.value == ""
    assert request.value == context


def test_what_is_typed_into_the_request_is_read_as_its_label_says(explorer: ReachExplorer) -> None:
    control(explorer, "More keys").value = 'a = absent\nb = "absent"\n"c=d" = ""\ne = f=g\nnot known ='
    assert explorer.state.context == {"a": None, "b": "absent", "c=d": "", "e": "f=g"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("= o-1", "More keys: expected a line such as key = value, got `= o-1`"),
        ('a = "b', 'expected a text in quotation marks, as JSON, such as "absent", got `"b`'),
        ("a = 1\na = 2", "More keys: `a` stands twice"),
        ("aws:SourceIp = 203.0.113.1", "More keys: `aws:SourceIp` stands twice"),
    ],
)
def test_what_cannot_be_read_of_a_request_is_refused(explorer: ReachExplorer, text: str, words: str) -> None:
    control(explorer, "Source IP").value = "203.0.113.9"
    control(explorer, "More keys").value = text
    assert words in html.unescape(explorer.controls["context"]._wrong.value)
    assert explorer.state.context == {"aws:SourceIp": "203.0.113.9"}


def said(explorer: ReachExplorer) -> str:
    return html.unescape(explorer._live.value).removeprefix("<span role='status'>").removesuffix("</span>")


def test_the_result_of_each_view_stands_above_the_views(sample: ssmlab.Snapshot) -> None:
    explorer = ReachExplorer(sample, node="db-1", ways=True)
    assert said(explorer) == "Looking for other ways in…"
    explorer.wait()
    assert said(explorer).startswith(explorer._graph.caption)
    assert said(explorer).endswith(" Choose principals to see their other ways in.")
    explorer.tabs.selected_index = 1
    assert said(explorer) == explorer._cells["caption"]
    explorer.tabs.selected_index = 2
    assert said(explorer).endswith(" pairs")


def test_what_was_saved_is_told_until_something_changes(explorer: ReachExplorer) -> None:
    saver = next(part for part in _parts(explorer) if isinstance(part, Saver))
    saver._answer(saver, {"told": "Saved a.csv."}, [])
    assert said(explorer) == f"{explorer._graph.caption} Saved a.csv."
    saver._answer(saver, {"kind": "GraphML"}, [])
    control(explorer, "Region").value = "eu-west-1"
    assert said(explorer) == explorer._graph.caption


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("node", "db-1", "1 node of just this name"),
        ("node", "DB-", "4 nodes with this in the name"),
        ("node", "nope", "0 nodes with this in the name"),
        ("node", "", ""),
        ("document", "AWS-RunShellScript", "2 documents of just this name"),
    ],
)
def test_how_much_a_name_leaves_is_told_under_it(explorer: ReachExplorer, field: str, text: str, words: str) -> None:
    explorer.controls[field].value = text
    assert explorer.controls[field]._count.value == words
    chosen = {"node": choose_nodes, "document": views.choose_documents}[field]
    found = chosen(explorer.snapshot.nodes if field == "node" else explorer.snapshot.documents, explorer.state)
    assert not words or len(found) == int(words.split()[0])


@pytest.mark.parametrize("kind", EXPLORERS)
def test_no_two_controls_share_a_layout(sample: ssmlab.Snapshot, kind: type) -> None:
    layouts = [part.layout for part in _parts(kind(sample)) if part.has_trait("layout")]
    assert len({id(layout) for layout in layouts}) == len(layouts)


def test_what_comes_from_the_background_waits_until_a_change_is_drawn(sample: ssmlab.Snapshot) -> None:
    explorer = ReachExplorer(sample, principals=["web-ops"])
    go, begun, drawn = Event(), Event(), Event()

    def finish(_: None) -> None:
        begun.set()
        drawn.wait(0.2)  # a change comes meanwhile, and is drawn after this
        explorer.say("old")

    explorer.later("Working…", lambda: go.wait(5), finish)
    go.set()
    assert begun.wait(5)
    explorer.tabs.selected_index = 1
    drawn.set()
    explorer.wait()
    assert "old" not in explorer._live.value
    assert "user/web-ops reaches" in explorer._live.value


def test_statements_that_may_allow_are_alternatives_in_the_table_and_the_graph(sample: ssmlab.Snapshot) -> None:
    """Tags of a node that were not collected: either of two statements is enough."""
    explorer = ReachExplorer(sample, principals=["either-tag"], outcome="conditional", region="us-east-2")
    told = "either tag `tag_key1` is `tag_value1` or tag `tag_key2` is `tag_value2`"
    assert {*explorer.to_frame()["only_if"]} == {told}
    assert {edge["detail"] for edge in explorer._graph.graph["edges"] if "only if" in edge["detail"]} == {
        f"only if {told}"
    }


EMPTIED = {
    "principals": (ReachExplorer, {"principals": ()}),
    "targets": (CommandExplorer, {"targets": ()}),
    "region": (CommandExplorer, {"region": ""}),
    "the way of sending": (CommandExplorer, {"instance_ids": "i-0123456789abcdef0", "by": "targets"}),
    "event pattern": (EventLab, {"pattern": ""}),
    "event pattern, my own": (EventLab, {"pattern": "{}", "start": "any transition of a command"}),
    "filter pattern": (LogLab, {"pattern": ""}),
    "period": (LogLab, {"period": 60}),
    "policies": (Compare, {"first": "", "second": ""}),
}


@pytest.mark.parametrize("case", EMPTIED)
def test_what_is_taken_from_the_first_view_does_not_come_back_by_the_line_to_copy(
    sample: ssmlab.Snapshot, case: str
) -> None:
    kind, state = EMPTIED[case]
    explorer = kind(sample)
    for name, value in state.items():
        explorer.controls[name].value = value
    line = html.unescape(explorer._line.value.partition("<code>")[2].partition("</code>")[0])
    again = eval(line, {kind.__name__: kind, **dict.fromkeys(("snapshot", "events", "log_events"), sample)})
    assert again.state == explorer.state


def test_edits_taken_back_and_two_policies_instead_of_two_snapshots_stand_in_the_line_to_copy(
    sample: ssmlab.Snapshot,
) -> None:
    tags = TagLab(sample)
    tags._undo()
    assert "<code>TagLab(snapshot, edits=[])</code>" in tags._line.value
    sides = Compare(sample, sample)
    sides.controls["what"].value = "policies"
    assert "(before, after, what=&#x27;policies&#x27;" in sides._line.value


@pytest.mark.parametrize("frame", ["nodes", "documents", "principals", "policies"])
@pytest.mark.parametrize("kind", [EventLab, LogLab])
def test_where_no_first_command_can_be_sent_the_labs_are_empty_and_say_why(
    sample: ssmlab.Snapshot, kind: type, frame: str
) -> None:
    lab = kind(sample.replace(**{frame: getattr(sample, frame).iloc[:0]}))
    assert "; no first command can be sent on this snapshot: " in lab.describe()


def test_what_cannot_be_seen_is_marked_in_problems_and_in_what_aws_would_refuse(sample: ssmlab.Snapshot) -> None:
    lab = PolicyLab(sample, text='{"\u202e": 1}')
    assert r"\u202e" in lab._wrong.value
    ready = Readiness(sample.replace(nodes=sample.nodes.assign(platform="\u202e")))
    ready._tables["Checklist"]._table.selected_rows = [0]
    assert r"\u202e" in ready.why.value
    damaged = replace(sample, noted=sample.noted.assign(what="\u202e"))
    assert r"\u202e" in describe_data(damaged)
    assert "\u202e" not in lab._wrong.value + ready.why.value + describe_data(damaged)


def test_columns_of_the_matrix_that_are_called_alike_are_saved_apart() -> None:
    column = {"label": "nodes · eu-west-1", "count": 2}
    saved = to_table({"rows": [{"id": "ana"}], "columns": [column] * 2, "cells": [["allowed", "denied"]]})
    assert [*saved] == ["principal", "nodes · eu-west-1 (2)", "nodes · eu-west-1 (2) #2"]


@pytest.mark.parametrize("kind", [ReachExplorer, PolicyLab, TagLab, CommandExplorer])
def test_several_values_of_a_key_of_the_request_stay_as_they_are(sample: ssmlab.Snapshot, kind: type) -> None:
    several = {"aws:TagKeys": ["a", "<b>"], "aws:SourceIp": ["203.0.113.9"]}
    explorer = kind(sample, context=several)
    assert "role='alert'" not in explorer.why.value
    request = explorer.controls["context"]
    control(explorer, "MFA used").value = "true"
    assert explorer.state.context == {**several, "aws:MultiFactorAuthPresent": "true"}
    told = "".join(part.value for part in _parts(request) if isinstance(part, HTML))
    assert "&lt;b&gt;" in told
    assert "<b>" not in told


PLURALS = "nodes documents pairs principals machines changes events messages periods findings groups others requests"
OF_ONE = re.compile(rf"(?<![\w,.-])1 (more |managed |of the )*({PLURALS.replace(' ', '|')}|depend|gain|lose)\b")


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (ReachExplorer, {"principals": []}),
        (PolicyLab, {"policy": "page 1: one tag"}),
        (TagLab, {"edits": []}),
        (TagLab, {"edits": [{"key": "Finance", "value": "Other", "nodes": ["i-0123456789abcdef0"]}]}),
        (Compare, {"first": "Page-1-OneTag", "second": '{"Version": "2012-10-17", "Statement": []}'}),
        (CommandExplorer, {}),
        (EventLab, {"pattern": '{"source": ["none"]}'}),
        (LogLab, {}),
        (Readiness, {}),
    ],
)
def test_of_one_thing_no_screen_speaks_as_of_several(sample: ssmlab.Snapshot, kind: type, state: dict) -> None:
    one = {
        "nodes": sample.nodes[sample.nodes["name"] == "web-1"],
        "documents": sample.documents.iloc[[0]],
        "principals": sample.principals.loc[[WEB_OPS]],
    }
    given = {EventLab: [{"source": "a"}], LogLab: {"timestamp": [0], "message": ["ERROR"]}}
    explorer = kind(given.get(kind, sample.replace(**one)), **state)
    told = []
    for number in range(len(explorer.tabs.children)):
        explorer.tabs.selected_index = number
        explorer.wait()
        for part in _parts(explorer):
            if isinstance(part, TableView) and part._rows:
                part._table.selected_rows = [0]
                told.append(explorer.why.value)
            if isinstance(part, GraphView):
                for mark in [*part.graph.get("nodes", ()), *part.graph.get("edges", ())]:
                    part.selected = mark["id"]
                    told += [explorer.why.value, mark["detail"]]
        parts = _parts(explorer)
        told += [getattr(part, "value", "") for part in parts if isinstance(part, HTML)]
        told += [part.caption for part in parts if part.has_trait("caption")]
    wrong = [found[0] for text in told if (found := OF_ONE.search(text))]
    assert wrong == []


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (lambda: event_views.say_matches(np.array([True, False])), "1 of 2 events matches."),
        (lambda: log_views.say_matches(np.array([True])), "1 of 1 message matches."),
        (lambda: event_views.describe_events([{"source": "aws.ssm"}]), "1 event of aws.ssm"),
        (
            lambda: event_views.count_mismatches(
                '{"source": ["b"]}', [{"source": "a"}, {"source": "b"}], np.array([False, True])
            ),
            ['1 of 1 other fails at `source`; values there: "a" (1)'],
        ),
    ],
)
def test_numbers_agree_with_what_they_count(told: Callable[[], object], words: object) -> None:
    assert told() == words


def test_an_outcome_that_depends_on_what_is_not_known_is_called_conditional_everywhere(sample: ssmlab.Snapshot) -> None:
    explorer = ReachExplorer(sample, principals=["OnCall"])
    assert control(explorer, "Outcome").options[-1] == ("conditional", "conditional")
    explorer.tabs.selected_index = 2
    assert {*explorer._table._table.df["outcome"]} == {"conditional"}
    pair = explorer.reach.pairs("OnCall", outcome="conditional", limit=1).iloc[0][["principal", "node", "document"]]
    assert "conditional" in {*explorer.reach.explain(*pair).steps["outcome"]}
    legend = ssmlab.draw_graph(explorer.to_graph()).get_legend()
    assert "conditional" in [text.get_text() for text in legend.get_texts()]
    lab = PolicyLab(sample, policy="page 1: one tag")
    lab.tabs.selected_index = 2
    assert {"nodes: now conditional", "pairs: now conditional"} <= {*lab.by_principal._table.df}
    scripts = [path.read_text() for path in (Path(widgets.__file__).parent / "static").glob("*.js")]
    assert not any('"depends"' in text for text in scripts)


def test_a_long_value_is_cut_in_the_middle() -> None:
    labels = dict(list_options(pd.Series(["first" + "x" * 80 + "last", "short", ""])))
    assert [*labels] == ["(empty)", "first" + "x" * 18 + "…" + "x" * 32 + "last", "short"]
