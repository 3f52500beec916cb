"""A limit by tags that the limited person may change: each answer is a change that was tried with the evaluator."""

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Final

from ssmlab.explanation import last_part
from ssmlab.findings.used import NODE_TAGS, NODES, Site, Tags, Used
from ssmlab.patterns import ABSENT, Value, Wild, parse_text, resolve
from ssmlab.reachability.callers import Person, read_principals
from ssmlab.reachability.columns import Resources, combine, first_rows
from ssmlab.reachability.deciding import Decider
from ssmlab.reachability.fleets import CONDITIONAL, decide_fleet
from ssmlab.services import ACTIONS, REACH_ACTIONS, TAG_KEYS
from ssmlab.truth import FALSE, TRUE

# Actions that set tags, and that take them away. Instances of EC2 are tagged through EC2.
_SET: Final = ("ec2:CreateTags", "ssm:AddTagsToResource")
_WAYS: Final = (*_SET, "ec2:DeleteTags", "ssm:RemoveTagsFromResource")
_MOST: Final = 8  # nodes that are tried for one person and way, no two of them treated alike
Nodes = Sequence[tuple[str, Tags]]


def find_change(used: Used) -> tuple[str, ...]:
    """The first of those it binds who may: who, which tags, by which action, on which node, to do what."""
    actions = [action for action in REACH_ACTIONS if action in used.reached]
    tries = product(used.people, _WAYS) if used.tags and actions and used.kinds & NODES else ()
    return next(filter(None, (_try(used, person, way, actions[0]) for person, way in tries)), ())


def _try(used: Used, person: Person, way: str, action: str) -> tuple[str, ...]:
    site, changed = used.site, _changed(used, person, way in _SET) if _may_tag(person, way) else {}
    spelt = {key: key.lower() for key in (condition.key.split("/", 1)[1] for condition in used.tags)}
    new = {f"aws:RequestTag/{key}": str(changed.get(low)) for key, low in spelt.items()} if way in _SET else {}
    for arn, tags in _candidates(site, way, action)[id(person)] if changed else ():
        if (
            site.decide(person, way, arn, tags, {**new, "aws:TagKeys": list(spelt)})
            and not site.decide(person, action, arn, tags)
            and site.decide(person, action, arn, lambda key, tags=tags: changed.get(key) or tags(key))  # type: ignore[misc]
        ):
            return last_part(person.caller.arn), "`, `".join(spelt), way, last_part(arn), action
    return ()


def _may_tag(person: Person, way: str) -> bool:
    """Does an identity policy say anything of an action, but to deny it?"""
    return any(applied.place == ("identity", 0) for applied in person.policies.relevant(way))


def _candidates(site: Site, way: str, action: str) -> Mapping[int, Nodes]:
    """For each person, by id: nodes that may be tagged but not used, found on whole columns; no two treated alike."""
    if (way, action) not in site.tried:
        frame, people = site.snapshot.nodes, [person for person in site.people if _may_tag(person, way)]
        nodes = Resources(frame[(frame["kind"] == "ec2") == way.startswith("ec2:")], "instance", tag_keys=NODE_TAGS)
        principals = [(name, read_principals(people, ACTIONS[name], "instance", {})) for name in (way, action)]
        fleets = [decide_fleet(Decider(nodes), callers, name) for name, callers in principals]
        rows = first_rows(combine([fleet.groups for fleet in fleets], len(nodes.frame)))
        taggable, usable = (fleet.outcomes[:, fleet.groups[rows]] >= CONDITIONAL for fleet in fleets)
        chosen = [[_pick(nodes, row) for row in rows[fits][:_MOST]] for fits in taggable & ~usable]
        site.tried[way, action] = dict(zip(map(id, people), chosen, strict=True))
    return site.tried[way, action]


def _pick(nodes: Resources, row: int) -> tuple[str, Tags]:
    """ARN and tags of one."""
    return str(nodes.arns[row]), lambda key: nodes.read(TAG_KEYS[0] + key, row)


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
