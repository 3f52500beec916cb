"""What differs between two reaches, as a graph: principal, cause, node groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import networkx as nx
import pandas as pd

from ssmlab.explanation import last_part
from ssmlab.graphs.layout import place_layers
from ssmlab.graphs.sides import add_principals
from ssmlab.words import say_count

_COLUMNS: Final = ("Principal", "Gained or lost, and why", "Nodes")
_MOST_LINES: Final = 150
_ORDER: Final = ["principal", "change", "cause"]


def draw_causes(found: pd.DataFrame, names: Mapping[str, str], limit: int = _MOST_LINES) -> nx.DiGraph[str]:
    """The graph of what `find_causes` found.

    Node groups that are gained and lost by the same principals for the same causes are one mark.

    Parameters
    ----------
    found
        From `find_causes`.
    names
        Of the example nodes, by ARN.
    limit
        Lines at most: principals for whom least differs are left out; `folded` says so.

    Returns
    -------
    networkx.DiGraph
        As `to_networkx`; the outcome of an edge is "gained" or "lost". `members`: the rows of `found` that a mark
        stands for.

    Examples
    --------
    >>> import ssmlab
    >>> snapshot = ssmlab.load("data/sample")
    >>> changed = ssmlab.reach(snapshot.with_tags("i-0123456789abcdef0", {"Finance": "Ledger"}))
    >>> found = ssmlab.reachability.find_causes(ssmlab.reach(snapshot), changed)
    >>> draw_causes(found, {}).nodes["lost: node tags"]["kind"]
    'policy'
    """
    size = found.groupby("principal", sort=False)["count"].sum().sort_values(ascending=False, kind="stable")
    lines = found.drop_duplicates([*_ORDER, "group"])
    per_person = lines.groupby("principal", sort=False).size().reindex(size.index)
    shown = size.index[: max(1, int((per_person.cumsum() <= limit).sum()))]
    whys = found["change"].astype("str") + ": " + found["cause"].astype("str")
    members = dict(found.groupby("principal").groups) | dict(found.groupby(whys).groups)
    graph: nx.DiGraph[str] = nx.DiGraph(members=members, groups={}, columns=_COLUMNS)
    add_principals(graph, [*shown])
    for mark, part in _merge(lines[lines["principal"].isin(shown)]):
        _draw(graph, mark, part, found, names)
    rest = len(size) - len(shown)
    folded = f"of {say_count(len(size), 'principal')} the {len(shown)} for whom most differs are drawn" if rest else ""
    graph.graph.update(title="What is gained and lost, and why", folded=folded)
    place_layers(graph)
    return graph


def _merge(lines: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The lines to each mark: the groups whose lines are alike."""
    told = {
        group: (*sorted(part[_ORDER].itertuples(index=False, name=None)),)
        for group, part in lines.groupby("group", sort=False)
    }
    mark = lines["group"].map(told)
    return [(f"group:{part['group'].iloc[0]}", part) for _, part in lines.groupby(mark, sort=False)]


def _draw(graph: nx.DiGraph[str], mark: str, part: pd.DataFrame, found: pd.DataFrame, names: Mapping[str, str]) -> None:
    groups = part.drop_duplicates("group")
    count, example = int(groups["count"].sum()), str(groups["example"].iloc[0])
    name = names.get(example, last_part(example))
    label = name if count == 1 else f"{name} and {count - 1:,} more"
    kind = "node" if count == 1 else "group"
    listed = ", ".join(names.get(str(arn), last_part(str(arn))) for arn in groups["example"].head(12))
    detail = f"{say_count(count, 'node')}, such as {listed}"
    graph.add_node(mark, kind=kind, layer=2, label=label, detail=detail, count=count)
    graph.graph["members"][mark] = found.index[found["group"].isin(groups["group"])]
    for arn, change, cause in part[_ORDER].drop_duplicates().itertuples(index=False):
        why = f"{change}: {cause}"
        graph.add_node(why, kind="policy", layer=1, label=why, detail=f"{change} because of: {cause}", count=1)
        graph.add_edge(arn, why, outcome=change, detail=f"{last_part(arn)}: {why}")
        graph.add_edge(why, mark, outcome=change, detail=f"{label}: {why}")
