"""Why two reaches differ: one ingredient at a time is exchanged, and the question asked again."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd

from ssmlab.reachability.comparing import Comparison
from ssmlab.reachability.fleets import IMPLICIT
from ssmlab.reachability.questions import reach
from ssmlab.reachability.reach import MOST_PAIRS, Reach
from ssmlab.snapshots import Snapshot
from ssmlab.snapshots.iam import AS_BOUNDARY
from ssmlab.snapshots.schema import TAG, list_tags

SEVERAL: Final = "several together"
_REQUEST: Final = "request"
_LAYERS: Final = {"identity": "policy", "boundary": "boundary", "scp": "SCP", "rcp": "RCP"}
_OF_LAYER: Final = {"identity": ["groups"], "boundary": ["boundary"]}  # columns of principals that say what binds them
_FRAMES: Final = {"nodes": "node tags", "documents": "document tags or sharing", "principals": "principal tags"}
_OTHERS: Final = {"document_type": "document type", "shared_with": "document sharing"}
_MOST_TRIED: Final = 12  # policies, or tags, that are tried one by one
_MOST_JOINED: Final = 3
Swap = Callable[[Snapshot, Snapshot], Snapshot]


def find_causes(before: Reach, after: Reach, limit: int | None = None) -> pd.DataFrame:
    """What another reach gives and takes, and which change it follows from.

    A cause is found by putting one ingredient of `after` in its place in `before` (the policies of one layer, the tags
    of nodes, the request …) and deciding again: where that alone gives the outcome of `after`, it is the cause.

    Returns
    -------
    pandas.DataFrame
        As `Reach.compare`, without rows that nobody reaches on either side, and with the columns `change` ("gained" or
        "lost") and `cause`: "policy", "boundary", "SCP", "RCP", "node tags", "document tags or sharing", "principal
        tags", "request"; joined by "or" where each of them alone suffices, "several together" where none does; and
        "principal added", "node removed", … for what is on one side only. `named`: the same, but which policy and which
        tag, "policy Stop", "SCP NoTesting", "node tag Finance", found in the same way, joined by "with" where they act
        together; the word of `cause` where more than a dozen changed, or something else. `attrs`: as there.
    limit
        Rows at most; without it, a million.

    Examples
    --------
    >>> import ssmlab
    >>> snapshot = ssmlab.load("data/sample")
    >>> changed = snapshot.with_tags("i-0123456789abcdef0", {"Finance": "Ledger"})
    >>> found = find_causes(ssmlab.reach(snapshot), ssmlab.reach(changed))
    >>> found[["change", "cause", "named"]].drop_duplicates().values.tolist()
    [['lost', 'node tags', 'node tag Finance']]
    """
    parts_of = _list_parts(before.snapshot, after.snapshot)
    trials = _try_each(before, after, [*parts_of])
    several = {label: swap for parts in parts_of.values() if len(parts) > 1 for label, swap in parts.items()}
    tried = (trials if len(trials) > 1 else {}) | _ask(before, after, several)
    found = Comparison(before, after, tried, denials=False).frame(MOST_PAIRS if limit is None else limit)
    first, then = (found[name].cat.codes.to_numpy() for name in ("before", "after"))
    held = {name: _reached(found.pop(name)) == _reached(then) for name in tried}
    causes = {word: held.get(word, np.full(len(found), True)) for word in trials}
    missing = _say_missing(before, after, found)
    found["change"] = np.where(then > first, "gained", "lost")
    for column, names in (("cause", causes), ("named", _name_parts(causes, parts_of, held))):
        found[column] = np.where(missing == "", _join(names, len(found)), missing)
    return found


def _name_parts(causes: Mapping[str, Any], parts_of: Mapping[str, Iterable[str]], held: Mapping[str, Any]) -> Any:
    """Each cause by the parts that suffice alone; where none does, by all of them if they are few."""
    named = {}
    for word, is_so in causes.items():
        parts, rest = [*parts_of.get(word, ())], is_so
        for label in (label for label in parts if label in held):
            named[label] = is_so & held[label]
            rest = rest & ~held[label]
        named[" with ".join(parts) if 0 < len(parts) <= _MOST_JOINED else word] = rest
    return named


def _reached(outcomes: Any) -> Any:
    """Outcomes as far as they differ in what is reached: of two denials it does not matter which came first."""
    return np.maximum(np.asarray(outcomes), IMPLICIT)


def _say_missing(before: Reach, after: Reach, found: pd.DataFrame) -> Any:
    """For each row what is on one side only, "node removed and document removed", else ""."""
    ends, words = {"principal": found["principal"], "node": found["example"], "document": found["document"]}, []
    for what, arns in ends.items():
        old, new = (getattr(side.snapshot, f"{what}s").index for side in (before, after))
        if not old.equals(new):
            words.append(np.where(~arns.isin(old), f"{what} added", np.where(~arns.isin(new), f"{what} removed", "")))
    told = [" and ".join(filter(None, each)) for each in zip(*words, strict=True)]
    return np.array(told if words else [""] * len(found), dtype=object)


def _join(causes: Mapping[str, Any], size: int) -> Any:
    """For each row the causes that hold; there are few different sets of them."""
    if not (causes and size):
        return np.full(size, SEVERAL, dtype=object)
    names, held = [*causes], np.column_stack([*causes.values()]).reshape(size, -1)
    sets, which = np.unique(held, axis=0, return_inverse=True)
    words = [" or ".join(name for name, one in zip(names, row, strict=True) if one) or SEVERAL for row in sets]
    return np.array([*words, ""], dtype=object)[which.reshape(-1)]


def _try_each(before: Reach, after: Reach, names: list[str]) -> dict[str, Reach]:
    """The reach before with one ingredient of after, for each that differs."""
    asked = before.context == after.context
    if len(names) + (not asked) == 1:  # there is no other cause, and nothing to try
        return dict.fromkeys(names or [_REQUEST], before)
    swaps: dict[str, Swap] = {word: partial(_swap_layer, layer) for layer, word in _LAYERS.items()}
    swaps |= {word: partial(_swap_frame, frame) for frame, word in _FRAMES.items()}
    found = _ask(before, after, {name: swaps[name] for name in names})
    return found if asked else {**found, _REQUEST: reach(before.snapshot, before.action, after.context)}


def _ask(before: Reach, after: Reach, swaps: Mapping[str, Swap]) -> dict[str, Reach]:
    sides = before.snapshot, after.snapshot
    return {name: reach(swap(*sides), before.action, before.context) for name, swap in swaps.items()}


def _list_parts(old: Snapshot, new: Snapshot) -> dict[str, dict[str, Swap]]:
    """For each ingredient that differs its policies or tags that do, with names; none if more differs, or too many."""
    found: dict[str, dict[str, Swap]] = {}
    names = old.policies["name"].to_dict() | new.policies["name"].to_dict()
    for layer, word in _LAYERS.items():
        policies, is_more = _compare_layer(old, new, layer)
        if policies or is_more:
            swaps: dict[str, Swap] = {
                policy: partial(_swap_layer, layer, only=policy) for policy in policies * (not is_more)
            }
            called = {f"{word} {names.get(policy, policy).rpartition('/')[2]}": swap for policy, swap in swaps.items()}
            found[word] = called if len(called) == len(swaps) else {f"{word} {p}": swap for p, swap in swaps.items()}
    for frame, word in _FRAMES.items():
        if columns := _compare_frame(old, new, frame):
            tag, is_known = f"{frame[:-1]} tag ", "tags_known" not in columns
            called = {_OTHERS.get(c, c.replace(TAG, tag, 1)): partial(_swap_frame, frame, only=c) for c in columns}
            found[word] = called if is_known else {}
    return {word: parts if len(parts) <= _MOST_TRIED else {} for word, parts in found.items()}


def _compare_layer(old: Snapshot, new: Snapshot, layer: str) -> tuple[list[str], bool]:
    """The policies of a layer that differ, and whether groups or the organization do."""
    if old.policies is new.policies and old.principals is new.principals and old.organization is new.organization:
        return [], False
    sides = [dict(_rows(side.policies, layer)) for side in (old, new)]
    differ = [name for name in sides[0] | sides[1] if sides[0].get(name) != sides[1].get(name)]
    if layer == "boundary":
        differ += [name for name in _moved(old, new).to_numpy().ravel() if isinstance(name, str)]
        return [*dict.fromkeys(name.removesuffix(AS_BOUNDARY) for name in differ)], False
    bound = [_columns(side.principals, _OF_LAYER.get(layer, [])) for side in (old, new)]
    return differ, _chains(old, layer) != _chains(new, layer) or not _alike(*bound)


def _moved(old: Snapshot, new: Snapshot) -> pd.DataFrame:
    """Of principals whose boundary is another, both."""
    pair = pd.concat([side.principals["boundary"].astype(object) for side in (old, new)], axis=1, join="inner")
    return pair[pair.iloc[:, 0].fillna("") != pair.iloc[:, 1].fillna("")]


def _compare_frame(old: Snapshot, new: Snapshot, frame: str) -> list[str]:
    """The columns of a frame that differ."""
    sides = [getattr(side, frame) for side in (old, new)]
    columns = dict.fromkeys(column for side in sides for column in _read(frame, side) if sides[0] is not sides[1])
    return [n for n in columns if not _alike(*(_columns(side, [n] if n in side else []) for side in sides))]


def _rows(policies: pd.DataFrame, layer: str) -> Iterable[tuple[str, Any]]:
    chosen = policies[policies["layer"] == layer]
    return ((name, ({*to}, document)) for name, to, document in chosen[["attached_to", "document"]].itertuples())


def _chains(snapshot: Snapshot, layer: str) -> list[Any]:
    if layer in _OF_LAYER:
        return []
    rows = snapshot.organization[snapshot.organization[layer]][["account", "level", "target"]]
    return sorted(rows.astype("str").itertuples(index=False, name=None))


def _read(frame: str, side: pd.DataFrame) -> list[str]:
    """The columns of a frame that decide, beside those that follow from the ARN and those of layers."""
    own = {"documents": ["document_type", "shared_with"], "nodes": [], "principals": []}[frame]
    return ["tags_known", *own, *list_tags(side)]


def _columns(side: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Columns as texts, those without any value left out."""
    return side[names].astype(object).dropna(axis="columns", how="all")


def _alike(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Do they hold the same of what is in both?"""
    common = one.index.intersection(other.index)
    if {*one.columns} != {*other.columns}:
        return False
    pairs = (one.loc[common].fillna("\0"), other.loc[common, [*one.columns]].fillna("\0"))
    return bool((pairs[0].to_numpy() == pairs[1].to_numpy()).all())


def _swap_frame(frame: str, old: Snapshot, new: Snapshot, only: str = "") -> Snapshot:
    before, after = getattr(old, frame), getattr(new, frame)
    columns = [only] if only else [*_read(frame, before), *_read(frame, after)]
    return old.replace(**{frame: _take(before, after, columns)})


def _swap_layer(layer: str, old: Snapshot, new: Snapshot, only: str = "") -> Snapshot:
    """The policies of one layer, or only one of them, what they are attached to, and whom they bind."""
    frames = [side.policies for side in (old, new)]
    ours = [(f["layer"] == layer) & (not only or f.index.isin([only, only + AS_BOUNDARY])) for f in frames]
    kept = (frames[0][~ours[0]], frames[1][ours[1]])
    policies = pd.concat([_name_apart(frame, kept) for frame in kept if len(frame)] or [*kept])
    people = new.principals
    if only and layer == "boundary":
        moved = _moved(old, new)
        people = people.loc[people.index.isin(moved.index[(moved == only).any(axis=1)])]
    changed = old.replace(policies=policies, principals=_take(old.principals, people, _OF_LAYER.get(layer, [])))
    if layer in _OF_LAYER or only:
        return changed
    (other,) = {"scp", "rcp"} - {layer}
    chains = [old.organization.assign(**{layer: False}), new.organization.assign(**{other: False})]
    return dataclasses.replace(changed, organization=pd.concat(chains, ignore_index=True))


def _name_apart(frame: pd.DataFrame, frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """A policy that is a boundary on one side and attached on the other has a row for each, as where it is both."""
    others = {name for other in frames if other is not frame for name in other.index}
    twice = (frame["layer"] == "boundary") & frame.index.isin([*others])
    return frame.set_axis(frame.index.where(~twice, frame.index + AS_BOUNDARY).rename(frame.index.name))


def _take(before: pd.DataFrame, after: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    """The things of `before`; those that are in `after` too have the values that these columns hold there."""
    common = before.index.intersection(after.index)
    found = {}
    for name in dict.fromkeys(columns):
        values = before[name].astype(object) if name in before else pd.Series(None, before.index, dtype=object)
        values = values.copy()
        values[common] = after.loc[common, name].astype(object) if name in after else None
        found[name] = values
    return before.assign(**found)
