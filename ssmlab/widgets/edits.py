"""Edits of tags as data: what they say, what they do, and one to begin with. Without widgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from itertools import islice
from typing import Any, Final

import pandas as pd

from ssmlab.reachability import Reach
from ssmlab.reachability.columns import Codes
from ssmlab.reachability.fleets import ALLOWED
from ssmlab.snapshots import Snapshot
from ssmlab.snapshots.changes import describe_unknown, set_tags
from ssmlab.snapshots.schema import TAG, listed
from ssmlab.widgets.controls import ANY, UNTAGGED
from ssmlab.widgets.filters import Filters, choose_nodes, list_tag_keys
from ssmlab.widgets.views import first_principals
from ssmlab.words import say_count

# `key`, `value` (None: the tag is removed), and which nodes: `nodes` (ARNs or ids), or `where`: filters of `Filters`.
Edit = Mapping[str, Any]
FILTERS: Final = tuple(field.name for field in fields(Filters))
_MOST_TRIED: Final = 5  # principals, other values of a tag
_FIELDS: Final = ("key", "value", "nodes", "where")


def check_edit(nodes: pd.DataFrame, edit: Edit) -> None:
    """Refuse what is no edit of these nodes.

    Raises
    ------
    ValueError
        For another field, or none of those that must be there.
    KeyError
        For a node or a tag that is not known.
    """
    where, nodes_of, rest = edit.get("where", {}), edit.get("nodes", ()), {*edit} - {*_FIELDS}
    kinds = (
        (edit.get("key"), str),
        (edit.get("value", 0), str | None),
        (where, Mapping),
        (nodes_of, list | tuple | set),
    )
    if rest or not all(map(isinstance, *zip(*kinds, strict=True))) or not edit["key"] or not {*where} <= {*FILTERS}:
        raise ValueError(f"expected an edit with {listed(_FIELDS)}, `where` with {listed(FILTERS)}, got `{dict(edit)}`")
    keys = list_tag_keys(nodes)
    if (key := where.get("tag_key", ANY)) not in (ANY, *keys):
        raise KeyError(describe_unknown("tag key", key, keys))
    set_tags(nodes, find_nodes(nodes, edit), {})


def find_nodes(nodes: pd.DataFrame, edit: Edit) -> Codes | Sequence[str]:
    """Whom an edit is about, by row numbers of the nodes as they were loaded; or by name, as it says."""
    return edit["nodes"] if edit.get("nodes") else choose_nodes(nodes, Filters(**edit.get("where", {})))


def apply_edits(snapshot: Snapshot, edits: Sequence[Edit]) -> Snapshot:
    """The snapshot with all edits, one after the other; filters are read on the tags as they were loaded."""
    nodes = snapshot.nodes
    for edit in edits:
        nodes = set_tags(nodes, find_nodes(snapshot.nodes, edit), {edit["key"]: edit["value"]})
    return snapshot.replace(nodes=nodes) if edits else snapshot


def say_edit(nodes: pd.DataFrame, edit: Edit) -> str:
    """An edit in words: `Finance = WebServers · 5 nodes, without Finance, eu-west-1`."""
    count = len(find_nodes(nodes, edit))
    what = f"{edit['key']} removed" if edit["value"] is None else f"{edit['key']} = {edit['value'] or '(empty)'}"
    return ", ".join([f"{what} · {say_count(count, 'node')}", *_say_filters(edit.get("where", {}))])


def _say_filters(where: Mapping[str, str]) -> list[str]:
    rest = [value for name, value in where.items() if value and name not in ("tag_key", "tag_value")]
    key, value = where.get("tag_key", ANY), where.get("tag_value", ANY)
    tag = {ANY: f"with {key}", UNTAGGED: f"without {key}"}.get(value, f"{key} = {value}")
    return [*([tag] if key else []), *rest]


def suggest_edit(reach: Reach) -> list[Edit]:
    """An edit worth looking at: nodes get the tag by which somebody reaches others of their kind in that Region.

    Those without the tag, else those with another value.
    """
    nodes = reach.snapshot.nodes
    people = reach.rows("principals", first_principals(reach, most=len(reach.snapshot.principals)))
    for who in islice((who for who in people if reach.tag_keys([who])), _MOST_TRIED):
        reached = nodes[(reach.joint_nodes[who] == ALLOWED)[reach.node_group_codes]]
        written = {key.lower(): key for key in list_tag_keys(nodes)}
        for key in (written[read] for read in reach.tag_keys([who]) if read in written):
            alike = reached.groupby([TAG + key, "region", "account", "kind"], observed=True).size().sort_values()
            for value, *place in reversed([*alike.index]):
                where: dict[str, Any] = dict(zip(("region", "account", "kind"), map(str, place), strict=True))
                for other in (UNTAGGED, *nodes[TAG + key].dropna().unique()[:_MOST_TRIED]):
                    where |= {"tag_key": key, "tag_value": str(other)}
                    if other != value and len(choose_nodes(nodes, Filters(**where))):
                        return [{"key": key, "value": str(value), "where": where}]
    return []
