"""Command explorer, event lab and log lab in a real JupyterLab: notebooks 10 to 12, used with mouse and keyboard."""

import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, expect

HOSTILE = "<img src=x onerror=alert(1)>"
VIEWS = {
    "10_send_a_command.ipynb": ("Timeline", "Invocations", "Events", "Output"),
    "11_watch_with_eventbridge.ipynb": ("Events", "Counts"),
    "12_search_the_logs.ipynb": ("Messages", "Metric", "Periods"),
}


@pytest.fixture(scope="module", params=VIEWS)
def notebook(lab: Any, request: pytest.FixtureRequest) -> str:
    lab.open(request.param)
    lab.run_all()
    return str(request.param)


@pytest.fixture
def explorer(lab: Any, notebook: str) -> Locator:
    found = lab.page.locator(".ssmlab-explorer").first
    found.scroll_into_view_if_needed()
    found.get_by_role("tab", name=VIEWS[notebook][0]).click()
    return found


def only(notebook: str, number: str) -> None:
    if not notebook.startswith(number):
        pytest.skip("of another notebook")


def first_row(explorer: Locator) -> Locator:
    return explorer.locator("table.dataTable:visible tbody tr").first.locator("td").first


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_scrolls_sideways_in_any_view(
    lab: Any, explorer: Locator, notebook: str, theme: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    lab.use_theme(theme)
    folder = Path(request.config.getoption("--pictures") or tmp_path)
    for view in VIEWS[notebook]:
        explorer.get_by_role("tab", name=view).click()
        lab.page.wait_for_timeout(400)
        found = Axe().run(lab.page, context=".ssmlab-explorer").response["violations"]
        assert [f"{v['id']}: {node['html'][:200]}" for v in found for node in v["nodes"]] == [], view
        assert explorer.evaluate("explorer => explorer.scrollWidth <= explorer.clientWidth"), view
        box = explorer.bounding_box()
        assert box is not None
        assert (box["width"] <= 1240, box["height"] <= 620) == (True, True), (view, box)
        explorer.screenshot(path=folder / f"{notebook[:2]}-{view.lower()}-{theme}.png")
    lab.use_theme("light")


def test_a_command_is_sent_with_the_keyboard_and_a_node_is_explained(
    lab: Any, explorer: Locator, notebook: str
) -> None:
    only(notebook, "10")
    status = explorer.locator(".ssmlab-live")
    expect(status).to_contain_text("The command is Success: 2 of 4 nodes ended in Success")
    explorer.get_by_label("Nodes", exact=True).focus()
    lab.page.keyboard.press("ArrowDown")
    expect(status).to_contain_text("The command is Failed")
    expect(explorer.get_by_role("img")).to_have_attribute("aria-label", re.compile("The command is Failed"))
    explorer.get_by_role("tab", name="Invocations").click()
    first_row(explorer).click()
    expect(explorer.locator(".ssmlab-why-text")).to_contain_text("user/web-ops may run AWS-RunShellScript on web-11")
    explorer.get_by_label("Nodes", exact=True).select_option(label="all succeed")
    expect(status).to_contain_text("The command is Success")


def test_targets_are_added_and_taken_away_with_the_keyboard(lab: Any, explorer: Locator, notebook: str) -> None:
    only(notebook, "10")
    status, add, keys = explorer.locator(".ssmlab-live"), explorer.get_by_label("Add target"), lab.page.keyboard
    expect(explorer.locator("datalist option[value='tag:Env = prod']")).to_have_count(1)
    add.focus()
    keys.type("tag:Finance = WebServers")
    keys.press("Enter")
    expect(status).to_contain_text("2 of 3 nodes ended in Success")
    expect(add).to_have_value("")
    explorer.get_by_role("button", name="and tag:Finance = WebServers").focus()
    keys.press("Enter")
    expect(status).to_contain_text("2 of 4 nodes ended in Success")
    expect(add).to_be_focused()


def test_output_of_a_node_is_text(lab: Any, explorer: Locator, notebook: str) -> None:
    only(notebook, "10")
    explorer.get_by_text("Nodes say, parameters").click()
    said = explorer.get_by_label("Responses by node, as JSON")
    said.fill(f'{{"output": "{HOSTILE}\\u0000"}}')
    said.blur()
    explorer.get_by_role("tab", name="Output").click()
    expect(explorer.locator("table.dataTable:visible tbody")).to_contain_text(HOSTILE)
    lab.page.wait_for_timeout(300)
    first_row(explorer).click()
    expect(explorer.locator(".ssmlab-why-text pre")).to_have_text(f"{HOSTILE}\\x00")
    said.fill('{"output": ')
    said.blur()
    expect(explorer.get_by_role("alert")).to_contain_text("responses, line 1, column 12: expected JSON")
    said.fill("")
    said.blur()
    expect(explorer.get_by_role("alert")).to_have_count(0)
    explorer.get_by_text("Nodes say, parameters").click()
    assert lab.page.locator("img[src='x']").count() == 0


def test_a_refused_call_is_told(lab: Any, notebook: str) -> None:
    only(notebook, "10")
    second = lab.page.locator(".ssmlab-explorer").nth(1)
    expect(second.locator(".ssmlab-why-text")).to_contain_text("AccessDeniedException")
    second.get_by_label("Ids", exact=True).fill("i-0123456789abcdef0")
    second.get_by_label("Ids", exact=True).blur()
    expect(second.locator(".ssmlab-live")).to_contain_text("1 of 1 node ended in Success")


def test_a_pattern_is_matched_while_one_types(lab: Any, explorer: Locator, notebook: str) -> None:
    only(notebook, "11")
    pattern, status = explorer.get_by_label("Event pattern"), explorer.locator(".ssmlab-live")
    pattern.fill("")
    pattern.press_sequentially('{"detail": {"status": ["failed"')
    expect(explorer.get_by_role("alert")).to_contain_text("line 1, column 32: expected JSON")
    pattern.press_sequentially("]}}")
    expect(explorer.get_by_role("alert")).to_have_count(0)
    expect(status).to_contain_text("0 of 27 events match.")
    explorer.get_by_label("Show", exact=True).select_option(label="all events")
    lab.page.wait_for_timeout(300)
    first_row(explorer).click()
    expect(explorer.locator(".ssmlab-why-text")).to_contain_text('detail.status is "Pending"')
    explorer.get_by_label("Start from", exact=True).select_option(label="chosen states")
    expect(pattern).to_have_value(re.compile("Failed"))
    expect(status).to_contain_text("10 of 27 events match.")


def test_a_filter_pattern_is_searched_while_one_types(explorer: Locator, notebook: str) -> None:
    only(notebook, "12")
    pattern = explorer.get_by_label("Filter pattern")
    pattern.fill("")
    pattern.press_sequentially('"status')
    expect(explorer.get_by_role("alert")).to_contain_text("At character")
    pattern.press_sequentially('"')
    expect(explorer.get_by_role("alert")).to_have_count(0)
    expect(explorer.locator(".ssmlab-messages mark").first).to_have_text("status")
    pattern.fill("ERROR")
    explorer.get_by_role("tab", name="Metric").click()
    expect(explorer.locator("svg[role=img]")).to_have_attribute("aria-label", re.compile("It is ALARM in the periods"))


def test_the_picture_is_saved(lab: Any, explorer: Locator, notebook: str) -> None:
    if notebook.startswith("11"):
        pytest.skip("has no picture")
    explorer.get_by_label("Save as").select_option(label="Picture")
    with lab.page.expect_download() as download:
        explorer.get_by_role("button", name="Save", exact=True).click()
    assert Path(download.value.path()).read_bytes().startswith(b"<svg")
