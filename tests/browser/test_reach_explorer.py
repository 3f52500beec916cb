"""The reach explorer in a real JupyterLab: notebook 01, used with mouse and keyboard."""

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

NOTEBOOK = "01_who_reaches_what.ipynb"
WHY = "Choose a mark"


LISTEN = """window.WebSocket = class extends WebSocket {
    constructor(...given) {
        super(...given);
        const hear = ({ data }) => (window.heard ??= []).push([data.byteLength ?? data.length, performance.now()]);
        this.addEventListener("message", hear);
    }
};"""


@pytest.fixture(scope="module")
def page(lab: Any) -> Page:
    lab.context.add_init_script(LISTEN)
    page = lab.open(NOTEBOOK)
    lab.run_all()
    page.locator(".ssmlab-explorer").first.scroll_into_view_if_needed()
    return page


@pytest.fixture
def explorer(page: Page) -> Locator:
    found = page.locator(".ssmlab-explorer").first
    found.scroll_into_view_if_needed()
    found.get_by_role("tab", name="Graph").click()
    found.locator("svg[role=application] .mark.node").first.wait_for()
    return found


def violations(page: Page) -> list[str]:
    """What axe-core finds in the explorer; JupyterLab's own faults are not ours."""
    found = Axe().run(page, context=".ssmlab-explorer").response["violations"]
    return [f"{v['id']}: {node['html'][:200]} {node['failureSummary'][:200]}" for v in found for node in v["nodes"]]


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
    explorer.get_by_label("Outcome", exact=True).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(explorer.locator("svg[role=application]")).not_to_have_attribute("data-draws", str(before))
    page.keyboard.press("Home")
    expect(explorer.get_by_label("Outcome", exact=True)).to_have_value("reached (both)")


def test_a_control_redraws_the_graph(explorer: Locator) -> None:
    before = draws(explorer)
    explorer.get_by_text("More filters").click()
    choose(explorer, "Region", "us-east-2")
    expect(explorer.locator("svg[role=application]")).not_to_have_attribute("data-draws", str(before))
    assert explorer.locator(".mark[data-kind=group]").count() > 0
    choose(explorer, "Region", "any")
    explorer.get_by_text("More filters").click()


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


def test_beside_the_file_browser_the_reason_stands_below_the_picture_on_the_same_screen(
    lab: Any, explorer: Locator, page: Page
) -> None:
    click_line(explorer, page)
    lab.command("application:toggle-left-area")
    try:
        expect(explorer.locator(".mark[data-kind=principal] .label")).to_have_text("user/web-ops")
        explorer.evaluate("element => element.scrollIntoView()")
        first = explorer.locator(".ssmlab-why-text p").first
        picture, reason = explorer.locator(".ssmlab-see").bounding_box(), first.bounding_box()
        assert reason["x"] > picture["x"]
        assert reason["y"] > picture["y"] + picture["height"]
        assert reason["y"] + reason["height"] < page.locator("#jp-bottom-panel").bounding_box()["y"]
    finally:
        lab.command("application:toggle-left-area")


def test_principals_are_found_as_one_types(explorer: Locator) -> None:
    explorer.get_by_label("Find principal", exact=True).fill("OnCall")
    principals = explorer.get_by_label("Principals", exact=True)
    principals.get_by_role("option", name=re.compile("OnCall")).wait_for()
    principals.select_option(label=next(t for t in principals.locator("option").all_text_contents() if "OnCall" in t))
    expect(explorer.locator(".caption")).to_contain_text("depend")
    assert explorer.locator(".mark.edge[data-outcome=conditional]").count() > 0
    explorer.get_by_text("Request: MFA, IP, time").click()
    choose(explorer, "MFA used", "yes")
    expect(explorer.locator(".mark.edge[data-outcome=conditional]")).to_have_count(0)
    choose(explorer, "MFA used", "not known")
    explorer.get_by_text("Request: MFA, IP, time").click()
    explorer.get_by_label("Find principal", exact=True).fill("")


def test_the_table_holds_the_same_pairs_and_explains_a_row(explorer: Locator) -> None:
    explorer.get_by_role("tab", name="Table").click()
    count = explorer.locator(".ssmlab-live [role=status]")
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


def test_the_matrix_is_walked_with_the_keyboard(explorer: Locator, page: Page) -> None:
    explorer.get_by_role("button", name="Everyone").click()
    explorer.get_by_role("tab", name="Matrix").click()
    expect(explorer.locator(".ssmlab-live")).to_contain_text("25 of 31 principals reach")
    explorer.get_by_role("gridcell").first.click()
    expect(explorer.locator(".ssmlab-why-text")).to_contain_text("may run")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    chosen = explorer.get_by_role("gridcell", selected=True)
    expect(chosen).to_be_focused()
    expect(explorer.locator(".ssmlab-why-text")).to_contain_text(
        (chosen.get_attribute("aria-label") or "").split(",")[0]
    )
    explorer.get_by_role("tab", name="Graph").click()


def test_a_selection_is_shared_by_all_views_and_told_in_each(explorer: Locator, page: Page) -> None:
    explorer.get_by_label("Principals", exact=True).locator("option", has_text="web-ops").click()
    expect(explorer.locator(".caption")).to_contain_text("user/web-ops reaches")
    explorer.get_by_role("tab", name="Table").click()
    explorer.locator("tbody tr", has_text="PatchWindows").first.click()
    why = explorer.locator(".ssmlab-why-text")
    expect(why).to_contain_text("user/web-ops may run PatchWindows on web-1")
    explorer.get_by_role("tab", name="Matrix").click()
    expect(explorer.get_by_role("gridcell", selected=True)).to_have_attribute("aria-label", re.compile("WebServers"))
    explorer.get_by_role("tab", name="Graph").click()
    expect(explorer.locator(".mark[aria-pressed=true]")).to_have_attribute("data-kind", "group")
    explorer.get_by_role("tab", name="Table").click()
    expect(explorer.locator("tbody tr.selected")).to_contain_text("PatchWindows")
    expect(why).to_contain_text("user/web-ops may run PatchWindows on web-1")
    explorer.get_by_role("tab", name="Graph").click()
    explorer.locator(".mark[aria-pressed=true]").focus()
    page.keyboard.press("Escape")


def test_an_empty_matrix_says_why(explorer: Locator) -> None:
    explorer.get_by_label("Node", exact=True).fill("no such node")
    explorer.get_by_role("tab", name="Matrix").click()
    expect(explorer.locator(".ssmlab-matrix")).to_contain_text("No node matches the filters.")
    expect(explorer.locator(".ssmlab-matrix table")).to_be_empty()
    explorer.get_by_label("Node", exact=True).fill("")
    explorer.get_by_role("tab", name="Graph").click()


def test_columns_of_the_matrix_are_named_by_what_sets_them_apart(explorer: Locator) -> None:
    explorer.get_by_role("tab", name="Matrix").click()
    heads = explorer.get_by_role("columnheader").locator("span")
    expect(heads.first).to_have_text("Finance=…rs · eu-west-1 (5)")
    explorer.get_by_role("tab", name="Graph").click()


FOCUS = "() => [document.activeElement.tagName, getComputedStyle(document.activeElement).outlineStyle]"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_focus_is_seen_on_every_control(lab: Any, explorer: Locator, page: Page, theme: str) -> None:
    lab.use_theme(theme)
    explorer.get_by_label("Find principal", exact=True).focus()
    met = []
    for _ in range(12):
        met.append(page.evaluate(FOCUS))
        page.keyboard.press("Tab")
    lab.use_theme("light")
    assert {tag for tag, _ in met} >= {"INPUT", "SELECT", "BUTTON"}
    assert {style for _, style in met} == {"solid"}


def test_arrows_of_choices_are_light_in_the_dark_theme(lab: Any, explorer: Locator) -> None:
    lab.use_theme("dark")
    arrow = explorer.get_by_label("Outcome", exact=True).evaluate("each => getComputedStyle(each).backgroundImage")
    lab.use_theme("light")
    assert "stroke='%23ddd'" in arrow


def test_the_view_is_turned_round_by_typing_a_node(explorer: Locator) -> None:
    explorer.get_by_role("button", name="Everyone").click()
    explorer.get_by_label("Node", exact=True).press_sequentially("web-1")
    expect(explorer.locator(".caption")).to_contain_text("10 of 31 principals reach web-1; 3 more depend")
    explorer.get_by_label("Node", exact=True).fill("")
    explorer.get_by_label("Principals", exact=True).locator("option", has_text="web-ops").click()
    expect(explorer.locator(".caption")).to_contain_text("user/web-ops reaches")


def test_a_node_group_unfolds_and_folds_back(explorer: Locator) -> None:
    group = explorer.locator(".mark[data-kind=group]").first
    group.dispatch_event("click")
    explorer.get_by_role("button", name="Unfold").click()
    explorer.locator(".mark[data-kind=node]").first.dispatch_event("click")
    explorer.get_by_role("button", name="Fold", exact=True).click()
    expect(explorer.locator(".mark[data-kind=node]")).to_have_count(0)


def test_what_is_denied_is_drawn_dashed(explorer: Locator) -> None:
    explorer.get_by_label("what is denied, too").check()
    expect(explorer.locator(".mark.edge[data-outcome=denied]").first).to_be_attached()
    explorer.get_by_label("what is denied, too").uncheck()
    expect(explorer.locator(".mark.edge[data-outcome=denied]")).to_have_count(0)


ENDS = """picture => {
    const holder = document.body.appendChild(document.createElement("div"));
    holder.innerHTML = picture;
    const boxes = [...holder.querySelectorAll("div > svg > text")].map(text => text.getBBox());
    holder.remove();
    return boxes.map(({ x, width }) => x + width);
}"""


@pytest.mark.parametrize(
    ("kind", "start"),
    [("CSV", b"principal,node"), ("Parquet", b"PAR1"), ("GraphML", b"<graphml"), ("SVG", b"<svg"), ("PNG", b"\x89PNG")],
)
def test_what_is_seen_is_saved(explorer: Locator, page: Page, kind: str, start: bytes) -> None:
    explorer.get_by_label("Save as").select_option(label=kind)
    with page.expect_download() as download:
        explorer.get_by_role("button", name="Save", exact=True).click()
    content = Path(download.value.path()).read_bytes()
    assert content.startswith(start)
    if kind == "SVG":
        frame = ElementTree.fromstring(content)
        lines = [text.text or "" for text in frame.findall("{*}text")]
        caption = explorer.locator(".caption").text_content()
        assert " ".join(lines[1:]) == caption
        ends = page.evaluate(ENDS, content.decode())
        assert max(ends) <= float(frame.attrib["width"])  # no line is cut off


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_any_view(lab: Any, explorer: Locator, page: Page, theme: str) -> None:
    lab.use_theme(theme)
    for view in ("Graph", "Matrix", "Table"):
        explorer.get_by_role("tab", name=view).click()
        page.wait_for_timeout(300)
        assert violations(page) == [], view
    explorer.get_by_role("tab", name="Graph").click()
    lab.use_theme("light")


LABELS = """explorer => [...explorer.querySelectorAll(".mark.node")].map(mark => {
    const { x, y, width, height } = mark.querySelector(".label").getBoundingClientRect();
    return [x, y, x + width, y + height];
})"""


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
def test_no_labels_overlap_and_nothing_scrolls_sideways(explorer: Locator, page: Page, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.wait_for_timeout(400)
    boxes = explorer.evaluate(LABELS)
    pairs = [(a, b) for i, a in enumerate(boxes) for b in boxes[i + 1 :]]
    assert [(a, b) for a, b in pairs if a[0] < b[2] and b[0] < a[2] and a[1] + 2 < b[3] and b[1] + 2 < a[3]] == []
    assert explorer.evaluate("explorer => explorer.scrollWidth <= explorer.clientWidth")
    page.set_viewport_size({"width": 1280, "height": 720})


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
    explorer.get_by_label("Find principal", exact=True).fill("")
    principals = explorer.get_by_label("Principals", exact=True)
    texts = principals.locator("option").all_text_contents()
    principals.select_option(label=next(text for text in texts if "web-ops" in text))
    expect(explorer.locator(".caption")).to_contain_text("web-ops reaches")
    click_line(explorer, page)
    page.mouse.move(5, 300)  # a tip, of the pointer or the focus, would cover a label
    page.evaluate("document.activeElement.blur()")
    expect(explorer.locator(".tip")).to_be_hidden()
    path = folder / f"reach-explorer{'' if theme == 'light' else '-dark'}.png"
    explorer.screenshot(path=path)
    assert path.stat().st_size > 10_000
    box = explorer.bounding_box()
    assert box is not None
    assert box["width"] <= 1280
    assert box["height"] <= 720


def test_what_would_mend_a_denial_is_tried_by_keyboard(explorer: Locator, page: Page) -> None:
    explorer.get_by_label("Principals", exact=True).locator("option", has_text="web-ops").click()
    explorer.get_by_label("what is denied, too").check()
    explorer.locator(".mark.node[data-kind=group]", has_text="nodes · eu-west-1").first.click()
    explorer.get_by_role("button", name="Try: Finance = WebServers").focus()
    page.keyboard.press("Enter")
    told = explorer.locator(".ssmlab-trials [role=status]")
    expect(told).to_contain_text("user/web-ops gains 1 node.")
    explorer.evaluate("each => each.scrollIntoView()")
    expect(told).to_be_in_viewport(ratio=1)
    assert violations(page) == []
    explorer.get_by_label("what is denied, too").uncheck()


TIMED = """async ([label, option, explorer]) => {
    const select = [...explorer.querySelectorAll("select")].find(each => each.labels[0]?.textContent.trim() === label);
    const svg = explorer.querySelector("svg[role=application]");
    const before = svg.dataset.draws, start = performance.now();
    window.heard = [];
    for (const each of select.options) each.selected = option.includes(each.text);
    select.dispatchEvent(new Event("change", { bubbles: true }));
    while (svg.dataset.draws === before && performance.now() < start + 9000) await new Promise(requestAnimationFrame);
    const drawn = svg.dataset.draws !== before, end = performance.now();
    const [, heard] = window.heard.reduce((most, each) => each[0] > most[0] ? each : most);  // the graph is the longest
    return [heard - start, end - heard, svg.querySelectorAll(".mark").length, drawn];
}"""


@pytest.mark.parametrize("count", [2, 16])
def test_the_time_from_a_control_to_the_redrawn_graph_is_told(explorer: Locator, count: int) -> None:
    """No check of time, a number to read: `pytest -s -k time_from`."""
    principals = explorer.get_by_label("Principals", exact=True)
    texts = principals.locator("option").all_text_contents()[:count]
    # the first change meets what is still being loaded, the last is told
    for option in (texts, texts[-1:], texts):
        times = explorer.evaluate(
            "(explorer, [run, label, option]) => eval(run)([label, option, explorer])", [TIMED, "Principals", option]
        )
    kernel, browser, marks, drawn = times
    print(f"\n{marks} marks: {kernel:.0f} ms to the kernel and back, {browser:.0f} ms until the picture stands")
    assert drawn
