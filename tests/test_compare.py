"""`Compare` without a browser: state in, views out."""

import html
import json
from threading import Event
from typing import Any

import networkx as nx
import pandas as pd
import pytest

import ssmlab
from ssmlab.policies import read_json
from ssmlab.snapshots.accounts import lend_policies, take_account
from ssmlab.widgets import Compare
from ssmlab.widgets.differences import list_policies
from ssmlab.widgets.explorer import _BACKGROUND

NODE = "i-0123456789abcdef0"
AUDITOR = "arn:aws:iam::123456789012:user/auditor"
STOP = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "ssm:SendCommand", "Resource": "*"}}
GIVE = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ssm:SendCommand", "Resource": "*"}}
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"


@pytest.fixture(scope="module")
def snapshot() -> ssmlab.Snapshot:
    return ssmlab.load("data/sample")


@pytest.fixture(scope="module")
def changed(snapshot: ssmlab.Snapshot) -> ssmlab.Snapshot:
    tagged = snapshot.with_tags(NODE, {"Finance": "Ledger"})
    return tagged.with_policy(GIVE, name="give", principal=AUDITOR)


def seen(explorer: Compare, view: int = 0) -> Compare:
    """The explorer with a view drawn."""
    explorer.tabs.selected_index = view
    explorer.wait()
    explorer.wait()
    return explorer


def rows(explorer: Compare) -> list[list[str]]:
    return explorer._table._table.df.to_numpy().tolist()


def test_the_first_view_compares_the_first_two_policies_about_run_command(snapshot: ssmlab.Snapshot) -> None:
    explorer = seen(Compare(snapshot))
    assert [explorer.state.first.rpartition("/")[2], explorer.state.second.rpartition("/")[2]] == [
        "Page-1-OneTag",
        "Page-2-TwoTags",
    ]
    said = "2 principals gain 28 pairs of node and document; 2 principals lose 121 pairs of node and document."
    assert said in explorer._table._count.value
    assert "By cause: policy Page-1-OneTag 121 lost; policy Page-2-TwoTags 28 gained." in explorer._causes.value


def test_two_snapshots_are_compared_and_each_row_has_its_cause(snapshot, changed) -> None:
    explorer = seen(Compare(snapshot, changed))
    first = rows(explorer)[0]
    assert first == ["user/web-ops", "lost", "node tag Finance", "web-1", "AWS-ConfigureAWSPackage and 12 more"]
    assert {row[2] for row in rows(explorer)} == {"node tag Finance", "policy give"}
    explorer.controls["cause"].value = "node tag Finance"
    assert {row[2] for row in rows(seen(explorer))} == {"node tag Finance"}
    explorer.controls["change"].value = "gained"
    assert "Nothing differs" in seen(explorer)._table._count.value


def test_a_cause_that_another_comparison_does_not_have_is_let_go(snapshot, changed) -> None:
    explorer = seen(Compare(snapshot, changed, cause="node tag Finance"))
    explorer.controls["what"].value = "policies"
    assert "2 principals gain 28 pairs" in seen(explorer)._table._count.value
    assert (explorer.state.cause, explorer.controls["cause"].value) == ("", "")


def test_a_row_is_explained_on_both_sides(snapshot, changed) -> None:
    explorer = seen(Compare(snapshot, changed))
    explorer._table._table.selected_rows = [0]
    before, _, after = explorer.why.value.partition("<b>After</b>")
    assert "user/web-ops may run AWS-ConfigureAWSPackage on web-1" in before
    assert "may not run" in after
    assert "<code>Ledger</code>" in after


def test_what_is_not_there_on_one_side_is_said(snapshot: ssmlab.Snapshot) -> None:
    fewer = snapshot.replace(nodes=snapshot.nodes.drop(index=snapshot.nodes.index[0]))
    explorer = seen(Compare(snapshot, fewer))
    explorer._table._table.selected_rows = [0]
    assert f"{NODE} is not there." in explorer.why.value


def test_the_graph_leads_from_principals_through_causes_to_nodes(snapshot, changed) -> None:
    explorer = seen(Compare(snapshot, changed), 1)
    graph = explorer._graph.graph
    assert graph["columns"] == ["Principal", "Gained or lost, and why", "Nodes"]
    assert {mark["label"] for mark in graph["nodes"] if mark["layer"] == 1} == {
        "lost: node tag Finance",
        "gained: policy give",
    }
    assert {edge["outcome"] for edge in graph["edges"]} == {"gained", "lost"}
    explorer._graph.selected = "lost: node tag Finance"
    assert "because of: node tag Finance" in explorer.why.value
    explorer._graph.selected = f"{AUDITOR}→gained: policy give"
    assert "user/auditor: gained, because of: policy give." in explorer.why.value
    assert {*nx.parse_graphml(explorer.export("GraphML")[1].decode())} == {mark["id"] for mark in graph["nodes"]}


def test_witnesses_are_listed_explained_and_no_proof(snapshot: ssmlab.Snapshot) -> None:
    explorer = seen(Compare(snapshot), 2)
    assert "5 witnesses" in explorer._proofs._count.value
    assert "no proof" in explorer._proofs._count.value
    explorer._proofs._table.selected_rows = [2]
    assert "<code>WebServers</code>" in explorer.why.value
    assert "First: allowed, by policy first, statement 2" in explorer.why.value
    assert b"ssm:resourceTag/Finance = WebServers" in explorer.export("CSV")[1]


def test_changed_documents_of_policies_are_searched_for_witnesses(snapshot: ssmlab.Snapshot) -> None:
    name = "arn:aws:iam::123456789012:policy/Page-1-OneTag"
    text = json.dumps(snapshot.policies.at[name, "document"]).replace("WebServers", "Web*")
    explorer = seen(Compare(snapshot, snapshot.with_policy(text, name=name)), 2)
    assert "with" in explorer._proofs._table.df
    assert {*explorer._proofs._table.df["policy"]} == {"policy/Page-1-OneTag"}
    same = seen(Compare(snapshot, snapshot.with_tags(NODE, {"Finance": "x"})), 2)
    assert "choose two policies" in same._proofs._count.value


def test_a_policy_is_pasted_and_what_is_wrong_with_it_is_said(snapshot: ssmlab.Snapshot) -> None:
    explorer = Compare(snapshot, first="Page-1-OneTag")
    explorer.controls["second"]._text.value = json.dumps(GIVE)
    assert "2 principals gain" in seen(explorer)._table._count.value
    assert explorer.controls["second"]._list.value == ""
    assert "ssmlab-old" not in explorer.tabs._dom_classes


@pytest.mark.parametrize(
    ("text", "line"), [("{no JSON", "line 1, column 2"), ('{"Statement":\n{"Efect": 1}}', "line 2")]
)
def test_what_is_wrong_with_a_pasted_policy_is_said_below_it_and_the_old_result_is_dimmed(
    snapshot: ssmlab.Snapshot, text: str, line: str
) -> None:
    explorer = seen(Compare(snapshot))
    second = explorer.controls["second"]
    second._text.value = text
    assert f"<b>{line}</b>" in second._wrong.value
    assert "ssmlab-old" in seen(explorer).tabs._dom_classes
    assert "Not compared" in explorer._live.value
    second._text.value = json.dumps(GIVE)
    assert second._wrong.value == ""
    assert "ssmlab-old" not in seen(explorer).tabs._dom_classes


@pytest.mark.parametrize("text", ["{no JSON", json.dumps(GIVE), "", "[1]", "no JSON", "Page-1-OneTag", "é <b>"])
def test_the_line_to_copy_gives_the_view_again_or_says_why_there_is_none(snapshot: ssmlab.Snapshot, text: str) -> None:
    explorer = Compare(snapshot)
    explorer.controls["second"]._list.value = ""
    explorer.controls["second"]._text.value = text
    line = html.unescape(explorer._line.value.partition("</summary>")[2].partition("</")[0])
    if text.startswith("{") or not text:
        again = eval(line.removeprefix("<code>"), {"Compare": Compare, "snapshot": snapshot})
        assert again.state == explorer.state
        assert again.controls["second"]._text.value == text
    else:
        assert line == "<p>There is no line: what is pasted is no JSON object."
    explorer.controls["second"]._text.value = json.dumps(STOP)
    assert "There is no line" not in explorer._line.value


def test_only_the_controls_of_what_is_compared_are_hidden(snapshot, changed) -> None:
    explorer = Compare(snapshot, changed)
    hidden = {name for name, control in explorer.controls.items() if control.layout.display == "none"}
    assert hidden == {"first", "second", "nodes_of", "policies_of"}


def test_an_old_result_is_dimmed_until_the_new_one_is_there(snapshot, changed) -> None:
    explorer = seen(Compare(snapshot, changed))
    for what, has_sides in (("policies", False), ("snapshots", True)):
        gate = Event()
        _BACKGROUND.submit(gate.wait)
        explorer.controls["what"].value = what
        assert ("ssmlab-old" in explorer.tabs._dom_classes, "Comparing" in explorer._live.value) == (True, True)
        gate.set()
        assert ("ssmlab-one-side" not in explorer._dom_classes) is has_sides
        assert "ssmlab-old" not in seen(explorer).tabs._dom_classes
    explorer.controls["what"].value = "policies"
    explorer.controls["first"].value = ""
    assert "Choose two policies" in seen(explorer).why.value
    assert explorer._live.value == ""
    assert "ssmlab-old" in explorer.tabs._dom_classes


def test_a_policy_that_there_is_not_is_refused(snapshot: ssmlab.Snapshot) -> None:
    with pytest.raises(
        ValueError, match="expected the id of a policy, a name that one policy has, or JSON, got `Inline`"
    ):
        Compare(snapshot, first="Inline")


def test_the_request_counts_on_both_sides(snapshot: ssmlab.Snapshot) -> None:
    mfa = {"Statement": {**GIVE["Statement"], "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}}
    texts = {"first": json.dumps(GIVE), "second": json.dumps(mfa)}
    assert "lose" in seen(Compare(snapshot, **texts))._table._count.value
    used = Compare(snapshot, **texts, context={"aws:MultiFactorAuthPresent": "true"})
    assert "Nothing differs" in seen(used)._table._count.value


def test_two_accounts_of_which_one_is_not_chosen_yet_stand_in_the_line_to_copy(snapshot: ssmlab.Snapshot) -> None:
    compare = Compare(snapshot, what="accounts")
    compare.controls["policies_of"].value = ""
    compare.wait()
    again = eval(
        html.unescape(compare._line.value.partition("<code>")[2].partition("</code>")[0]),
        {"Compare": Compare, "snapshot": snapshot},
    )
    again.wait()
    assert again.state == compare.state
    assert "Choose two accounts." in again.why.value


def test_the_line_to_copy_makes_the_same_view(snapshot, changed) -> None:
    explorer = Compare(snapshot, changed, change="lost", search="web")
    line = html.unescape(explorer._line.value.partition("<code>")[2].partition("</code>")[0])
    again = eval(line, {"Compare": Compare, "before": snapshot, "after": changed})
    assert again.state == explorer.state
    assert rows(seen(again)) == rows(seen(explorer))


def test_text_of_the_data_is_escaped(snapshot: ssmlab.Snapshot) -> None:
    nodes = snapshot.nodes.assign(name=HOSTILE)
    before = snapshot.replace(nodes=nodes)
    explorer = seen(Compare(before, before.with_policy(GIVE, name=HOSTILE, principal=AUDITOR)))
    explorer._table._table.selected_rows = [0]
    shown = [explorer.why.value, explorer._causes.value, explorer._line.value]
    seen(explorer, 1)
    explorer._graph.selected = explorer._graph.graph["edges"][0]["id"]
    shown.append(explorer.why.value)
    assert not any(tag in text for text in shown for tag in ("<img", "<script"))


def test_search_finds_principals_documents_and_nodes(snapshot, changed) -> None:
    explorer = seen(Compare(snapshot, changed, search="web-ops"))
    assert {row[0] for row in rows(explorer)} == {"user/web-ops"}
    explorer.controls["search"].value = "runshell"
    assert all("AWS-RunShellScript" in row[4] for row in rows(seen(explorer)))


def test_a_policy_that_was_added_by_name_has_that_name(sample: ssmlab.Snapshot) -> None:
    allow = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ssm:*", "Resource": "*"}}
    added = sample.with_policy(allow, name="mine", principal="arn:aws:iam::123456789012:user/web-ops")
    labels = list_policies(added)
    assert labels["mine"] == "mine"
    assert labels["arn:aws:iam::123456789012:role/OnCall/Inline"] == "OnCall: Inline"


def test_the_nodes_of_an_account_are_asked_under_the_policies_of_another(snapshot: ssmlab.Snapshot) -> None:
    explorer = Compare(snapshot, what="accounts", nodes_of="210987654321", policies_of="123456789012")
    found = seen(explorer).to_frame().set_index("principal")
    assert {*found["example"].str.split(":").str[4]} == {"210987654321"}
    assert found.loc["arn:aws:iam::210987654321:user/admin-adele", "cause"].unique() == ["principal added"]
    assert found.loc["arn:aws:iam::210987654321:user/dev-dora", "cause"].unique() == ["principal removed"]
    assert {*found.loc["arn:aws:iam::210987654321:root", "cause"]} == {"SCP"}  # the organization unit of the other
    assert "On the nodes of 210987654321, with the policies of 123456789012" in explorer._table._count.value


def test_policies_that_name_their_own_account_name_the_other_where_they_are_lent(snapshot: ssmlab.Snapshot) -> None:
    own = take_account(snapshot, "210987654321")
    lent = lend_policies(snapshot, "123456789012", own)
    assert "123456789012" not in lent.policies.to_json() + lent.principals.to_json() + lent.organization.to_json()
    assert lent.nodes is own.nodes
    again = lend_policies(lent, "210987654321", take_account(snapshot, "123456789012"))
    alone = ssmlab.reach(take_account(snapshot, "123456789012"))
    pd.testing.assert_frame_equal(ssmlab.reach(again).summary(), alone.summary())


def test_what_is_wrong_with_a_policy_is_so_where_it_is_lent(snapshot: ssmlab.Snapshot) -> None:
    allow = '"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": {"AWS": 123456789012}'
    policy = read_json(f'{{"Version": "2012-10-17", "Statement": {{"Effect": "Deny", {allow}}}}}')
    changed = snapshot.with_policy(policy, name="Twice", principal="arn:aws:iam::123456789012:user/web-ops")
    lent = lend_policies(changed, "123456789012", take_account(snapshot, "210987654321"))
    assert lent.compiled["Twice"].problems == changed.compiled["Twice"].problems != ()
    assert lent.policies["document"]["Twice"]["Statement"]["Principal"] == {"AWS": "210987654321"}


def test_an_account_that_there_is_not_is_refused(snapshot: ssmlab.Snapshot) -> None:
    with pytest.raises(KeyError, match="no account `1`"):
        take_account(snapshot, "1")


def test_the_result_is_there_again_after_a_look_at_another_view(snapshot: ssmlab.Snapshot, changed: Any) -> None:
    explorer = seen(Compare(snapshot, changed))
    first = explorer._live.value
    assert "pairs of node and document" in first
    for view in (1, 2, 0):
        explorer.tabs.selected_index = view
        assert seen(explorer)._live.value != ""
    assert explorer._live.value == first


def test_policies_of_which_one_side_has_none_are_compared(snapshot) -> None:
    bare = snapshot.replace(policies=snapshot.policies.iloc[:0])
    assert "lose" in seen(Compare(snapshot, bare))._table._count.value
    assert "Nothing differs" in seen(Compare(bare, bare))._table._count.value


def test_before_anything_is_compared_nothing_is_saved(snapshot) -> None:
    with pytest.raises(ValueError, match="nothing was compared yet"):
        seen(Compare(snapshot, first="", second="")).export("CSV")


def test_without_an_account_it_is_said_what_to_choose(snapshot) -> None:
    assert "Choose two accounts." in seen(Compare(snapshot, what="accounts", nodes_of="")).why.value
