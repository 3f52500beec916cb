"""`Readiness` without a browser: state in, views out."""

import html

import pytest

import ssmlab
from ssmlab.widgets import Readiness

HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"


@pytest.fixture(scope="module")
def snapshot() -> ssmlab.Snapshot:
    return ssmlab.load("data/sample")


def rows(explorer: Readiness, view: int = 0) -> list[list[object]]:
    explorer.tabs.selected_index = view
    explorer.wait()
    return [*explorer._tables.values()][view]._table.df.to_numpy().tolist()


def words(explorer: Readiness, view: int = 0) -> str:
    return html.unescape([*explorer._tables.values()][view]._count.value)


def test_the_first_view_lists_what_lacks_something_first(snapshot: ssmlab.Snapshot) -> None:
    explorer = Readiness(snapshot)
    assert rows(explorer)[0] == ["web-3", "✓", "✗", "✓", "✓", "✗", "✓", "✓"]
    assert rows(explorer)[-1][1:3] == ["✓", "✓"]
    assert "60 machines: 53 managed, 7 not managed. 47 ready, 13 not ready." in explorer._live.value
    assert words(explorer) == "<span role='status'>✓ yes, ✗ no, ? not known</span>"


def test_filters_narrow_the_machines(snapshot: ssmlab.Snapshot) -> None:
    explorer = Readiness(snapshot, managed="no")
    assert len(rows(explorer)) == 7
    explorer.controls["lacks"].value = "permissions"
    assert [row[0] for row in rows(explorer)] == ["legacy-1", "ledger-11", "i-0acabb74d86ce2f53"]
    explorer.controls["account"].value = "210987654321"
    assert [row[0] for row in rows(explorer)] == ["i-0acabb74d86ce2f53"]
    explorer.controls["kind"].value = "edge"
    assert "No machine matches the filters." in explorer._live.value


def test_a_machine_is_explained_step_by_step_with_how_to_mend_it(snapshot: ssmlab.Snapshot) -> None:
    explorer = Readiness(snapshot, search="legacy-1")
    explorer._tables["Checklist"]._table.selected_rows = [0]
    assert "<b>? Permissions: not known</b>, it has no instance profile" in explorer.why.value
    assert "<i>Attach an instance profile with AmazonSSMManagedInstanceCore" in explorer.why.value
    assert "It is not a managed node." in explorer.why.value


def test_machines_are_counted_by_account_and_region(snapshot: ssmlab.Snapshot) -> None:
    explorer = Readiness(snapshot)
    assert rows(explorer, 1)[0] == ["123456789012", "eu-west-1", 29, 26, 22, 7, 5]
    assert explorer.export("CSV")[1].decode().splitlines()[0].startswith("account,region,machines,managed,ready")


def test_who_reaches_the_unmanaged_ones_is_listed_and_explained(snapshot: ssmlab.Snapshot) -> None:
    explorer = Readiness(snapshot)
    assert rows(explorer, 2)[0] == ["user/op-ana", "allowed", 5, "bastion"]
    assert "17 principals reach machines that are not managed, as soon as they are managed." in explorer._live.value
    explorer._tables["Who reaches them"]._table.selected_rows = [0]
    assert "user/op-ana may run" in explorer.why.value
    assert "not managed" in explorer.why.value
    explorer.controls["managed"].value = "yes"
    assert rows(explorer, 2) == []
    assert "Nobody" in explorer._live.value


def test_text_of_the_data_is_escaped(snapshot: ssmlab.Snapshot) -> None:
    nodes = snapshot.nodes.assign(name=HOSTILE, agent_version=HOSTILE, platform=HOSTILE)
    explorer = Readiness(snapshot.replace(nodes=nodes))
    explorer._tables["Checklist"]._table.selected_rows = [0]
    assert not any(tag in text for text in (explorer.why.value, explorer._line.value) for tag in ("<img", "<script"))


def test_the_line_to_copy_makes_the_same_view(snapshot: ssmlab.Snapshot) -> None:
    explorer = Readiness(snapshot, ready="no", region="us-east-2")
    line = html.unescape(explorer._line.value.partition("<code>")[2].partition("</code>")[0])
    assert eval(line, {"Readiness": Readiness, "snapshot": snapshot}).state == explorer.state


def test_a_filter_that_there_is_not_is_refused(snapshot: ssmlab.Snapshot) -> None:
    with pytest.raises(ValueError, match="Ready: expected one of"):
        Readiness(snapshot, ready="maybe")


def test_an_empty_inventory_says_so(snapshot: ssmlab.Snapshot) -> None:
    explorer = Readiness(snapshot.replace(nodes=snapshot.nodes.iloc[:0]))
    assert "No machine matches the filters." in explorer._live.value
    assert rows(explorer, 1) == []
