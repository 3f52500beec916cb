"""The policy lab without a browser: text in, views out."""

import html
import json
from urllib.parse import unquote

import pytest

import ssmlab
from ssmlab.policies import read_examples
from ssmlab.snapshots.trials import list_holders
from ssmlab.widgets import PolicyLab
from ssmlab.widgets.policy_lab import PolicyState

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


REFUSED = {
    "no JSON": ('"Ledger"', '"Ledger', "<b>line 24, column 20</b> <code>&quot;Ledger</code>"),
    "no operator": ('"StringLike"', '"StringLik"', "<b>line 22</b> <code>&quot;StringLik&quot;: {</code>"),
    "no element": ('"Condition"', '"Conditon"', "<b>line 21</b> <code>&quot;Conditon&quot;: {</code>"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_of_a_text_that_aws_would_refuse_there_is_no_verdict_but_the_last_one_that_it_would_store(
    lab: PolicyLab, case: str
) -> None:
    write(lab, '"WebServers"', '"Ledger"')
    kept = "user/web-ops gains 3 nodes and loses 8 nodes."
    old, new, line = REFUSED[case]
    write(lab, old, new)
    assert line in lab._wrong.value
    assert (lab.words, lab._save.disabled) == (kept, True)
    assert "ssmlab-old" in lab.tabs._dom_classes
    assert lab.notice.value == (
        "<p>Not stored: AWS would refuse this version. Nothing changes in AWS.</p>"
        "<p>Below is the last version that it would store.</p>"
    )
    lab.tabs.selected_index = 1
    assert lab._live.value == ""
    lab.tabs.selected_index = 3
    assert "Not stored: AWS would refuse this version." in lab.findings._count.value
    assert [*lab.findings._table.df["severity"]] == ["refused"]
    assert "ssmlab-old" not in lab.tabs._dom_classes
    assert [*lab.to_frame()["severity"]] == ["refused"]
    write(lab, new, old)
    assert (lab.notice.value, lab._save.disabled) == ("", False)
    assert "refused" not in {*lab.findings._table.df["severity"]}


def test_a_text_that_was_never_good_leaves_the_policy_as_it_is(snapshot: ssmlab.Snapshot) -> None:
    lab = PolicyLab(snapshot, policy=PAGE, text="{")
    assert (
        lab.graph.caption
        == "user/web-ops reaches 6 of 53 managed nodes. 2 more are not managed: no command reaches them yet."
    )
    assert "Not stored" in lab.notice.value


def test_lines_are_numbered_and_those_that_are_wrong_are_marked(lab: PolicyLab) -> None:
    assert lab._field in lab.editor._dom_classes
    assert unquote(lab._lines.value).count("<tspan") == lab.editor.value.count("\n") + 1
    assert "<rect" not in unquote(lab._lines.value)
    write(lab, '"StringLike"', '"StringLik"')
    assert "<rect y='315' " in unquote(lab._lines.value)  # line 22, of 15 pixels each


def test_another_policy_brings_its_text_and_its_holders(lab: PolicyLab) -> None:
    write(lab, '"WebServers"', '"Ledger"')
    lab.controls["policy"].value = "page 1: one tag"
    assert lab.editor.value == read_examples()["page 1: one tag"]
    assert (
        lab.graph.caption
        == "user/new-user reaches 6 of 53 managed nodes. 2 more are not managed: no command reaches them yet."
    )
    assert (lab.state.text, lab.state.saved) == (None, None)


def test_what_was_written_in_a_policy_is_kept_while_another_is_loaded(lab: PolicyLab) -> None:
    write(lab, '"WebServers"', '"Ledger"')
    lab._save.click()
    write(lab, '"Ledger"', '"Ledger')
    broken = lab.state
    lab.controls["policy"].value = "page 1: one tag"
    assert lab._held.value == "<p>Attached to user/new-user</p><p>Drafts are kept of policy/Page-1-OneTag</p>"
    assert (lab.notice.value, lab._discard.disabled) == ("", True)
    lab.controls["policy"].value = PAGE
    assert lab.state == broken
    assert "Not stored" in lab.notice.value
    lab._discard.click()
    assert lab.state == PolicyState(policy=PAGE)
    lab.controls["policy"].value = "page 1: one tag"
    assert lab._held.value == "<p>Attached to user/new-user</p>"


def test_a_text_that_is_as_it_was_is_no_draft(lab: PolicyLab) -> None:
    write(lab, '"WebServers"', '"Ledger"')
    assert not lab._discard.disabled
    write(lab, '"Ledger"', '"WebServers"')
    assert (lab._discard.disabled, lab.state) == (True, PolicyState(policy=PAGE))


def test_a_policy_can_be_taken_from_its_holders_and_what_they_lose_is_told(lab: PolicyLab) -> None:
    lab.controls["without"].value = (WEB_OPS,)
    assert lab.graph.caption == "user/web-ops loses 8 nodes."
    assert lab._held.value == "<p>Taken from user/web-ops</p>"
    write(lab, '"WebServers"', '"Ledger"')
    assert lab.words == "user/web-ops loses 8 nodes."
    lab.controls["policy"].value = "page 1: one tag"
    assert lab.state.without == lab.controls["without"].options == ()


def test_who_holds_a_policy_by_a_group_or_as_a_boundary_can_lose_it(snapshot: ssmlab.Snapshot) -> None:
    operators = "arn:aws:iam::123456789012:policy/Operator-Patching"
    ana, ben = list_holders(snapshot, operators)
    lab = PolicyLab(snapshot, policy=operators, without=[ben])
    assert {*lab.counts.index} == {ben}
    assert list_holders(lab.after.snapshot, operators) == [ana]
    bound = PolicyLab(snapshot, policy="arn:aws:iam::210987654321:policy/Contractor-Boundary")
    (who,) = (arn for _, arn in bound.controls["without"].options)
    assert bound.after.snapshot.attached(who).boundary
    bound.controls["without"].value = (who,)
    assert bound.after.snapshot.attached(who).boundary is None
    assert not PolicyLab(snapshot, policy="p-devguard1").controls["without"].options


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
    lab.controls["without"].value = (WEB_OPS,)
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
    with pytest.raises(ValueError, match=r"expected ARNs of principals, `without`: of holders .*, got `nobody`"):
        PolicyLab(snapshot, principals=["nobody"])
    with pytest.raises(ValueError, match=f"got `{DORA}`"):
        PolicyLab(snapshot, policy=PAGE, without=[DORA])


def test_a_policy_that_repeats_a_key_is_shown_as_it_is(snapshot: ssmlab.Snapshot) -> None:
    text = '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Effect": "Allow", "Action": 1.50, "Sid": "é"}]}'
    lab = PolicyLab(snapshot.with_policy(text, name="twice", principal=WEB_OPS), policy="twice")
    assert lab.editor.value.count('"Effect": "Allow"') == 2
    assert '"Action": 1.50' in lab.editor.value
    assert '"Sid": "é"' in lab.editor.value
    assert "AWS would refuse this version" in lab._wrong.value
