"""What is done, as a panel: it follows each check, is read with the keyboard too, and says nothing by colour alone."""

from pathlib import Path
from typing import Final
from weakref import WeakSet

import ipywidgets as w
import pandas as pd

from ssmlab.workshop.progress import find_file, read_progress

_SIGNS: Final = {"done": "✓", "tried": "…", "open": "○"}
_PARTS: Final = {True: "core", False: "if there is time, or at home"}
_INK: Final = "<div style='color: var(--jp-ui-font-color1)'>{}</div>"
_TITLES: Final = "Titles and tries"
_SCROLL: Final = _INK.replace(
    "'>", f"; max-height: 300px; overflow: auto; line-height: 1.4' tabindex='0' role='region' aria-label='{_TITLES}'>"
)
_FLOW: Final = "display: flex; flex-wrap: wrap; gap: 0 10px; margin: 0; padding: 0; list-style: none; line-height: 1.6"


class Progress(w.VBox):
    """What one learner has done, as a panel that follows each check in this notebook; none of it is only a colour.

    Parameters
    ----------
    file
        As of `progress`.

    Attributes
    ----------
    frame
        A row an exercise: `exercise`, `title`, `core`, `tries`, `passed`; the core first.
    """

    def __init__(self, file: str | Path | None = None) -> None:
        self.path = find_file(file)
        self._summary, self._table = w.HTML(), w.HTML(layout=w.Layout(display="none"))
        titles = w.ToggleButton(description=_TITLES)
        titles.observe(lambda seen: self._table.layout.set_trait("display", None if seen["new"] else "none"), "value")
        again = w.Button(description="Read again", tooltip="what was done in other notebooks")
        again.on_click(lambda _: self.update())
        super().__init__([self._summary, w.HBox([titles, again]), self._table])
        self.update()
        _SHOWN.add(self)

    def update(self) -> None:
        """Read the file, and show it."""
        self.frame = read_progress(self.path).sort_values("core", ascending=False, kind="stable", ignore_index=True)
        states = self.frame["tries"].gt(0).map({True: "tried", False: "open"}).mask(self.frame["passed"], "done")
        told = self.frame.assign(state=states.map(_SIGNS) + " " + states)
        self._summary.value = _write_summary(str(self), told[states != "done"]["exercise"].head(1).to_list(), told)
        rows = told[["state", "exercise", "title", "tries"]].assign(part=told["core"].map(_PARTS))
        self._table.value = _SCROLL.format(rows.to_html(index=False, border=0, justify="left"))

    def __str__(self) -> str:
        counts = self.frame.groupby("core")["passed"].agg(["sum", "size"])
        done = {core: f"{passed} of {size}" for core, passed, size in counts.itertuples()}
        return f"{done[True]} core exercises passed, {done[False]} others"

    __repr__ = __str__


_SHOWN: Final[WeakSet[Progress]] = WeakSet()


def _write_summary(said: str, following: list[str], told: pd.DataFrame) -> str:
    """A sentence, and for each part its exercises with a sign and a word; the next one has a frame."""
    outlines = told["exercise"].isin(following).map({True: "2px solid", False: "none"})
    items = "<li style='padding: 0 4px; outline: " + outlines + "'>" + told["state"] + " " + told["exercise"] + "</li>"
    lists = "".join(
        f"<div>{part}</div><ul aria-label='{part}' style='{_FLOW}'>{each.str.cat()}</ul>"
        for part, each in items.groupby(told["core"].map(_PARTS), sort=False)
    )
    more = "".join(f", next is {name}" for name in following)
    return _INK.format(f"<p role='status'>{said}{more}</p>{lists}")


def progress(file: str | Path | None = None) -> Progress:
    """What is done so far, by the file in the working folder or another one.

    Examples
    --------
    >>> progress("no such file")
    0 of 13 core exercises passed, 0 of 17 others
    """
    return Progress(file)


def refresh(file: str | Path | None = None) -> None:
    """Let every panel of this notebook that shows the file read it again."""
    for panel in [panel for panel in _SHOWN if panel.path == find_file(file)]:
        panel.update()
