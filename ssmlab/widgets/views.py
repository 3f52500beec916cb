"""What the reach explorer shows for a state of its controls: pure, without widgets, tested without a browser."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import networkx as nx
import numpy as np
import pandas as pd

from ssmlab.explanation import Explanation, last_part
from ssmlab.graphs import to_networkx
from ssmlab.reachability import Reach
from ssmlab.reachability.columns import TAG, Codes
from ssmlab.snapshots import Snapshot

ANY: Final = ""
UNTAGGED: Final = "\x00absent"
MOST_ROWS: Final = 200


@dataclass(frozen=True, slots=True)
class State:
    """What the controls say. Empty: any.

    Attributes
    ----------
    principals
        ARNs.
    document, tag_key, tag_value, account, region
        A document's name; `UNTAGGED` as a tag value: nodes without the tag.
    context
        Keys of the request; None: known to be absent.
    search
        Text that a row of the table must hold.
    """

    principals: tuple[str, ...] = ()
    document: str = ANY
    tag_key: str = ANY
    tag_value: str = ANY
    account: str = ANY
    region: str = ANY
    context: Mapping[str, str | None] = field(default_factory=dict)
    search: str = ""


def choose_nodes(nodes: pd.DataFrame, state: State) -> Codes:
    """Row numbers of the nodes that the filters leave."""
    keep = np.ones(len(nodes), dtype=bool)
    for name, wanted in (("account", state.account), ("region", state.region)):
        if wanted:
            keep &= (nodes[name] == wanted).to_numpy(dtype=bool)
    if state.tag_key:
        tag = nodes[TAG + state.tag_key]
        if state.tag_value == UNTAGGED:
            keep &= tag.isna().to_numpy(dtype=bool)
        elif state.tag_value != ANY:
            keep &= (tag == state.tag_value).to_numpy(dtype=bool, na_value=False)
        else:
            keep &= tag.notna().to_numpy(dtype=bool)
    return np.flatnonzero(keep)


def choose_documents(documents: pd.DataFrame, state: State) -> Codes:
    """Row numbers of the documents that the filters leave."""
    keep = np.ones(len(documents), dtype=bool)
    if state.document:
        keep &= (documents["name"] == state.document).to_numpy(dtype=bool)
    if state.region:
        keep &= (documents["region"] == state.region).to_numpy(dtype=bool)
    return np.flatnonzero(keep)


def draw_state(reach: Reach, state: State) -> nx.DiGraph[str]:
    """The graph for a state."""
    nodes, documents = choose_nodes(reach.snapshot.nodes, state), choose_documents(reach.snapshot.documents, state)
    return to_networkx(reach, list(state.principals), nodes, documents)


def list_pairs(reach: Reach, state: State, limit: int = MOST_ROWS) -> tuple[pd.DataFrame, str]:
    """The first rows of the table, full ARNs, and how many there are in words."""
    snapshot = reach.snapshot
    sides = {
        "principal": reach.rows("principals", list(state.principals)),
        "node": choose_nodes(snapshot.nodes, state),
        "document": choose_documents(snapshot.documents, state),
    }
    frames: list[pd.DataFrame] = []
    total = 0
    for chosen in _search(sides, snapshot, state.search):
        for outcome in ("allowed", "conditional"):
            found = reach.pairs(**chosen, outcome=outcome, limit=max(limit - sum(len(frame) for frame in frames), 0))
            total += found.attrs["total"]
            frames.append(found)
    filled = [frame for frame in frames if len(frame)] or frames[:1]
    shown = pd.concat(filled, ignore_index=True).sort_values(
        "outcome", ascending=False, kind="stable", ignore_index=True
    )
    return shown, f"first {len(shown)} of {total:,} pairs" if len(shown) < total else f"{total:,} pairs"


def _search(sides: Mapping[str, Codes], snapshot: Snapshot, text: str) -> list[dict[str, Codes]]:
    """Choices that together hold every row in which the principal, the node or the document contains the text, each
    once.
    """
    if not text:
        return [dict(sides)]
    frames = {"principal": snapshot.principals, "node": snapshot.nodes, "document": snapshot.documents}
    columns = {"principal": ["name"], "node": ["node_id", "name"], "document": ["name"]}
    rest, choices = dict(sides), []
    for side, rows in sides.items():
        frame = frames[side].iloc[rows]
        found = np.logical_or.reduce(
            [frame[column].astype(str).str.contains(text, case=False, regex=False) for column in columns[side]]
        )
        choices.append(rest | {side: rows[found]})
        rest |= {side: rows[~found]}
    return choices


def short_pairs(pairs: pd.DataFrame, reach: Reach) -> pd.DataFrame:
    """The pairs as people read them: names instead of ARNs."""
    nodes = reach.snapshot.nodes.index.get_indexer(pd.Index(pairs["node"]))
    return pd.DataFrame(
        {
            "principal": [last_part(arn) for arn in pairs["principal"]],
            "node": reach.node_resources.names[nodes],
            "document": [last_part(arn) for arn in pairs["document"]],
            "region": reach.snapshot.nodes["region"].astype(str).iloc[nodes].to_numpy(),
            "outcome": ["depends" if outcome == "conditional" else outcome for outcome in pairs["outcome"].astype(str)],
        }
    )


def first_principals(reach: Reach) -> tuple[str, ...]:
    """A principal worth looking at first: a user that reaches some of the nodes but not all, with the most pairs of
    those.
    """
    counts = reach.summary()
    users = counts[(reach.snapshot.principals["kind"] == "user").to_numpy(dtype=bool)]
    some = users[(users["nodes"] > 0) & (users["nodes"] < len(reach.snapshot.nodes) / 2)]
    chosen = next((frame for frame in (some, users, counts) if len(frame)), counts)
    return tuple(chosen.sort_values("pairs", ascending=False).index[:1])


# --- Why ---


def explain_mark(reach: Reach, graph: nx.DiGraph[str], mark: str, state: State) -> str:
    """HTML for what is selected in the graph: a node or an edge, by its id. Everything from the data is escaped."""
    if not mark:
        return _text("Choose a mark in the picture or a row in the table to see why.")
    path = [part for part in mark.split("→") if part in graph]
    if not path:
        return _text("What was selected is no longer in the picture.")
    last = path[-1]
    if graph.nodes[last]["kind"] == "statement":
        return _explain_statement(reach, graph, last)
    if graph.nodes[last]["kind"] in ("principal", "role"):
        return _explain_principal(reach, last)
    return _explain_target(reach, graph, path, state)


def _explain_principal(reach: Reach, arn: str) -> str:
    row = reach.summary().loc[arn]
    counts = f"{row['nodes']} managed nodes with {row['documents']} documents ({row['pairs']:,} pairs)"
    words = f"{last_part(arn)} may reach {counts}."
    more = [f"{row['nodes_conditional']} more depend on what is not known."] if row["nodes_conditional"] else []
    more += (
        [f"{row['unmanaged_nodes']} machines that are not managed would be reached as soon as they are."]
        if row["unmanaged_nodes"]
        else []
    )
    return _text(words, *more, arn)


def _explain_statement(reach: Reach, graph: nx.DiGraph[str], card: str) -> str:
    policy, _, index = card.removeprefix("statement:").rpartition("#")
    found = next(
        (
            s
            for p in reach.snapshot.compiled.values()
            if p.name == policy
            for s in p.statements
            if s.index == int(index)
        ),
        None,
    )
    holders = ", ".join(last_part(arn) for arn in graph.predecessors(card))
    body = (
        f"<pre>{html.escape(json.dumps(found.source, indent=1, ensure_ascii=False, default=str))}</pre>"
        if found
        else ""
    )
    return (
        _text(f"{graph.nodes[card]['label']} allows what the lines on its right lead to.", f"Held by {holders}.") + body
    )


def _explain_target(reach: Reach, graph: nx.DiGraph[str], path: list[str], state: State) -> str:
    """A node group or documents: the explanation of one example, for the principal on the path or the first that
    leads there.
    """
    target = path[-1]
    arn = next(
        (name for name in (*path, *sorted(nx.ancestors(graph, target))) if graph.nodes[name]["layer"] == 0), None
    )
    if arn is None:
        return _text(graph.nodes[target]["detail"])
    nodes, documents = choose_nodes(reach.snapshot.nodes, state), choose_documents(reach.snapshot.documents, state)
    if graph.nodes[target]["kind"] == "group":
        nodes = graph.graph["members"][target]
    else:
        documents = graph.graph["members"][target]
    for outcome in ("allowed", "conditional"):
        found = reach.pairs(arn, nodes, documents, outcome=outcome, limit=1)
        if len(found):
            count = graph.nodes[target]["count"]
            example = [f"{graph.nodes[target]['label']}: one example of {count}."] if count > 1 else []
            return _text(*example) + explanation_html(reach.explain(arn, found["node"][0], found["document"][0]))
    return _text(graph.nodes[target]["detail"])


def explanation_html(explanation: Explanation) -> str:
    """An explanation as a panel."""
    return explanation._repr_html_()


def _text(*sentences: str) -> str:
    return "".join(f"<p>{html.escape(sentence)}</p>" for sentence in sentences)


# --- What is loaded ---


def describe_data(snapshot: Snapshot) -> str:
    """One line on what is loaded and how complete it is, as HTML that opens to the list of problems."""
    nodes = snapshot.nodes
    counts = [
        f"{nodes['account'].nunique()} accounts",
        f"{nodes['region'].nunique()} Regions",
        f"{len(nodes)} nodes",
        f"{len(snapshot.principals)} principals",
        f"{len(snapshot.documents)} documents",
    ]
    problems = snapshot.problems
    if problems.empty:
        return f"<span>{html.escape(' · '.join(counts))} · data complete</span>"
    errors = int((problems["severity"] == "error").sum())
    words = ", ".join(part for part in (_count(errors, "error"), _count(len(problems) - errors, "warning")) if part)
    listed = "".join(f"<li>{html.escape(_problem(row))}</li>" for row in problems.head(50).to_dict("records"))
    more = f"<li>and {len(problems) - 50} more in snapshot.problems</li>" if len(problems) > 50 else ""
    summary = f"{html.escape(' · '.join(counts))} · {words} in the data"
    return f"<details><summary>{summary}</summary><ul>{listed}{more}</ul></details>"


def _problem(row: Mapping[Any, Any]) -> str:
    return f"{row['severity']}: {row['file']} {row['where']}: {row['what']}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'s' if number > 1 else ''}" if number else ""
