"""The principals of a snapshot as callers: their policies, and how they and the request answer a condition key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from ssmlab.evaluation import Caller, PolicySet, normalise_context, parse_principal
from ssmlab.evaluation.requests import ContextValue
from ssmlab.patterns import ABSENT, NOT_KNOWN, Ambiguous, Value
from ssmlab.services import NOT_SUPPLIED, Action
from ssmlab.snapshots import Snapshot
from ssmlab.snapshots.schema import TAG, list_tags

_OF_PRINCIPAL: Final = "aws:principaltag/"
# Keys of the principal that are absent, not unknown, where its ARN does not give them.
_FROM_ARN: Final = ("aws:username", "aws:principalservicename")


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller with its policies, and how it answers the keys that no resource answers (lower case)."""

    caller: Caller
    policies: PolicySet
    lookup: Callable[[str], Value]


@dataclass(frozen=True, slots=True)
class Person:
    """A principal of a snapshot before anything is asked: the keys that follow from its ARN and tags, in lower case."""

    caller: Caller
    policies: PolicySet
    keys: Mapping[str, Value]
    tags_known: bool


def recall_people(snapshot: Snapshot) -> list[Person]:
    """`read_people`, once for a snapshot and the copies that share its policies."""
    access = (snapshot.principals, snapshot.policies, snapshot.compiled, snapshot.organization)
    return snapshot.memory.recall("people", access, lambda: read_people(snapshot))


def read_people(snapshot: Snapshot) -> list[Person]:
    """Every principal of a snapshot; those with the same policies share one `PolicySet`."""
    tags = _tags(snapshot.principals)
    sets: dict[Any, PolicySet] = {}
    people = []
    for arn, known in zip(snapshot.principals.index, snapshot.principals["tags_known"], strict=True):
        caller, attached = parse_principal(arn), snapshot.attached(arn)
        bound = None if attached.boundary is None else (*map(id, attached.boundary),)
        name = (*map(id, attached.identity), bound, id(attached.scps), id(attached.rcps))
        if name not in sets:
            sets[name] = PolicySet(attached.identity, attached.boundary, None, attached.scps, attached.rcps)
        keys = {**caller.keys, "aws:principalisawsservice": "false", **tags.get(arn, {})}
        people.append(Person(caller, sets[name], keys, bool(known)))
    return people


def read_principals(
    people: Sequence[Person], action: Action | None, resource_type: str, context: Mapping[str, ContextValue | None]
) -> list[Principal]:
    """The principals as they meet resources of one type; None: an action of which no keys are listed.

    `context` holds the request's keys; None: known to be absent. Keys of the request that are not in it are unknown;
    keys that the action does not supply are absent, with a doubt.
    """
    given = normalise_context({key: value for key, value in context.items() if value is not None})
    given |= {key.lower(): ABSENT for key, value in context.items() if value is None}
    return [
        Principal(person.caller, person.policies, _lookup(person, given, action, resource_type)) for person in people
    ]


def _lookup(
    person: Person, given: Mapping[str, Value], action: Action | None, resource_type: str
) -> Callable[[str], Value]:
    def lookup(key: str) -> Value:
        if key in given:
            return given[key]
        if key in person.keys:
            return person.keys[key]
        if key.startswith(_OF_PRINCIPAL):
            return ABSENT if person.tags_known else NOT_KNOWN
        if key in _FROM_ARN:
            return ABSENT
        if action is not None and not action.supplies(key, resource_type):
            return Ambiguous((ABSENT,), NOT_SUPPLIED.format(key, action.name))
        return NOT_KNOWN

    return lookup


def _tags(principals: pd.DataFrame) -> dict[str, dict[str, Value]]:
    """The tags of principals as condition keys; tag keys that differ only by case are ambiguous."""
    found: dict[str, dict[str, Sequence[str] | str]] = {}
    for column in list_tags(principals):
        for arn, value in principals[column].dropna().items():
            found.setdefault(str(arn), {})[f"aws:PrincipalTag/{column[len(TAG) :]}"] = str(value)
    return {arn: normalise_context(keys) for arn, keys in found.items()}
