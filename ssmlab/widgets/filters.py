"""Filters on nodes: what the controls say, the controls, and the nodes that they leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import ipywidgets as w
import numpy as np
import numpy.typing as npt
import pandas as pd

from ssmlab.reachability.columns import Codes
from ssmlab.snapshots.schema import TAG, list_tags
from ssmlab.widgets.controls import ANY, UNTAGGED, Finder, RequestControls, dropdown, fold, list_options

Flags = npt.NDArray[np.bool_]
PLACES: Final = ("kind", "platform", "account", "region")


@dataclass(frozen=True, slots=True)
class Filters:
    """What the controls say. Empty: any.

    Attributes
    ----------
    node
        Text that the name or id holds.
    tag_key, tag_value, kind, platform, account, region
        What a node must have; `UNTAGGED` as a tag value: nodes without the tag.
    """

    node: str = ANY
    tag_key: str = ANY
    tag_value: str = ANY
    kind: str = ANY
    platform: str = ANY
    account: str = ANY
    region: str = ANY


def choose_nodes(nodes: pd.DataFrame, state: Filters) -> Codes:
    """Row numbers of the nodes that the filters leave."""
    keep = holds(nodes, ("name", "node_id"), state.node) & matches(nodes, state, PLACES)
    if state.tag_key:
        tag = nodes[TAG + state.tag_key]
        tests = {UNTAGGED: tag.isna, ANY: tag.notna}
        keep &= tests.get(state.tag_value, lambda: tag == state.tag_value)().to_numpy(dtype=bool, na_value=False)
    return np.flatnonzero(keep)


def matches(frame: pd.DataFrame, state: Any, names: Sequence[str]) -> Flags:
    """Which rows have in each of these columns what the field of the state of the same name wants; empty: any."""
    keep = np.ones(len(frame), dtype=bool)
    for name in names:
        if wanted := getattr(state, name):
            keep &= (frame[name] == wanted).to_numpy(dtype=bool, na_value=False)
    return keep


def holds(frame: pd.DataFrame, columns: Sequence[str], text: str, whole: bool = True) -> Flags:
    """Which rows hold a text, in any case, in one of these columns; with `whole`, where some are just this text or have
    this ARN, only those.
    """
    if not text:
        return np.ones(len(frame), dtype=bool)
    if text.startswith("arn:"):
        return np.asarray(frame.index == text)
    wanted, texts = text.lower(), [frame[name].astype("str").str.lower() for name in columns]
    if whole and (same := _any([each == wanted for each in texts])).any():
        return same
    return contain(texts, wanted)


def contain(texts: Sequence[pd.Series[Any]], text: str) -> Flags:
    """Which rows contain a text in one of these columns, all in lower case."""
    return _any([each.str.contains(text, regex=False) for each in texts])


def _any(tests: Sequence[pd.Series[Any]]) -> Flags:
    found: Flags = np.logical_or.reduce([test.to_numpy(dtype=bool, na_value=False) for test in tests])
    return found


def list_tag_keys(nodes: pd.DataFrame) -> list[str]:
    """The keys that nodes are tagged with."""
    return sorted(column[len(TAG) :] for column in list_tags(nodes))


def list_tag_values(nodes: pd.DataFrame, key: str) -> list[tuple[str, str]]:
    """The values of a tag as options, with those for any value and for none."""
    if not key:
        return [("any", ANY)]
    return [("any value", ANY), ("(without this tag)", UNTAGGED), *list_options(nodes[TAG + key])]


def make_choices(frame: pd.DataFrame, state: Any, names: Sequence[str]) -> dict[str, w.Widget]:
    """For each column a choice among its values, or any."""
    options = {name: [("any", ANY), *list_options(frame[name])] for name in names}
    return {name: dropdown(name.capitalize(), options[name], getattr(state, name)) for name in names}


def make_filters(nodes: pd.DataFrame, state: Filters) -> dict[str, w.Widget]:
    """A control for each field of `Filters`."""
    names = pd.concat([nodes["name"].astype("str"), nodes["node_id"].astype("str")])
    return {
        "node": Finder("Node", names, state.node, "any: name or id"),
        "tag_key": dropdown("Tag", [("any", ANY), *((key, key) for key in list_tag_keys(nodes))], state.tag_key),
        "tag_value": dropdown("Value", list_tag_values(nodes, state.tag_key), state.tag_value),
        **make_choices(nodes, state, PLACES),
    }


def fold_filters(controls: Mapping[str, w.Widget]) -> w.Accordion:
    """The filters by place, and the request, folded."""
    places = w.VBox([controls[name] for name in PLACES])
    return fold({"More filters": places, RequestControls.heading: controls["context"]})
