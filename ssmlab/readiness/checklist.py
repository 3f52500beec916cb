"""`check_readiness`: the checklist of all machines as a frame."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from ssmlab.reachability.columns import Codes, combine, encode, first_rows
from ssmlab.readiness.checks import NO, NOT_KNOWN, ORDER, STEPS, YES, Checks, Step
from ssmlab.snapshots import Snapshot

_ANSWERS: Final = pd.CategoricalDtype([YES, NO, NOT_KNOWN])
_STATES: Final = ("managed", "ping_status", "agent_version", "state", "instance_profile", "iam_role", "default_role")
_READ: Final = ("account", "region", "kind", "platform", *_STATES)  # what the answers follow from, beside the role


@dataclass(frozen=True, slots=True)
class Kind:
    """Machines of which the same is known: managed, not managed (False), or not known (None); and their steps."""

    managed: bool | None
    steps: Sequence[Step]


@dataclass(frozen=True)
class Checklist:
    """The steps of every machine; those of which the same is known share them.

    Attributes
    ----------
    kinds
        For each machine its place in `steps`.
    """

    snapshot: Snapshot
    kinds: Codes
    steps: Sequence[Kind]

    def of(self, node: str) -> Sequence[Step]:
        """The steps of one machine, by ARN."""
        return self.steps[int(self.kinds[self.snapshot.nodes.index == node][0])].steps

    def frame(self) -> pd.DataFrame:
        """See `check_readiness`."""
        nodes = self.snapshot.nodes
        frame = nodes[["node_id", "name", "account", "region", "kind", "managed"]].copy()
        told = {"ready": [_sum_up(kind) for kind in self.steps]}
        told |= {name: [kind.steps[place].answer for kind in self.steps] for place, name in enumerate(STEPS)}
        for name, values in told.items():
            frame[name] = pd.Categorical(pd.Series(values, dtype=_ANSWERS)).take(self.kinds)
        frame["lacks"] = pd.Categorical(pd.Series(map(_say_lacks, self.steps), dtype="category")).take(self.kinds)
        return frame


def check_readiness(snapshot: Snapshot) -> pd.DataFrame:
    """What each machine has of what it needs to run commands, and what it lacks.

    Returns
    -------
    pandas.DataFrame
        Index arn. `node_id`, `name`, `account`, `region`, `kind`, `managed` as in `snapshot.nodes`; then "yes", "no" or
        "not known": `ready` to run commands, all in all; `agent` (installed), `permissions` (of its role, decided),
        `connection` (it reports), `platform` (of a type that Systems Manager manages), `documents` (one fits the
        platform); and `lacks`, in words. What was not collected is not known, never missing.

    Examples
    --------
    >>> import ssmlab
    >>> found = ssmlab.check_readiness(ssmlab.load("data/sample"))
    >>> found[found["name"] == "batch-1"][["ready", "connection", "lacks"]].iloc[0].to_list()[:2]
    ['no', 'no']
    """
    return make_checklist(snapshot).frame()


def make_checklist(snapshot: Snapshot) -> Checklist:
    """The steps of every machine, decided once for all of which the same is known."""
    nodes, checks = snapshot.nodes, Checks(snapshot)
    roles = pd.Series(checks.roles, dtype="object").reindex(nodes.index)
    named = pd.Series(nodes.index, nodes.index).where(roles.isin(checks.by_arn), "")
    columns = [*(nodes[name] for name in _READ), roles.astype("category"), named.astype("category")]
    kinds = combine([encode(column)[0] for column in columns], len(nodes))
    first = nodes.iloc[first_rows(kinds)]
    rows = first.astype("object").where(first.notna(), None)
    records: list[dict[Any, Any]] = rows.assign(arn=rows.index).to_dict("records")
    return Checklist(snapshot, kinds, [Kind(row["managed"], checks.run(row)) for row in records])


def _sum_up(kind: Kind) -> str:
    """A machine that is not managed is not ready, even where it is not known what it lacks."""
    answers = {step.answer for step in kind.steps} | ({NO} if kind.managed is False else set())
    return next((answer for answer in ORDER if answer in answers), YES)


def _say_lacks(kind: Kind) -> str:
    missing = ["it is not a managed node"] if kind.managed is False else []
    missing += [step.why for step in kind.steps if step.answer == NO]
    unknown = [step.why for step in kind.steps if step.answer == NOT_KNOWN]
    return "; ".join([*missing, *(f"not known: {why}" for why in unknown)])
