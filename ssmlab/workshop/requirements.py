"""What must hold of a changed snapshot: a table of verbs, each of which yields what is wrong, in words.

    exactly: role/WebOps     # reaches these nodes with these documents, and nothing else
    reaches: role/WebOps     # reaches at least these
    keeps: ["user/*"]        # reach what they reached before, no more and no less
    never: user/web-ops      # reaches none of these
    may: user/web-ops        # any `action` on the nodes, with what the `request` carries; `may not`: must not

`context` is what the request carries besides; `too much` is said where more is reached than is wanted.

Nodes whose tags were not collected are left out: what must be reached there is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from ssmlab.evaluation import Asked, Outcome, PolicySet, Request, parse_principal
from ssmlab.evaluation.requests import read_context
from ssmlab.expectations import ExpectationError, choose_rows
from ssmlab.explanation import Part, last_part, say_missed, say_reason
from ssmlab.reachability import Reach, reach
from ssmlab.snapshots import Snapshot
from ssmlab.snapshots.documents import are_usable
from ssmlab.snapshots.schema import TAG, listed

Pair = tuple[str, str]
Entry = Mapping[str, Any]
_CONTEXT, _TOO_MUCH = "context", "too much"
_SIDES: Final = ("principals", "nodes", "documents")


@dataclass(frozen=True, slots=True)
class Change:
    """The snapshot before and after the answer, what the requests carry, and which policy is the answer."""

    before: Snapshot
    after: Snapshot
    context: Mapping[str, Any]
    policy: str = ""


def find_broken(change: Change, entry: Entry) -> Iterator[str]:
    """What is wrong with the answer, by one requirement; nothing if it holds."""
    verb = next(verb for verb in _VERBS if verb in entry)
    request = f"where the request carries {_say_keys(entry[_CONTEXT])}, " if _CONTEXT in entry else ""
    return (f"{request}{told}" for told in _VERBS[verb](change, entry))


def drop_unknown(snapshot: Snapshot) -> Snapshot:
    """The snapshot without nodes whose tags were not collected."""
    known = snapshot.nodes["tags_known"]
    return snapshot if known.all() else snapshot.replace(nodes=snapshot.nodes[known])


def choose_sides(snapshot: Snapshot, entry: Entry) -> dict[str, Any]:
    """The rows of principals, nodes and documents that an entry names; by default all."""
    return {side: choose_rows(snapshot, side, entry.get(side, "*"), side) for side in _SIDES}


def read_tags(node: pd.Series[Any]) -> dict[str, str]:
    """The tags of a node, from its row."""
    tags = {str(name): str(value) for name, value in node.dropna().items() if str(name).startswith(TAG)}
    return {name.removeprefix(TAG): value for name, value in tags.items()}


def _reaches(change: Change, entry: Entry) -> Iterator[str]:
    found = _reach(change.after, change, entry)
    for who in _principals(change.after, entry.get("reaches", entry.get("exactly"))):
        yield from _compare(change, entry, found, who, _wanted(change.after, who, entry))


def _keeps(change: Change, entry: Entry) -> Iterator[str]:
    before, after = (_reach(snapshot, change, entry) for snapshot in (change.before, change.after))
    for who in _principals(change.before, entry["keeps"]):
        yield from _compare(change, entry, after, who, _reached(before, who, "allowed"))


def _never(change: Change, entry: Entry) -> Iterator[str]:
    found, named = _reach(change.after, change, entry), f"{_TOO_MUCH} ({entry['name']})"
    who, where, what = choose_sides(change.after, {**entry, "principals": entry["never"]}).values()
    for outcome in ("allowed", "conditional"):
        pairs = found.pairs(who, where, what, outcome, limit=1)[["principal", "node", "document"]]
        for asked in pairs.itertuples(index=False, name=None):
            yield f"{named}: {_tell_too_much(change, dict(entry, nodes='*', documents='*'), found, asked)}"
            return


def _may(change: Change, entry: Entry) -> Iterator[str]:
    is_wanted = "may" in entry
    for who in _principals(change.after, entry["may" if is_wanted else "may not"]):
        attached, caller = change.after.attached(who), parse_principal(who)
        policies = PolicySet(attached.identity, attached.boundary, None, attached.scps, attached.rcps)
        for row in choose_rows(change.after, "nodes", entry["nodes"], "nodes"):
            node = change.after.nodes.iloc[row]
            tags = {f"aws:ResourceTag/{key}": value for key, value in read_tags(node).items()}
            request = Request(who, entry["action"], str(node.name), tags | entry["request"])
            lookup = read_context(request, caller, caller.account)
            part = Part("node", str(node["name"]), Asked(caller, request.action, request.resource, lookup), policies)
            outcome = part.decide().outcome
            if (outcome is Outcome.ALLOWED) is not is_wanted:
                what, given = "missing" if is_wanted else _TOO_MUCH, _say_keys(entry["request"])
                told = f"{last_part(who)} with {entry['action']} on `{node['name']}`, where the request carries {given}"
                yield f"{what}: {told}: the answer is {outcome.value}, {say_reason(part)}"
                return


def _say_keys(request: Mapping[str, Any]) -> str:
    """Keys and their values, in words."""
    values = {key: [value] if isinstance(value, str) else value for key, value in request.items()}
    return ", ".join(f"`{key}` = {listed(each)}" if each else f"no `{key}`" for key, each in values.items())


_VERBS: Final[dict[str, Callable[[Change, Entry], Iterator[str]]]] = {
    "exactly": _reaches,
    "reaches": _reaches,
    "keeps": _keeps,
    "never": _never,
    "may": _may,
    "may not": _may,
}


def _reach(snapshot: Snapshot, change: Change, entry: Entry) -> Reach:
    return reach(snapshot, context={**entry.get(_CONTEXT, {}), **change.context})


def _principals(snapshot: Snapshot, patterns: Any) -> list[str]:
    return list(snapshot.principals.index[choose_rows(snapshot, "principals", patterns, "principals")])


def _wanted(snapshot: Snapshot, principal: str, entry: Entry) -> list[Pair]:
    """Pairs that go together: in the principal's account, in one Region, the document AWS's, own, or shared with it."""
    account, sides = principal.split(":")[4], ("nodes", "documents")
    nodes, documents = (getattr(snapshot, side).iloc[_choose(snapshot, side, entry.get(side, "*"))] for side in sides)
    here, usable = nodes[nodes["account"] == account], documents[are_usable(documents, account)]
    at = [frame["region"].astype(str).reset_index() for frame in (here, usable)]
    joined = at[0].merge(at[1], on="region", suffixes=("_node", "_document"))
    return [*zip(joined["arn_node"], joined["arn_document"], strict=True)]


def _choose(snapshot: Snapshot, side: str, wanted: Any) -> list[int]:
    """Row numbers; in another inventory, a choice may find nothing."""
    rows: set[int] = set()
    for each in wanted if isinstance(wanted, list) else [wanted]:
        with suppress(ExpectationError):
            rows.update(choose_rows(snapshot, side, each, side).tolist())
    return sorted(rows)


def _reached(found: Reach, principal: str, outcome: str) -> list[Pair]:
    pairs = found.pairs(principal, outcome=outcome)
    return [*zip(pairs["node"], pairs["document"], strict=True)]


def _compare(change: Change, entry: Entry, found: Reach, who: str, wanted: list[Pair]) -> Iterator[str]:
    """What is reached beyond what is wanted (unless more may be), then what is missing: the first of each, and why."""
    kept, allowed = "keeps" in entry, _reached(found, who, "allowed")
    reached = [] if "reaches" in entry else allowed + ([] if kept else _reached(found, who, "conditional"))
    sides = (("gained" if kept else _TOO_MUCH, reached, wanted), ("lost" if kept else "missing", wanted, allowed))
    for what, pairs, others in sides:
        taken = set(others)
        rest = [pair for pair in pairs if pair not in taken]
        for node, document in rest[:1]:
            asked, all_of = (who, node, document), "all " * (pairs is wanted and not allowed)
            count = f" ({all_of}{len(rest)} pairs of node and document, such as this one)" if len(rest) > 1 else ""
            told = found.explain(*asked).sentence if pairs is wanted else _tell_too_much(change, entry, found, asked)
            yield f"{what}{count}: {told}"


def _tell_too_much(change: Change, entry: Entry, found: Reach, asked: Sequence[str]) -> str:
    """A pair that is too much: why it is reached, what sets one of it apart, and why a Deny of the answer misses it."""
    who, where, what = (found.rows(*each)[0] for each in zip(_SIDES, asked, strict=True))
    chosen, documents = entry.get("nodes"), entry.get("documents", "*")
    wanted = [each for each in (chosen if isinstance(chosen, list) else [chosen]) if isinstance(each, Mapping)]
    misfits = min(([*say_misfits(change.after.nodes, each, int(where))] for each in wanted), key=len, default=[])
    told = [found.explain(*asked).sentence, *(f"This node does not belong: {misfit}." for misfit in misfits[:1])]
    if what not in _choose(change.after, "documents", documents):
        names = listed(documents if isinstance(documents, list) else [documents])
        told.append(f"This document does not belong: the exercise asks for {names}.")
    missed = [say_missed(part, change.policy) for part in (found.ask_document(who, what), found.ask_node(who, where))]
    told += [f"Your Deny does not fit: {gap}." for gap in missed if gap][:1]
    return " ".join([*told, *([entry[_TOO_MUCH]] if _TOO_MUCH in entry else [])])


def say_misfits(frame: pd.DataFrame, where: Any, row: int) -> Iterator[str]:
    """The columns of a row that do not fit, each as a clause."""
    for column, wanted in where.items() if isinstance(where, Mapping) else ():
        value = frame[column].iloc[row]
        texts = [str(each) for each in (wanted if isinstance(wanted, list) else [wanted])]
        if str(value) not in texts:
            name = f"tag `{column.removeprefix(TAG)}`" if column.startswith(TAG) else f"`{column}`"
            yield f"its {name} is {'absent' if pd.isna(value) else f'`{value}`'}, the exercise asks for {listed(texts)}"
