// The keyboard in a panel: what folds and the rows of tables are reached and used without a mouse, and JupyterLab's keys
// rest. All listeners are on the panel itself: another panel of the notebook has its own.

const HEADERS = ".jupyter-widget-Collapse-header, .lm-Collapse-header, .p-Collapse-header";
const ROWS = "table.dataTable tbody tr";
const STEPS = { ArrowUp: -1, ArrowDown: 1, Home: -Infinity, End: Infinity };

/** Headers are buttons; of the rows of a table one can be reached with Tab. Attributes are set where they are not yet. */
function prepare(panel) {
  for (const header of panel.querySelectorAll(HEADERS)) {
    const open = String(/Collapse-open/.test(header.className + header.parentElement.className));
    const wanted = { role: "button", tabindex: "0", "aria-expanded": open };
    for (const [name, value] of Object.entries(wanted))
      if (header.getAttribute(name) !== value) header.setAttribute(name, value);
  }
  for (const body of panel.querySelectorAll("table.dataTable tbody"))
    if (!body.querySelector("tr[tabindex='0']")) body.querySelector("tr:has(td)")?.setAttribute("tabindex", 0);
}

function rove(row) {
  row.parentElement.querySelector("tr[tabindex='0']")?.setAttribute("tabindex", -1);
  row.setAttribute("tabindex", 0);
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function press(event) {
  const { key, target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || !target.matches(`${HEADERS}, ${ROWS}`)) return;
  if (key === "Enter" || key === " ") (target.querySelector(":scope > td") ?? target).click();
  else if (key in STEPS && target.matches(ROWS)) {
    const rows = [...target.parentElement.children];
    rove(rows[Math.min(Math.max(rows.indexOf(target) + STEPS[key], 0), rows.length - 1)]);
  } else return;
  event.preventDefault();
  event.stopPropagation();
}

/** JupyterLab leaves the keys alone that go to an element with this mark; a row that is clicked is walked from there. */
const hold = ({ target }) => (target.dataset.lmSuppressShortcuts = "true");
const follow = ({ target, detail }) => detail && target.closest?.(ROWS) && rove(target.closest(ROWS));

function render({ el }) {
  el.style.display = "none";
  const listeners = { focusin: hold, keydown: press, click: follow };
  let panel;
  const watcher = new MutationObserver(() => prepare(panel));
  const begin = () => {
    panel = el.closest(".ssmlab-explorer");
    if (!panel) return requestAnimationFrame(begin); // it is put into the page after it is made
    for (const [name, act] of Object.entries(listeners)) panel.addEventListener(name, act);
    watcher.observe(panel, { childList: true, subtree: true, attributes: true, attributeFilter: ["class"] });
    return prepare(panel);
  };
  begin();
  return () => {
    watcher.disconnect();
    for (const [name, act] of Object.entries(listeners)) panel?.removeEventListener(name, act);
  };
}

export default { render };
