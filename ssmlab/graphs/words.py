"""The words of a graph: its title, and the result as a sentence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ssmlab.explanation import last_part
from ssmlab.graphs.sides import Sides
from ssmlab.reachability import Reach
from ssmlab.reachability.columns import Codes, Truths
from ssmlab.reachability.fleets import ALLOWED, CONDITIONAL

Joint = Sequence[tuple[Truths, Truths]]  # for each chosen principal, the outcomes of node and document groups


def say_title(reach: Reach, sides: Sides, chosen: Codes) -> str:
    """What the picture shows: what the chosen reach or, of all principals, who reaches it."""
    if len(chosen) > 1 and len(chosen) == len(reach.snapshot.principals):
        return f"Who reaches {_call_nodes(sides)} with Run Command"
    names = [last_part(str(reach.snapshot.principals.index[who])) for who in chosen[:3]]
    more = f" and {len(chosen) - 3} more" if len(chosen) > 3 else ""
    return f"What {', '.join(names)}{more} {'reach' if len(chosen) > 1 else 'reaches'} with Run Command"


def say_result(reach: Reach, sides: Sides, chosen: Codes, joint: Joint) -> str:
    """The result in words; where nothing is reached, why."""
    best = [int(nodes.max(initial=0)) for nodes, _ in joint]
    sure, perhaps = best.count(ALLOWED), best.count(CONDITIONAL)
    if not sure + perhaps:
        return _nothing(reach, sides, chosen)
    if len(sides[0].rows) == 1 and len(chosen) > 1:
        more = f"; {perhaps} more depend on what is not known." if perhaps else "."
        return f"{sure} of {len(chosen)} principals reach {_call_nodes(sides)}{more}"
    together = np.max([nodes for nodes, _ in joint], axis=0)
    allowed, depends = (int((together == outcome) @ sides[0].counts) for outcome in (ALLOWED, CONDITIONAL))
    several = f"{sure + perhaps} of {len(chosen)} principals"
    who = several if len(chosen) > 1 else last_part(str(reach.snapshot.principals.index[chosen[0]]))
    words = f"{who} {'reaches' if sure + perhaps == 1 else 'reach'} {allowed} of {len(sides[0].rows)} nodes"
    return f"{words}; {depends} more depend on what is not known." if depends else f"{words}."


def _call_nodes(sides: Sides) -> str:
    rows = sides[0].rows
    return str(sides[0].resources.names[rows[0]]) if len(rows) == 1 else f"{len(rows)} nodes"


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
    return f"{who} any of {len(sides[0].rows)} nodes: {reason}."
