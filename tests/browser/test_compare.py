"""`Compare` and `Readiness` in a real JupyterLab: notebooks 08 and 09, used with mouse and keyboard."""

import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

VIEWS = {
    "08_compare_before_and_after.ipynb": ("Gained and lost", "Graph", "Witnesses"),
    "09_set_up_your_nodes.ipynb": ("Checklist", "Counts", "Who reaches them"),
}


@pytest.fixture(scope="module", params=VIEWS)
def opened(lab: Any, request: pytest.FixtureRequest) -> tuple[Page, tuple[str, ...]]:
    page = lab.open(request.param)
    lab.run_all()
    return page, VIEWS[request.param]


@pytest.fixture
def explorer(opened: tuple[Page, tuple[str, ...]]) -> Locator:
    page, views = opened
    found = page.locator(".ssmlab-explorer").first
    found.scroll_into_view_if_needed()
    found.get_by_role("tab", name=views[0]).click()
    found.locator("table.dataTable:visible tbody tr").first.wait_for()
    return found


def is_compare(views: tuple[str, ...]) -> bool:
    return "Graph" in views


def test_a_row_chosen_with_the_mouse_is_explained(explorer: Locator, opened: Any) -> None:
    explorer.locator("table.dataTable:visible tbody tr").first.locator("td").first.click()
    wanted = "Before, step by step" if is_compare(opened[1]) else "Connection: no"
    expect(explorer.locator(".ssmlab-why-text")).to_contain_text(wanted)


def test_a_filter_is_changed_with_the_keyboard(explorer: Locator, opened: Any) -> None:
    page, views = opened
    label = "Change" if is_compare(views) else "Ready"
    count = explorer.locator(".ssmlab-live [role=status]")
    before = count.text_content() or ""
    explorer.get_by_label(label, exact=True).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(count).not_to_have_text(before)
    page.keyboard.press("Home")
    expect(count).to_have_text(before)


def test_every_view_is_shown_without_faults_in_both_themes(lab: Any, explorer: Locator, opened: Any) -> None:
    page, views = opened
    for theme in ("light", "dark"):
        lab.use_theme(theme)
        for view in views:
            explorer.get_by_role("tab", name=view).click()
            page.wait_for_timeout(700)
            found = Axe().run(page, context=".ssmlab-explorer").response["violations"]
            faults = [f"{v['id']}: {n['html'][:160]} {n['failureSummary'][:160]}" for v in found for n in v["nodes"]]
            assert faults == [], f"{view}, {theme}"
    lab.use_theme("light")


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
def test_nothing_scrolls_sideways(explorer: Locator, opened: Any, size: tuple[int, int]) -> None:
    page, views = opened
    page.set_viewport_size({"width": size[0], "height": size[1]})
    for view in views:
        explorer.get_by_role("tab", name=view).click()
        page.wait_for_timeout(500)
        wide = "e => [e, ...e.querySelectorAll('.ssmlab-scroll')].map(b => b.scrollWidth - b.clientWidth)"
        assert max(explorer.evaluate(wide)) <= 1, view
        box = explorer.bounding_box()
        assert box is not None
        assert box["height"] <= 620, view
    page.set_viewport_size({"width": 1280, "height": 720})


def test_what_is_seen_is_saved(explorer: Locator, opened: Any) -> None:
    page, views = opened
    explorer.get_by_label("Save as").select_option(label="CSV")
    with page.expect_download() as download:
        explorer.get_by_role("button", name="Save", exact=True).click()
    start = b"principal,group" if is_compare(views) else b"arn,node_id"
    assert Path(download.value.path()).read_bytes().startswith(start)


def test_the_third_view_answers_its_question(explorer: Locator, opened: Any) -> None:
    _, views = opened
    if is_compare(views):
        explorer.get_by_label("Compare", exact=True).select_option(label="two policies")
    explorer.get_by_role("tab", name=views[2]).click()
    wanted = "no proof" if is_compare(views) else "as soon as they are managed"
    expect(explorer.locator(".ssmlab-live [role=status]")).to_contain_text(wanted)
    explorer.locator("table.dataTable:visible tbody tr").first.locator("td").first.click()
    expect(explorer.locator(".ssmlab-why-text")).to_contain_text(re.compile("First: allowed|may run"))
    if is_compare(views):
        explorer.get_by_label("Compare", exact=True).select_option(label="two snapshots")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures(
    lab: Any, explorer: Locator, opened: Any, theme: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Not a check of pixels: pictures to look at, at the size of a projector."""
    page, views = opened
    folder = Path(request.config.getoption("--pictures") or tmp_path)
    lab.use_theme(theme)
    explorer.get_by_role("tab", name=views[1 if is_compare(views) else 0]).click()
    page.wait_for_timeout(700)
    name = "compare" if is_compare(views) else "readiness"
    path = folder / f"{name}{'' if theme == 'light' else '-dark'}.png"
    explorer.screenshot(path=path)
    assert path.stat().st_size > 10_000
    lab.use_theme("light")
