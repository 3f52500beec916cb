"""The tag lab without a browser: edits in, views out."""

import html
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import ssmlab
from ssmlab.paths import who_may_tag
from ssmlab.snapshots.tag_files import read_tag_file
from ssmlab.widgets import TagLab
from ssmlab.widgets.edits import apply_edits, say_edit

WEB = "i-0123456789abcdef0"
WEB_ARN = f"arn:aws:ec2:eu-west-1:123456789012:instance/{WEB}"
TO_LEDGER = {"key": "Finance", "value": "Ledger", "nodes": [WEB]}
LOST = "user/web-ops loses 1 node. role/WebOps loses 1 node."
BEN = "arn:aws:iam::123456789012:user/op-ben"
HEADER = "node_id,account,region,tag:Finance,tag:New\n"


@pytest.fixture(scope="module")
def snapshot() -> ssmlab.Snapshot:
    return ssmlab.load("data/sample")


@pytest.fixture
def lab(snapshot: ssmlab.Snapshot) -> TagLab:
    return TagLab(snapshot, edits=[TO_LEDGER])


def upload(lab: TagLab, text: str, name: str = "edited.csv") -> None:
    lab._read([{"name": name, "content": memoryview(text.encode())}])


def test_the_first_view_suggests_an_edit_by_which_somebody_gains(snapshot: ssmlab.Snapshot) -> None:
    lab = TagLab(snapshot)
    assert lab._edits.options == (("Team = blue · 7 nodes, without Team, eu-west-1, 123456789012, ec2", 0),)
    assert lab.graph.caption == "user/team-blue gains 7 nodes. role/TeamOps gains 7 nodes."
    assert {edge["outcome"] for edge in lab.graph.graph["edges"]} == {"gained", "unchanged"}


def test_groups_of_nodes_that_are_tagged_otherwise_now_are_told_from_others_with_the_same_tag(
    snapshot: ssmlab.Snapshot,
) -> None:
    nodes = TagLab(snapshot).graph.graph["nodes"]
    labels = [(mark["label"], mark["count"]) for mark in nodes if mark["label"].startswith("Team=blue · eu")]
    assert sorted(labels) == [("Team=blue · eu-west-1", 10), ("Team=blue · eu-west-1 · 1 not managed · changed", 7)]


def test_an_edit_is_told_counted_drawn_and_undone(lab: TagLab) -> None:
    assert lab.graph.caption == LOST
    assert {edge["outcome"] for edge in lab.graph.graph["edges"]} >= {"lost", "unchanged"}
    expected = ssmlab.reach(lab.snapshot).compare(ssmlab.reach(lab.snapshot.with_tags(WEB, {"Finance": "Ledger"})))
    lab.tabs.selected_index = 1
    pd.testing.assert_frame_equal(lab._rows, expected)
    lab.tabs.selected_index = 0
    lab._undo()
    assert lab.state.edits == ()
    assert lab.graph.caption.startswith("25 of 31 principals reach some of these 60 nodes.")


def test_filters_choose_the_nodes_and_an_edit_keeps_them(snapshot: ssmlab.Snapshot) -> None:
    lab = TagLab(snapshot, edits=[], tag_key="Finance", tag_value="WebServers")
    assert lab._chosen.value == "<p>12 of 60 nodes, left by the filters</p>"
    lab._key.value, lab._value.value = "Team", "red"
    lab._add(lab._value.value)
    assert lab.state.edits[0] == {
        "key": "Team",
        "value": "red",
        "where": {"tag_key": "Finance", "tag_value": "WebServers"},
    }
    assert lab._edits.options[0][0] == "Team = red · 12 nodes, Finance = WebServers"
    lab.controls["nodes"].value = (WEB_ARN,)
    lab._add(None)
    assert lab.state.edits[1] == {"key": "Team", "value": None, "nodes": [WEB_ARN]}
    lab._edits.value = (0,)
    lab._undo()
    assert [say_edit(snapshot.nodes, edit) for edit in lab.state.edits] == ["Team removed · 1 node"]


def test_other_filters_forget_the_chosen_nodes(lab: TagLab) -> None:
    lab.controls["nodes"].value = (WEB_ARN,)
    lab.controls["region"].value = "us-east-2"
    assert lab.state.nodes == ()
    assert {label.rpartition(" · ")[2] for label, _ in lab.controls["nodes"].options} == {"us-east-2"}


def test_filters_of_an_edit_are_read_on_the_tags_as_they_were_loaded(snapshot: ssmlab.Snapshot) -> None:
    first = {"key": "Team", "value": "blue", "where": {"tag_key": "Team", "tag_value": "red"}}
    second = {"key": "Team", "value": "red", "where": {"tag_key": "Team", "tag_value": "blue"}}
    swapped = apply_edits(snapshot, [first, second]).nodes["tag:Team"].value_counts().to_dict()
    assert swapped == {"blue": 15, "red": 22}


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("", "Write a key first: which tag?"),
        (" aws:x ", "AWS keeps keys that begin with aws: for itself."),
        ("x", "The filters leave no node."),
    ],
    ids=["no key", "a key of AWS", "no node"],
)
def test_an_edit_that_cannot_be_is_told_below_its_button(snapshot: ssmlab.Snapshot, key: str, words: str) -> None:
    lab = TagLab(snapshot, edits=[], node="no such node")
    lab._key.value = key
    lab._add("x")
    assert lab._wrong.value == f"<p role='alert'>{words}</p>"
    assert lab.state.edits == ()
    lab.controls["node"].value, lab._key.value = "", "x"
    lab._add("x")
    assert (lab._wrong.value, len(lab.state.edits)) == ("", 1)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        ({"key": "a"}, "expected an edit with"),
        ({"key": "a", "value": "b", "colour": "red"}, "expected an edit with"),
        ({"key": 5, "value": "b"}, "expected an edit with"),
        ({"key": "a", "value": 5}, "expected an edit with"),
        ({"key": "a", "value": "b", "nodes": "web-1"}, "expected an edit with"),
        ({"key": "a", "value": "b", "where": 5}, "expected an edit with"),
        ({"key": "a", "value": "b", "nodes": ["i-0"]}, "no node `i-0`"),
        ({"key": "a", "value": "b", "where": {"tag_key": "Finanz"}}, "no tag key `Finanz`, did you mean"),
    ],
)
def test_an_edit_of_another_form_is_refused(snapshot: ssmlab.Snapshot, edit: dict, words: str) -> None:
    with pytest.raises((ValueError, KeyError), match=words):
        TagLab(snapshot, edits=[edit])


def test_nodes_are_chosen_by_id_or_arn_and_what_is_not_there_is_refused(snapshot: ssmlab.Snapshot) -> None:
    assert [arn.rpartition("/")[2] for arn in TagLab(snapshot, nodes=[WEB]).state.nodes] == [WEB]
    with pytest.raises(KeyError, match="no node `i-0`"):
        TagLab(snapshot, nodes=["i-0"])
    with pytest.raises(ValueError, match=r"Tag: expected one of .*, got `Finanz`"):
        TagLab(snapshot, tag_key="Finanz")


def test_a_line_is_explained_for_a_principal_that_it_leads_from(snapshot: ssmlab.Snapshot) -> None:
    lab = TagLab(snapshot, edits=[*TagLab(snapshot).state.edits, TO_LEDGER])
    lost = next(e["id"] for e in lab.graph.graph["edges"] if e["outcome"] == "lost" and "Web-Operations" in e["id"])
    lab.graph.selected = lost
    assert "Before: role/WebOps may run" in lab.why.value
    lab.graph.selected = lost.rpartition("→")[2]  # the node, which others reach as before
    assert "Before: user/web-ops may run" in lab.why.value


# --- An edited inventory ---


def test_an_edited_inventory_becomes_edits_of_what_differs(lab: TagLab) -> None:
    lab._set_edits(())
    upload(lab, f"{HEADER}{WEB},123456789012,eu-west-1,Ledger,\n")
    assert lab.state.edits == ({"key": "Finance", "value": "Ledger", "nodes": [WEB_ARN]},)
    assert (lab.words, lab.notice.value) == (LOST, "")


def test_an_empty_cell_takes_a_tag_away_and_a_missing_column_does_not(snapshot: ssmlab.Snapshot) -> None:
    text = f"{HEADER}{WEB},123456789012,eu-west-1,,x\n".encode()
    changes, problems = read_tag_file("edited.csv", text, snapshot.nodes)
    assert [tuple(change) for change in changes] == [("Finance", None, [WEB_ARN]), ("New", "x", [WEB_ARN])]
    assert problems.empty


def test_an_inventory_as_it_was_saved_changes_nothing(snapshot: ssmlab.Snapshot) -> None:
    columns = ["node_id", "account", "region", *(name for name in snapshot.nodes if name.startswith("tag:"))]
    changes, problems = read_tag_file("same.csv", snapshot.nodes[columns].to_csv(index=False).encode(), snapshot.nodes)
    assert changes == []
    assert problems["severity"].to_list() == ["warning"]  # keys that differ only by case


def test_what_is_wrong_in_an_inventory_is_told_by_file_and_line(lab: TagLab) -> None:
    upload(lab, f"{HEADER}{WEB},12,eu-west-1,x,\ni-0,123456789012,eu-west-1,x,\n{WEB},123456789012,eu-west-1,x,\n")
    said = html.unescape(lab.notice.value)
    assert "error: edited.csv line 2: expected an account id of 12 digits" in said
    assert "warning: edited.csv : 1 node not loaded" in said
    assert len(lab.state.edits) == 2
    upload(lab, "<b>,x\n1,2\n")
    assert "`edited.csv` at line 1: expected the columns `node_id`, `account`, `region`" in html.unescape(
        lab.notice.value
    )
    assert "<b>" not in lab.notice.value


def test_after_a_file_was_read_its_button_counts_none(lab: TagLab) -> None:
    file = {
        "name": "a.csv",
        "content": memoryview(b"a,b\n1,2\n"),
        "size": 8,
        "type": "",
        "last_modified": datetime.now(UTC),
    }
    lab._upload.value = (file,)
    assert "Nothing was read" in lab.notice.value
    assert lab._upload.value == ()


@pytest.mark.parametrize("name", ["a" * 300 + ".csv", "é\U0001f600" * 150, "a\0b.csv", "\ud800", "", "..", "\n/.csv"])
def test_a_file_is_read_whatever_its_name(lab: TagLab, name: str) -> None:
    lab._set_edits(())
    text = f"{HEADER}{WEB},123456789012,eu-west-1,Ledger,\ni-0,123456789012,eu-west-1,x,\n"
    lab._read([{"name": name, "content": text.encode()}])
    assert lab.state.edits == ({"key": "Finance", "value": "Ledger", "nodes": [WEB_ARN]},)
    assert "1 node not loaded" in lab.notice.value


def test_a_file_that_cannot_be_kept_for_reading_is_told(lab: TagLab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "write_bytes", lambda *_: (_ for _ in ()).throw(OSError("no space left")))
    file = {"name": "a.csv", "content": memoryview(b"a"), "size": 1, "type": "", "last_modified": datetime.now(UTC)}
    lab._upload.value = (file,)
    assert "no space left" in lab.why.value


# --- Who may make the change ---


def tagging(condition: dict[str, Any], *actions: str) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": [*actions], "Resource": "*", "Condition": condition}],
    }


@pytest.mark.parametrize(
    ("condition", "value", "expected"),
    [
        ({}, "Ledger", (1, 0)),
        ({"StringEquals": {"aws:RequestTag/Finance": "Ledger"}}, "Ledger", (1, 0)),
        ({"StringEquals": {"aws:RequestTag/Finance": "Other"}}, "Ledger", None),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["Finance"]}}, "Ledger", (1, 0)),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["Env"]}}, "Ledger", None),
        ({"StringEquals": {"ec2:ResourceTag/Finance": "WebServers"}}, "Ledger", (1, 0)),
        ({"StringEquals": {"aws:ResourceTag/Finance": "Other"}}, "Ledger", None),
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, "Ledger", (0, 1)),
        ({}, None, None),
    ],
)
def test_the_request_of_the_very_change_decides_who_may_tag(
    snapshot: ssmlab.Snapshot, condition: dict, value: str | None, expected: tuple[int, int] | None
) -> None:
    changed = snapshot.with_policy(tagging(condition, "ec2:CreateTags"), name="t", principal=BEN)
    found = who_may_tag(changed, [WEB], "Finance", value).set_index("principal")
    assert (tuple(found.loc[BEN, ["allowed", "conditional"]]) if BEN in found.index else None) == expected


def test_open_conditions_of_tagging_are_told_and_settled_by_the_request(snapshot: ssmlab.Snapshot) -> None:
    mfa = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    changed = snapshot.with_policy(tagging(mfa, "ec2:CreateTags"), name="t", principal=BEN)
    open_ = who_may_tag(changed, [WEB], "Finance", "x").set_index("principal").loc[BEN]
    assert open_["depends_on"] == "`aws:MultiFactorAuthPresent` is `true`"
    settled = who_may_tag(changed, [WEB], "Finance", "x", {"aws:MultiFactorAuthPresent": "true"})
    assert settled.set_index("principal").loc[BEN, "allowed"] == 1


def test_each_kind_of_node_has_its_own_action_and_removing_another(snapshot: ssmlab.Snapshot) -> None:
    here = snapshot.nodes["account"] == "123456789012"
    nodes = [*snapshot.nodes.index[here]]
    actions = {value: {*who_may_tag(snapshot, nodes, "x", value)["action"]} for value in ("y", None)}
    assert actions == {
        "y": {"ec2:CreateTags", "ssm:AddTagsToResource"},
        None: {"ec2:DeleteTags", "ssm:RemoveTagsFromResource"},
    }
    assert not who_may_tag(snapshot, nodes, "x", "y")["principal"].str.contains("210987654321").any()


def test_rights_are_a_view_with_reasons_and_a_file(lab: TagLab) -> None:
    lab.tabs.selected_index = 3
    assert lab._allowed["principal"].str.rpartition(":")[2].to_list() == [
        "user/admin-adele",
        "role/BreakGlass",
        "root",
        "user/legacy-lee",
    ]
    lab.rights._table.selected_rows = [3]
    assert "user/legacy-lee may call ec2:CreateTags on 0 of 1 node," in lab.why.value
    assert "more it depends:" in lab.why.value
    assert lab.export("CSV")[1].decode().startswith("edit,principal,action")
    lab._set_edits(())
    assert "There is no edit yet." in lab.rights._count.value


# --- State ---


def test_a_view_is_a_line_to_copy(lab: TagLab) -> None:
    lab.controls["tag_key"].value = "Team"
    lab.controls["tag_value"].value = "\x00absent"
    lab._value.value = "it's <b>"
    lab._add(lab._value.value)
    line = html.unescape(lab._line.value.partition("<code>")[2].partition("</code>")[0])
    again = eval(line, {"TagLab": TagLab, "snapshot": lab.snapshot})
    assert again.state == lab.state
    assert again.words == lab.words


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '"><svg onload=alert(1)>']
)
def test_hostile_text_is_escaped_in_every_panel(snapshot: ssmlab.Snapshot, text: str) -> None:
    nodes = snapshot.nodes.assign(name=text)
    lab = TagLab(snapshot.replace(nodes=nodes), edits=[{"key": "Finance", "value": text, "nodes": [WEB]}])
    shown = [lab._line.value, lab._chosen.value, lab.notice.value]
    for mark in [*lab.graph.graph["nodes"], *lab.graph.graph["edges"]]:
        lab.graph.selected = mark["id"]
        shown.append(lab.why.value)
    lab.tabs.selected_index = 3
    lab.rights._table.selected_rows = [0]
    upload(lab, f"{HEADER}{text},1,2,3,4\n", name=f"{text}.csv")
    shown += [lab.why.value, lab.notice.value]
    assert not any(tag in part for part in shown for tag in ("<script", "<img", "<svg"))


def test_the_root_user_who_needs_no_statement_is_explained(snapshot: ssmlab.Snapshot) -> None:
    lab = TagLab(snapshot, edits=[])
    lab.graph.selected = next(mark["id"] for mark in lab.graph.graph["nodes"] if mark["id"].endswith(":root"))
    assert "root now reaches" in lab.why.value
    lab.graph.selected = next(mark["id"] for mark in lab.graph.graph["nodes"] if mark["id"].startswith("none:"))
    assert "the root user needs no policy" in lab.why.value


def test_columns_that_name_no_tag_or_one_of_aws_are_left_out_with_a_word(snapshot: ssmlab.Snapshot) -> None:
    text = f"node_id,account,region,tag:,tag:aws:x,tag:New\n{WEB},123456789012,eu-west-1,a,b,c\n"
    changes, problems = read_tag_file("edited.csv", text.encode(), snapshot.nodes)
    assert [(change.key, change.value) for change in changes] == [("New", "c")]
    assert sum("is left out" in what for what in problems["what"]) == 2


def test_filters_that_leave_no_node_are_told_as_the_reason(snapshot: ssmlab.Snapshot) -> None:
    lab = TagLab(snapshot, node="no such node")
    assert lab.graph.caption == "No node matches the filters."
