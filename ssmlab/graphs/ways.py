"""Other ways in: what Run Command by itself refuses to the drawn principals, and how they reach it all the same."""

from __future__ import annotations

from collections.abc import Sequence

import networkx as nx
import numpy as np

from ssmlab.explanation import last_part
from ssmlab.graphs.layout import place_layers
from ssmlab.graphs.sides import Side, add_principals, name_rows, read_sides
from ssmlab.paths import Edge, Paths
from ssmlab.reachability import Reach
from ssmlab.reachability.columns import Codes
from ssmlab.reachability.names import Names
from ssmlab.words import say_count


def add_ways(
    graph: nx.DiGraph[str], reach: Reach, paths: Paths, principals: Sequence[str], nodes: Names = None
) -> None:
    """Add to a graph of `to_networkx` the other ways of these principals (ARNs) to these nodes.

    Edges have the outcome "other", and a sentence as `detail`; between principal and nodes stands the way, or the
    principal in whose place one comes to act. The caption says how many nodes there are more.
    """
    side = read_sides(reach, nodes, None)[0]
    more = np.zeros(len(side.frame), dtype=bool)
    for arn in principals:
        for number, (edges, rows) in enumerate(paths.others(arn)):
            kept = rows[np.isin(rows, side.rows)]
            if len(kept):
                more[kept] = True
                _add_way(graph, side, f"{arn}#{number}", edges, kept)
    if more.any():
        count = say_count(int(more.sum()), "node")
        graph.graph["caption"] += f" By other ways {count} that Run Command refuses."
    elif principals:
        graph.graph["caption"] += " No other way round these limits is known from these policies."
    place_layers(graph)


def _add_way(graph: nx.DiGraph[str], side: Side, name: str, edges: Sequence[Edge], rows: Codes) -> None:
    first, last = edges[0], edges[-1]
    said = ". ".join(f"{edge.sentence[0].upper()}{edge.sentence[1:]}" for edge in edges)
    if first.source not in graph:
        add_principals(graph, [first.source])
    kind, label = "role" if ":role/" in last.source else "principal", f"as {last_part(last.source)}"
    if len(edges) == 1:
        kind, label = "policy", last.way.replace("-", " ")
    graph.add_node(f"way:{name}", kind=kind, layer=1, label=label, detail=said, count=1)
    mark = f"way-group:{name}"
    graph.graph["members"][mark] = rows
    graph.add_node(mark, kind="group", layer=2, count=len(rows), **name_rows(side, rows, (), several=True))
    graph.add_edge(first.source, f"way:{name}", outcome="other", detail=said)
    graph.add_edge(f"way:{name}", mark, outcome="other", detail=said)
