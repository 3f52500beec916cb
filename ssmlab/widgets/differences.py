"""What `Compare` shows: rows of differences and witnesses as people read them. Pure, without widgets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pandas as pd

from ssmlab.evaluation import PolicySet, Request, evaluate
from ssmlab.explanation import call_all, last_part, say_statement
from ssmlab.graphs import call_policy
from ssmlab.policies import Policy, parse_policy
from ssmlab.reachability import Reach, find_causes, find_witnesses, reach, reach_alone
from ssmlab.snapshots import Snapshot
from ssmlab.snapshots.accounts import lend_policies, take_account
from ssmlab.widgets.controls import ANY
from ssmlab.widgets.filters import contain, matches
from ssmlab.widgets.views import MOST_SAVED, SAID
from ssmlab.words import say_count

SNAPSHOTS, POLICIES, ACCOUNTS = "snapshots", "policies", "accounts"
_SEND: Final = "ssm:SendCommand"
_MOST_POLICIES: Final = 5  # changed policies that are searched for witnesses
_SAID: Final = {**SAID, "nan": "not there"}
_ROW: Final = ["principal", "change", "group", "before", "after", "cause"]
NO_PROOF: Final = "Finding no witness is no proof that two policies are alike."


@dataclass(frozen=True, slots=True)
class State:
    """What the controls say.

    Attributes
    ----------
    what
        "snapshots": the two that were given; "policies": what somebody reaches with only the first, only the second;
        "accounts": the nodes of one account under its own policies, and under those of another.
    first, second
        A policy of the snapshot by id or unambiguous name, or JSON text.
    nodes_of, policies_of
        The ids of the accounts; the second of the snapshot after, where there are two.
    change, cause
        Only what is "gained" or "lost"; only one cause, as `find_causes` names it.
    context
        Keys of the request, on both sides; None: known to be absent.
    search
        Text that a row must hold.
    """

    what: str = POLICIES
    first: str = ANY
    second: str = ANY
    nodes_of: str = ANY
    policies_of: str = ANY
    change: str = ANY
    cause: str = ANY
    context: Mapping[str, str | None] = field(default_factory=dict)
    search: str = ANY


@dataclass(frozen=True, slots=True)
class Difference:
    """Two reaches, what differs between them, names of the example nodes by ARN, and pairs of policies to look for
    witnesses in.
    """

    before: Reach
    after: Reach
    found: pd.DataFrame
    names: dict[str, str]
    policies: Mapping[str, tuple[Any, Any]]


def list_policies(snapshot: Snapshot) -> dict[str, str]:
    """Ids of the identity policies that were collected, with a label; those that are about Run Command first."""
    chosen = snapshot.policies[(snapshot.policies["layer"] == "identity") & snapshot.policies["document"].notna()]
    ids = sorted(map(str, chosen.index), key=lambda policy: not _is_ours(snapshot.compiled[policy]))
    return {policy: call_policy(policy) for policy in ids}


def _is_ours(policy: Policy) -> bool:
    allows = (s for s in policy.statements if s.effect == "Allow" and s.actions != ("*",))
    return any(statement.covers_action(_SEND) for statement in allows)


def is_policy(snapshot: Snapshot, text: str) -> bool:
    """Whether a text is the id of a policy, or JSON."""
    return text in snapshot.policies.index or text.lstrip().startswith(("{", "%7B"))


def find_policy(snapshot: Snapshot, text: str) -> str:
    """The id of a policy that is named, else the text, which is JSON then."""
    if is_policy(snapshot, text):
        return text
    found = [policy for policy, name in snapshot.policies["name"].items() if name == text]
    if len(found) != 1:
        raise ValueError(f"expected the id of a policy, a name that one policy has, or JSON, got `{text}`")
    return str(found[0])


def compare(before: Snapshot, after: Snapshot | None, state: State) -> Difference:
    """Ask both sides, and find the causes."""
    if state.what == SNAPSHOTS and after is not None:
        old, new = (reach(side, context=state.context) for side in (before, after))
        return _differ(old, new, _changed_policies(before, after))
    if state.what == ACCOUNTS:
        if not (state.nodes_of and state.policies_of):
            raise ValueError("Choose two accounts.")
        own = take_account(before, state.nodes_of)
        lent = lend_policies(after or before, state.policies_of, own)
        return compare(own, lent, replace(state, what=SNAPSHOTS))
    if not (state.first and state.second):
        raise ValueError("Choose two policies, or paste them.")
    texts = {"first": state.first, "second": state.second}
    first, second = (_document(before, text) for text in texts.values())
    called = [last_part(text) if text in before.policies.index else f"pasted ({side})" for side, text in texts.items()]
    old = reach_alone(before, first, state.context, name=called[0])
    new = reach_alone(before, second, state.context, name=called[1])
    return _differ(old, new, {"": (first, second)})


def _differ(old: Reach, new: Reach, policies: Mapping[str, tuple[Any, Any]]) -> Difference:
    """What differs; its cause is the policy or the tag by name, where it is known."""
    found = find_causes(old, new, MOST_SAVED)
    arns, sides = pd.Index(found["example"].unique()), (old.snapshot.nodes, new.snapshot.nodes)
    rows = [side.loc[side.index.intersection(arns), ["name", "node_id"]] for side in sides]
    every = pd.concat(rows).fillna("")
    names = {str(arn): str(name or own) for arn, name, own in every.itertuples()}
    return Difference(old, new, found.assign(cause=found.pop("named")), names, policies)


def _document(snapshot: Snapshot, text: str) -> Any:
    return snapshot.policies.at[text, "document"] if text in snapshot.policies.index else text


def _changed_policies(before: Snapshot, after: Snapshot) -> dict[str, tuple[Any, Any]]:
    old, new = (side.policies[side.policies["layer"] == "identity"]["document"].dropna() for side in (before, after))
    common = (str(policy) for policy in old.index.intersection(new.index))
    return {policy: (old[policy], new[policy]) for policy in common if old[policy] != new[policy]}


def choose_rows(difference: Difference, state: State) -> pd.DataFrame:
    """The rows that the filters leave."""
    found = difference.found
    keep = matches(found, state, ("change", "cause"))
    if state.search:
        texts = [found[name] for name in ("principal", "document", "example", "cause")]
        texts.append(found["example"].map(difference.names))
        keep &= contain([each.astype("str").str.lower() for each in texts], state.search.lower())
    return found[keep]


def fold_documents(found: pd.DataFrame) -> pd.DataFrame:
    """One row for all documents that go with the same: columns `document` (the first) and `documents` (how many)."""
    grouped = found.groupby(_ROW, sort=False, observed=True, dropna=False)
    first = {name: (name, "first") for name in ("document", "count", "example")}
    return grouped.agg(**first, documents=("document", "size")).reset_index()


def short_rows(rows: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Rows of `fold_documents` as people read them."""
    moves = zip(rows["before"].astype("str"), rows["after"].astype("str"), rows["change"], strict=True)
    shown = {
        "principal": call_all(rows["principal"]),
        "change": [_say_move(*move) for move in moves],
        "cause": rows["cause"].to_numpy(),
        "nodes": [_and_more(names.get(arn, arn), n) for arn, n in zip(rows["example"], rows["count"], strict=True)],
        "documents": [_and_more(last_part(a), n) for a, n in zip(rows["document"], rows["documents"], strict=True)],
    }
    return pd.DataFrame(shown)


def _say_move(before: str, after: str, change: str) -> str:
    moved = f"{change}: {_SAID.get(before, before)} → {_SAID.get(after, after)}"
    return moved if "conditional" in (before, after) else change


def _and_more(name: str, count: int) -> str:
    return name if count == 1 else f"{name} and {count - 1:,} more"


def say_difference(found: pd.DataFrame, state: State) -> str:
    """What is gained and lost, in numbers."""
    where = f"On the nodes of {state.nodes_of}, with the policies of {state.policies_of} instead: "
    where = where if state.what == ACCOUNTS else ""
    if found.empty:
        return f"{where}Nothing differs: nobody gains or loses anything on this inventory."
    told = []
    for change, part in found.groupby("change"):
        people, pairs = part["principal"].nunique(), int(part["count"].sum())
        who = last_part(part["principal"].iloc[0]) if people == 1 else f"{people} principals"
        verb = {"gained": "gain", "lost": "lose"}[str(change)] + ("s" if people == 1 else "")
        told.append(f"{who} {verb} {say_count(pairs, 'pair')} of node and document")
    return f"{where}{'; '.join(told)}."


def count_causes(found: pd.DataFrame) -> str:
    """For each cause how much is gained and lost by it, the largest first."""
    sizes = found.groupby(["cause", "change"], sort=False)["count"].sum().sort_values(ascending=False, kind="stable")
    told = [f"{cause} {size:,} {change}" for cause, change, size in sizes.reset_index().itertuples(index=False)]
    return f"By cause: {'; '.join(told)}." if told else ""


def seek_witnesses(policies: Mapping[str, tuple[Any, Any]]) -> pd.DataFrame:
    """The witnesses of several pairs of policies, the column `policy` says of which."""
    frames = [(name, find_witnesses(*pair)) for name, pair in [*policies.items()][:_MOST_POLICIES]]
    parts = [frame.assign(policy=last_part(name)) for name, frame in frames]
    found = pd.concat(parts or [pd.DataFrame()], ignore_index=True)
    found.attrs.update(tried=sum(frame.attrs["tried"] for _, frame in frames), policies=dict(policies))
    return found


def short_witnesses(found: pd.DataFrame, both: Sequence[str]) -> pd.DataFrame:
    """Witnesses as people read them."""
    names = zip(found["resource"], found["more"], strict=True)
    shown: dict[str, Any] = {
        "resource": [arn.split(":", 5)[5] + (f" and {more} more" if more else "") for arn, more in names],
        "with": [say_context(context) or "no tags, no keys" for context in found["context"]],
        both[0]: [_SAID.get(word, word) for word in found["before"]],
        both[1]: [_SAID.get(word, word) for word in found["after"]],
    }
    return pd.DataFrame(shown if not found["policy"].any() else {"policy": found["policy"], **shown})


def say_context(context: Mapping[str, Any]) -> str:
    """Tags and condition keys of a witness."""
    told = ((key, value if isinstance(value, str) else json.dumps(value)) for key, value in context.items())
    return ", ".join(f"{key} = {value}" for key, value in told)


def say_witnesses(found: pd.DataFrame) -> str:
    """How many there are, and what that says."""
    if not found.attrs["policies"]:
        return "The text of no policy differs: choose two policies to look for witnesses."
    count = say_count(len(found), "witness") if len(found) else "No witness"
    return f"{count} among {say_count(found.attrs['tried'], 'request')} made from the texts of the policies. {NO_PROOF}"


def explain_witness(row: Mapping[str, Any], policies: Iterable[Any]) -> list[str]:
    """What each policy says to a witness, and by which statement."""
    account = row["resource"].split(":")[4] or "111122223333"
    request = Request(f"arn:aws:iam::{account}:user/somebody", _SEND, row["resource"], row["context"])
    lines = [row["words"], row["resource"]]
    for called, policy in zip(("First", "Second"), policies, strict=True):
        decision = evaluate(request, PolicySet(identity=(parse_policy(policy, name=called.lower()),)))
        by = "; ".join(say_statement(applied) for applied in decision.determining_statements)
        said = _SAID.get(decision.outcome.value, decision.outcome.value)
        lines.append(f"{called}: {said}, by {by}" if by else f"{called}: {said}, no statement allows it")
    return lines
