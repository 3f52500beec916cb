"""The picture in a real JupyterLab: drawn, clicked, walked with the keyboard, zoomed, and deaf to what labels try."""

import time
from itertools import combinations

import pytest

from ssmlab.widgets.graph_view import KINDS, OUTCOMES

ARN = (
    "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Operations_0123456789abcdef"
)
HOSTILE = {
    "script": "<script>window.__pwned = 1</script>",
    "image": "<img src=x onerror='window.__pwned = 2'>",
    "svg": "</text></svg><svg onload=window.__pwned=3>",
    "quotes": """it's "quoted" & `ticked` \\" onfocus="window.__pwned=4""",
    "rtl": "\u202eשרת ייצור\u202c (prod)",
    "emoji": "🦀🧑🏽‍🚀" * 40,
    "long": "x" * 5000,
    "empty": "",
}
SETUP = f"""
from ssmlab.widgets.graph_view import GraphView

TITLES = ["Principal", "Statement", "Documents and nodes"]

def node(id, kind, layer, row, label=None, **more):
    label = id if label is None else label
    return dict(id=id, kind=kind, label=label, detail=f"{{kind}} {{label}}", layer=layer, x=layer, y=row) | more

def edge(source, target, outcome="allowed"):
    words = f"{{outcome}}: {{source}} to {{target}}"
    return dict(id=f"{{source}}>{{target}}", source=source, target=target, outcome=outcome, detail=words)

def show(nodes, edges, **more):
    view.set_state(dict(graph=dict(nodes=nodes, edges=edges, columns=TITLES), selected="") | more)

def small(**more):
    show([node("ann", "principal", 0, 0), node("bob", "principal", 0, 2), node("Ops", "role", 0, 4, "{ARN}"),
          node("web", "statement", 1, 0.5, "WebOps-tag · Nodes"), node("all", "statement", 1, 3.5, "SSMFullAccess · 1"),
          node("run", "document", 2, 0, "AWS-RunShellScript"), node("prod", "group", 2, 1, "web · prod", count=12),
          node("dev", "group", 2, 2, "web · dev", count=4), node("db", "group", 2, 3, "db · prod", count=1204),
          node("bastion", "node", 2, 4, "i-0123456789abcdef0")],
         [edge("ann", "web"), edge("bob", "web", "conditional"), edge("Ops", "all"), edge("web", "run"),
          edge("web", "prod"), edge("web", "dev", "conditional"), edge("all", "db", "denied"), edge("all", "bastion")],
         caption="ann reaches 12 of 1,221 nodes; 4 more depend on MFA.", label="Who reaches what", **more)

def columns(n, **more):
    show([node(f"{{layer}}-{{i}}", kind, layer, i, f"{{kind}} number {{i}} of {{n}} · eu-west-1", count=i + 1)
          for layer, kind in enumerate(["role", "statement", "group"]) for i in range(n)],
         [edge(f"{{layer}}-{{i}}", f"{{layer + 1}}-{{i * 7 % n}}", ["allowed", "conditional"][i % 2])
          for layer in (0, 1) for i in range(n)], **more)

view = GraphView()
small()
view
"""


@pytest.fixture(scope="module")
def notebook(lab):
    lab.write("graph.ipynb", "# a cell above", SETUP)
    page = lab.open("graph.ipynb")
    lab.run_all()
    page.set_default_timeout(10_000)
    return page


@pytest.fixture
def page(notebook, lab):
    """The notebook with the small graph, fitted, and the mouse and the focus elsewhere."""
    notebook.mouse.move(5, 300)
    notebook.evaluate("document.activeElement.blur()")
    redraw(notebook, lab, "view.graph = {}")
    redraw(notebook, lab, "small()")
    notebook.get_by_role("button", name="Fit", exact=True).click()
    notebook.locator(".ssmlab-graph").evaluate("root => root.scrollIntoView()")
    return notebook


def redraw(page, lab, code):
    """Run code that changes the graph; return the ms that the browser took to draw it."""
    drawing = "document.querySelector('.ssmlab-graph .canvas > svg').dataset"
    before = page.evaluate(f"{drawing}.draws")
    lab.execute(code)
    page.wait_for_function(f"before => {drawing}.draws !== before", arg=before)
    return float(page.evaluate(f"{drawing}.drawMs"))


def mark(page, name):
    return page.locator(f".ssmlab-graph [data-id='{name}']")


def selected(lab, seconds=10):
    """What the kernel has selected, once it is what the picture shows: a click's message may wait behind another's."""
    pressed = "document.querySelector('.ssmlab-graph [aria-pressed=true]')?.dataset.id ?? ''"
    until = time.monotonic() + seconds
    while True:
        shown, known = lab.page.evaluate(pressed), lab.execute("print(view.selected, end='')")
        if shown == known or time.monotonic() > until:
            return known


def style(locator, name):
    return locator.evaluate("(element, name) => getComputedStyle(element)[name]", name)


def overlaps(page):
    """Pairs of labels whose boxes overlap."""
    boxes = page.locator(".ssmlab-graph .label").evaluate_all(
        "all => all.map(e => [e.textContent, e.getBoundingClientRect()]).filter(([text]) => text)"
        ".map(([text, { left, right, top, bottom }]) => [text, left, right, top + 2, bottom - 2])"
    )
    return [
        (a[0], b[0]) for a, b in combinations(boxes, 2) if a[1] < b[2] and b[1] < a[2] and a[3] < b[4] and b[3] < a[4]
    ]


def view_box(page):
    """Scale and shift of the picture."""
    return page.locator(".ssmlab-graph .scene").get_attribute("transform")


def inside(page):
    """Whether every mark stands within the frame."""
    return page.locator(".ssmlab-graph .canvas").evaluate(
        """canvas => {
            const frame = canvas.getBoundingClientRect();
            return [...canvas.querySelectorAll(".node")].map(node => node.getBoundingClientRect())
                .every(box => box.left >= frame.left && box.right <= frame.right &&
                              box.top >= frame.top && box.bottom <= frame.bottom);
        }"""
    )


def test_every_kind_and_outcome_is_drawn_and_explained_in_the_legend(page, lab):
    nodes = [f"node('{kind}', '{kind}', {i % 2}, {i})" for i, kind in enumerate(KINDS)]
    pairs = zip(KINDS, [*KINDS[1:], KINDS[0]], OUTCOMES, strict=True)
    edges = [f"edge('{source}', '{target}', '{outcome}')" for source, target, outcome in pairs]
    redraw(page, lab, f"show([{', '.join(nodes)}], [{', '.join(edges)}])")
    assert [mark(page, kind).get_attribute("data-kind") for kind in KINDS] == list(KINDS)
    drawn = page.locator(".ssmlab-graph .edge").evaluate_all("all => all.map(edge => edge.dataset.outcome)")
    assert drawn == list(OUTCOMES)
    assert page.locator(".legend li").all_text_contents() == [
        *("principal", "role", "policy", "statement", "document", "node group", "node"),
        *("allowed", "conditional", "denied", "gained", "lost", "unchanged", "other"),
    ]
    assert page.locator(".ssmlab-graph .sign").all_text_contents() == ["+", "\N{MINUS SIGN}"]


HEIGHTS = """scene => [...scene.querySelectorAll(".sign")].map(sign => {
    const middle = each => { const { top, height } = each.getBoundingClientRect(); return top + height / 2; };
    const [source, target] = sign.closest(".edge").dataset.id.split(">").map(
        id => middle(scene.querySelector(`.node[data-id="${id}"] .shape`)));
    return [middle(sign) - source, middle(sign) - target].map(Math.abs);
})"""


def test_the_sign_of_a_change_stands_where_no_other_line_runs(page, lab):
    nodes = ["node('s', 'statement', 1, 1.5)", *(f"node('g{i}', 'group', 2, {i})" for i in range(4))]
    nodes += [f"node('p{i}', 'principal', 0, {i})" for i in range(3)]
    fans = [f"edge('s', 'g{i}', '{('gained', 'lost')[i % 2]}')" for i in range(4)]
    fans += [f"edge('p{i}', 's', 'lost')" for i in range(3)]
    redraw(page, lab, f"show([{', '.join(nodes)}], [{', '.join(fans)}])")
    heights = page.locator(".ssmlab-graph .scene").evaluate(HEIGHTS)
    assert max(target for _, target in heights[:4]) < 8  # each in the row of its group
    assert max(source for source, _ in heights[4:]) < 8  # each in the row of its principal


def test_the_legend_holds_only_what_occurs(page):
    words = ["principal", "role", "statement", "document", "node group", "node", "allowed", "conditional", "denied"]
    assert page.locator(".legend li").all_text_contents() == words


def test_what_labels_try_is_shown_as_text_and_does_not_run(page, lab):
    label = "hostile[name]"
    nodes = f"[node(name, 'group', i % 2, i, {label}) for i, name in enumerate(hostile)]"
    redraw(page, lab, f"hostile = {HOSTILE!r}; show({nodes}, [edge('script', 'image')], caption=hostile['image'])")
    names = {name: mark(page, name).get_attribute("aria-label") for name in HOSTILE}
    assert names == {name: f"group {text}" for name, text in HOSTILE.items()}
    shown = {name: mark(page, name).locator(".label").text_content() for name in HOSTILE}
    whole = ("script", "image", "rtl", "empty")
    assert {name: shown[name] for name in whole} == {name: HOSTILE[name] for name in whole}
    for name in {*HOSTILE} - {*whole}:
        told, text = shown[name].replace(" ", ""), HOSTILE[name].replace(" ", "")  # a blank may be where a line ends
        head, tail = told.partition("…")[0], told.rpartition("…")[2]  # no half of an emoji: it would not be found
        assert (text.startswith(head), text.endswith(tail)) == (True, True), shown[name]
    assert page.locator(".ssmlab-graph .caption").text_content() == HOSTILE["image"]
    assert page.locator(".ssmlab-graph :is(script, img)").count() == 0
    assert overlaps(page) == []
    assert page.evaluate("window.__pwned") is None


def test_labels_are_shortened_in_the_middle_and_the_pointer_shows_all(page):
    short = mark(page, "Ops").locator(".label").text_content()
    head, tail = short.split("…")
    assert ARN.startswith(head)
    assert ARN.endswith(tail)
    mark(page, "Ops").hover()
    assert page.locator(".ssmlab-graph .tip").inner_text() == f"role {ARN}"
    assert overlaps(page) == []


def test_in_a_tall_picture_each_column_begins_at_the_top(page, lab):
    redraw(page, lab, "show([node('ann', 'role', 0, 30)] + [node(f'g{i}', 'group', 1, i) for i in range(60)], [])")
    frame, first, last = (
        page.locator(f".ssmlab-graph {name}").bounding_box() for name in (".canvas", "[data-id=ann]", "[data-id=g59]")
    )
    assert last["y"] > frame["y"] + frame["height"]
    assert first["y"] < frame["y"] + frame["height"] / 4


def test_a_click_on_a_node_or_a_line_selects_it(page, lab):
    mark(page, "prod").click()
    assert selected(lab) == "prod"
    mark(page, "web>prod").locator(".hit").click(force=True)
    assert selected(lab) == "web>prod"
    assert page.locator(".ssmlab-graph [aria-pressed=true]").get_attribute("data-id") == "web>prod"


def test_a_selection_from_python_is_ringed(page, lab):
    lab.execute("view.selected = 'web'")
    page.wait_for_selector(".ssmlab-graph [data-id=web][aria-pressed=true]")
    assert style(mark(page, "web").locator(".chip"), "stroke") != style(mark(page, "all").locator(".chip"), "stroke")


def test_one_tab_stop_then_arrows_walk_enter_and_space_select_escape_clears(page, lab):
    assert page.locator(".ssmlab-graph [tabindex='0']").count() == 1
    mark(page, "ann").focus()
    walked = []
    for key in (
        "ArrowRight",
        "ArrowRight",
        "ArrowRight",
        "ArrowDown",
        "ArrowRight",
        "ArrowDown",
        "ArrowLeft",
        "ArrowUp",
    ):
        page.keyboard.press(key)
        walked.append(page.evaluate("document.activeElement.dataset.id"))
    assert walked == ["ann>web", "web", "web>run", "web>prod", "prod", "dev", "web>dev", "web>prod"]
    page.keyboard.press("Enter")
    assert selected(lab) == "web>prod"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press(" ")
    assert selected(lab) == "web"
    page.keyboard.press("Escape")
    assert selected(lab) == ""
    assert page.locator(".ssmlab-graph [tabindex='0']").get_attribute("data-id") == "web"
    assert page.evaluate("window.jupyterapp.shell.currentWidget.content.mode") == "command"


def test_the_focused_mark_is_brought_into_sight_and_described(page, lab):
    redraw(page, lab, "columns(60)")
    mark(page, "0-59").focus()
    frame, box = page.locator(".ssmlab-graph .canvas").bounding_box(), mark(page, "0-59").bounding_box()
    assert frame["y"] < box["y"] < frame["y"] + frame["height"] - box["height"]
    assert page.locator(".ssmlab-graph .tip").inner_text() == "role role number 59 of 60 · eu-west-1"


def test_hover_keeps_the_path_and_fades_the_rest(page):
    mark(page, "bob").hover()
    path = page.locator(".ssmlab-graph .on").evaluate_all("all => all.map(mark => mark.dataset.id).sort()")
    assert path == sorted(["bob", "bob>web", "web", "web>run", "web>prod", "web>dev", "run", "prod", "dev"])
    assert (style(mark(page, "prod"), "opacity"), style(mark(page, "db"), "opacity")) == ("1", "0.18")
    page.mouse.move(5, 300)
    assert style(mark(page, "db"), "opacity") == "1"


def test_the_wheel_alone_scrolls_the_page(page):
    fitted, box = view_box(page), mark(page, "web").bounding_box()
    mark(page, "web").hover()
    page.mouse.wheel(0, 100)
    page.wait_for_function(f"document.querySelector(\"[data-id='web']\").getBoundingClientRect().y < {box['y'] - 20}")
    assert view_box(page) == fitted


def test_a_region_that_all_share_stands_in_the_heading_and_long_labels_in_two_lines(page, lab):
    label = "Finance=WebServers-of-the-shop-in-the-old-town · eu-west-1"
    marks = f"node('g', 'group', 1, 1, {label!r}), node('d', 'document', 1, 2, 'AWS-RunShellScript · eu-west-1')"
    redraw(page, lab, f"show([node('u', 'principal', 0, 1), {marks}], [])")
    assert page.locator(".headings text").all_text_contents()[1] in ("Statement · eu-west-1", "Statementeu-west-1")
    assert mark(page, "d").locator(".label").text_content() == "AWS-RunShellScript"
    other = "node('n', 'node', 1, 3, 'web-1 · us-east-2')"
    redraw(page, lab, f"show([node('u', 'principal', 0, 1, 'x' * 90), {marks}, {other}], [])")
    assert page.locator(".headings text").all_text_contents()[1] == "Statement"
    assert mark(page, "g").locator("tspan").all_text_contents()[1] == "eu-west-1"


def test_buttons_and_wheel_zoom_dragging_pans_and_fit_shows_all_again(page):
    fitted = view_box(page)
    page.get_by_role("button", name="Zoom in").click()
    assert "scale(1.25)" in view_box(page)
    page.get_by_role("button", name="Zoom out").click()
    assert "scale(1)" in view_box(page)
    box = mark(page, "web").bounding_box()
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -300)
    page.keyboard.up("Control")
    page.wait_for_function("document.querySelector('.scene').getAttribute('transform').includes('scale(1.8')")
    zoomed = mark(page, "web").bounding_box()
    assert zoomed["x"] < box["x"] + 10 < zoomed["x"] + 40  # the point under the mouse stays there
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 40, steps=3)
    page.mouse.up()
    dragged = mark(page, "web").bounding_box()
    assert (round(dragged["x"] - zoomed["x"]), round(dragged["y"] - zoomed["y"])) == (50, 30)
    page.get_by_role("button", name="Fit").click()
    assert view_box(page) == fitted
    assert inside(page)


def test_dragging_a_mark_does_not_select_it(page, lab):
    box = mark(page, "web").bounding_box()
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 40, steps=3)
    page.mouse.up()
    assert selected(lab) == ""


def test_a_change_of_data_keeps_the_zoom_while_the_marks_fit(page, lab):
    page.get_by_role("button", name="Zoom out").click()
    kept = view_box(page)
    redraw(page, lab, "show(view.graph['nodes'][:6], view.graph['edges'])")
    assert view_box(page) == kept
    assert page.locator(".ssmlab-graph .edge").count() == 4  # an edge without both its ends is not drawn
    redraw(page, lab, "columns(30)")
    assert view_box(page) != kept


def test_a_long_graph_stays_readable_at_first_and_fit_shows_it_whole(page, lab):
    redraw(page, lab, "columns(60)")
    assert "scale(0.7)" in view_box(page)
    assert not inside(page)
    page.get_by_role("button", name="Fit").click()
    assert inside(page)


def test_an_empty_graph_says_why(page, lab):
    redraw(page, lab, "show([], [], empty='No principal matches `webb`.')")
    assert page.locator(".ssmlab-graph .nothing").inner_text() == "No principal matches `webb`."
    assert page.locator(".ssmlab-graph .foot").is_hidden()


def test_resizing_fits_again(page):
    page.set_viewport_size({"width": 900, "height": 720})
    page.wait_for_function("document.querySelector('.ssmlab-graph').clientWidth < 800")
    page.wait_for_timeout(100)
    assert inside(page)
    assert overlaps(page) == []
    page.set_viewport_size({"width": 1280, "height": 720})
    page.wait_for_function("document.querySelector('.ssmlab-graph').clientWidth > 1000")


def test_colours_follow_the_theme(page, lab, tmp_path):
    colours = {}
    mark(page, "web").click()
    for theme in ("dark", "light"):
        lab.use_theme(theme)
        page.screenshot(path=tmp_path / f"{theme}.png")
        label, ground = mark(page, "ann").locator(".label"), page.locator(".ssmlab-graph .canvas")
        colours[theme] = (style(label, "fill"), style(ground, "backgroundColor"))
    assert colours == {
        "dark": ("rgb(255, 255, 255)", "rgb(17, 17, 17)"),
        "light": ("rgb(0, 0, 0)", "rgb(255, 255, 255)"),
    }


def test_every_mark_is_a_named_button_and_the_caption_is_read_out(page):
    names = page.locator(".ssmlab-graph [data-id]").evaluate_all(
        "all => all.map(mark => [mark.getAttribute('role'), mark.getAttribute('aria-label')])"
    )
    assert len(names) == 18
    assert {role for role, _ in names} == {"button"}
    assert ["button", "conditional: bob to web"] in names
    assert page.get_by_role("application", name="Who reaches what").count() == 1
    caption = page.locator(".ssmlab-graph [aria-live=polite]")
    assert caption.inner_text() == "ann reaches 12 of 1,221 nodes; 4 more depend on MFA."


@pytest.mark.parametrize("marks", [50, 300])
def test_the_time_of_a_redraw_is_told(page, lab, marks):
    """No check of time, a number to read: `pytest -s -k redraw_is_told`."""
    times = [redraw(page, lab, f"columns({marks // 5}, caption='{time}')") for time in range(5)]
    assert page.locator(".ssmlab-graph [data-id]").count() == marks
    print(f"{marks} marks: drawn in {times} ms")


def test_a_view_shown_twice_stays_one(page, lab):
    lab.execute("from IPython.display import display")
    page.evaluate(
        """async () => {
            const { content, context } = window.jupyterapp.shell.currentWidget;
            content.activeCellIndex = 1;
            await window.jupyterapp.commands.execute("notebook:insert-cell-below");
            content.activeCell.model.sharedModel.setSource("view");
            await window.jupyterapp.commands.execute("notebook:run-cell");
        }"""
    )
    second = page.locator(".ssmlab-graph").nth(1)
    second.locator("[data-id=prod]").click()
    page.wait_for_function("document.querySelectorAll('.ssmlab-graph [data-id=prod][aria-pressed=true]').length === 2")
    assert selected(lab) == "prod"
    page.evaluate("window.jupyterapp.commands.execute('notebook:delete-cell')")
    page.wait_for_function("document.querySelectorAll('.ssmlab-graph').length === 1")
    lab.execute("view.selected = 'dev'")
    page.wait_for_selector(".ssmlab-graph [data-id=dev][aria-pressed=true]")
