"""The policy lab without a browser: text in, views out."""

import html
import json

import pytest

import ssmlab
from ssmlab.policies import read_examples
from ssmlab.snapshots.trials import list_holders
from ssmlab.widgets import PolicyLab

PAGE = "arn:aws:iam::123456789012:policy/Page-1-OneTag"
WEB_OPS = "arn:aws:iam::123456789012:user/web-ops"
DORA = "arn:aws:iam::210987654321:user/dev-dora"


@pytest.fixture(scope="module")
def snapshot() -> ssmlab.Snapshot:
    return ssmlab.load("data/sample")


@pytest.fixture
def lab(snapshot: ssmlab.Snapshot) -> PolicyLab:
    return PolicyLab(snapshot, policy=PAGE)


def write(lab: PolicyLab, old: str, new: str) -> None:
    assert old in lab.editor.value
    lab.editor.value = lab.editor.value.replace(old, new)


def outcomes(lab: PolicyLab) -> dict[str, str]:
    """What becomes of each node group in the picture."""
    return {t: data["outcome"] for _, t, data in lab.drawn.edges(data=True) if t.startswith("group:")}


def test_the_first_view_shows_what_a_policy_of_the_snapshot_reaches(snapshot: ssmlab.Snapshot) -> None:
    lab = PolicyLab(snapshot)
    assert lab.state.policy == PAGE
    assert (
        lab.graph.caption
        == "user/web-ops reaches 6 of 53 managed nodes. 2 more are not managed: no command reaches them yet."
    )
    assert "AWS would store this policy" in lab._wrong.value
    assert lab._held.value == "<p>Attached to user/web-ops</p>"


def test_an_edit_is_drawn_counted_and_listed(lab: PolicyLab) -> None:
    write(lab, '"WebServers"', '"Ledger"')
    assert lab.graph.caption == "user/web-ops gains 3 nodes and loses 8 nodes."
    assert sorted(outcomes(lab).values()) == ["gained", "gained", "lost", "lost"]
    plain = ssmlab.reach(lab.snapshot)
    edited = lab.snapshot.with_policy(lab.editor.value, name=PAGE)
    expected = plain.compare(ssmlab.reach(edited))
    lab.tabs.selected_index = 1
    assert lab._rows["count"].sum() == expected["count"].sum() == 131
    assert lab._live.value == "<span role='status'>user/web-ops gains 3 nodes and loses 8 nodes.</span>"
    lab.tabs.selected_index = 2
    assert lab.counts.loc[WEB_OPS].to_list() == [3, 8, 0, 36, 95, 0]


def test_the_saved_version_is_what_changes_are_told_against(lab: PolicyLab) -> None:
    assert lab._save.disabled
    write(lab, '"WebServers"', '"Ledger"')
    assert not lab._save.disabled
    lab._save.click()
    assert (lab._save.disabled, lab.words) == (True, "Nobody gains or loses anything.")
    write(lab, '"Ledger"', '"WebServers"')
    assert lab.words == "user/web-ops gains 8 nodes and loses 3 nodes."


def test_while_the_text_is_no_json_the_last_version_that_was_stays_in_the_picture(lab: PolicyLab) -> None:
    write(lab, '"WebServers"', '"Ledger"')
    write(lab, '"Ledger"', '"Ledger')
    assert "<b>line 24" in lab._wrong.value
    assert lab.words == "user/web-ops gains 3 nodes and loses 8 nodes."


def test_what_aws_would_refuse_is_told_with_its_line(lab: PolicyLab) -> None:
    write(lab, '"StringLike"', '"StringLik"')
    assert "<b>line 22</b> <code>&quot;StringLik&quot;: {</code>" in lab._wrong.value
    assert lab.words == "user/web-ops loses 8 nodes."


def test_another_policy_brings_its_text_and_its_holders(lab: PolicyLab) -> None:
    write(lab, '"WebServers"', '"Ledger"')
    lab.controls["policy"].value = "page 1: one tag"
    assert lab.editor.value == read_examples()["page 1: one tag"]
    assert (
        lab.graph.caption
        == "user/new-user reaches 6 of 53 managed nodes. 2 more are not managed: no command reaches them yet."
    )
    assert (lab.state.text, lab.state.saved) == (None, None)


def test_a_policy_can_be_given_to_others_without_taking_it_from_its_holders(lab: PolicyLab) -> None:
    lab.controls["principals"].value = (DORA,)
    assert lab._held.value == "<p>Attached to user/dev-dora</p>"
    write(lab, '"Allow"', '"Deny"')
    assert {*lab.counts.index} == {WEB_OPS, DORA}


@pytest.mark.parametrize(
    ("policy", "count"), [("p-devguard1", 7), ("arn:aws:iam::210987654321:policy/Contractor-Boundary", 1)]
)
def test_policies_of_other_layers_stay_in_their_layer(snapshot: ssmlab.Snapshot, policy: str, count: int) -> None:
    lab = PolicyLab(snapshot, policy=policy)
    assert len(list_holders(snapshot, policy)) == len(lab.whom) == count
    lab.editor.value = json.dumps({"Version": "2012-10-17", "Statement": []})
    edited = snapshot.with_policy(lab.editor.value, name=policy, layer=snapshot.policies["layer"][policy])
    expected = ssmlab.reach(snapshot).compare(ssmlab.reach(edited), denials=False)
    assert lab.before.compare(lab.after, denials=False).attrs["total"] == expected.attrs["total"]


def test_findings_are_those_of_this_policy_at_their_line(lab: PolicyLab) -> None:
    lab.tabs.selected_index = 3
    assert [*lab._found["finding"]] == ["hybrid-nodes-left-out", "tag-keys-by-case", "like-without-wildcard"]
    assert {*lab._found["policy"]} == {PAGE}
    lab.findings._table.selected_rows = [0]
    assert "managed-instance" in lab.why.value
    assert lab.export("CSV")[1].decode().startswith("policy,statement")


def test_what_is_selected_is_explained_before_and_now(lab: PolicyLab) -> None:
    write(lab, '"WebServers"', '"Ledger"')
    for edge in lab.graph.graph["edges"]:
        if edge["outcome"] == "lost":
            lab.graph.selected = edge["id"]
    assert "Before: user/web-ops may run" in lab.why.value
    assert "user/web-ops may not run" in lab.why.value
    lab.graph.selected = next(mark["id"] for mark in lab.graph.graph["nodes"] if mark["label"] == "Page-1-OneTag · 2")
    assert "<p>Before</p><pre>" in lab.why.value
    lab.graph.selected = WEB_OPS
    assert "user/web-ops gains 3 nodes and loses 8 nodes." in lab.why.value


def test_a_view_is_a_line_to_copy(lab: PolicyLab) -> None:
    write(lab, '"WebServers"', '"Ledger"')
    lab._save.click()
    write(lab, '"Ledger"', '"It\'s <b>"')
    lab.controls["principals"].value = (DORA,)
    line = html.unescape(lab._line.value.partition("<code>")[2].partition("</code>")[0])
    again = eval(line, {"PolicyLab": PolicyLab, "snapshot": lab.snapshot})
    assert again.state == lab.state
    assert again.words == lab.words


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '"><svg onload=alert(1)>']
)
def test_hostile_text_is_escaped_in_every_panel(snapshot: ssmlab.Snapshot, text: str) -> None:
    lab = PolicyLab(snapshot, policy=PAGE)
    body = json.loads(lab.editor.value)
    body["Statement"][1]["Condition"] = {"StringLike": {f"ssm:resourceTag/{text}": text}, text: {}}
    lab.editor.value = json.dumps(body, indent=1)
    shown = [lab._wrong.value, lab._held.value, lab._line.value, lab._live.value]
    del body["Statement"][1]["Condition"][text]
    lab.editor.value = json.dumps(body, indent=1)
    for mark in [*lab.graph.graph["nodes"], *lab.graph.graph["edges"]]:
        lab.graph.selected = mark["id"]
        shown.append(lab.why.value)
    assert not any(tag in part for part in shown for tag in ("<script", "<img", "<svg"))


def test_a_policy_or_principal_that_there_is_not_is_refused_by_name(snapshot: ssmlab.Snapshot) -> None:
    with pytest.raises(ValueError, match=r"no policy `nothing`"):
        PolicyLab(snapshot, policy="nothing")
    with pytest.raises(ValueError, match="expected ARNs of principals, got `nobody`"):
        PolicyLab(snapshot, principals=["nobody"])
