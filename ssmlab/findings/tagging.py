"""A limit by tags that the limited person may change: each answer is a change that was tried with the evaluator."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Final

from ssmlab.explanation import last_part
from ssmlab.findings.used import NODES, WAYS, Used, may_tag
from ssmlab.patterns import ABSENT, Value, Wild, parse_text, resolve
from ssmlab.reachability.callers import Person
from ssmlab.services import REACH_ACTIONS
from ssmlab.truth import FALSE, TRUE

_MOST: Final = 8  # nodes that are tried for one person and way, no two of them treated alike


def find_change(used: Used) -> tuple[str, ...]:
    """The first of those it binds who may: who, which tags, by which action, on which node, to do what."""
    actions = [action for action in REACH_ACTIONS if action in used.reached]
    tries = product(used.people, WAYS) if used.tags and actions and used.kinds & NODES else ()
    return next(filter(None, (_try(used, person, way, actions[0]) for person, way in tries)), ())


def _try(used: Used, person: Person, way: str, action: str) -> tuple[str, ...]:
    site, changed = used.site, _changed(used, person, WAYS[way]) if may_tag(person, way) else {}
    spelt = {key: key.lower() for key in (condition.key.split("/", 1)[1] for condition in used.tags)}
    new = {f"aws:RequestTag/{key}": str(changed.get(low)) for key, low in spelt.items()} if WAYS[way] else {}
    for row in site.candidates(person, way, action)[:_MOST] if changed else ():
        arn, tags = site.node(way, row)
        if (
            site.decide(person, way, arn, tags, {**new, "aws:TagKeys": list(spelt)})
            and not site.decide(person, action, arn, tags)
            and site.decide(person, action, arn, lambda key, tags=tags: changed.get(key) or tags(key))  # type: ignore[misc]
        ):
            return last_part(person.caller.arn), "`, `".join(spelt), way, last_part(arn), action
    return ()


def _changed(used: Used, person: Person, sets: bool) -> dict[str, Value]:
    """The tags that must change so that an Allow holds and a Deny does not; empty if this way cannot do it."""
    wanted = TRUE if used.statement.effect == "Allow" else FALSE
    lookup: Callable[[str], Value] = lambda key: person.keys.get(key, ABSENT)  # noqa: E731
    found: dict[str, Value | None] = {}
    for condition in used.tags:
        filled = (tokens for text in condition.values for tokens in resolve(parse_text(text), lookup).readings)
        texts = ("".join("x" if isinstance(token, Wild) else str(token) for token in tokens) for tokens in filled)
        others, values = [lookup(key) for key in condition.keys[1:]], [*texts, "something else"] if sets else [ABSENT]
        fitting = (value for value in values if condition.decide([value, *others]).truth is wanted)
        found[condition.keys[0].split("/", 1)[1]] = next(fitting, None)
    return {key: value for key, value in found.items() if value is not None and None not in found.values()}
