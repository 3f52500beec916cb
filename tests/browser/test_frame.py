"""What all explorers share, in a real JupyterLab: several kinds of them in one notebook, used without a mouse."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

NAMES = ("EventLab", "Readiness", "ReachExplorer", "PolicyLab", "CommandExplorer", "Compare", "TagLab", "LogLab")
SETUP = "import ssmlab\nfrom ssmlab.widgets import *\nsnapshot = ssmlab.load('../data/sample')\n"
WIDTHS = """panel => [...panel.querySelectorAll(
    ".ssmlab-ask, .ssmlab-see, .ssmlab-why, textarea, input, select, .ssmlab-scroll, button")]
    .map(each => [each.tagName, Math.round(each.getBoundingClientRect().width)])"""
FOCUS = "document.activeElement.textContent"


def open_notebook(lab: Any, *names: str) -> Page:
    lab.write("frame.ipynb", SETUP, *(f"{name}(snapshot)" for name in names))
    page: Page = lab.open("frame.ipynb")
    lab.run_all()
    page.set_default_timeout(30_000)
    return page


def panel(page: Page, number: int) -> Locator:
    found = page.locator(".ssmlab-explorer").nth(number)
    found.scroll_into_view_if_needed()
    found.locator("select").last.wait_for()
    return found


@pytest.fixture(scope="module")
def page(lab: Any) -> Page:
    return open_notebook(lab, *NAMES)


@pytest.mark.slow
def test_no_explorer_changes_the_look_of_another(lab: Any) -> None:
    alone = {}
    for name in ("EventLab", "ReachExplorer"):
        found = panel(open_notebook(lab, name), 0)
        lab.page.wait_for_timeout(1500)
        alone[name] = found.evaluate(WIDTHS)
    page = open_notebook(lab, "EventLab", "ReachExplorer")
    for number, name in enumerate(alone):
        found = panel(page, number)
        page.wait_for_timeout(1500)
        assert found.evaluate(WIDTHS) == alone[name]


@pytest.mark.parametrize("number", range(len(NAMES)), ids=NAMES)
def test_the_result_stands_above_the_views_once_and_nothing_scrolls_sideways(page: Page, number: int) -> None:
    found = panel(page, number)
    words, tabs = found.locator(".ssmlab-live [role=status]"), found.get_by_role("tablist")
    expect(words).not_to_be_empty()
    see = found.locator(".ssmlab-see")
    expect(see.get_by_text(words.text_content() or "", exact=True).locator("visible=true")).to_have_count(1)
    said, below, whole = (each.bounding_box() for each in (words, tabs, found))
    assert said
    assert below
    assert whole
    assert said["y"] + said["height"] <= below["y"]
    assert whole["height"] <= 620
    assert whole["width"] <= 1240
    wide = "all => all.filter(each => each.scrollWidth > each.clientWidth + 1).map(each => each.className)"
    assert found.locator(".ssmlab-ask, .ssmlab-see, .ssmlab-scroll, .widget-tab-contents").evaluate_all(wide) == []


def test_what_folds_is_reached_with_tab_and_opened_with_enter(page: Page) -> None:
    reach, command = panel(page, 2), panel(page, 4)
    reach.get_by_label("other ways in").focus()
    page.keyboard.press("Tab")
    header = reach.get_by_role("button", name="More filters")
    expect(header).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(reach.get_by_label("MFA used")).to_be_visible()
    expect(reach.get_by_role("button", name="Request: MFA, IP, time")).to_have_attribute("aria-expanded", "true")
    expect(command.get_by_role("button", name="Request: MFA, IP, time")).to_have_attribute("aria-expanded", "false")
    before = reach.bounding_box()
    page.keyboard.press("Enter")
    expect(reach.get_by_label("MFA used")).to_be_hidden()
    after = reach.bounding_box()
    assert before
    assert after
    assert reach.locator(".ssmlab-ask").evaluate("zone => zone.scrollHeight <= zone.clientHeight")


def test_rows_are_walked_and_chosen_without_leaving_the_cell(page: Page) -> None:
    ready, event = panel(page, 1), panel(page, 0)
    cell = "window.jupyterapp.shell.currentWidget.content.activeCellIndex"
    ready.locator("tbody tr td").first.click()
    expect(ready.locator(".ssmlab-why-text")).to_contain_text("web-3")
    active = page.evaluate(cell)
    page.keyboard.press("ArrowDown")
    assert page.evaluate(FOCUS).startswith("win-2")
    expect(ready.locator(".ssmlab-why-text")).to_contain_text("web-3")
    page.keyboard.press("Enter")
    expect(ready.locator(".ssmlab-why-text")).to_contain_text("win-2")
    page.keyboard.press("End")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    last = page.evaluate("document.activeElement.querySelector('td').textContent")
    expect(ready.locator(".ssmlab-why-text")).to_contain_text(last)
    expect(event.locator(".ssmlab-why-text")).to_contain_text("Choose a row")
    assert page.evaluate(cell) == active
    assert ready.locator("tbody tr[tabindex='0']:visible").count() == 1


def test_what_is_saved_is_told_in_the_line_above_the_views(page: Page) -> None:
    reach = panel(page, 2)
    words = reach.locator(".ssmlab-live").text_content() or ""
    for kind, name in (("CSV", "ReachExplorer.csv"), ("PNG", "picture.png")):
        reach.get_by_label("Save as").select_option(label=kind)
        with page.expect_download():
            reach.get_by_role("button", name="Save", exact=True).click()
        told = f"{words} Saved {name}, where the browser puts downloads."
        expect(reach.locator(".ssmlab-live")).to_have_text(told, use_inner_text=True)
