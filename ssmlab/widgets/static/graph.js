// A layered graph as SVG: the face of GraphView (graph_view.py), which says what a graph, a kind and an outcome are.
// Above `GraphPicture` everything is pure. Text from the data only ever becomes a text node or an attribute value.

// Pixels at scale 1.
const ROW = [28, 48]; // height of a row, least and most
const HEAD = 30; // the band of headings, which stays when the picture is panned
const CHIP = 6; // air round a shape, a label, the picture
const GAP = [28, 400]; // between two columns, least and most
const LABEL = [48, 320]; // room for a label, least and most
const READABLE = 0.7; // the first fit never goes below this scale
const ZOOM = [0.1, 4];
const KEPT = 60; // however far it is panned, this much of the picture stays in sight

const box = (w, h, r) =>
  `M${-w + r},${-h}H${w - r}A${r},${r} 0 0 1 ${w},${-h + r}V${h - r}A${r},${r} 0 0 1 ${w - r},${h}` +
  `H${-w + r}A${r},${r} 0 0 1 ${-w},${h - r}V${-h + r}A${r},${r} 0 0 1 ${-w + r},${-h}Z`;
const circle = (r) => `M${-r},0A${r},${r} 0 1 1 ${r},0A${r},${r} 0 1 1 ${-r},0Z`;
const diamond = (r) => `M0,${-r}L${r},0L0,${r}L${-r},0Z`;

// Shape of a kind, round the origin, and `half` its width; `word` in the legend, where it is not the name.
const CARD = { half: 11, path: () => box(11, 6, 3) };
const KINDS = {
  principal: { half: 7, path: () => box(7, 7, 0) },
  role: { half: 8, path: () => box(8, 8, 4) },
  policy: CARD,
  statement: CARD,
  document: { half: 9, path: () => diamond(9) },
  group: { half: 9, path: circle, word: "node group" },
  node: { half: 5, path: circle },
};
// Line style and colour of an outcome are in graph.css; `sign` stands on the line.
const OUTCOMES = { allowed: {}, conditional: {}, denied: {} };
Object.assign(OUTCOMES, { gained: { sign: "+" }, lost: { sign: "−" }, unchanged: {}, other: {} });

const sum = (numbers) => numbers.reduce((total, each) => total + each, 0);
const clamp = (value, [least, most]) => Math.min(Math.max(value, least), most);
const halfOf = (node) =>
  node.kind === "group" ? clamp(8 + 0.5 * Math.sqrt(node.count ?? 1), [9, 14]) : KINDS[node.kind].half;
const words = (mark) => mark.detail || mark.label || mark.id;

function element(namespace, tag, attributes = {}, ...children) {
  const made = document.createElementNS(namespace, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children); // a string becomes a text node
  return made;
}
const svg = (...what) => element("http://www.w3.org/2000/svg", ...what);
const html = (...what) => element("http://www.w3.org/1999/xhtml", ...what);

/** The text, or as much of its two ends as the room (px) takes: the end of an ARN says more than its start. */
function shorten(text, room, measure) {
  if (text.length <= 300 && measure(text) <= room) return text;
  const letters = [...text]; // by code point: half an emoji is no character
  const ends = (n) => [letters.slice(0, Math.floor(n * 0.4)), letters.slice(letters.length - Math.ceil(n * 0.6))];
  const cut = (n) => ends(n).map((end) => end.join("")).join("…");
  let [fits, most] = [1, Math.min(letters.length - 1, 200)];
  while (fits < most) {
    const tried = Math.ceil((fits + most) / 2);
    if (measure(cut(tried)) <= room) fits = tried;
    else most = tried - 1;
  }
  return cut(fits);
}

/** Room for each column's labels: what they want, or where that is too much, one cap for those that want most. */
function share(wants, room) {
  const sorted = wants.toSorted((a, b) => a - b);
  const caps = sorted.map((_, i) => (room - sum(sorted.slice(0, i))) / (sorted.length - i));
  const cap = caps.find((each, i) => sorted[i] > each) ?? Infinity;
  return wants.map((want) => Math.max(Math.min(want, cap), LABEL[0]));
}

/** Columns from left to right, in a picture of this width: `left` edge, widest `half` of a shape, `room` for labels. */
function placeColumns(layers, width, measure) {
  const widest = (nodes) => Math.max(...nodes.map((node) => measure((node.label ?? "").slice(0, 200))));
  const halves = layers.map((nodes) => Math.max(...nodes.map(halfOf)));
  const gaps = layers.length - 1;
  const room = width - 2 * CHIP - 2 * sum(halves) - 3 * CHIP * layers.length;
  const wants = layers.map((nodes) => Math.min(widest(nodes) + 1, LABEL[1]));
  const rooms = share(wants, room - gaps * GAP[0]);
  const gap = clamp((room - sum(rooms)) / Math.max(gaps, 1), GAP);
  const widths = layers.map((_, i) => 2 * halves[i] + 3 * CHIP + rooms[i]);
  const left = (i) => CHIP + sum(widths.slice(0, i)) + i * gap;
  return layers.map((_, i) => ({ left: left(i), right: left(i) + widths[i], half: halves[i], room: rooms[i] }));
}

const LINE = 14; // height of a line of a label

/** The label in one line, or in two where the row has room for them: broken at a blank, what is left of "·". */
function setLines(label, room, row, measure) {
  const whole = [shorten(label, room, measure)];
  if (row < 2 * LINE + 2 || whole[0] === label || label.length > 300) return whole;
  const words = label.split(" ");
  const first = [words.shift()];
  while (words.length > 1 && measure([...first, words[0]].join(" ")) <= room) first.push(words.shift());
  const lines = [first.join(" "), words.join(" ").replace(/^· /u, "")];
  return lines[1] ? lines.map((line) => shorten(line.replace(/ ·$/u, ""), room, measure)) : whole;
}

function drawLines(lines, x, middle, height, attributes) {
  const line = (text, i) => svg("tspan", { x, y: middle + (i - (lines.length - 1) / 2) * height }, text);
  return svg("text", attributes, ...lines.map(line));
}

const PLACED = new Set(["document", "group", "node"]);

/** Where all documents and nodes of a layer name the same Region or account, the heading tells it, and they do not. */
function factorOut(layers, titles) {
  const parts = (node) => (node.label ?? "").split(" · ");
  return layers.map((nodes) => {
    const title = titles[nodes[0].layer] ?? "";
    if (!nodes.every((node) => PLACED.has(node.kind))) return { nodes, title };
    const shared = parts(nodes[0]).slice(1).filter((part) => nodes.every((node) => parts(node).indexOf(part) > 0));
    const label = (node) => parts(node).filter((part, i) => !i || !shared.includes(part)).join(" · ");
    return { nodes: nodes.map((node) => ({ ...node, label: label(node) })), title: [title, ...shared].join(" · ") };
  });
}

const byId = (marks) => new Map(marks.map((mark) => [mark.id, mark]));

/** Everything to draw, in pixels: placed nodes, edges and headings, width and height, the scale of the first fit. */
function layOut(graph, size, measure) {
  const { nodes = [], edges = [], columns: titles = [] } = graph;
  if (!nodes.length) return { nodes, edges: [], headings: [], width: 0, height: 0, scale: 1 };
  const groups = [...Map.groupBy(nodes, (node) => node.x)].sort(([a], [b]) => a - b).map(([, layer]) => layer);
  const named = factorOut(groups, titles);
  const layers = named.map((layer) => layer.nodes);
  const rows = nodes.map((node) => node.y);
  const first = Math.min(...rows);
  const count = Math.max(...rows) - first + 1;
  const tall = (size.height - HEAD) / count;
  const scale = clamp(tall / ROW[0], [READABLE, 1]);
  const row = clamp(tall, ROW);
  const columns = placeColumns(layers, size.width / scale, measure);
  // Columns stand centred beside each other; in a picture that must be scrolled each begins at the top, in sight.
  const tops = layers.map((layer) => (tall < row * scale ? Math.min(...layer.map((node) => node.y)) : first));
  const place = (node, i) => placeNode(node, columns[i], (node.y - tops[i] + 0.5) * row, row, measure);
  const placed = layers.flatMap((layer, i) => layer.map((node) => place(node, i)));
  const ends = byId(placed);
  const known = edges.filter((edge) => ends.has(edge.source) && ends.has(edge.target));
  const lines = known.map((edge) => placeEdge(edge, ends.get(edge.source), ends.get(edge.target)));
  const headings = named.map(({ title }, i) => ({ x: columns[i].left + CHIP, text: title }));
  const extent = { width: columns.at(-1).right + CHIP, height: count * row };
  return { nodes: placed, edges: lines, headings, scale, ...extent };
}

// A mark knows the marks `before` and `after` it: an edge its two ends, a node its edges. Paths and keys need no more.
function placeNode(node, { left, half, room }, y, row, measure) {
  const lines = setLines(node.label ?? "", room, row, measure);
  const [x, from, own] = [left + CHIP + half, half + CHIP, halfOf(node)];
  const place = { x, y, from, lines, left: x - own - CHIP, right: x + from + Math.max(...lines.map(measure)) + CHIP };
  const shape = KINDS[node.kind].path(own);
  return { ...node, ...place, shape, column: node.x, order: [node.y, 0], before: [], after: [] };
}

const bezier = (t, a, b, c, d) =>
  (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t ** 2 * c + t ** 3 * d;

function placeEdge(edge, source, target) {
  const [x1, x2, y1, y2] = [source.right, target.left, source.y, target.y];
  const bend = Math.max(30, Math.abs(x2 - x1) / 2);
  const line = `M${x1},${y1}C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}`;
  const at = (t) => [bezier(t, x1, x1 + bend, x2 - bend, x2), bezier(t, y1, y1, y2, y2)];
  const place = { line, at, x: (x1 + x2) / 2, y: (y1 + y2) / 2, column: source.column + 0.5 };
  const mark = { ...edge, ...place, order: [source.order[0], target.order[0]], before: [source], after: [target] };
  source.after.push(mark);
  target.before.push(mark);
  return mark;
}

/** The mark, all that leads to it and all that it leads to. */
function pathOf(mark) {
  const along = (side) => {
    const found = new Set([mark]);
    for (const each of found) each[side].forEach((next) => found.add(next)); // a set grows while it is walked
    return found;
  };
  return new Set([...along("before"), ...along("after")]);
}

const STEPS = { ArrowUp: -1, ArrowDown: 1, ArrowLeft: "before", ArrowRight: "after" };

/** The mark that an arrow key leads to: up and down within a column, left and right along the lines. */
function neighbour(mark, key, marks) {
  const step = STEPS[key];
  const far = (each) => Math.abs(each.y - mark.y);
  if (typeof step === "string") return mark[step].toSorted((a, b) => far(a) - far(b))[0];
  const column = [...marks.values()].filter((each) => each.column === mark.column);
  column.sort((a, b) => a.order[0] - b.order[0] || a.order[1] - b.order[1]);
  return column[column.indexOf(mark) + step];
}

function drawNode(mark) {
  const shape = svg("path", { class: "shape", d: mark.shape });
  const { lines, from } = mark;
  const half = lines.length > 1 ? LINE + 1 : 13;
  const chip = { class: "chip", x: -from, y: -half, width: from + mark.right - mark.x, height: 2 * half, rx: 6 };
  const number = (mark.count ?? 1).toLocaleString("en", { notation: "compact" });
  const count = mark.kind === "group" ? [svg("text", { class: "count" }, number)] : [];
  const label = drawLines(lines, from, 0, LINE, { class: "label" });
  const attributes = { class: "mark node", "data-kind": mark.kind, transform: `translate(${mark.x},${mark.y})` };
  return drawMark(mark, attributes, svg("rect", chip), shape, ...count, label);
}

function drawEdge(mark) {
  const { sign } = OUTCOMES[mark.outcome];
  // where it has the line for itself: at the end at which fewer lines meet
  const more = mark.before[0].after.length - mark.after[0].before.length;
  const [x, y] = mark.at(0.5 + 0.4 * Math.sign(more));
  const hit = svg("path", { class: "hit", d: mark.line }); // wide and unseen: a line can be clicked without aiming
  const line = svg("path", { class: "line", d: mark.line });
  const signs = sign ? [svg("text", { class: "sign", x, y }, sign)] : [];
  return drawMark(mark, { class: "mark edge", "data-outcome": mark.outcome }, hit, line, ...signs);
}

function drawMark(mark, attributes, ...children) {
  const common = { "data-id": mark.id, role: "button", tabindex: -1, "aria-label": words(mark) };
  return (mark.element = svg("g", { ...attributes, ...common }, ...children));
}

/** Only the kinds and outcomes that occur, in the order of their tables. */
function drawLegend({ nodes, edges }) {
  const keys = (table, marks, name, draw) => {
    const shown = Object.entries(table).filter(([value]) => marks.some((mark) => mark[name] === value));
    return shown.map(([value, look]) => {
      const swatch = svg("svg", { viewBox: "-13 -10 26 20", "aria-hidden": "true" });
      swatch.append(svg("g", { [`data-${name}`]: value }, svg("path", draw(look))));
      return html("li", {}, swatch, look.word ?? value);
    });
  };
  const kinds = keys(KINDS, nodes, "kind", ({ half, path }) => ({ class: "shape", d: path(half) }));
  return [...kinds, ...keys(OUTCOMES, edges, "outcome", () => ({ class: "line", d: "M-13,0H13" }))];
}

const EVENTS = "click focusin focusout keydown wheel pointerdown pointermove pointerover pointerleave".split(" ");
const BUTTONS = {
  "Zoom in": ["+", (picture) => picture.zoom(1.25)],
  "Zoom out": ["−", (picture) => picture.zoom(0.8)],
  Fit: ["Fit", (picture) => picture.fit(ZOOM[0])], // all of it, however small
};

/** One picture of one model; a model may be shown several times. Listeners are methods named after their event. */
class GraphPicture {
  constructor(model, el) {
    Object.assign(this, { model, marks: new Map(), size: {}, view: { x: 0, y: HEAD, k: 1 } });
    this.fitted = true; // false once the user has zoomed or panned
    this.build(el);
    model.on("change", this.update);
    for (const type of EVENTS) this.svg.addEventListener(type, (event) => this[type](event), { passive: false });
    this.update();
    this.observer = new ResizeObserver(() => this.draw()); // JupyterLab renders before the box has a size
    this.observer.observe(this.canvas);
  }

  build(el) {
    const help = { "aria-description": "Arrow keys move, Enter or Space selects, Escape clears the selection." };
    this.scene = svg("g", { class: "scene" });
    this.headings = svg("g", { class: "headings", "aria-hidden": "true" });
    this.svg = svg("svg", { role: "application", ...help }, this.scene, this.headings);
    this.tip = html("div", { class: "tip", hidden: "", "aria-hidden": "true" });
    this.nothing = html("p", { class: "nothing", hidden: "" });
    this.canvas = html("div", { class: "canvas" }, this.svg, this.nothing, this.tip);
    this.legend = html("ul", { class: "legend", "aria-label": "Legend" });
    this.caption = html("p", { class: "caption", "aria-live": "polite" });
    const buttons = html("div", { class: "buttons" });
    for (const [name, [face, act]] of Object.entries(BUTTONS)) {
      buttons.append(html("button", { type: "button", title: name, "aria-label": name }, face));
      buttons.lastChild.addEventListener("click", () => act(this));
    }
    const foot = html("div", { class: "foot" }, this.legend, buttons);
    el.append((this.root = html("div", { class: "ssmlab-graph" }, this.canvas, foot, this.caption)));
  }

  remove = () => {
    this.observer.disconnect();
    this.model.off("change", this.update);
    this.root.remove();
  };

  update = () => {
    this.canvas.style.height = `${this.model.get("height")}px`;
    this.svg.setAttribute("aria-label", this.model.get("label"));
    const caption = this.model.get("caption");
    if (this.caption.textContent !== caption) this.caption.textContent = caption; // else it would be read out again
    this.nothing.textContent = this.model.get("empty");
    if (this.graph === this.model.get("graph")) this.ring();
    else this.draw();
  };

  /** Lay out and draw anew, once the box has a size, if it or the graph is another than the last time. */
  draw() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const [graph, same] = [this.model.get("graph"), width === this.size.width && height === this.size.height];
    if (!width || !height || (same && graph === this.graph)) return;
    const start = performance.now();
    const [before, held] = [this.picture, this.svg.contains(document.activeElement)];
    const ruler = document.createElement("canvas").getContext("2d");
    ruler.font = getComputedStyle(this.svg).font;
    this.measure = (text) => ruler.measureText(text).width;
    Object.assign(this, { graph, size: { width, height } });
    this.picture = layOut(graph, this.size, this.measure);
    this.fill(this.picture);
    if (this.fitted || !same || !this.stillFits(before)) this.fit();
    else this.show(this.view);
    this.rove([this.rover?.id, this.model.get("selected"), graph.nodes?.[0]?.id].find((id) => this.marks.has(id)));
    if (held) this.rover?.element.focus({ preventScroll: true });
    this.svg.getBoundingClientRect(); // makes the browser lay it out, so that the time counts that too
    this.svg.dataset.drawMs = (performance.now() - start).toFixed(1);
    this.svg.dataset.draws = Number(this.svg.dataset.draws ?? 0) + 1;
  }

  fill({ nodes, edges }) {
    this.marks = byId([...nodes, ...edges]);
    const all = document.createDocumentFragment();
    all.append(...edges.map(drawEdge), ...nodes.map(drawNode)); // nodes last: no line runs across a label
    this.scene.replaceChildren(all);
    this.legend.replaceChildren(...drawLegend({ nodes, edges }));
    this.nothing.hidden = nodes.length > 0;
    this.point({ hovered: null, focused: null });
    this.ring();
  }

  stillFits(before) {
    const [now, { x, y, k }, { width, height }] = [this.picture, this.view, this.size];
    const inside = x >= 0 && y >= HEAD && x + now.width * k <= width && y + now.height * k <= height;
    return inside || (now.width === before.width && now.height === before.height);
  }

  fit(least = this.picture.scale) {
    const [{ width, height }, all] = [this.size, this.picture];
    const k = clamp(Math.min(width / all.width, (height - HEAD) / all.height), [least, 1]);
    const x = Math.max(0, (width - all.width * k) / 2);
    this.show({ x, y: HEAD + Math.max(0, (height - HEAD - all.height * k) / 2), k });
    this.fitted = true;
  }

  show({ x, y, k }) {
    const [{ width, height }, all] = [this.size, this.picture];
    const inX = clamp(x, [KEPT - all.width * k, width - KEPT]);
    const inY = clamp(y, [KEPT - all.height * k, height - KEPT]);
    this.view = { x: inX, y: inY, k };
    this.fitted = false;
    this.scene.setAttribute("transform", `translate(${inX},${inY}) scale(${k})`);
    this.canvas.classList.toggle("more-below", inY + all.height * k > height + 1);
    const places = all.headings.map(({ x: at, text }) => ({ at: inX + at * k, text }));
    const room = (i) => (places[i + 1]?.at ?? width) - places[i].at - 2 * CHIP;
    this.headings.replaceChildren(
      svg("rect", { width: "100%", height: HEAD }),
      ...places.map(({ at, text }, i) =>
        drawLines(setLines(text, room(i), ROW[1], this.measure), at, HEAD / 2, 12, {}),
      ),
    );
  }

  zoom(factor, [px, py] = [this.size.width / 2, this.size.height / 2]) {
    const { x, y, k } = this.view;
    const next = clamp(k * factor, ZOOM);
    this.show({ x: px - ((px - x) * next) / k, y: py - ((py - y) * next) / k, k: next });
  }

  select(id) {
    this.model.set("selected", id);
    this.model.save_changes();
  }

  ring() {
    const selected = this.model.get("selected");
    for (const mark of this.marks.values()) mark.element.setAttribute("aria-pressed", mark.id === selected);
  }

  rove(id) {
    this.rover?.element.setAttribute("tabindex", -1);
    this.rover = this.marks.get(id);
    this.rover?.element.setAttribute("tabindex", 0); // one tab stop for the whole picture
  }

  /** The path of the mark that is hovered, else focused, stands out. */
  point(change) {
    Object.assign(this, change);
    const mark = this.hovered ?? this.focused;
    const path = mark ? pathOf(mark) : new Set();
    this.scene.classList.toggle("fading", Boolean(mark));
    for (const each of this.marks.values()) each.element.classList.toggle("on", path.has(each));
    this.tip.hidden = !mark;
  }

  hint(mark, [x, y]) {
    const { width, height } = this.size;
    this.tip.textContent = words(mark);
    this.tip.hidden = false;
    const above = y + 20 + this.tip.offsetHeight > height;
    this.tip.style.left = `${clamp(x + 14, [0, Math.max(0, width - this.tip.offsetWidth)])}px`;
    this.tip.style.top = `${above ? y - this.tip.offsetHeight - 16 : y + 20}px`;
  }

  markAt(event) {
    return this.marks.get(event.target.closest("[data-id]")?.dataset.id);
  }

  pointAt(event) {
    const { left, top } = this.canvas.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  }

  click(event) {
    const mark = this.markAt(event);
    if (mark && !this.dragged) this.select(mark.id);
  }

  focusin(event) {
    const mark = this.markAt(event);
    if (!mark) return;
    this.rove(mark.id);
    this.point({ focused: mark });
    if (mark === this.hovered) return;
    const [{ width, height }, { x, y, k }] = [this.size, this.view];
    const [atX, atY] = [x + mark.x * k, y + mark.y * k];
    const seen = [clamp(atX, [CHIP, width - CHIP]), clamp(atY, [HEAD + ROW[0] / 2, height - ROW[0]])];
    const { fitted } = this; // bringing a mark into sight is no wish to keep the view
    if (seen[0] !== atX || seen[1] !== atY) this.show({ x: x + seen[0] - atX, y: y + seen[1] - atY, k });
    this.fitted = fitted;
    this.hint(mark, seen);
  }

  focusout = () => this.point({ focused: null });
  pointerleave = () => this.point({ hovered: null });

  keydown(event) {
    const mark = this.markAt(event);
    if (!mark || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in STEPS) neighbour(mark, event.key, this.marks)?.element.focus({ preventScroll: true });
    else if (event.key === "Enter" || event.key === " ") this.select(mark.id);
    else if (event.key === "Escape") this.select("");
    else return;
    event.preventDefault();
    event.stopPropagation(); // JupyterLab moves between cells with the same keys
  }

  /** With Ctrl, as which a pinch on a touchpad comes too, else the page scrolls. */
  wheel(event) {
    if (!event.ctrlKey) return;
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1);
    this.zoom(Math.exp(-0.002 * pixels), this.pointAt(event));
  }

  pointerdown(event) {
    this.dragged = false;
    this.drag = event.button === 0 ? { x: event.clientX, y: event.clientY, view: this.view } : null;
  }

  pointermove(event) {
    if (!this.drag || !event.buttons) return;
    const [dx, dy] = [event.clientX - this.drag.x, event.clientY - this.drag.y];
    if (!this.dragged && Math.hypot(dx, dy) < 5) return; // a hand that shakes still clicks
    if (!this.dragged) this.svg.setPointerCapture(event.pointerId);
    this.dragged = true;
    const { x, y, k } = this.drag.view;
    this.show({ x: x + dx, y: y + dy, k });
  }

  pointerover(event) {
    const mark = this.markAt(event) ?? null;
    if (event.buttons || mark === this.hovered) return;
    this.point({ hovered: mark });
    if (mark) this.hint(mark, this.pointAt(event));
  }
}

export default { render: ({ model, el }) => new GraphPicture(model, el).remove };
