"""Why: what is selected in a graph or a table, in words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import networkx as nx

from ssmlab.explanation import last_part
from ssmlab.policies import Statement
from ssmlab.reachability import Reach
from ssmlab.reachability.columns import Codes
from ssmlab.snapshots import Snapshot
from ssmlab.widgets.filters import choose_nodes
from ssmlab.widgets.texts import write_json, write_lines
from ssmlab.widgets.views import State, choose_documents, first_pair
from ssmlab.words import say_count

Pair = tuple[str, str, str]  # principal, node, document


def explain_mark(reach: Reach, graph: nx.DiGraph[str], mark: str, state: State) -> tuple[str, Pair | None]:
    """HTML for what is selected in the graph, a node or an edge by its id, and the example that explains it further.
    Everything from the data is escaped.
    """
    if not mark:
        return write_lines("Choose a mark in the picture or a row in the table to see why."), None
    path = [part for part in mark.split("→") if part in graph]
    if not path:
        return write_lines("What was selected is no longer in the picture."), None
    last = path[-1]
    if last.startswith("none:"):  # no statement to show: the first of what it leads to is explained
        return _find_example(reach, graph, [*path, next(graph.successors(last))], state)
    if graph.nodes[last]["kind"] == "statement":
        return _explain_statement(reach, graph, last), None
    if last.startswith("way"):  # another way in: the way or the nodes it leads to
        return _explain_way(graph, last), None
    if graph.nodes[last]["layer"] == 0:
        return _explain_principal(reach, last), None
    return _find_example(reach, graph, path, state)


def _explain_way(graph: nx.DiGraph[str], mark: str) -> str:
    said = dict.fromkeys(graph.edges[edge]["detail"] for edge in graph.in_edges(mark))
    return write_lines(*said, f"For example, of {count}." if (count := graph.nodes[mark]["count"]) > 1 else "")


def _explain_principal(reach: Reach, arn: str) -> str:
    row: Any = reach.summary().loc[arn]
    depends, unmanaged = row["nodes_conditional"], row["unmanaged_nodes"]
    nodes, documents = say_count(row["nodes"], "managed node"), say_count(row["documents"], "document")
    counts = f"{nodes} with {documents} ({say_count(row['pairs'], 'pair')})"
    more = f"{depends:,} more {'depends' if depends == 1 else 'depend'} on what is not known." if depends else ""
    waiting = f"{say_count(unmanaged, 'more machine')} would be reached, once managed." if unmanaged else ""
    return write_lines(f"{last_part(arn)} may reach {counts}.", more, waiting, arn)


def find_statement(snapshot: Snapshot, mark: str) -> Statement | None:
    """The statement that a mark of the graph stands for; None: it stands for none, or for one that is not here."""
    named = re.fullmatch(r"(?s)statement:(.+)#(\d+)(?:@\d+)?", mark)
    policy, index = named.groups() if named else ("", "")
    statements = snapshot.compiled[policy].statements if policy in snapshot.compiled else ()
    return next((statement for statement in statements if statement.index == int(index)), None)


def _explain_statement(reach: Reach, graph: nx.DiGraph[str], card: str) -> str:
    found = find_statement(reach.snapshot, card)
    holders = ", ".join(last_part(arn) for arn in graph.predecessors(card))
    verb = "denies" if found and found.effect == "Deny" else "allows"
    words = f"{graph.nodes[card]['label']} {verb} what the lines on its right lead to."
    return write_lines(words, f"Binds {holders}.") + (write_json(found.source) if found else "")


def _find_example(reach: Reach, graph: nx.DiGraph[str], path: list[str], state: State) -> tuple[str, Pair | None]:
    """Of a node group or documents one example, for the principal on the path or the first that leads there."""
    target, arn = path[-1], find_principal(graph, path)
    if arn is None:
        return write_lines(graph.nodes[target]["detail"]), None
    snapshot = reach.snapshot
    chosen = {"node": choose_nodes(snapshot.nodes, state), "document": choose_documents(snapshot.documents, state)}
    chosen["document" if graph.nodes[target]["kind"] == "document" else "node"] = graph.graph["members"][target]
    if found := first_pair(reach, arn, chosen["node"], chosen["document"]):
        return _say_example(reach, graph.nodes[target], found, chosen["document"]), found
    return write_lines(f"{graph.nodes[target]['detail']}: the filters leave nothing there that goes with it."), None


def find_principal(graph: nx.DiGraph[str], path: Sequence[str]) -> str | None:
    """The principal on a path, else the first of those that lead to its begin; None: there is none."""
    around = (*path, *sorted(nx.ancestors(graph, path[0])))
    return next((name for name in around if graph.nodes[name]["layer"] == 0), None)


def _say_example(reach: Reach, target: Mapping[str, Any], found: Pair, documents: Codes) -> str:
    """That one example is explained, and of how many."""
    principal, node, document = found
    said = reach.outcome(principal, node, document).value
    alike = reach.pairs(principal, node, documents, outcome=said, limit=0).attrs["total"]
    is_group = target["kind"] == "group" and target["count"] > 1
    one = f"{target['label']}: {target['count']:,} nodes, of which one is explained. Unfold shows each."
    more = f"With {last_part(document)}, for example; with {say_count(alike - 1, 'more document')} it is the same."
    return write_lines(one if is_group else "", more if alike > 1 else "")
