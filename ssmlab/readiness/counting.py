"""The checklist counted; and who waits for machines to be managed."""

from typing import Final

import numpy as np
import pandas as pd

from ssmlab.reachability import Reach
from ssmlab.reachability.columns import Codes
from ssmlab.reachability.fleets import CONDITIONAL
from ssmlab.reachability.pairs import to_outcomes
from ssmlab.readiness.checks import NO, NOT_KNOWN, STEPS, YES

_NAMED: Final = {"ready": YES, "not ready": NO, "not known": NOT_KNOWN}


def count_readiness(found: pd.DataFrame) -> pd.DataFrame:
    """Rows of `check_readiness` counted for each account and Region: `machines`, `managed`, `ready`, `not ready`, `not
    known`; and how many lack each step, such as `no connection`.
    """
    counted = found[["account", "region"]].astype("str").assign(machines=1)
    counted["managed"] = found["managed"].fillna(False).astype(bool)
    for name, answer in _NAMED.items():
        counted[name] = found["ready"] == answer
    for step in STEPS:
        counted[f"no {step}"] = found[step] == NO
    return counted.groupby(["account", "region"], as_index=False).sum()


def find_waiting(reach: Reach, nodes: Codes | None = None) -> pd.DataFrame:
    """Who reaches machines that are not managed, as soon as they are: they are decided like all others.

    Parameters
    ----------
    nodes
        Rows of `snapshot.nodes` to look at; None: all.

    Returns
    -------
    pandas.DataFrame
        `principal`, `outcome`, `machines` (how many), `example` (ARN of one), those that reach most first.

    Examples
    --------
    >>> import ssmlab
    >>> waiting = find_waiting(ssmlab.reach(ssmlab.load("data/sample")))
    >>> waiting.head(1)[["principal", "outcome", "machines"]].values.tolist()
    [['arn:aws:iam::123456789012:user/op-ana', 'allowed', 5]]
    """
    every = np.arange(len(reach.snapshot.nodes)) if nodes is None else nodes
    managed = reach.snapshot.nodes["managed"].fillna(True).to_numpy(dtype=bool)
    rows = every[~managed[every]]
    groups, first, sizes = np.unique(reach.node_group_codes[rows], return_index=True, return_counts=True)
    joint = reach.joint_nodes[:, groups]
    who, group = np.nonzero(joint >= CONDITIONAL)
    columns = {
        "principal": reach.snapshot.principals.index.take(who),
        "outcome": to_outcomes(joint[who, group]),
        "machines": sizes[group],
        "example": reach.snapshot.nodes.index.take(rows[first[group]]),
    }
    grouped = pd.DataFrame(columns).groupby(["principal", "outcome"], sort=False, observed=True)
    found = grouped.agg(machines=("machines", "sum"), example=("example", "first")).reset_index()
    return found.sort_values(["machines", "outcome"], ascending=False, kind="stable", ignore_index=True)
