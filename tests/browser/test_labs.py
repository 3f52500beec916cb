"""The labs in a real JupyterLab: notebooks 06 and 07, used with mouse and keyboard."""

from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, expect

WEB = "i-0123456789abcdef0"
LABS = {"policy": "06_write_a_policy.ipynb", "tag": "07_tag_your_nodes.ipynb"}
VIEWS = {
    "policy": ("Reach", "Changes", "By principal", "Findings"),
    "tag": ("Reach", "Changes", "By principal", "Who may do this"),
}


def first(lab: Any, name: str) -> Locator:
    """The first lab of a notebook, in sight; the notebook is opened unless it is open."""
    if LABS[name] not in (lab.context.pages[-1].url if lab.context.pages else ""):
        lab.open(LABS[name])
        lab.run_all()
    found = lab.page.locator(".ssmlab-explorer").first
    found.scroll_into_view_if_needed()
    found.get_by_role("tab", name="Reach").click()
    found.locator("svg[role=application] .mark.node").first.wait_for()
    return found


@pytest.fixture
def policy_lab(lab: Any) -> Locator:
    return first(lab, "policy")


@pytest.fixture
def tag_lab(lab: Any) -> Locator:
    return first(lab, "tag")


def caption(lab: Locator) -> Locator:
    return lab.locator(".caption")


def test_what_is_typed_is_drawn_at_once(policy_lab: Locator) -> None:
    editor = policy_lab.get_by_label("Policy", exact=True)
    text = editor.input_value()
    editor.fill(text.replace('"WebServers"', '"Ledger'))
    wrong = policy_lab.locator(".ssmlab-words").last
    expect(wrong).to_contain_text("AWS would refuse this version:line 24, column 20")
    editor.press("End")
    editor.press_sequentially('"')  # keys go to the editor, not to the notebook
    expect(wrong).to_contain_text("AWS would refuse this version:line 2")
    editor.fill(text.replace('"WebServers"', '"Ledger"'))
    expect(wrong).to_have_text("AWS would store this policy.")
    expect(caption(policy_lab)).to_have_text("user/web-ops gains 3 nodes and loses 8 nodes.")
    outcomes = {e.get_attribute("data-outcome") for e in policy_lab.locator(".mark.edge").all()}
    assert outcomes == {"gained", "lost", "unchanged"}
    editor.fill(text)
    expect(caption(policy_lab)).to_contain_text("user/web-ops reaches 6 of 53 managed nodes.")


def test_typing_letter_by_letter_does_not_lose_a_letter(policy_lab: Locator) -> None:
    editor = policy_lab.get_by_label("Policy", exact=True)
    text = editor.input_value()
    editor.press("Control+End")
    editor.press_sequentially("\n\n   ", delay=5)
    editor.press("Control+Home")
    editor.press_sequentially("    ", delay=5)
    expect(caption(policy_lab)).to_contain_text("user/web-ops reaches 6 of 53 managed nodes.")
    assert editor.input_value() == f"    {text}\n\n   "
    editor.fill(text)


def test_a_saved_version_is_compared_with_and_another_policy_is_loaded(policy_lab: Locator) -> None:
    editor = policy_lab.get_by_label("Policy", exact=True)
    text = editor.input_value()
    editor.fill(text.replace('"WebServers"', '"Ledger"'))
    expect(caption(policy_lab)).to_contain_text("user/web-ops gains 3 nodes and loses 8 nodes.")
    policy_lab.get_by_role("button", name="Save this version").click()
    expect(caption(policy_lab)).to_contain_text("user/web-ops reaches 2 of 53 managed nodes.")
    policy_lab.get_by_label("Load", exact=True).select_option(label="start from: page 1: one tag")
    expect(caption(policy_lab)).to_contain_text("user/new-user reaches 6 of 53 managed nodes.")
    expect(policy_lab.get_by_text("Drafts are kept of policy/Page-1-OneTag")).to_be_visible()
    policy_lab.get_by_label("Load", exact=True).select_option(label="policy/Page-1-OneTag")
    expect(caption(policy_lab)).to_contain_text("user/web-ops reaches 2 of 53 managed nodes.")
    assert '"Ledger"' in editor.input_value()
    policy_lab.get_by_role("button", name="Discard").click()
    expect(caption(policy_lab)).to_contain_text("user/web-ops reaches 6 of 53 managed nodes.")
    assert editor.input_value() == text


def test_of_a_text_that_aws_would_refuse_the_result_is_dimmed_and_its_line_is_marked(policy_lab: Locator) -> None:
    editor = policy_lab.get_by_label("Policy", exact=True)
    text, ground = editor.input_value(), "e => getComputedStyle(e).backgroundImage"
    seen = policy_lab.locator(".ssmlab-views > .widget-tab-contents")
    assert "%3Crect" not in editor.evaluate(ground)
    editor.fill(text.replace('"Condition"', '"Conditon"'))
    expect(policy_lab.locator(".ssmlab-notice")).to_contain_text("Not stored: AWS would refuse this version.")
    expect(seen).to_have_css("opacity", "0.4")
    expect(policy_lab.get_by_role("button", name="Save this version")).to_be_disabled()
    assert "%3Crect" in editor.evaluate(ground)
    policy_lab.get_by_role("tab", name="Findings").click()
    expect(policy_lab.locator("tbody tr:visible", has_text="unknown element `Conditon`")).to_be_visible()
    expect(seen).to_have_css("opacity", "1")
    policy_lab.get_by_role("tab", name="Reach").click()
    editor.fill(text)
    expect(policy_lab.locator(".ssmlab-notice")).to_be_hidden()
    expect(seen).to_have_css("opacity", "1")


def test_a_policy_is_taken_from_a_holder(policy_lab: Locator) -> None:
    policy_lab.get_by_text("Who holds it").click()
    policy_lab.get_by_label("Take it from", exact=True).select_option(label="user/web-ops")
    expect(caption(policy_lab)).to_have_text("user/web-ops loses 8 nodes.")
    policy_lab.get_by_role("button", name="Discard").click()
    expect(caption(policy_lab)).to_contain_text("user/web-ops reaches 6 of 53 managed nodes.")
    policy_lab.get_by_text("Who holds it").click()


def test_findings_and_changes_are_tables_with_reasons(policy_lab: Locator) -> None:
    policy_lab.get_by_role("tab", name="Findings").click()
    row = policy_lab.locator("tbody tr:visible", has_text="managed-instance").first
    row.locator("td").first.click()
    expect(policy_lab.locator(".ssmlab-why")).to_contain_text("managed-instance")
    policy_lab.get_by_role("tab", name="Changes").click()
    expect(policy_lab.get_by_text("0 changes")).to_be_visible()


def test_a_tag_is_set_and_undone(tag_lab: Locator) -> None:
    expect(caption(tag_lab)).to_have_text("user/team-blue gains 7 nodes. role/TeamOps gains 7 nodes.")
    tag_lab.get_by_label("Tag", exact=True).select_option(label="Team")
    tag_lab.get_by_label("Value", exact=True).select_option(label="red")
    tag_lab.get_by_label("New value", exact=True).fill("blue")
    tag_lab.get_by_role("button", name="Set tag").click()
    expect(caption(tag_lab)).to_contain_text("user/team-red loses 11 nodes.")
    tag_lab.get_by_role("button", name="Undo").press("Enter")
    expect(caption(tag_lab)).to_have_text("user/team-blue gains 7 nodes. role/TeamOps gains 7 nodes.")
    tag_lab.get_by_label("Tag", exact=True).select_option(label="any")


def test_an_edited_inventory_is_loaded_and_its_faults_are_told(tag_lab: Locator, tmp_path: Path) -> None:
    plan = tmp_path / "plan.csv"
    plan.write_text(f"node_id,account,region,tag:Finance\n{WEB},123456789012,eu-west-1,Ledger\n{WEB},12,eu-west-1,x\n")
    with tag_lab.page.expect_file_chooser() as chooser:
        tag_lab.get_by_role("button", name="Edited CSV").press("Enter")
    chooser.value.set_files(plan)
    expect(caption(tag_lab)).to_contain_text("user/web-ops loses 1 node.")
    expect(tag_lab.locator(".ssmlab-notice")).to_contain_text("plan.csv line 3: expected an account id")
    expect(tag_lab.get_by_role("button", name="Edited CSV")).to_have_text("Edited CSV (0)")
    tag_lab.get_by_role("button", name="Undo").click()
    expect(caption(tag_lab)).to_have_text("user/team-blue gains 7 nodes. role/TeamOps gains 7 nodes.")


def test_who_may_make_the_change_is_a_view(tag_lab: Locator) -> None:
    tag_lab.get_by_role("tab", name="Who may do this").click()
    row = tag_lab.locator("tbody tr", has_text="user/legacy-lee")
    expect(row).to_contain_text("ec2:CreateTags")
    row.click()
    expect(tag_lab.locator(".ssmlab-why")).to_contain_text("more it depends")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", LABS)
def test_axe_finds_nothing_in_any_view(lab: Any, name: str, theme: str, request: pytest.FixtureRequest) -> None:
    explorer = first(lab, name)
    lab.use_theme(theme)
    for view in VIEWS[name]:
        explorer.get_by_role("tab", name=view).click()
        lab.page.wait_for_timeout(1000)
        found = Axe().run(lab.page, context=".ssmlab-explorer").response["violations"]
        assert [f"{v['id']}: {n['html'][:200]} {n['failureSummary'][:200]}" for v in found for n in v["nodes"]] == []
        if folder := request.config.getoption("--pictures"):
            explorer.screenshot(path=Path(folder) / f"{name}-lab-{view.split()[0]}-{theme}.png")
    lab.use_theme("light")


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
@pytest.mark.parametrize("name", LABS)
def test_nothing_scrolls_sideways(lab: Any, name: str, size: tuple[int, int]) -> None:
    explorer = first(lab, name)
    lab.page.set_viewport_size({"width": size[0], "height": size[1]})
    lab.page.wait_for_timeout(400)
    assert explorer.evaluate("explorer => explorer.scrollWidth <= explorer.clientWidth")
    box = explorer.bounding_box()
    assert box is not None
    assert box["height"] <= 620
    lab.page.set_viewport_size({"width": 1280, "height": 720})
