"""The words of a graph: its title, and the result as a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from ssmlab.explanation import call_all, last_part
from ssmlab.graphs.sides import Sides
from ssmlab.reachability import Reach
from ssmlab.reachability.columns import Codes, Truths
from ssmlab.reachability.fleets import ALLOWED, CONDITIONAL, IMPLICIT
from ssmlab.words import say_count, say_some

Joint = Sequence[tuple[Truths, Truths]]  # for each chosen principal, the outcomes of node and document groups


def say_title(reach: Reach, sides: Sides, chosen: Codes, *, is_everyone: bool) -> str:
    """What the picture shows: what the chosen reach or, where none are chosen, who reaches it."""
    if len(chosen) > 1 and is_everyone:
        return f"Who reaches {_call_nodes(sides)} with Run Command"
    names = call_all(map(str, reach.snapshot.principals.index[chosen[:3]]))
    more = f" and {len(chosen) - 3} more" if len(chosen) > 3 else ""
    return f"What {', '.join(names)}{more} {'reach' if len(chosen) > 1 else 'reaches'} with Run Command"


def say_result(reach: Reach, sides: Sides, chosen: Codes, joint: Joint) -> str:
    """The result in words, what is not managed told apart; where nothing is reached, why."""
    best = [int(nodes.max(initial=0)) for nodes, _ in joint]
    sure, perhaps = best.count(ALLOWED), best.count(CONDITIONAL)
    if not sure + perhaps:
        return _nothing(reach, sides, chosen)
    managed = sides[0].count_managed()
    if len(sides[0].rows) == 1 and len(chosen) > 1:
        who = say_some(sure, len(chosen), "principal", "reaches", "reach")
        words = f"{who} {_call_nodes(sides)}{_say_more(perhaps)}"
        return words if managed.any() else f"{words} It is not managed: no command reaches it yet."
    together = np.max([nodes for nodes, _ in joint], axis=0)
    allowed, depends = (int((together == outcome) @ managed) for outcome in (ALLOWED, CONDITIONAL))
    waiting = int((together >= CONDITIONAL) @ (sides[0].counts - managed))
    several = say_some(sure + perhaps, len(chosen), "principal", "reaches", "reach")
    who = several if len(chosen) > 1 else f"{last_part(str(reach.snapshot.principals.index[chosen[0]]))} reaches"
    words = f"{who} {allowed:,} of {say_count(int(managed.sum()), 'managed node')}"
    is_, it = ("is", "it") if waiting == 1 else ("are", "them")
    waits = f" {waiting:,} more {is_} not managed: no command reaches {it} yet." if waiting else ""
    return f"{words}{_say_more(depends)}{waits}"


def _say_more(count: int) -> str:
    return f"; {count:,} more {'depends' if count == 1 else 'depend'} on what is not known." if count else "."


_CHANGES: Final = {
    "gained": ("gains", "gain"),
    "lost": ("loses", "lose"),
    "conditional": ("now depends on", "now depend on"),
}
_NAMED: Final = 3  # principals that are named in a sentence each


def say_changes(counts: pd.DataFrame) -> str:
    """What changes, in words, from the frame of `count_changes`."""
    if counts.empty:
        return "Nobody gains or loses anything."
    names = call_all(map(str, counts.index))[:_NAMED]
    named = [f"{name} {_say_counts(counts.loc[arn])}." for name, arn in zip(names, counts.index, strict=False)]
    rest = counts[_NAMED:]
    sums = {change: int((rest[f"nodes_{change}"] + rest[f"pairs_{change}"] > 0).sum()) for change in _CHANGES}
    parts = [f"{many} more {_CHANGES[change][many > 1]} something" for change, many in sums.items() if many]
    return " ".join([*named, *([f"{', '.join(parts)}."] if parts else [])])


def _say_counts(row: pd.Series[int]) -> str:
    """`gains 3 nodes and loses 1 node`; where the nodes stay the same, pairs of node and document."""
    what = "node" if row[[f"nodes_{change}" for change in _CHANGES]].any() else "pair"
    found = [(verbs[0], row[f"{what}s_{change}"]) for change, verbs in _CHANGES.items()]
    words = [f"{verb} {say_count(count, what)}" for verb, count in found if count]
    return " and ".join(words) + (" of node and document" if what == "pair" else "")


def _call_nodes(sides: Sides) -> str:
    rows = sides[0].rows
    return str(sides[0].resources.names[rows[0]]) if len(rows) == 1 else f"{len(rows):,} nodes"


def _nothing(reach: Reach, sides: Sides, chosen: Codes) -> str:
    for what, rows in (("principal", chosen), ("node", sides[0].rows), ("document", sides[1].rows)):
        if not len(rows):
            return f"No {what} matches the filters."
    one = last_part(str(reach.snapshot.principals.index[chosen[0]]))
    who = f"None of {len(chosen)} principals reaches" if len(chosen) > 1 else f"{one} does not reach"
    nodes, documents = (bool((side.outcomes[chosen][:, side.groups] >= CONDITIONAL).any()) for side in sides)
    reason = {
        (True, False): "there are nodes it is allowed on, but no document it may use",
        (False, True): "there are documents it may use, but no node it is allowed on",
        (True, True): "where it may use a document, it is allowed on no node that the filters leave",
    }.get((nodes, documents), "no policy allows any of these nodes or documents")
    if not nodes and not documents and any((side.outcomes[chosen][:, side.groups] < IMPLICIT).any() for side in sides):
        reason = "policies deny these nodes or documents, or do not allow them"
    return f"{who} any of {say_count(len(sides[0].rows), 'node')}: {reason}."
