"""Which nodes a call means: instance ids, or targets, whose keys all must hold and of whose values one must.

Sources: Systems Manager User Guide, "Using targets and rate controls"; API reference, `Target`. Tag keys of targets are
compared as they are written, unlike those of IAM conditions.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from ssmlab.commands.calls import GROUP, GROUP_TYPES, INSTANCE_IDS, NODE_TYPES, TAG, TAG_KEY, Call, Targets
from ssmlab.commands.errors import CommandError
from ssmlab.snapshots.schema import listed
from ssmlab.words import say_count

Groups = Mapping[str, Iterable[str]]  # what resource groups hold, by name: ARNs or ids
_Found = tuple[Any, list[str]]  # a flag a node, and notes
_UNCLEAR: Final = (
    "the target key `tag-key` is printed in the API reference without its meaning; taken is: the tag is there"
)


def choose_region(nodes: pd.DataFrame, call: Call) -> str:
    """The Region of a call: given, that of the document's ARN, or the only one that can be meant.

    Raises
    ------
    ValueError
        If several can.
    CommandError
        "InvalidInstanceId" for ids that the account does not have anywhere.
    """
    if call.region is not None or call.document.startswith("arn:"):
        return call.region or [*call.document.split(":"), "", ""][3]
    named = nodes[nodes["node_id"].isin(call.ids)] if call.ids else nodes
    if call.ids and named.empty:
        raise invalid_ids(call.ids)
    regions: list[str] = sorted({*named["region"].astype(str)})
    if len(regions) != 1:
        raise ValueError(f"expected `region`, one of {listed(regions)}, got none")
    return regions[0]


def find_ids(nodes: pd.DataFrame, ids: Iterable[str]) -> pd.DataFrame:
    """The nodes of instance ids, in their order.

    Raises
    ------
    CommandError
        "InvalidInstanceId" for one that is not among the nodes.
    """
    if missing := missing_ids(nodes, ids):
        raise invalid_ids(missing)
    found = nodes[nodes["node_id"].isin([*ids])]
    rows = dict(zip(found["node_id"], range(len(found)), strict=True))
    return found.iloc[[rows[node_id] for node_id in ids]]


def missing_ids(nodes: pd.DataFrame, ids: Iterable[str]) -> list[str]:
    """Ids that the account does not have in the Region."""
    known = {*nodes["node_id"][nodes["node_id"].isin([*ids])]}
    return [node_id for node_id in ids if node_id not in known]


def invalid_ids(ids: Iterable[str]) -> CommandError:
    """The error of instance ids that are unknown, stopped or not managed."""
    return CommandError("InvalidInstanceId", f"Instances not in a valid state for account: {listed(ids)}")


def find_targets(nodes: pd.DataFrame, groups: Groups, targets: Targets) -> tuple[pd.DataFrame, list[str]]:
    """The nodes that all targets mean, and notes on what is doubtful about them."""
    found, notes = np.ones(len(nodes), dtype=bool), list[str]()
    for key, values in targets.items():
        flags, more = _FINDERS.get(key, _find_tag)(nodes, groups, key, values)
        found &= np.asarray(flags, dtype=bool)
        notes += more
    return nodes[found], [*dict.fromkeys(notes)]


def _find_tag(nodes: pd.DataFrame, _: Groups, key: str, values: tuple[str, ...]) -> _Found:
    twins = (name for name in map(str, nodes.columns) if name.lower() == key.lower() and name != key)
    notes = [
        f"{say_count(count, 'node', 'carries', 'carry')} `{twin}`, not `{key}`: "
        "targets tell case apart, IAM conditions do not"
        for twin in twins
        if (count := int(nodes[twin].isin(values).sum()))
    ]
    if unknown := int((~nodes["tags_known"]).sum()):
        notes.append(f"left out, since the tags were not collected: {say_count(unknown, 'node')}")
    return nodes[key].isin(values) if key in nodes else np.zeros(len(nodes)), notes


def _find_tag_key(nodes: pd.DataFrame, _: Groups, __: str, values: tuple[str, ...]) -> _Found:
    return nodes[[TAG + key for key in values if TAG + key in nodes]].notna().any(axis=1), [_UNCLEAR]


def _find_ids(nodes: pd.DataFrame, _: Groups, __: str, values: Iterable[str]) -> _Found:
    wanted = [values] if isinstance(values, str) else [*values]
    return nodes.index.isin(wanted) | nodes["node_id"].isin(wanted), []


def _find_group(nodes: pd.DataFrame, groups: Groups, key: str, values: tuple[str, ...]) -> _Found:
    name = group_name(values[0])
    note = f"no resource group `{name}` is given in `resource_groups`: an absent group is as an empty one"
    return _find_ids(nodes, groups, key, groups.get(name, ()))[0], [note] if name not in groups else []


def _find_types(nodes: pd.DataFrame, _: Groups, __: str, values: tuple[str, ...]) -> _Found:
    return np.isin(np.where(nodes["node_id"].str.startswith("i-"), *NODE_TYPES), values), []


def group_name(value: str) -> str:
    """The name of a resource group, given by name or ARN."""
    return value.rpartition(":group/")[2].split("/")[0]


# Target key → which nodes it means, and what is to be noted about them; all others are of tags.
_FINDERS: Final[Mapping[str, Callable[[pd.DataFrame, Groups, str, tuple[str, ...]], _Found]]] = {
    TAG_KEY: _find_tag_key,
    INSTANCE_IDS: _find_ids,
    GROUP: _find_group,
    GROUP_TYPES: _find_types,
}
