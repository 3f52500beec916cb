"""Every principal against the resources of any action: decided as columns, one table an action and kind of resource."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from itertools import chain, islice
from typing import Any, Final

import numpy as np
import pandas as pd

from ssmlab.evaluation import read_service
from ssmlab.evaluation.requests import ContextValue, normalise_context
from ssmlab.paths.ways import Given, Step, Tags, Way
from ssmlab.patterns import NOT_KNOWN, Tokens, Wild, is_wild, resolve, split_segments, variable_keys
from ssmlab.policies import Statement
from ssmlab.reachability.callers import Principal, read_principals, recall_people
from ssmlab.reachability.columns import Codes, Resources, Truths, combine
from ssmlab.reachability.deciding import Decider
from ssmlab.reachability.fleets import IMPLICIT, decide_fleet
from ssmlab.reachability.matrices import Side
from ssmlab.reachability.places import Flags, find_usable
from ssmlab.services import ACTIONS, resource_type
from ssmlab.snapshots import Snapshot
from ssmlab.snapshots.schema import TAG, list_tags
from ssmlab.truth import FALSE, TRUE

_TAG_KEYS: Final = ("aws:resourcetag/", "ssm:resourcetag/", "ec2:resourcetag/", "iam:resourcetag/")
_SAID: Final = ("aws:requesttag/", "aws:tagkeys")  # of its tags by a request
_NAMES: Final = 2000  # of new things that are tried, from what the policies name
_CHOSEN: Final = ("rule/", "schedule/default/", "instance-profile/")  # things that are named by whoever makes them
_IAM_REGION: Final = "us-east-1"  # of requests to IAM
_MOST_TAGS: Final = 200  # combinations of tags that are tried
_MOST_SHAPES: Final = 500  # classes of ARNs of nodes on which tags are tried
_MOST_REQUESTS: Final = 24  # to tag: beyond, what they say of their tags is not known


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
        self._variants: dict[str, list[Way]] = {}

    def side(self, step: Step) -> Side:
        """The principals and the resources of a step, decided."""
        name = (step.action, step.on, tuple(step.context.items()), step.tags)
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
            given: dict[str, Any] = {**self._context, **step.context}
            given |= {key: read_service(given[key], partition) for key in step.context if key == "iam:PassedToService"}
            found[partition] = read_principals(self.people, ACTIONS[step.action], kind, given)
        return [found[partition][who] for who, partition in enumerate(partitions)]

    def outcomes(self, step: Step) -> Truths:
        """Principals x rows of `frame(step)`: places in `OUTCOMES`."""
        _, fleet = self.side(step)
        found = fleet.outcomes[:, fleet.groups]
        return np.where(self._sees, found, np.int8(IMPLICIT)) if step.on == "document" else found

    def frame(self, step: Step) -> pd.DataFrame:
        """The resources of a step, with account, Region and tags; the ARN is the index."""
        name = (step.on, step.action, step.tags)
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
        if step.retags:
            is_kind = nodes.index.str.contains(f":{kind.split()[0]}/")
            return self._witnesses(step, nodes[is_kind], self.alike(step.action)[is_kind])
        if kind == "document with other tags":
            own = documents[documents["account"].astype(str) != ""]
            return self._witnesses(step, own, _find_places(own))
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
            for start, (account, region) in zip(self._starts, self.places.to_numpy(), strict=True)
            for name in names
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

    def alike(self, action: str) -> Codes:
        """Of each node the class of ARNs that no statement of an action tells apart; where they are many, its place."""
        shapes = self.side(Step(action, "node"))[1].decider.shapes
        return shapes.codes if len(shapes.rows) <= _MOST_SHAPES else _find_places(self.snapshot.nodes)

    def _witnesses(self, step: Step, frame: pd.DataFrame, alike: Codes) -> pd.DataFrame:
        """One of those that are alike, with each combination of tags that some statement asks for; or none."""
        first = frame[~pd.Index(alike).duplicated()]
        plain = first.drop(columns=list_tags(first)).assign(tags_known=True)
        wanted = (step.tags or self._tag_combinations(step.action)) if step.on.endswith("other tags") else ()
        return pd.concat([plain.assign(**{TAG + key: value for key, value in tags}) for tags in wanted or [()]])

    def variants(self, way: Way) -> list[Way]:
        """A way that tags what its last steps find tagged, once for each request to tag that policies tell from others:
        with the tags that are wanted, and alone or beside all others that are asked of it.
        """
        if way.name not in self._variants:
            tagged = [step for step in way.steps if step.on.endswith("other tags")]
            self._variants[way.name] = [
                replace(
                    way, steps=tuple(_tie(step, number == 0, context, tags) for number, step in enumerate(way.steps))
                )
                for context, tags in (self._requests(way.steps[0].action, tagged[0].action) if tagged else ())
            ] or [way]
        return self._variants[way.name]

    def _requests(self, tagging: str, action: str) -> Iterable[tuple[Given, list[Tags]]]:
        """What requests to tag say, those that policies tell apart, and the tags that are wanted with each."""
        asking, found = [*self._statements(tagging)], dict[Any, tuple[Given, list[Tags]]]()
        conditions = {c.identity: c for s in asking for c in s.conditions if any(k.startswith(_SAID) for k in c.keys)}
        spelt = _written(self._statements(action), _TAG_KEYS[:2]) | (asked := _written(asking, _SAID[:1]))
        for tags in self._tag_combinations(action, tagging) if conditions else ():
            for context in _list_requests(tags, asked, spelt) if len(found) < _MOST_REQUESTS else [Given()]:
                said = normalise_context(context)
                decided = tuple(
                    c.decide(values).truth if c.keys[0].startswith(_SAID) and len(values) == 1 else repr(values)
                    for c in conditions.values()
                    for values in [[said.get(key, NOT_KNOWN) for key in c.keys]]
                )
                found.setdefault(decided, (context, []))[1].append(tags)
        return found.values()

    def _tag_combinations(self, action: str, tagging: str = "") -> list[Tags]:
        """Tags by their key in lower case: what an Allow wants, or a Deny spares, of a resource or of the request that
        tags it; alone, and with all that spares.
        """
        asked = [(s.effect, _wanted_tags(s, _TAG_KEYS[:2])) for s in self._statements(action)]
        asked += [(s.effect, _wanted_tags(s, _SAID[:1])) for s in self._statements(tagging)]
        spare = {key: value for effect, tags in asked if effect == "Deny" for key, value in tags.items()}
        every = [tags for _, tags in asked]
        for person in self.people:  # a tag of the principal itself, for `${aws:PrincipalTag/Team}`
            pairs = ((key, value) for key, value in person.keys.items() if key.startswith("aws:principaltag/"))
            every += [{key.split("/", 1)[1]: value} for key, value in pairs if isinstance(value, str)]
        both = ((tags, spare | tags) for tags in filter(None, every))
        return [*dict.fromkeys(tuple(tags.items()) for pair in both for tags in pair)][:_MOST_TAGS]

    def per_place(self, step: Step) -> Truths:
        """Principals x places: the best outcome of the step there."""
        outcomes, places = self.outcomes(step), [*self.places.itertuples(index=False, name=None)]
        best = np.full((len(self.people), len(places)), IMPLICIT, dtype=np.int8)
        for number, (place, here) in enumerate(zip(places, self.lie_in(step, places), strict=True)):
            mine = self.accounts == place[0]
            if here.any() and mine.any():
                best[mine, number] = outcomes[np.ix_(mine, here)].max(axis=1)
        return best

    def classes(self, step: Step) -> Codes:
        """The class of nodes, as `alike` numbers them, that each resource of a step stands for."""
        return self.alike(step.action)[self.snapshot.nodes.index.get_indexer(self.frame(step).index)]

    def per_class(self, step: Step) -> Truths:
        """Principals x classes of nodes, as `alike` numbers them: the best outcome there, whatever the tags."""
        best = np.full((len(self.people), self.alike(step.action).max(initial=-1) + 1), IMPLICIT, dtype=np.int8)
        order = np.argsort(of := self.classes(step), kind="stable")
        if len(starts := np.flatnonzero(np.diff(of[order], prepend=-1))):
            best[:, of[order[starts]]] = np.maximum.reduceat(self.outcomes(step)[:, order], starts, axis=1)
        return best

    def lie_in(self, step: Step, places: Iterable[tuple[str, str]]) -> Iterator[Any]:
        """For each account and Region: which resources of a step a call from there may name."""
        regions, accounts = (self.frame(step)[name].astype(str).to_numpy() for name in ("region", "account"))
        anywhere = (accounts == "") | (step.on == "document")  # `outcomes` knows who sees those of other accounts
        for account, region in places:
            yield (regions == region) & (anywhere | (accounts == account))


def _find_places(frame: pd.DataFrame) -> Codes:
    """A number for account, Region and kind of ARN."""
    told = (frame["account"].astype(str), frame["region"].astype(str), frame.index.str.contains(":instance/"))
    return combine([pd.factorize(column)[0] for column in told], len(frame))


def _wanted_tags(statement: Statement, keys: tuple[str, ...]) -> dict[str, str]:
    """Values of tags with which each condition on one holds in an Allow, and fails in a Deny; none where it reads a
    variable.
    """
    wanted, found = FALSE if statement.effect == "Deny" else TRUE, dict[str, str]()
    for condition in (c for c in statement.conditions if c.keys[0].startswith(keys)):
        if len(condition.keys) > 1:
            return {}
        values = (re.sub(r"[*?]", "x", condition.values[0]), "something else")
        fitting = (value for value in values if condition.decide([value]).truth is wanted)
        found |= {condition.keys[0].split("/", 1)[1]: value for value in islice(fitting, 1)}
    return found


def _written(statements: Iterable[Statement], keys: tuple[str, ...]) -> dict[str, str]:
    """The keys of tags that conditions name, by themselves in lower case, as they write them."""
    conditions = [condition for statement in statements for condition in statement.conditions]
    named = [c.key.split("/", 1)[1] for c in conditions if c.keys[0].startswith(keys)]
    named += [value for c in conditions if c.keys[0] == "aws:tagkeys" for value in c.values]
    return {name.lower(): name for name in named}


def _list_requests(tags: Tags, asked: Mapping[str, str], spelt: Mapping[str, str]) -> Iterator[Given]:
    """What a request says of its tags that sets these: alone, and beside all others that are asked of it."""
    keys = tuple(spelt.get(key, key) for key, _ in tags)
    others = tuple(name for key, name in asked.items() if key not in dict(tags))
    given: Given = {_SAID[0] + key: value for key, value in tags if key in asked}
    yield {"aws:TagKeys": keys, **given, **dict.fromkeys((_SAID[0] + name for name in others), None)}
    if others:
        yield {"aws:TagKeys": (*keys, *others), **given}


def _tie(step: Step, is_first: bool, context: Given, tags: Iterable[Tags]) -> Step:
    """A step of a way that tags: the request, and what it finds tagged."""
    step = replace(step, context=context) if is_first else step
    return replace(step, tags=tuple(tags)) if step.on.endswith("other tags") else step


def _plain(accounts: Mapping[str, str]) -> pd.DataFrame:
    """Resources of which only ARN and account are known."""
    frame = pd.DataFrame({"account": [*accounts.values()]}, index=pd.Index([*accounts], dtype="str"), dtype="str")
    return frame.assign(region=_IAM_REGION, tags_known=False)
