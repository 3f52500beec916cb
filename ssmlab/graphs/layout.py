"""Layered positions: layers by kind, order within a layer by the mean position of the neighbours.

Crossing reduction by barycentres (Sugiyama et al. 1981). networkx's spring and Kamada-Kawai layouts need scipy and are
slow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import networkx as nx

_SWEEPS: Final = 6
_GAP: Final = 0.6  # rows left free between documents and node groups


def place_layers(graph: nx.DiGraph[str]) -> None:
    """Give every node `x` (its layer) and `y` (its row, from 0 downwards), so that few edges cross."""
    layers: dict[int, list[str]] = {}
    for name, layer in graph.nodes(data="layer"):
        layers.setdefault(layer, []).append(name)
    rows: dict[str, float] = {}
    for names in layers.values():
        rows |= {name: float(i) for i, name in enumerate(sorted(names, key=lambda name: _block(graph, name)))}
    for sweep in range(_SWEEPS):
        for layer in sorted(layers, reverse=bool(sweep % 2)):
            rows |= _order(graph, layers[layer], rows)
    height = max(rows.values(), default=0.0)
    for names in layers.values():
        shift = (height - max(rows[name] for name in names)) / 2
        for name in names:
            graph.nodes[name].update(x=float(graph.nodes[name]["layer"]), y=rows[name] + shift)


def _block(graph: nx.DiGraph[str], name: str) -> int:
    return int(graph.nodes[name]["kind"] != "document")


def _order(graph: nx.DiGraph[str], names: Sequence[str], rows: Mapping[str, float]) -> dict[str, float]:
    """New rows for one layer: by the mean row of the neighbours, documents before node groups, with a gap between
    them.
    """

    def centre(name: str) -> float:
        near = [rows[other] for other in (*graph.predecessors(name), *graph.successors(name))]
        return sum(near) / len(near) if near else rows[name]

    ordered = sorted(names, key=lambda name: (_block(graph, name), centre(name), name))
    mixed = len({_block(graph, name) for name in names}) > 1
    return {name: i + (_GAP if mixed and _block(graph, name) else 0.0) for i, name in enumerate(ordered)}
