"""One pair of a reach explained: the single decisions, and what else keeps node and document apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from ssmlab.evaluation import Outcome
from ssmlab.explanation import Explanation, Trial, explain_pair, last_part
from ssmlab.reachability.columns import Resources
from ssmlab.reachability.fleets import ALLOWED, OUTCOMES
from ssmlab.reachability.matrices import Matrices
from ssmlab.services import TAG_KEYS
from ssmlab.snapshots.schema import TAG

_OTHER_ACCOUNT: Final = "the node is in another account than the principal"
_SENT: Final = ("Command", None, np.nan)  # types of documents that Run Command sends, or that are not known


def explain_row(reach: Matrices, who: int, where: int, what: int) -> Explanation:
    """Why a principal reaches a node with a document, or not; all by row numbers."""
    name, node_id = reach.snapshot.nodes[["name", "node_id"]].iloc[where]
    named = f"{name} ({node_id})" if isinstance(name, str) and name else str(node_id)
    parts = [reach.ask_document(who, what), replace(reach.ask_node(who, where), name=named)]
    misfit, but = _misfit(reach, who, where, what), _hindrance(reach, where, what)
    called = last_part(reach.snapshot.principals.index[who])
    instead = _find_fitting(reach, who, where, what) if misfit and misfit != _OTHER_ACCOUNT else []
    said = explain_pair(OUTCOMES[reach.pair_outcomes(where, what)[who]], called, parts, misfit, but, instead)
    sides = {"node": (reach.node_resources, where), "document": (reach.document_resources, what)}
    return replace(said, trials=tuple(_spell(way, sides, reach.context) for way in said.trials))


def _spell(way: Iterable[Trial], sides: Mapping[str, tuple[Resources, int]], given: Iterable[str]) -> tuple[Trial, ...]:
    """Trials under the names that tags and keys have: in another case it would be a second one. None where the request
    gives a tag, and where one would have to be taken away and what then is there is not known.
    """
    found, spelt = list[Trial](), {key.lower(): key for key in given}
    for trial in {(trial.of, trial.key.lower()): trial for trial in way}.values():
        if trial.of not in sides:
            found.append(trial._replace(key=spelt.get(trial.key.lower(), trial.key)))
            continue
        if any(prefix + trial.key.lower() in spelt for prefix in TAG_KEYS):
            return ()
        resources, row = sides[trial.of]
        own = [name for name in resources.spell(trial.key) if pd.notna(resources.frame[TAG + name].iloc[row])]
        if trial.value is None and not resources.frame["tags_known"].iloc[row]:
            return ()
        named = [trial.key] if trial.key in own or not own else own[:1]
        found += [trial._replace(key=name) for name in named]
        found += [Trial(trial.of, name, None) for name in own if name not in named]
    return tuple(found)


def _regions(reach: Matrices, where: int, what: int) -> tuple[str, str]:
    return str(reach.snapshot.nodes["region"].iloc[where]), str(reach.snapshot.documents["region"].iloc[what])


def _find_fitting(reach: Matrices, who: int, where: int, what: int) -> list[str]:
    """What would do where document and node do not go together: the document of that name in the node's Region, a
    document that is shared; if that is allowed.
    """
    documents, (region, other) = reach.snapshot.documents, _regions(reach, where, what)
    if region == other:
        alone = reach.decide_document(who, what).outcome, reach.decide_node(who, where).outcome
        return ["the document is not shared with this account"] if {*alone} == {Outcome.ALLOWED} else []
    twins = (documents["name"] == documents["name"].iloc[what]) & (documents["region"] == region)
    fits = any(reach.pair_outcomes(where, row)[who] == ALLOWED for row in np.flatnonzero(twins).tolist())
    return [f"the document is not that of {region}, which is allowed"] if fits else []


def _hindrance(reach: Matrices, where: int, what: int) -> str:
    """What keeps a command from running, whoever sends it: policies do not ask about it, Run Command does."""
    kind = reach.snapshot.documents["document_type"].iloc[what]
    managed = reach.snapshot.nodes["managed"].iloc[where]
    is_other = reach.action == "ssm:SendCommand" and kind not in _SENT
    reasons = [f"the document is of type {kind}, which Run Command does not run"] if is_other else []
    if pd.isna(managed):
        reasons.append("whether the node is managed was not collected")
    elif not managed:
        reasons.append("the node is not managed by Systems Manager: no command reaches it")
    return " and ".join(reasons)


def _misfit(reach: Matrices, who: int, where: int, what: int) -> str:
    """Why node, document and caller do not go together at all; empty if they do."""
    if reach.snapshot.principals["account"].iloc[who] != reach.snapshot.nodes["account"].iloc[where]:
        return _OTHER_ACCOUNT
    region, other = _regions(reach, where, what)
    if region != other:
        return f"the node is in {region}, the document in {other}"
    if not reach.places.sees[who, reach.document_group_codes[what]]:
        return "the document belongs to another account and is not shared with this one"
    return ""
