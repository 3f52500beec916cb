"""The course in a real JupyterLab, as a learner takes it: opened, run by the menu, answered with the keyboard."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

COURSE = Path(__file__).parents[2] / "notebooks" / "course"
SHORT = "10"  # and 01, below; the others in `make test-all`
CELLS = "window.jupyterapp.shell.currentWidget.context.model.toJSON().cells.filter(cell => cell.cell_type === 'code')"
ALL_RUN = f"""() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === "idle"
    && {CELLS}.every(cell => cell.execution_count)"""
OUTPUTS = f"{CELLS}.map(cell => [cell.source, JSON.stringify(cell.outputs)])"
FIRST = "01_what_a_managed_node_is.ipynb"
WRONG, RIGHT = ["bastion", "web-1"], ["bastion", "batch-1", "legacy-1", "web-13", "ledger-11"]


def run_by_menu(page: Page) -> None:
    """Run, Run All Cells; until each has run."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.wait_for_function(ALL_RUN, timeout=120_000)


def names() -> list[Any]:
    """All but the first, which is walked through where it is answered."""
    others = sorted(path for path in COURSE.glob("*.ipynb") if path.name != FIRST)
    slow = pytest.mark.slow
    return [pytest.param(path.name, id=path.stem, marks=() if path.name[:2] == SHORT else slow) for path in others]


@pytest.mark.parametrize("name", names())
def test_a_notebook_is_opened_and_run_by_the_menu_and_what_is_not_answered_says_what_is_expected(
    lab: Any, name: str
) -> None:
    page = lab.open(f"course/{name}")
    run_by_menu(page)
    check_outputs(page, name)


def check_outputs(page: Page, name: str) -> None:
    """No traceback, no warning, and a sentence for every exercise that is not answered."""
    outputs = page.evaluate(OUTPUTS)
    assert [source for source, said in outputs if '"output_type":"error"' in said or '"name":"stderr"' in said] == []
    checks = {
        source: "is not answered yet: expected" in said for source, said in outputs if "workshop.check(" in source
    }
    assert list(checks.values()) == [True] * _count(name)


def _count(name: str) -> int:
    """The exercises of a notebook."""
    cells = nbformat.read(COURSE / name, as_version=4).cells
    return sum("answer" in cell.metadata.get("tags", ()) for cell in cells)


def cell(page: Page, text: str) -> Locator:
    return page.locator(".jp-CodeCell", has=page.locator(".cm-content", has_text=text))


def answer(page: Page, exercise: str, text: str) -> None:
    """Type over the answer, run it and its check: keys only, after a click into the cell."""
    cells = page.locator(".jp-CodeCell .cm-content")
    place = next(
        number for number, source in enumerate(cells.all_inner_texts()) if f'workshop.check("{exercise}"' in source
    )
    cells.nth(place - 1).click()
    page.keyboard.press("Control+a")
    page.keyboard.type(f"answer = {text}".replace("'", '"'))
    page.keyboard.press("Shift+Enter")
    page.keyboard.press("Shift+Enter")


def test_a_wrong_and_a_right_answer_are_typed_and_the_panel_follows(lab: Any) -> None:
    (lab.server.folder / "notebooks" / "course" / "progress.json").unlink(missing_ok=True)
    page = lab.open(f"course/{FIRST}")
    run_by_menu(page)
    check_outputs(page, FIRST)
    said, panel = cell(page, 'workshop.check("01-1"').get_by_role("status"), cell(page, "workshop.progress()")
    panel.scroll_into_view_if_needed()
    expect(panel.get_by_role("status")).to_have_text("0 of 13 core exercises passed, 0 of 17 others, next is 01-1")
    answer(page, "01-1", str(WRONG))
    expect(said).to_contain_text("web-1 does not belong in your list: its managed is True, the exercise asks for False")
    expect(said).to_contain_text("hint 1 of 3: The column managed says")
    expect(panel.get_by_role("listitem").first).to_have_text("… tried 01-1")
    answer(page, "01-1", str(RIGHT))
    expect(said).to_have_text("01-1 passes: Instances that are not managed")
    expect(panel.get_by_role("listitem").first).to_have_text("✓ done 01-1")
    expect(panel.get_by_role("status")).to_have_text("1 of 13 core exercises passed, 0 of 17 others, next is 02-1")
    titles = panel.get_by_role("button", name="Titles and tries")
    titles.focus()
    titles.press("Space")
    expect(panel.get_by_role("row", name="✓ done 01-1 Instances that are not managed 2 core")).to_be_visible()
    for theme in ("dark", "light"):
        lab.use_theme(theme)
        page.wait_for_timeout(300)
        found = Axe().run(page, context=".jp-CodeCell .widget-vbox:has(ul)").response["violations"]
        assert [f"{v['id']}: {n['html'][:200]} {n['failureSummary'][:200]}" for v in found for n in v["nodes"]] == []
