"""`Readiness`: set up your nodes. The checklist of each machine, what it lacks, and who waits for it."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any, Final

import ipywidgets as w
import numpy as np
import pandas as pd

from ssmlab.explanation import call_all
from ssmlab.reachability import reach
from ssmlab.reachability.columns import Codes
from ssmlab.readiness import NO, NOT_KNOWN, STEPS, YES, count_readiness, find_waiting, make_checklist
from ssmlab.widgets.controls import ANY, dropdown, search
from ssmlab.widgets.explorer import Explorer, with_own_memory
from ssmlab.widgets.filters import holds, make_choices, matches
from ssmlab.widgets.tables import TableView
from ssmlab.widgets.texts import show_controls, write_explanation, write_lines
from ssmlab.widgets.views import MOST_ROWS, SAID, first_pair
from ssmlab.words import say_count

COUNTS, WAITING = 1, 2  # views, by their numbers
_FILTERS: Final = ("account", "region", "kind")
_READY: Final = (("any", ANY), ("ready", "yes"), ("not ready", "no"), ("not known", "not known"))
_MANAGED: Final = (("any", ANY), ("managed", "yes"), ("not managed", "no"))
_SIGNS: Final = {YES: "✓", NO: "✗", NOT_KNOWN: "?"}
_WORDS: Final = {YES: "ready", NO: "not ready", NOT_KNOWN: "not known"}
_LEGEND: Final = ", ".join(f"{sign} {answer}" for answer, sign in _SIGNS.items())
_STEPS: Final = ["not known", *(f"no {step}" for step in STEPS)]  # counts that are shown where there are any
_LONGEST: Final = 36  # letters of a name in a table
_CHOOSE: Final = "Choose a machine to see each step, and how to mend what is missing."


@dataclass(frozen=True, slots=True)
class State:
    """What the controls say. Empty: any.

    Attributes
    ----------
    account, region, kind
        Of machines.
    managed
        "yes" or "no".
    ready
        "yes", "no" or "not known".
    lacks
        A step that is answered "no" or "not known", such as "permissions".
    search
        Text that the name or id holds.
    """

    account: str = ANY
    region: str = ANY
    kind: str = ANY
    managed: str = ANY
    ready: str = ANY
    lacks: str = ANY
    search: str = ANY


class Readiness(Explorer):
    """See for each machine what it needs to be managed and to run commands, and what it lacks.

    Parameters
    ----------
    snapshot
        From `ssmlab.load`.
    state
        Fields of `State` to start from, such as `ready="no"`.

    Examples
    --------
    >>> import ssmlab
    >>> Readiness(ssmlab.load("data/sample"), ready="no", lacks="permissions").to_frame()["name"].head(1).item()
    'legacy-1'
    """

    title = "Set up your nodes"
    state_type = State

    def make_controls(self) -> dict[str, w.Widget]:
        """A control for each field."""
        state, nodes = self.state, self.snapshot.nodes
        return {
            **make_choices(nodes, state, _FILTERS),
            "managed": dropdown("Managed", _MANAGED, state.managed),
            "ready": dropdown("Ready", _READY, state.ready),
            "lacks": dropdown("Lacks", [("any", ANY), *((step, step) for step in STEPS)], state.lacks),
            "search": search("name or id", state.search),
        }

    def make_views(self) -> dict[str, w.Widget]:
        """The checklist, counts, and who waits."""
        self._own = with_own_memory(self.snapshot)
        self._checklist = make_checklist(self.snapshot)
        self._every = self._checklist.frame()
        self._shown = self._waiting = pd.DataFrame()
        self._tables = {
            "Checklist": self.build_table(self._explain_machine, height=390),
            "Counts": TableView(height=390),
            "Who reaches them": self.build_table(self._explain_waiting, height=390),
        }
        return dict(self._tables)

    def to_frame(self) -> pd.DataFrame:
        """What is seen: every machine that the filters leave, counts of them, or who waits for them."""
        rows = self.choose()
        found = self._every.iloc[rows]
        if self.seen == COUNTS:
            return count_readiness(found)
        return find_waiting(self.reach, rows) if self.seen == WAITING else found.reset_index()

    @property
    def reach(self) -> Any:
        """Who reaches what; asked in the background when it is seen first, with a memory of its own."""
        return reach(self._own)

    def choose(self) -> Codes:
        """Row numbers of the machines that the filters leave."""
        found, state = self._every, self.state
        keep = holds(found, ("name", "node_id"), state.search, whole=False)
        keep &= matches(found, state, (*_FILTERS, "ready"))
        if state.managed:
            keep &= (found["managed"] == (state.managed == YES)).to_numpy(dtype=bool, na_value=False)
        if state.lacks:
            keep &= (found[state.lacks] != YES).to_numpy(dtype=bool)
        return np.flatnonzero(keep)

    # --- State to views ---

    def show(self) -> None:
        """Draw what is seen."""
        self.why.value = write_lines(_CHOOSE)
        rows = self.choose()
        found = self._every.iloc[rows]
        self.say(_say_counts(found))
        if self.seen == WAITING:
            self.later("Asking who reaches them…", lambda: find_waiting(self.reach, rows), self._show_waiting)
        elif self.seen == COUNTS:
            counted = count_readiness(found)
            frame = counted.loc[:, [name not in _STEPS or counted[name].any() for name in counted]]
            self._tables["Counts"].show(frame, "")
        else:
            self._show_checklist(found)

    def _show_checklist(self, found: pd.DataFrame) -> None:
        """Those that lack something first."""
        order = found["ready"].map({NO: 0, YES: 2}).astype("float").fillna(1).to_numpy().argsort(kind="stable")
        self._shown = found.iloc[order[:MOST_ROWS]]
        told = {step: [_SIGNS[answer] for answer in self._shown[step]] for step in ("ready", *STEPS)}
        managed = ["?" if pd.isna(flag) else _SIGNS[YES if flag else NO] for flag in self._shown["managed"]]
        cut = f"first {len(self._shown)} of {len(found):,}. " if len(self._shown) < len(found) else ""
        frame = pd.DataFrame({"machine": _call(self._shown), "managed": managed, **told})
        self._tables["Checklist"].show(frame, f"{cut}{_LEGEND}" if len(found) else "")

    def _show_waiting(self, waiting: pd.DataFrame) -> None:
        self._waiting = waiting.head(MOST_ROWS)
        shown = {
            "principal": [_shorten(name) for name in call_all(self._waiting["principal"])],
            "outcome": [SAID.get(o, o) for o in self._waiting["outcome"].astype("str")],
            "machines": self._waiting["machines"].to_numpy(),
            "such as": _call(self._every.loc[self._waiting["example"]]),
        }
        people = say_count(waiting["principal"].nunique(), "principal", "reaches", "reach")
        words = f"{people} machines that are not managed, as soon as they are managed."
        if waiting.empty:
            words = "Nobody: all of these machines are managed, or nobody would reach them."
        self._tables["Who reaches them"].show(pd.DataFrame(shown), "")
        self.say(words)

    # --- Why ---

    def _explain_machine(self, row: int) -> str:
        """Each step of the checklist, and how to mend it."""
        machine, arn = self._shown.iloc[row], str(self._shown.index[row])
        managed = {True: "It is a managed node.", False: "It is not a managed node."}
        place = f"{machine['account']} · {machine['region']} · {machine['kind']}"
        said = managed.get(machine["managed"], "Whether it is a managed node was not collected.")
        steps = "".join(
            f"<p><b>{_SIGNS[step.answer]} {step.name.capitalize()}: {step.answer}</b>, {html.escape(step.why)}."
            f"{f'<br><i>{html.escape(step.mend)}</i>' if step.mend else ''}</p>"
            for step in self._checklist.of(arn)
        )
        named = write_lines(*_call(self._shown.iloc[[row]]), place, said)
        return named + show_controls(steps) + write_lines(arn)

    def _explain_waiting(self, row: int) -> str:
        """The best pair of one machine and a document."""
        waiting = self._waiting.iloc[row]
        found = first_pair(self.reach, waiting["principal"], waiting["example"], None)
        return write_explanation(self.reach.explain(*found)) if found else write_lines(_CHOOSE)


def _call(found: pd.DataFrame) -> list[str]:
    """Names of machines; the id where there is none."""
    return [_shorten(str(name)) for name in found["name"].astype(object).fillna(found["node_id"])]


def _shorten(name: str) -> str:
    """A long name is cut in the middle."""
    half = _LONGEST // 2
    return name if len(name) <= _LONGEST else f"{name[:half]}…{name[-half:]}"


def _say_counts(found: pd.DataFrame) -> str:
    """How many are managed, and how many ready: two sums of their own, without what there is none of."""
    if found.empty:
        return "No machine matches the filters."
    every, managed, ready = len(found), found["managed"].value_counts(), found["ready"].value_counts()
    counts = {"managed": managed.get(True, 0), "not managed": managed.get(False, 0)}
    counts["not known to be managed"] = every - sum(counts.values())
    return f"{say_count(every, 'machine')}: {_list(counts)}. {_list({_WORDS[a]: ready[a] for a in _WORDS})}."


def _list(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {word}" for word, count in counts.items() if count)
