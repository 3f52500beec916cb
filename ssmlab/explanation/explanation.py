"""`Explanation`: one plain sentence, then the steps for document and node, then the smallest changes."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, NamedTuple

import pandas as pd

from ssmlab.evaluation import Decision, Found, Outcome
from ssmlab.explanation.changes import Trial, Way, find_changes
from ssmlab.explanation.parts import Part, best, call_layer, choose, find_places, read_elements, say_held, say_silent
from ssmlab.explanation.words import say_open, say_policy, say_statement
from ssmlab.policies import State
from ssmlab.truth import FALSE, TRUE, UNKNOWN

_OUTCOMES: Final = {
    Outcome.ALLOWED: "allowed",
    Outcome.CONDITIONAL: "conditional",
    Outcome.EXPLICIT_DENY: "denied",
    Outcome.IMPLICIT_DENY: "not allowed",
}
_NEAREST: Final = {  # what the smallest changes are, and what to say where there are several; else they are in the way
    Outcome.ALLOWED: ("what would end it", "each of these is enough"),
    Outcome.CONDITIONAL: ("what is open", "it is enough that one of these holds"),
}
_IN_THE_WAY: Final = ("what stands in the way", "it is enough to mend one of these")
_HOLDS: Final = {TRUE: "holds", FALSE: "fails", UNKNOWN: "open"}
_STATEMENTS: Final = {  # effect and truth of a statement -> outcome, reason
    ("Allow", TRUE): ("allows", "{} allows it"),
    ("Allow", UNKNOWN): ("may allow", "{} allows it if what is not known holds"),
    ("Allow", FALSE): ("does not allow", "{} comes nearest to allowing it"),
    ("Deny", TRUE): ("denies", "{} denies it"),
    ("Deny", UNKNOWN): ("may deny", "{} denies it if what is not known holds"),
}
_BEATEN: Final = ("overridden", "{} would allow it, but a deny beats every allow")


class Step(NamedTuple):
    """A row of `Explanation.steps`."""

    part: str
    layer: str = ""
    outcome: str = ""
    reason: str = ""
    statement: str = ""
    condition: str = ""
    wanted: str = ""
    actual: str = ""
    holds: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why.

    Attributes
    ----------
    outcome
        Of principal, node and document together.
    sentence
        The answer with its reason.
    steps
        Frame, to be read from top to bottom. First a row for the document, then the same for the node (before them one
        for "together", if they do not go together at all): `part`, `outcome`, `reason`, `statement` (those that
        decide). Under it a row for each `layer` and each statement that mattered in it: allowed, denied, was overridden
        or came nearest. Under each statement a row for its Resource element and each `condition`: `wanted`, `actual`,
        and whether it `holds` ("holds", "fails", "open").
    nearest
        The smallest changes that would allow it, at most five, each a line by itself; for an allow, those that would
        end it. Each was applied and decided again. Empty where none was found.
    trials
        For each line of `nearest` the values of tags and of the request with which it can be tried; none where a policy
        must change. Empty where document and node do not go together.
    doubts
        What AWS's documentation leaves open, with the source.
    """

    outcome: Outcome
    sentence: str
    steps: pd.DataFrame
    nearest: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    trials: tuple[tuple[Trial, ...], ...] = ()

    def __str__(self) -> str:
        lines = [f"{'  ' * depth}{text}" for rows in self._parts() for depth, text in rows]
        changes = [f"  {self._head()}:", *(f"    - {line}" for line in self.nearest)] if self.nearest else []
        return "\n".join([self.sentence, *lines, *changes, *(f"  in doubt: {doubt}" for doubt in self.doubts)])

    def _repr_html_(self) -> str:
        changes = f"<p><b>{to_html(self._head().capitalize())}</b></p>{_items(self.nearest)}" if self.nearest else ""
        parts = "".join(map(_panel, self._parts()))
        return f"<p>{to_html(self.sentence)}</p>{changes}{parts}{_items(f'in doubt: {d}' for d in self.doubts)}"

    def _head(self) -> str:
        head, more = _NEAREST.get(self.outcome, _IN_THE_WAY)
        return f"{head}; {more}" if len(self.nearest) > 1 else head

    def _parts(self) -> Iterator[list[tuple[int, str]]]:
        """For document and node the lines of the steps, each with its depth."""
        steps = (Step(*row) for row in self.steps.itertuples(index=False, name=None))
        return (list(_say_steps(rows)) for _, rows in groupby(steps, key=lambda step: step.part))


def _say_steps(steps: Iterable[Step]) -> Iterator[tuple[int, str]]:
    for quiet, rows in groupby(steps, key=lambda step: step.layer.startswith("SCP") and step.outcome == "allows"):
        listed = list(rows)
        if quiet and len(listed) > 1:
            yield 2, f"SCPs: {len(listed)} levels, each allows it"
            continue
        for step in listed:
            if step.condition:
                yield 3, f"{step.condition}: wanted {step.wanted}, is {step.actual}: {step.holds}"
            elif step.layer:
                yield 2, f"{step.layer}: {step.reason}"
            else:
                yield 1, f"{step.part}: {step.outcome}" + (f", {step.reason}" if step.part == "together" else "")


def _panel(rows: Sequence[tuple[int, str]]) -> str:
    (_, head), *rest = rows
    lines = "".join(f'<div style="padding-left: {depth - 1}em">{to_html(text)}</div>' for depth, text in rest)
    style = "margin: 0 0 6px; overflow-wrap: anywhere; white-space: normal"
    return f'<details style="{style}"><summary>{to_html(head)}</summary>{lines}</details>'


def _items(lines: Iterable[str]) -> str:
    listed = "".join(f"<li>{to_html(line)}</li>" for line in lines)
    return f"<ul>{listed}</ul>" if listed else ""


def to_html(text: str) -> str:
    """Text of the data as HTML: shown as text, what stands in backticks as code."""
    return re.sub("`([^`]*)`", r"<code>\1</code>", html.escape(text))


def explain_pair(
    outcome: Outcome,
    principal: str,
    parts: Sequence[Part],
    misfit: str = "",
    but: str = "",
    instead: Sequence[str] = (),
) -> Explanation:
    """Explain one (principal, node, document).

    Parameters
    ----------
    outcome
        Of the three together.
    principal
        How the principal is called in the sentence.
    parts
        Document and node.
    misfit
        Why the three do not go together at all (other Region or account); empty if they do.
    but
        What keeps the command from running although access is granted; empty if nothing does.
    instead
        What would do for a misfit.
    """
    decisions = {part.kind: part.decide() for part in parts}
    reasons = {part.kind: _reason(part, decisions[part.kind]) for part in parts}
    rows = [Step("together", "", _OUTCOMES[outcome], misfit)] if misfit else []
    rows += [row for part in parts for row in _list_steps(part, decisions[part.kind], reasons[part.kind])]
    may = "may run" if outcome in (Outcome.ALLOWED, Outcome.CONDITIONAL) else "may not run"
    why = f", because {misfit}" if misfit else _because(outcome, decisions, reasons)
    sentence = f"{principal} {may} {parts[0].name} on {parts[1].name}{why}."
    sentence += f" But {but}." if but and may == "may run" else ""
    doubts = tuple(dict.fromkeys(doubt for decision in decisions.values() for doubt in decision.doubts))
    ways = [] if misfit else find_changes(parts, outcome)
    changes = instead if misfit else ["; and ".join(change.words for change in way) for way in ways]
    steps = pd.DataFrame(rows, columns=list(Step._fields))
    return Explanation(outcome, sentence, steps, tuple(changes), doubts, tuple(map(_read_trials, ways)))


def _read_trials(way: Way) -> tuple[Trial, ...]:
    trials = tuple(change.trial for change in way if change.trial)
    return trials if len(trials) == len(way) else ()


def _because(outcome: Outcome, decisions: Mapping[str, Decision], reasons: Mapping[str, str]) -> str:
    """The reason of the sentence: from the parts that have its outcome; said once where it is the same."""
    if outcome is Outcome.ALLOWED:
        if len(set(reasons.values())) == 1:
            return f": both are {reasons['node']}"
        return ": " + ", ".join(f"the {kind} is {reason}" for kind, reason in reasons.items())
    if outcome is Outcome.CONDITIONAL:
        opened = [clause for kind, decision in decisions.items() for clause in say_open(decision.open_conditions, kind)]
        return " only if " + " and ".join(dict.fromkeys(opened))
    refused = [reasons[kind] for kind, decision in decisions.items() if decision.outcome is outcome]
    return ", because " + " and ".join(dict.fromkeys(refused))


def say_reason(part: Part) -> str:
    """Why a part has its outcome, as a clause."""
    return _reason(part, part.decide())


def _reason(part: Part, decision: Decision) -> str:
    """Why a part has its outcome."""
    denying, places = find_places(part)
    if decision.outcome is Outcome.CONDITIONAL:
        return "only if " + " and ".join(say_open(decision.open_conditions, part.kind))
    if decision.outcome is Outcome.IMPLICIT_DENY:
        silent = [say_silent(place, items, part) for place, items in places.items() if best(items) is FALSE]
        return " and ".join(silent)
    if decision.outcome is Outcome.ALLOWED:
        found = [item for items in places.values() for item in items if item.truth is TRUE]
        own = [item for item in found if item.applied.layer == "identity"]
        named = " and ".join(dict.fromkeys(say_statement(item.applied) for item in own))
        held = say_held(own[0], part) if len(own) == 1 else ""
        because = f", because {held}" if held else ""
        return f"allowed by {named or 'the account itself, of which this is the root user'}{because}"
    item, own = next(item for item in denying if item.truth is TRUE), places.get(("identity", 0), [])
    held, beaten = say_held(item, part), " and ".join(say_statement(o.applied) for o in own if o.truth is TRUE)
    more = f", also {beaten}" if beaten else ""
    return f"{say_statement(item.applied)} denies the {part.kind}{held and ': '}{held}; a deny beats every allow{more}"


def _list_steps(part: Part, decision: Decision, reason: str) -> Iterator[Step]:
    """The rows of a part, in the order in which one reads them."""
    deciding = dict.fromkeys(map(say_statement, decision.determining_statements))
    yield Step(part.kind, "", _OUTCOMES[decision.outcome], reason, "; ".join(deciding))
    denying, places = find_places(part)
    for item in denying:
        yield from _list_statement(part, item, *_STATEMENTS["Deny", item.truth])
    for place, items in places.items():
        if not items:
            yield Step(part.kind, call_layer(place, part), "silent", f"no statement names `{part.asked.action}`")
        for item in choose(items, part):
            beaten = decision.outcome is Outcome.EXPLICIT_DENY and item.truth is TRUE and place[0] == "identity"
            yield from _list_statement(part, item, *(_BEATEN if beaten else _STATEMENTS["Allow", item.truth]))


def _list_statement(part: Part, item: Found, outcome: str, reason: str) -> Iterator[Step]:
    layer, state = call_layer((item.applied.layer, item.applied.level), part), item.applied.statement.state
    named = say_policy(item.applied) if state is State.UNKNOWN else say_statement(item.applied)
    said = reason.format(named) + ("" if state is State.READABLE else f"; its text is {state}")
    yield Step(part.kind, layer, outcome, said, named)
    for name, wanted, actual, truth, *_ in read_elements(item, part):
        if wanted != "`*`":
            yield Step(part.kind, layer, "", "", named, name, wanted, actual, _HOLDS[truth])
