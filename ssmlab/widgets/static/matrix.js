// Principals x node groups as a grid: the face of MatrixView (matrix.py). Text from the data only ever becomes text.

const SIGNS = { allowed: "●", conditional: "?", denied: "·" };
const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

function made(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function middle(text, most) {
  const letters = [...text];
  const end = Math.ceil(most * 0.6);
  return letters.length <= most ? text : `${letters.slice(0, most - end).join("")}…${letters.slice(-end).join("")}`;
}

/** What tells a column from others: not what all of them say, nor how many are not managed, which its title says. */
function tell(label, columns) {
  const parts = columns.map((each) => each.label.split(" · ")); // the first is what the nodes are
  const shared = (part) => parts.length > 1 && parts.every((each) => each.indexOf(part) > 0);
  return label.split(" · ").filter((part, i) => !i || !(shared(part) || /not managed$/u.test(part))).join(" · ");
}

function render({ model, el }) {
  const table = made("table", { role: "grid", "aria-label": "Principals and the node groups that they reach" });
  const nothing = made("p");
  const legend = made("p", { class: "legend", "aria-hidden": "true" });
  for (const [name, sign] of Object.entries(SIGNS))
    legend.append(made("span", { "data-outcome": name }, sign), ` ${name}   `);
  el.classList.add("ssmlab-matrix");
  el.append(made("div", { class: "scroll" }, table), legend, nothing);
  let cells = [];

  const draw = () => {
    const { rows = [], columns = [], cells: outcomes = [], empty = "" } = model.get("matrix");
    const corner = made("th", { class: "corner" }, "principal ╲ nodes");
    const head = columns.map(({ label, detail, count }) => {
      const text = made("span", {}, `${middle(tell(label, columns), 22)} (${count})`);
      return made("th", { scope: "col", title: `${label}: ${detail}` }, text);
    });
    cells = rows.map((row, i) => columns.map((column, j) => drawCell(row, column, outcomes[i][j])));
    const lines = rows.map(({ label, detail }, i) =>
      made("tr", {}, made("th", { scope: "row", title: detail }, middle(label, 30)), ...cells[i]),
    );
    const some = rows.length > 0 && columns.length > 0;
    table.replaceChildren(...(some ? [made("tr", {}, corner, ...head), ...lines] : []));
    nothing.textContent = some ? "" : empty;
    legend.hidden = !some;
    cells[0]?.[0]?.setAttribute("tabindex", 0);
    mark();
  };
  const drawCell = (row, column, outcome) => {
    const named = `${row.label}, ${column.label}, ${column.count} ${column.count === 1 ? "node" : "nodes"}: ${outcome}`;
    const cell = { role: "gridcell", tabindex: -1, "aria-label": named, title: named, "data-outcome": outcome };
    return made("td", { ...cell, "data-id": `${row.id}|${column.id}` }, SIGNS[outcome]);
  };
  const mark = () =>
    cells.flat().forEach((cell) => cell.setAttribute("aria-selected", cell.dataset.id === model.get("selected")));
  const select = (id) => (model.set("selected", id), model.save_changes());

  table.onclick = ({ target }) => target.dataset.id && select(target.dataset.id);
  table.onkeydown = (event) => {
    const row = cells.findIndex((each) => each.includes(event.target));
    if (row < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const [down, right] = STEPS[event.key] ?? [];
    if (event.key === "Enter" || event.key === " ") select(event.target.dataset.id);
    else if (event.key === "Escape") select("");
    else if (down === undefined) return;
    else {
      const next = cells[row + down]?.[cells[row].indexOf(event.target) + right];
      next?.setAttribute("tabindex", 0);
      if (next) event.target.setAttribute("tabindex", -1);
      next?.focus();
    }
    event.preventDefault();
    event.stopPropagation(); // JupyterLab moves between cells with the same keys
  };
  const events = { "change:matrix": draw, "change:selected": mark };
  for (const [name, act] of Object.entries(events)) model.on(name, act);
  draw();
  return () => Object.entries(events).forEach(([name, act]) => model.off(name, act));
}

export default { render };
