"""What-ifs on resources: only what changed is decided again, one resource for all that are alike before and after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from ssmlab.reachability.answers import Answers
from ssmlab.reachability.clauses import Clause
from ssmlab.reachability.columns import Codes, Resources, Truths, combine, first_rows
from ssmlab.reachability.deciding import Decider
from ssmlab.reachability.fleets import IMPLICIT, PLACES, Block, Fleet, decide_block, number_groups, sign
from ssmlab.snapshots.schema import list_tags

_MOST: Final = 0.1  # of the rows: where more must be decided again, all are


@dataclass(frozen=True, slots=True)
class Changes:
    """Rows that differ between two frames of the same resources, and the columns in which they do."""

    rows: Codes
    columns: frozenset[str]


def find_changes(before: pd.DataFrame, after: pd.DataFrame) -> Changes | None:
    """What differs in the columns that policies can read; None: other resources, or other places."""
    if not (before.index is after.index or before.index.equals(after.index)):
        return None
    tags = {*list_tags(before), *list_tags(after)}
    changed, columns = np.zeros(len(after), dtype=bool), set()
    for name in ("tags_known", "document_type", *PLACES, *sorted(tags)):
        if name in before or name in after:
            differs = _differs(before.get(name), after.get(name))
            changed |= differs
            columns |= {name} if differs.any() else set()
    rows = np.flatnonzero(changed)
    return Changes(rows, frozenset(columns)) if columns.isdisjoint(PLACES) else None


def _differs(before: pd.Series[Any] | None, after: pd.Series[Any] | None) -> npt.NDArray[np.bool_]:
    if before is None or after is None:
        known = before if after is None else after
        assert known is not None
        return np.asarray(known.notna(), dtype=bool)
    if isinstance(before.dtype, pd.CategoricalDtype) and isinstance(after.dtype, pd.CategoricalDtype):
        old, new = before.cat.categories, after.cat.categories
        codes = before.cat.codes.to_numpy()
        if not (old is new or old.equals(new)):
            place = np.append(new.get_indexer(old), -1)  # a missing value has the code -1, the last place
            codes = np.where((codes >= 0) & (place[codes] < 0), -2, place[codes])
        return np.asarray(codes != after.cat.codes.to_numpy(), dtype=bool)
    same = (before.to_numpy() == after.to_numpy()) | (before.isna() & after.isna()).to_numpy()
    return ~np.asarray(same, dtype=bool)


def update_fleet(fleet: Fleet, decider: Decider, changes: Changes) -> Fleet | None:
    """The fleet of changed resources, from that of the resources before; None: too much must be decided again."""
    decider.resources.inherit(fleet.resources, changes.columns)
    again = {n: c for n, c in enumerate(fleet.clauses.items) if c and _reads(c, changes.columns, fleet, decider)}
    alike = _find_alike(again.values(), fleet, decider.resources, changes)
    rows = changes.rows[first_rows(alike)]  # one of each
    if len(rows) > max(_MOST * len(fleet.groups), 1):
        return None
    groups, blocks, outcomes, size = fleet.groups.copy(), [], [fleet.outcomes], len(fleet.rows)
    before, answers = fleet.groups[rows], _decide_again(again, decider.resources, rows)
    now = before.copy()
    for block in fleet.blocks:
        here = np.flatnonzero(np.isin(before, block.groups))
        if not len(here):
            blocks.append(block)
            continue
        truths = _update_truths(block, before, answers, here)
        codes, new = _place(block, fleet.places, truths, fleet.places[before[here]])
        added = Block(block.principals, block.numbers, size + np.arange(new.shape[1]), new)
        blocks.append(_join(block, added))
        now[here] = blocks[-1].groups[codes]
        if new.shape[1]:
            column = np.full((len(fleet.outcomes), new.shape[1]), IMPLICIT, dtype=np.int8)
            column[block.principals] = decide_block(fleet.clauses, added)
            outcomes.append(column)
        size += new.shape[1]
    every = np.concatenate(outcomes, axis=1) if len(outcomes) > 1 else fleet.outcomes
    groups[changes.rows], fine = now[alike], fleet.fine.copy()
    fine[changes.rows] = fine.max(initial=-1) + 1 + alike
    return number_groups(decider, fleet.clauses, fine, groups, fleet.places[fleet.groups], blocks, every)


def _reads(clause: Clause, columns: frozenset[str], fleet: Fleet, decider: Decider) -> bool:
    keys = {*clause.statement.resource_keys, *(key for c in clause.statement.conditions for key in c.keys)}
    sides = (fleet.resources, decider.resources)
    return any(not columns.isdisjoint(side.sources(key)) for key in keys for side in sides)


def _find_alike(clauses: Iterable[Clause], fleet: Fleet, resources: Resources, changes: Changes) -> Codes:
    """A number for each changed row: the same for those that no clause told apart before, nor can now."""
    keys = set()
    for statement in (clause.statement for clause in clauses):
        if any(resources.sources(key) for key in statement.resource_keys):
            return np.arange(len(changes.rows))  # what is filled into a Resource is read together with the ARN
        keys |= {key for condition in statement.conditions for key in condition.keys if resources.sources(key)}
    columns = (resources.column((key,)).codes[changes.rows] for key in sorted(keys))
    return combine([fleet.fine[changes.rows], *columns], len(changes.rows))


def _decide_again(clauses: Mapping[int, Clause], resources: Resources, rows: Codes) -> Answers:
    few = Decider(Resources(resources.frame.iloc[rows], resources.resource_type, resources.given))
    for clause in clauses.values():
        few.note(clause.statement, clause.resource)
    return Answers(few, clauses)


def _update_truths(block: Block, before: Codes, answers: Answers, here: Codes) -> Truths:
    """Clauses of a block x those of the rows that lie in it: as before, but for what is decided again."""
    truths = block.truths[:, np.searchsorted(block.groups, before[here])]
    again = np.isin(block.numbers, answers.numbers)
    truths[again] = answers.truths(block.numbers[again], here)
    return truths


def _place(block: Block, places: Codes, truths: Truths, own: Codes) -> tuple[Sequence[int], Truths]:
    """For each column of truths its group in the block, the block's own before new ones; and the truths of the new."""
    known = {name: group for group, name in enumerate(sign(block.truths, places[block.groups]))}
    count = len(known)
    codes = [known.setdefault(name, len(known)) for name in sign(truths, own)]
    first = {code: column for column, code in reversed([*enumerate(codes)]) if code >= count}
    return codes, truths[:, [first[code] for code in range(count, len(known))]]


def _join(block: Block, added: Block) -> Block:
    groups, truths = np.append(block.groups, added.groups), np.concatenate([block.truths, added.truths], axis=1)
    return Block(block.principals, block.numbers, groups, truths)
