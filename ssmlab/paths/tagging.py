"""Who may change a tag of nodes in AWS: the tagging actions of the ways, decided on just these nodes and this tag."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd

from ssmlab.evaluation.requests import ContextValue
from ssmlab.explanation.words import say_open
from ssmlab.paths.tables import Tables
from ssmlab.paths.ways import Step, read_ways
from ssmlab.reachability.columns import Codes
from ssmlab.reachability.fleets import ALLOWED, CONDITIONAL
from ssmlab.reachability.matrices import ask_one
from ssmlab.reachability.names import Names, find_rows
from ssmlab.snapshots import Snapshot

# Ways by what is done to the tag; the first step of each is the tagging action for its kind of ARN.
_WAYS: Final = {True: ("tag-node", "tag-managed-node"), False: ("untag-node", "untag-managed-node")}
_COLUMNS: Final = ("principal", "action", "allowed", "conditional", "nodes", "depends_on")


def who_may_tag(
    snapshot: Snapshot,
    nodes: Names,
    key: str,
    value: str | None,
    context: Mapping[str, ContextValue | None] | None = None,
) -> pd.DataFrame:
    """Who may give nodes a tag, or take it away: one tag a request, on the tags as they are.

    Instances of EC2 are tagged through EC2, all other nodes through Systems Manager. [Service Authorization Reference,
    `ec2:CreateTags`, `ec2:DeleteTags`, `ssm:AddTagsToResource`, `ssm:RemoveTagsFromResource`]

    Parameters
    ----------
    nodes
        ARNs, ids or row numbers; None: all.
    value
        The new value; None: the tag is removed.
    context
        Further keys of the request, as in `reach`.

    Returns
    -------
    pandas.DataFrame
        A row for each principal and action: on how many of the `nodes` of this kind it is `allowed` or `conditional`,
        and what that depends on, for the first of them. Principals that may on none are left out.

    Examples
    --------
    >>> import ssmlab
    >>> found = who_may_tag(ssmlab.load("data/sample"), ["i-0123456789abcdef0"], "Finance", "Ledger")
    >>> found[["principal", "action", "allowed", "nodes"]].values.tolist()[0]
    ['arn:aws:iam::123456789012:user/admin-adele', 'ec2:CreateTags', 1, 1]
    """
    rows = find_rows(snapshot, "nodes", nodes)
    given: dict[str, Any] = {**(context or {}), "aws:TagKeys": [key]}
    given |= {} if value is None else {f"aws:RequestTag/{key}": value}
    is_ec2 = snapshot.nodes.index[rows].str.contains(":instance/")
    found: list[tuple[Any, ...]] = []
    for way in (read_ways()[name] for name in _WAYS[value is not None]):
        chosen = rows[is_ec2 if way.nodes == "ec2" else ~is_ec2]
        if len(chosen):
            found += _decide(snapshot, chosen, way.steps[0].action, given)
    return pd.DataFrame(found, columns=list(_COLUMNS))


def _decide(snapshot: Snapshot, rows: Codes, action: str, given: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    small = replace(snapshot, nodes=snapshot.nodes.iloc[rows])
    side = Tables(small, given).side(Step(action, "node"))
    fleet = side[1]
    sizes = np.bincount(fleet.groups, minlength=len(fleet.rows))
    allowed, conditional = ((fleet.outcomes == outcome) @ sizes for outcome in (ALLOWED, CONDITIONAL))
    may = np.flatnonzero(allowed + conditional)
    for who in may[np.argsort(-allowed[may], kind="stable")]:
        group = int((fleet.outcomes[who] == CONDITIONAL).argmax())
        asked = ask_one("node", side, int(who), int(fleet.rows[group]), action)
        depends_on = "; ".join(say_open(asked.decide().open_conditions, "node")) if conditional[who] else ""
        principal, counts = str(snapshot.principals.index[who]), (int(allowed[who]), int(conditional[who]))
        yield principal, action, *counts, len(rows), depends_on
