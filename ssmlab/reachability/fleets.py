"""Deciding whole columns: every principal against every group of resources that all loaded policies treat alike.

The same functions decide here as in a single `evaluate`: `Condition.decide` and `Statement.decide_resource` once for
each class of values (`deciding`), `decide_layers` once for each combination of truths. What is done here is to spread
their answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Final

import numpy as np
import pandas as pd

from ssmlab.evaluation import Applied, Layers, Outcome, decide_layers
from ssmlab.reachability.answers import Answers
from ssmlab.reachability.callers import Principal
from ssmlab.reachability.clauses import Clauses, Numbers, Way
from ssmlab.reachability.columns import Codes, Resources, Truths, combine, encode, first_rows
from ssmlab.reachability.deciding import Decider
from ssmlab.truth import FALSE, TRUE, UNKNOWN, Truth

OUTCOMES: Final = (Outcome.EXPLICIT_DENY, Outcome.IMPLICIT_DENY, Outcome.CONDITIONAL, Outcome.ALLOWED)
IMPLICIT: Final = OUTCOMES.index(Outcome.IMPLICIT_DENY)
CONDITIONAL: Final = OUTCOMES.index(Outcome.CONDITIONAL)
ALLOWED: Final = OUTCOMES.index(Outcome.ALLOWED)
PLACES: Final = ("account", "region", "kind", "shared_with")  # a group lies in one place, whatever the policies say
_CHUNK: Final = 1 << 14  # resources whose truths are held at once, before those that are alike become groups


@dataclass(frozen=True, eq=False)
class Block:
    """Groups where the same principals act, and the truths of these principals' clauses there.

    Attributes
    ----------
    principals
        Rows of `snapshot.principals`.
    numbers
        The clauses, by number; the first three are the truths themselves.
    groups
        Numbers of the groups, ascending.
    truths
        Clauses x groups.
    """

    principals: Codes
    numbers: Codes
    groups: Codes
    truths: Truths


@dataclass(frozen=True, eq=False)
class Fleet:
    """Resources in groups, and one outcome for each principal and group.

    Attributes
    ----------
    fine
        A number for each resource: those with the same are alike in place and in what every part of a clause says.
    groups
        Group of each resource, numbered in order of first appearance: alike in place and in what every clause says.
    rows
        First resource of each group.
    places
        A number for the account, Region and kind of each group.
    outcomes
        Principals x groups: places in `OUTCOMES`; implicit deny where the principal does not act.
    """

    decider: Decider
    clauses: Clauses
    fine: Codes
    groups: Codes
    rows: Codes
    places: Codes
    blocks: tuple[Block, ...]
    outcomes: Truths

    @property
    def resources(self) -> Resources:
        """The resources as columns."""
        return self.decider.resources

    def allowing(self, principal: Principal, action: str) -> list[tuple[Applied, Truths]]:
        """The Allow statements of a principal's own policies, each with its truth on every group where it acts."""
        found = []
        for applied in principal.policies.relevant(action):
            if applied.layer == "identity" and applied.statement.effect == "Allow":
                truths = np.full(len(self.rows), FALSE, dtype=np.int8)
                number = self.clauses.number(applied.statement, principal)
                for block in self.blocks:
                    truths[block.groups] = block.truths[block.numbers == number].max(axis=0, initial=FALSE)
                found.append((applied, truths))
        return found


def decide_fleet(decider: Decider, principals: Sequence[Principal], action: str) -> Fleet:
    """Group the resources and decide every principal on every group."""
    clauses = Clauses(principals, action, decider)
    resources = decider.resources
    places = combine([encode(resources.frame[n])[0] for n in PLACES if n in resources.frame], len(resources.frame))
    answers = Answers(decider, {number: clause for number, clause in enumerate(clauses.items) if clause})
    fine = combine([places, *answers.classes()], len(places))
    rows = first_rows(fine)
    groups, blocks, size = np.empty(len(rows), dtype=np.int64), [], 0
    for acting, members in _acting(resources, principals, rows):
        numbers = _numbers(clauses, acting)
        codes, truths = _group(answers, numbers, rows[members], places)
        blocks.append(Block(acting, numbers, size + np.arange(truths.shape[1]), truths))
        groups[members] = size + codes
        size += truths.shape[1]
    outcomes = np.full((len(principals), size), IMPLICIT, dtype=np.int8)
    for block in blocks:
        outcomes[np.ix_(block.principals, block.groups)] = decide_block(clauses, block)
    return number_groups(decider, clauses, fine, groups[fine], places, blocks, outcomes)


def number_groups(
    decider: Decider,
    clauses: Clauses,
    fine: Codes,
    codes: Codes,
    places: Codes,
    blocks: Iterable[Block],
    outcomes: Truths,
) -> Fleet:
    """A fleet whose groups are numbered in order of first appearance; those without a resource are left out.

    `codes`: of each resource, the place of its group among the columns of `outcomes`; `places`: of each resource.
    """
    groups, order = pd.factorize(codes)
    rows, renamed = first_rows(groups), np.full(outcomes.shape[1], -1, dtype=np.int64)
    renamed[order] = np.arange(len(order))
    kept = []
    for block in blocks:
        left = np.flatnonzero(renamed[block.groups] >= 0)
        left = left[np.argsort(renamed[block.groups[left]])]
        kept.append(Block(block.principals, block.numbers, renamed[block.groups[left]], block.truths[:, left]))
    return Fleet(decider, clauses, fine, groups, rows, places[rows], tuple(kept), np.take(outcomes, order, axis=1))


def _acting(resources: Resources, principals: Sequence[Principal], rows: Codes) -> Iterable[tuple[Codes, Codes]]:
    """Rows of principals, and which of `rows` they act on: nodes of their own account, all documents."""
    if resources.resource_type == "document":
        yield np.arange(len(principals)), np.arange(len(rows))
        return
    accounts = resources.frame["account"].iloc[rows].astype(object).fillna("").astype(str).to_numpy()
    own = np.array([principal.caller.account for principal in principals], dtype=object)
    for account in pd.unique(accounts):
        yield np.flatnonzero(own == account), np.flatnonzero(accounts == account)


def _numbers(clauses: Clauses, principals: Codes) -> Codes:
    ways = [clauses.ways[way] for way in np.unique(clauses.way_of[principals])]
    used = {
        number for way in ways for numbers in (way.deny, way.identity, way.boundary, *way.scps) for number in numbers
    }
    return np.array([*range(len(Truth)), *sorted(used - set(range(len(Truth))))], dtype=np.int64)


def _group(answers: Answers, numbers: Codes, rows: Codes, places: Codes) -> tuple[Codes, Truths]:
    """The group of each of the rows, alike in their place and in what every clause says; clauses x groups."""
    chunks = [rows[start : start + _CHUNK] for start in range(0, max(len(rows), 1), _CHUNK)]
    names, kept, seen = [], [], 0
    known: dict[bytes, int] = {}
    for chunk in chunks:
        truths = answers.truths(numbers, chunk)
        found = [known.setdefault(name, len(known)) for name in sign(truths, places[chunk])]
        names.append(np.array(found, dtype=np.int64))
        codes, first = np.unique(names[-1], return_index=True)
        kept.append(truths[:, first[codes >= seen]])
        seen = len(known)
    return np.concatenate(names), np.concatenate(kept, axis=1)


def sign(truths: Truths, places: Codes) -> list[bytes]:
    """A name for what is said in each column of truths, together with its place."""
    bits = [np.packbits(truths == truth, axis=0) for truth in (TRUE, UNKNOWN)]
    signed = np.concatenate([*bits, places.astype(np.int64)[None, :].view(np.uint8).reshape(len(places), 8).T])
    return [row.tobytes() for row in np.ascontiguousarray(signed.T)]


def decide_block(clauses: Clauses, block: Block) -> Truths:
    """Principals x groups of a block: the order of layers on the truths of their clauses."""
    place = {number: row for row, number in enumerate(block.numbers.tolist())}
    known: dict[Numbers, Truths] = {}

    def any_of(numbers: Numbers) -> Truths:
        if numbers not in known:
            rows = [place[number] for number in numbers]
            known[numbers] = block.truths[rows[0]] if len(rows) == 1 else block.truths[rows].max(axis=0)
        return known[numbers]

    def decide(way: Way) -> Truths:
        levels = [any_of(numbers) for numbers in way.scps]
        scp = np.minimum.reduce(levels) if levels else any_of((int(TRUE),))
        code = ((any_of(way.deny) * 3 + scp) * 3 + any_of(way.identity)) * 3 + any_of(way.boundary)
        return _layer_table().take(code)

    ways, way_of = np.unique(clauses.way_of[block.principals], return_inverse=True)
    decided = [decide(clauses.ways[way]) for way in ways]
    return np.array(decided, dtype=np.int8).reshape(len(ways), len(block.groups))[way_of]


@lru_cache(maxsize=1)
def _layer_table() -> Truths:
    """`decide_layers` for every combination of deny, SCP, identity and boundary, in this order."""
    decided = [decide_layers(Layers(d, s, i, b)) for d, s, i, b in product(Truth, repeat=4)]
    return np.array([OUTCOMES.index(outcome) for outcome in decided], dtype=np.int8)
