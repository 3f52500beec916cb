"""A limit by tags on Run Command that another way walks round; what tagging alone opens is found by `tagging`."""

from typing import Final

import numpy as np

from ssmlab.evaluation.statements import decide_elements
from ssmlab.explanation import last_part
from ssmlab.findings.used import NODES, SEND, Used
from ssmlab.paths import DIRECT, TAGGING, read_ways
from ssmlab.reachability.columns import Codes
from ssmlab.reachability.fleets import CONDITIONAL
from ssmlab.reachability.matrices import ask_one
from ssmlab.truth import FALSE, TRUE
from ssmlab.words import say_count

_NODE: Final = read_ways()[DIRECT].steps[0]


def find_way_round(used: Used) -> tuple[str, ...]:
    """The first of those it binds who has one: who, how many nodes, the shortest path, and who else."""
    is_deny = used.statement.effect == "Deny" and SEND in used.reached
    is_limit = used.site.other_ways and used.tags and used.kinds & NODES and (is_deny or used.allows(SEND))
    found = [(who, groups) for who in _bound(used) if len(groups := _walked(used, who))] if is_limit else []
    if not found:
        return ()
    paths, (who, groups), others = used.site.paths, found[0], len(found) - 1
    edges = paths.find(who, int(groups[paths.outcomes[who, groups].argmax()]))
    count = int(np.isin(paths.groups, groups).sum())
    more = f"; {say_count(others, 'more principal', 'has', 'have')} such a way" if others else ""
    return last_part(edges[0].source), say_count(count, "node"), ", then ".join(edge.sentence for edge in edges), more


def _bound(used: Used) -> list[int]:
    """Rows of the principals that a statement binds."""
    bound = {(id(person.policies), person.caller.account) for person in used.people}
    people = enumerate(used.site.paths.tables.people)
    return [who for who, p in people if (id(p.policies), p.caller.account) in bound and not p.caller.is_service_linked]


def _walked(used: Used, who: int) -> Codes:
    """Groups of nodes that its tags keep from somebody who comes there all the same."""
    paths = used.site.paths
    direct, reached = paths.to_node[DIRECT][who] >= CONDITIONAL, paths.outcomes[who]
    by_tag, by_else = (
        np.maximum.reduce([table[who] for name, table in paths.to_node.items() if (name in TAGGING) is tags])
        for tags in (True, False)
    )
    only_tagged = (by_tag >= reached) & (by_else < reached)
    is_kept = used.statement.effect == "Allow" or direct.any()  # a Deny keeps nothing from who may do nothing
    groups = np.flatnonzero(~direct & (reached >= CONDITIONAL) & paths.managed & ~only_tagged & is_kept)
    return np.array([group for group in groups if _keeps(used, who, int(paths.rows[group]))], dtype=np.int64)


def _keeps(used: Used, who: int, row: int) -> bool:
    """Is it for its tags that a statement denies somebody a node, or does not allow it?"""
    _, _, arn, lookup = ask_one("node", used.site.paths.tables.side(_NODE), who, row, SEND).asked
    if used.statement.effect == "Deny":
        return decide_elements(used.statement, arn, lookup).truth is TRUE
    fails = any(c.decide([lookup(key) for key in c.keys]).truth is FALSE for c in used.tags)
    return fails and used.statement.decide_resource(arn, lookup).truth is TRUE
