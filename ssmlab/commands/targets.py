"""Which nodes a call means: instance ids, or targets, whose keys all must hold and of whose values one must.

Sources: Systems Manager User Guide, "Using targets and rate controls"; API reference, `Target`. Tag keys of targets are
compared as they are written, unlike those of IAM conditions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from ssmlab.commands.calls import GROUP, GROUP_TYPES, INSTANCE_IDS, NODE_TYPES, TAG, TAG_KEY, Call, Target
from ssmlab.commands.errors import CommandError

Flags = npt.NDArray[np.bool_]
Groups = Mapping[str, Iterable[str]]
_BAD_STATE: Final = "Instances not in a valid state for account"
_UNCLEAR: Final = (
    "the target key `tag-key` is printed in the API reference without its meaning; taken is: the tag is there"
)


@dataclass(frozen=True, slots=True)
class Scope:
    """The nodes of an account in a Region, and what its resource groups hold, by name: ARNs or ids."""

    nodes: pd.DataFrame
    groups: Groups

    def is_among(self, names: Iterable[str]) -> Flags:
        """The nodes of these ARNs or ids."""
        wanted = [*names]
        return np.asarray(self.nodes.index.isin(wanted) | self.nodes["node_id"].isin(wanted).to_numpy(), dtype=bool)


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
        return call.region or call.document.split(":")[3]
    if call.ids and not nodes["node_id"].isin(call.ids).any():
        raise invalid_ids(call.ids)
    named = nodes[nodes["node_id"].isin(call.ids)] if call.ids else nodes
    regions: list[str] = sorted({*named["region"].astype(str)} or {*nodes["region"].astype(str)})
    if len(regions) != 1:
        raise ValueError(f"expected `region`, one of {', '.join(f'`{name}`' for name in regions)}, got none")
    return regions[0]


def find_ids(scope: Scope, ids: Iterable[str]) -> pd.DataFrame:
    """The nodes of instance ids, in their order.

    Raises
    ------
    CommandError
        "InvalidInstanceId" for one that the account does not have in the Region.
    """
    by_id = pd.Index(scope.nodes["node_id"])
    rows = by_id.get_indexer(pd.Index([*ids], dtype=by_id.dtype))
    if missing := [node_id for node_id, row in zip(ids, rows, strict=True) if row < 0]:
        raise invalid_ids(missing)
    found: pd.DataFrame = scope.nodes.iloc[rows]
    return found


def invalid_ids(ids: Iterable[str]) -> CommandError:
    """The error of instance ids that are unknown, stopped or not managed."""
    return CommandError("InvalidInstanceId", f"{_BAD_STATE}: {', '.join(f'`{node_id}`' for node_id in ids)}")


def find_targets(scope: Scope, targets: Iterable[Target]) -> tuple[pd.DataFrame, list[str]]:
    """The nodes that all targets mean, and notes on what is doubtful about them."""
    found, notes = np.ones(len(scope.nodes), dtype=bool), dict[str, None]()
    for target in targets:
        find, note = _FINDERS[target.key if target.key in _FINDERS else TAG]
        found &= find(scope, target)
        notes |= dict.fromkeys(note(scope, target))
    return scope.nodes[found], [*notes]


def missing_ids(scope: Scope, targets: Iterable[Target]) -> list[str]:
    """Ids among the targets that the account does not have in the Region."""
    known = {*scope.nodes["node_id"]}
    return [value for target in targets if target.key == INSTANCE_IDS for value in target.values if value not in known]


def _find_tag(scope: Scope, target: Target) -> Flags:
    column = scope.nodes.get(target.key)
    size = len(scope.nodes)
    return np.zeros(size, dtype=bool) if column is None else column.isin(target.values).to_numpy(dtype=bool)


def _note_tag(scope: Scope, target: Target) -> Iterator[str]:
    key, nodes = target.key, scope.nodes
    for twin in (name for name in map(str, nodes.columns) if name.lower() == key.lower() and name != key):
        if count := int(nodes[twin].isin(target.values).sum()):
            yield f"{count} nodes carry `{twin}`, not `{key}`: targets tell case apart, IAM conditions do not"
    if unknown := int((~nodes["tags_known"]).sum()):
        yield f"{unknown} nodes whose tags were not collected are left out"


def _find_tag_key(scope: Scope, target: Target) -> Flags:
    tags = [TAG + key for key in target.values if TAG + key in scope.nodes]
    return scope.nodes[tags].notna().any(axis=1).to_numpy(dtype=bool)


def _find_group(scope: Scope, target: Target) -> Flags:
    return scope.is_among(scope.groups.get(group_name(target.values[0]), ()))


def _note_group(scope: Scope, target: Target) -> Iterator[str]:
    if (name := group_name(target.values[0])) not in scope.groups:
        yield f"no resource group `{name}` is given in `resource_groups`: an absent group is as an empty one"


def _find_types(scope: Scope, target: Target) -> Flags:
    is_instance = scope.nodes["node_id"].str.startswith("i-").to_numpy(dtype=bool)
    return np.isin(np.where(is_instance, *NODE_TYPES), target.values)


def group_name(value: str) -> str:
    """The name of a resource group, given by name or ARN."""
    return value.rpartition(":group/")[2].split("/")[0]


def _note_nothing(*_: object) -> Iterator[str]:
    return iter(())


# Target key → which nodes it means, and what is to be noted about them.
_Finder = tuple[Callable[[Scope, Target], Flags], Callable[[Scope, Target], Iterator[str]]]
_FINDERS: Final[Mapping[str, _Finder]] = {
    TAG: (_find_tag, _note_tag),
    TAG_KEY: (_find_tag_key, lambda *_: iter([_UNCLEAR])),
    INSTANCE_IDS: (lambda scope, target: scope.is_among(target.values), _note_nothing),
    GROUP: (_find_group, _note_group),
    GROUP_TYPES: (_find_types, _note_nothing),
}
