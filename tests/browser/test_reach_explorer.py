"""The reach explorer in a real JupyterLab: notebook 01, used with mouse and keyboard."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

NOTEBOOK = "01_who_reaches_what.ipynb"
WHY = "Choose a mark"


@pytest.fixture(scope="module")
def page(lab: Any) -> Page:
    page = lab.open(NOTEBOOK)
    lab.run_all()
    page.locator(".ssmlab-explorer").first.scroll_into_view_if_needed()
    return page


@pytest.fixture
def explorer(page: Page) -> Locator:
    found = page.locator(".ssmlab-explorer").first
    found.scroll_into_view_if_needed()
    found.locator("svg[role=application] .mark.node").first.wait_for()
    return found


def choose(explorer: Locator, label: str, option: str) -> None:
    explorer.get_by_label(label, exact=True).select_option(label=option)


def draws(explorer: Locator) -> int:
    return int(explorer.locator("svg[role=application]").get_attribute("data-draws") or 0)


def test_the_first_view_shows_the_way_from_user_to_nodes(explorer: Locator) -> None:
    kinds = {mark.get_attribute("data-kind") for mark in explorer.locator(".mark.node").all()}
    assert kinds == {"principal", "statement", "document", "group"}
    expect(explorer.locator(".caption")).to_contain_text("user/web-ops reaches")


MIDDLE = """line => {
    const { x, y } = line.getPointAtLength(line.getTotalLength() / 2).matrixTransform(line.getScreenCTM());
    return [x, y];
}"""


def click_line(explorer: Locator, page: Page) -> None:
    """A real click in the middle of a line to a node group."""
    line = explorer.locator(".mark.edge[data-id*='→group:'] path.line").first
    page.mouse.click(*line.evaluate(MIDDLE))


def test_a_control_is_changed_with_the_mouse(explorer: Locator) -> None:
    principals = explorer.get_by_label("Principals", exact=True)
    principals.locator("option", has_text="two-tags").click()
    expect(explorer.locator(".caption")).to_contain_text("user/two-tags reaches")
    principals.locator("option", has_text="web-ops").click()
    expect(explorer.locator(".caption")).to_contain_text("user/web-ops reaches")


def test_a_control_is_changed_with_the_keyboard(explorer: Locator, page: Page) -> None:
    before = draws(explorer)
    explorer.get_by_label("Region", exact=True).focus()
    page.keyboard.press("ArrowDown")
    expect(explorer.locator("svg[role=application]")).not_to_have_attribute("data-draws", str(before))
    page.keyboard.press("ArrowUp")
    expect(explorer.get_by_label("Region", exact=True)).to_have_value("any")


def test_a_control_redraws_the_graph(explorer: Locator) -> None:
    before = draws(explorer)
    choose(explorer, "Region", "us-east-2")
    expect(explorer.locator("svg[role=application]")).not_to_have_attribute("data-draws", str(before))
    assert explorer.locator(".mark[data-kind=group]").count() > 0
    choose(explorer, "Region", "any")


def test_a_click_on_a_line_explains_it(explorer: Locator, page: Page) -> None:
    click_line(explorer, page)
    why = explorer.locator(".ssmlab-why-text")
    expect(why).to_contain_text("user/web-ops may run")
    expect(why).to_contain_text("allowed by policy Page-1-OneTag")


def test_the_keyboard_moves_selects_and_clears(explorer: Locator, page: Page) -> None:
    explorer.locator("svg [tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    why = explorer.locator(".ssmlab-why-text")
    expect(why).not_to_contain_text(WHY)
    page.keyboard.press("Escape")
    expect(why).to_contain_text(WHY)


def test_beside_the_file_browser_the_picture_keeps_its_labels(lab: Any, explorer: Locator) -> None:
    lab.command("application:toggle-left-area")
    try:
        expect(explorer.locator(".mark[data-kind=principal] .label")).to_have_text("user/web-ops")
        picture, why = (explorer.locator(name).bounding_box() for name in (".ssmlab-see", ".ssmlab-why"))
        assert why["y"] >= picture["y"] + picture["height"]
    finally:
        lab.command("application:toggle-left-area")


def test_principals_are_found_as_one_types(explorer: Locator) -> None:
    explorer.get_by_label("Find", exact=True).fill("OnCall")
    principals = explorer.get_by_label("Principals", exact=True)
    principals.get_by_role("option", name=re.compile("OnCall")).wait_for()
    principals.select_option(label=next(t for t in principals.locator("option").all_text_contents() if "OnCall" in t))
    expect(explorer.locator(".caption")).to_contain_text("depend")
    assert explorer.locator(".mark.edge[data-outcome=conditional]").count() > 0
    choose(explorer, "MFA used", "yes")
    expect(explorer.locator(".mark.edge[data-outcome=conditional]")).to_have_count(0)
    choose(explorer, "MFA used", "not known")
    explorer.get_by_label("Find", exact=True).fill("")


def test_the_table_holds_the_same_pairs_and_explains_a_row(explorer: Locator) -> None:
    explorer.get_by_role("tab", name="Table").click()
    count = explorer.locator(".ssmlab-count")
    expect(count).to_contain_text(re.compile(r"^(first \d+ of )?[\d,]+ pairs$"))
    explorer.get_by_label("Search", exact=True).fill("AWS-RunPatchBaseline")
    explorer.get_by_label("Search", exact=True).press("Enter")
    rows = explorer.locator("table.dataTable tbody tr")
    expect(rows.first).to_contain_text("AWS-RunPatchBaseline")
    rows.first.locator("td").first.click()
    expect(explorer.locator(".ssmlab-why-text")).to_contain_text("AWS-RunPatchBaseline on")
    explorer.get_by_label("Search", exact=True).fill("")
    explorer.get_by_label("Search", exact=True).press("Enter")
    explorer.get_by_role("tab", name="Graph").click()


def test_no_script_of_a_tag_or_name_runs(explorer: Locator, page: Page) -> None:
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    principals = explorer.get_by_label("Principals", exact=True)
    principals.select_option(
        label=next(t for t in principals.locator("option").all_text_contents() if "admin-adele" in t)
    )
    expect(explorer.locator(".caption")).to_contain_text("admin-adele")
    for group in explorer.locator(".mark[data-kind=group]").all()[:12]:
        group.dispatch_event("click")
    explorer.get_by_role("tab", name="Table").click()
    explorer.get_by_label("Search", exact=True).fill("img")
    explorer.get_by_label("Search", exact=True).press("Enter")
    page.wait_for_timeout(300)
    assert dialogs == []
    assert page.locator("img[src='x']").count() == 0
    explorer.get_by_role("tab", name="Graph").click()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures(
    lab: Any, page: Page, explorer: Locator, theme: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Not a check of pixels: pictures to look at, at the size of a projector."""
    folder = Path(request.config.getoption("--pictures") or tmp_path)
    lab.use_theme(theme)
    explorer.get_by_label("Find", exact=True).fill("")
    principals = explorer.get_by_label("Principals", exact=True)
    texts = principals.locator("option").all_text_contents()
    principals.select_option(label=next(text for text in texts if "web-ops" in text))
    expect(explorer.locator(".caption")).to_contain_text("web-ops reaches")
    click_line(explorer, page)
    page.wait_for_timeout(300)
    path = folder / f"reach-explorer{'' if theme == 'light' else '-dark'}.png"
    explorer.screenshot(path=path)
    assert path.stat().st_size > 10_000
    box = explorer.bounding_box()
    assert box is not None
    assert box["width"] <= 1280
    assert box["height"] <= 720


TIMED = """async ([label, option, explorer]) => {
    const select = [...explorer.querySelectorAll("select")].find(each => each.labels[0]?.textContent.trim() === label);
    const svg = explorer.querySelector("svg[role=application]");
    const before = svg.dataset.draws, start = performance.now();
    for (const each of select.options) each.selected = option.includes(each.text);
    select.dispatchEvent(new Event("change", { bubbles: true }));
    while (svg.dataset.draws === before && performance.now() < start + 9000) await new Promise(requestAnimationFrame);
    const drawn = svg.dataset.draws !== before;
    return [performance.now() - start, Number(svg.dataset.drawMs), svg.querySelectorAll(".mark").length, drawn];
}"""


@pytest.mark.parametrize("count", [2, 16])
def test_the_time_from_a_control_to_the_redrawn_graph_is_told(explorer: Locator, count: int) -> None:
    """No check of time, a number to read: `pytest -s -k time_from`."""
    principals = explorer.get_by_label("Principals", exact=True)
    texts = principals.locator("option").all_text_contents()[:count]
    for option in (texts[-1:], texts):
        times = explorer.evaluate(
            "(explorer, [run, label, option]) => eval(run)([label, option, explorer])", [TIMED, "Principals", option]
        )
    kernel_and_all, browser, marks, drawn = times
    print(
        f"\n{marks} marks: {kernel_and_all:.0f} ms from the control to the picture, of it {browser:.0f} ms in the browser"
    )
    assert drawn
