"""Every principal against the resources of any action: decided as columns, one table an action and kind of resource."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import chain, islice, product
from typing import Any, Final

import numpy as np
import pandas as pd

from ssmlab.evaluation import read_service
from ssmlab.evaluation.requests import ContextValue
from ssmlab.paths.ways import Step
from ssmlab.patterns import Tokens, Wild, is_wild, resolve, split_segments, variable_keys
from ssmlab.policies import Statement
from ssmlab.reachability.callers import Principal, read_principals, recall_people
from ssmlab.reachability.columns import Resources, Truths
from ssmlab.reachability.deciding import Decider
from ssmlab.reachability.fleets import IMPLICIT, decide_fleet
from ssmlab.reachability.matrices import Side
from ssmlab.reachability.places import Flags, find_usable
from ssmlab.services import ACTIONS, resource_type
from ssmlab.snapshots import Snapshot
from ssmlab.snapshots.schema import TAG, list_tags
from ssmlab.truth import FALSE, TRUE

_TAG_KEYS: Final = ("aws:resourcetag/", "ssm:resourcetag/", "ec2:resourcetag/", "iam:resourcetag/")
_NAMES: Final = 2000  # of new things that are tried, from what the policies name
_CHOSEN: Final = ("rule/", "schedule/default/", "instance-profile/")  # things that are named by whoever makes them
_IAM_REGION: Final = "us-east-1"  # of requests to IAM
_MOST_TAGS: Final = 200  # combinations of tags that are tried


class Tables:
    """Decisions of all principals of a snapshot, made when asked for and kept.

    Attributes
    ----------
    places
        Frame: every account and Region that holds a node.
    """

    def __init__(self, snapshot: Snapshot, context: Mapping[str, ContextValue | None]) -> None:
        self.snapshot, self._context = snapshot, dict(context)
        self.people = recall_people(snapshot)
        self.accounts = snapshot.principals["account"].astype(str).to_numpy()
        places = snapshot.nodes[["account", "region"]].astype(str).drop_duplicates().sort_values(["account", "region"])
        self._starts = [f"arn:{arn.split(':')[1]}:" for arn in places.index]  # the partition of each
        self.places = places.reset_index(drop=True)
        self._sides: dict[Any, Side] = {}
        self._frames: dict[Any, pd.DataFrame] = {}

    def side(self, step: Step) -> Side:
        """The principals and the resources of a step, decided."""
        name = (step.action, step.on, tuple(step.context.items()))
        if name not in self._sides:
            action, frame = ACTIONS[step.action], self.frame(step)
            first = frame.index[~pd.Index(frame.index.str.contains(":instance/")).duplicated()]  # of each kind of node
            known = (resource_type(step.action, arn) for arn in first) if step.on != "*" else ()
            kind = next(filter(None, known), "")
            keys = frozenset(key.lower() for key in (*self._context, *step.context))
            tag_keys = tuple(key for key in _TAG_KEYS if action.supplies(f"{key}x", kind))
            resources = Resources(frame, kind, keys, tag_keys)
            principals = self._callers(step, kind)
            self._sides[name] = (principals, decide_fleet(Decider(resources), principals, step.action))
        return self._sides[name]

    def _callers(self, step: Step, kind: str) -> list[Principal]:
        """The principals with the keys of a step's request: a service is called as in their partition."""
        partitions = [person.caller.arn.split(":")[1] for person in self.people]
        found = {}
        for partition in dict.fromkeys(partitions):
            given: dict[str, Any] = {key: read_service(name, partition) for key, name in step.context.items()}
            found[partition] = read_principals(self.people, ACTIONS[step.action], kind, {**self._context, **given})
        return [found[partition][who] for who, partition in enumerate(partitions)]

    def outcomes(self, step: Step) -> Truths:
        """Principals x rows of `frame(step)`: places in `OUTCOMES`."""
        _, fleet = self.side(step)
        found = fleet.outcomes[:, fleet.groups]
        return np.where(self._sees, found, np.int8(IMPLICIT)) if step.on == "document" else found

    def frame(self, step: Step) -> pd.DataFrame:
        """The resources of a step, with account, Region and tags; the ARN is the index."""
        name = (step.on, step.action)
        if name not in self._frames:
            self._frames[name] = self._read_frame(step)
        return self._frames[name]

    def _read_frame(self, step: Step) -> pd.DataFrame:
        nodes, documents, principals = self.snapshot.nodes, self.snapshot.documents, self.snapshot.principals
        kind = step.on.removeprefix("own ").removeprefix("any ")
        if kind == "document":
            return documents if step.on == kind else documents[documents["account"].astype(str) != ""]
        if kind == "node":
            return nodes
        if kind.startswith("node with"):
            return self._witnesses(step.action, nodes, with_tags=kind == "node with other tags")
        if kind == "document with other tags":
            return self._witnesses(step.action, documents[documents["account"].astype(str) != ""], with_tags=True)
        if kind in ("role", "user"):
            return principals[principals["kind"] == kind].assign(region=_IAM_REGION)
        if kind == "group":
            return _plain({group: group.split(":")[4] for own in principals["groups"] for group in own})
        if kind == "policy":
            found = [arn for arn in self.snapshot.policies.index if arn.split(":")[4:5] not in ([], ["aws"])]
            return _plain({arn: arn.split(":")[4] for arn in found if ":policy/" in arn})
        return self._new(step)

    @cached_property
    def _sees(self) -> Flags:
        """Principals x documents: own, AWS-owned and shared ones."""
        return find_usable(self.snapshot.documents, self.accounts)

    def _new(self, step: Step) -> pd.DataFrame:
        """Things that do not exist yet, in every place, by names that the policies leave free to choose."""
        names = ["new", *self._names(step)] if "{name}" in step.on else ["new"]
        rows = [
            (step.on.format(account=account, region=region, name=name).replace("arn:aws:", start), account, region)
            for (start, account, region), name in product(
                zip(self._starts, *self.places.to_numpy().T, strict=True), names
            )
        ]
        frame = pd.DataFrame(rows, columns=["arn", "account", "region"], dtype="str")
        return frame.assign(tags_known=True).set_index("arn")

    def _names(self, step: Step) -> list[str]:
        """Names that Resource patterns of the action's statements ask for, each principal's own by their variables."""
        start = step.on.split(":", 5)[5].split("{")[0]
        ends = dict.fromkeys(split_segments(t)[-1] for s in self._statements(step.action) for t in s.resources)
        own = [end for end in ends if variable_keys(end) and start in _CHOSEN]
        filled = (
            reading for end in own for who in self._callers(step, "") for reading in resolve(end, who.lookup).readings
        )
        named: Iterator[Tokens] = chain((end for end in ends if is_wild(end) and not variable_keys(end)), filled)
        texts = ("".join("x" if isinstance(token, Wild) else str(token) for token in end) for end in named)
        return [*dict.fromkeys(text.removeprefix(start) for text in texts if text.startswith(start))][:_NAMES]

    def _statements(self, action: str) -> Iterable[Any]:
        every = (statement for policy in self.snapshot.compiled.values() for statement in policy.statements)
        return (statement for statement in every if statement.covers_action(action))

    def _witnesses(self, action: str, frame: pd.DataFrame, *, with_tags: bool) -> pd.DataFrame:
        """One of each place and kind of ARN, with each combination of tags that some statement asks for; or none."""
        kind = frame.index.str.contains(":instance/")
        first = frame.groupby([frame["account"].astype(str), frame["region"].astype(str), kind]).head(1)
        plain = first.drop(columns=list_tags(first)).assign(tags_known=True)
        wanted = [*dict.fromkeys(self._tag_combinations(action))][:_MOST_TAGS] if with_tags else [()]
        return pd.concat([plain.assign(**{TAG + key: value for key, value in tags}) for tags in wanted or [()]])

    def _tag_combinations(self, action: str) -> Iterable[tuple[tuple[str, str], ...]]:
        """Tags by their key in lower case: what an Allow wants, or a Deny spares; alone, and with all that spares."""
        asked = [(statement.effect, _wanted_tags(statement)) for statement in self._statements(action)]
        spare = {key: value for effect, tags in asked if effect == "Deny" for key, value in tags.items()}
        every = [tags for _, tags in asked]
        for person in self.people:  # a tag of the principal itself, for `${aws:PrincipalTag/Team}`
            pairs = ((key, value) for key, value in person.keys.items() if key.startswith("aws:principaltag/"))
            every += [{key.split("/", 1)[1]: value} for key, value in pairs if isinstance(value, str)]
        for tags in filter(None, every):
            yield tuple(tags.items())
            yield tuple((spare | tags).items())

    def per_place(self, step: Step) -> Truths:
        """Principals x places: the best outcome of the step there."""
        outcomes, places = self.outcomes(step), [*self.places.itertuples(index=False, name=None)]
        best = np.full((len(self.people), len(places)), IMPLICIT, dtype=np.int8)
        for number, (place, here) in enumerate(zip(places, self.lie_in(step, places), strict=True)):
            mine = self.accounts == place[0]
            if here.any() and mine.any():
                best[mine, number] = outcomes[np.ix_(mine, here)].max(axis=1)
        return best

    def lie_in(self, step: Step, places: Iterable[tuple[str, str]]) -> Iterator[Any]:
        """For each account and Region: which resources of a step a call from there may name."""
        regions, accounts = (self.frame(step)[name].astype(str).to_numpy() for name in ("region", "account"))
        anywhere = (accounts == "") | (step.on == "document")  # `outcomes` knows who sees those of other accounts
        for account, region in places:
            yield (regions == region) & (anywhere | (accounts == account))


def _wanted_tags(statement: Statement) -> dict[str, str]:
    """Values of tags with which each condition on one holds in an Allow, and fails in a Deny; none where it reads a
    variable.
    """
    wanted, found = FALSE if statement.effect == "Deny" else TRUE, dict[str, str]()
    for condition in (c for c in statement.conditions if c.keys[0].startswith(_TAG_KEYS[:2])):
        if len(condition.keys) > 1:
            return {}
        values = (re.sub(r"[*?]", "x", condition.values[0]), "something else")
        fitting = (value for value in values if condition.decide([value]).truth is wanted)
        found |= {condition.keys[0].split("/", 1)[1]: value for value in islice(fitting, 1)}
    return found


def _plain(accounts: Mapping[str, str]) -> pd.DataFrame:
    """Resources of which only ARN and account are known."""
    frame = pd.DataFrame({"account": [*accounts.values()]}, index=pd.Index([*accounts], dtype="str"), dtype="str")
    return frame.assign(region=_IAM_REGION, tags_known=False)
