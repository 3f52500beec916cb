"""Statements in use: what each covers, whom it binds, what stands beside it.

A statement is asked about example ARNs made from its own Resource texts (their partition, Region, account, document),
so that no rule looks at every node.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import product
from typing import Final

from ssmlab.conditions import Condition
from ssmlab.evaluation import Outcome, PolicySet, decide, parse_principal
from ssmlab.evaluation.requests import ContextValue
from ssmlab.paths import Paths, find_paths
from ssmlab.patterns import ABSENT, NOT_KNOWN, Value, action_matches
from ssmlab.policies import Policy, State, Statement
from ssmlab.reachability.callers import Person, read_principals, recall_people
from ssmlab.services import ACTIONS, TAG_KEYS, list_names, resource_type
from ssmlab.snapshots import Snapshot
from ssmlab.snapshots.schema import TAG, list_tags
from ssmlab.truth import TRUE

SEND: Final = "ssm:SendCommand"
NODE_TAGS: Final = (*TAG_KEYS, "ec2:resourcetag/")
AWS_NAMES: Final = ("document/AWS", "document/Amazon")
# What the rules are about: Systems Manager, and the tags its limits hang on. [Service Authorization Reference]
_OURS: Final = ("ssm:", "ec2:CreateTags", "ec2:DeleteTags", "ec2:DescribeInstances")
# Where neither a statement nor what was loaded names an account or a Region.
_ACCOUNT, _REGIONS = "111122223333", ("eu-west-1", "us-east-1", "ap-southeast-2")
EXAMPLES: Final = {
    "document": "arn:{0}:ssm:{1}::document/{3}",  # of AWS
    "instance": "arn:{0}:ec2:{1}:{2}:instance/i-0fedcba9876543210",
    "managed-instance": "arn:{0}:ssm:{1}:{2}:managed-instance/mi-0fedcba9876543210",
}
NODES: Final = frozenset({"instance", "managed-instance"})
Tags = Callable[[str], Value]
Given = Mapping[str, ContextValue | None]
_UNTAGGED: Final[Tags] = lambda _: ABSENT  # noqa: E731
_NONE: Final[Given] = {}


@lru_cache(maxsize=4096)
def reached_by(actions: tuple[str, ...], not_action: bool = False) -> frozenset[str]:
    """Those of the actions the rules are about that an Action or NotAction element covers."""
    ours = (name for name in ACTIONS if name.startswith(_OURS))
    return frozenset(a for a in ours if any(action_matches(pattern, a) for pattern in actions) is not not_action)


@lru_cache(maxsize=4096)
def misspelt(actions: tuple[str, ...]) -> tuple[str, ...]:
    """Those of an Action element that name Systems Manager and cover none of its actions."""
    named = (pattern for pattern in actions if pattern.lower().startswith("ssm:"))
    return tuple(p for p in named if not any(action_matches(p, name) for name in list_names()))


def holds_without(condition: Condition) -> bool:
    """Does a condition hold where its key is absent?"""
    return condition.decide([ABSENT] * len(condition.keys)).truth is TRUE


@dataclass(frozen=True, eq=False)
class Used:
    """A statement of a policy that binds somebody.

    Attributes
    ----------
    place
        Its number among those statements of the policy that the rules are about.
    people
        Whom it binds, one for each account and set of policies.
    """

    layer: str
    policy: Policy
    statement: Statement
    place: int
    people: list[Person]
    site: Site

    @cached_property
    def reached(self) -> frozenset[str]:
        """The actions it covers, of those that the rules are about."""
        return reached_by(self.statement.actions, self.statement.not_action)

    def allows(self, action: str) -> bool:
        """Is it an Allow for an action, and not one for everything (an administrator's)?"""
        return self.statement.effect == "Allow" and action in self.reached and self.statement.actions != ("*",)

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """Resource or NotResource as written."""
        listed = self.statement.source.get("Resource", self.statement.source.get("NotResource", ()))
        return (listed,) if isinstance(listed, str) else tuple(listed)

    @cached_property
    def arns(self) -> dict[str, list[str]]:
        """The texts that have the six parts of an ARN, with the parts."""
        return {text: text.split(":", 5) for text in self.texts if text.count(":") > 4}

    def literals(self, part: int) -> list[str]:
        """What stands, without wildcards, in one part of its ARNs."""
        return sorted({p[part] for p in self.arns.values() if p[part] and not {*p[part]} & {*"*?$"}})

    def takes_in(self, arn: str) -> bool:
        """Does its Resource take in an ARN, for certain?"""
        return self.statement.decide_resource(arn, lambda _: NOT_KNOWN).truth is TRUE

    def covers(self, kind: str, region: str = "") -> bool:
        """Does its Resource take in AWS-owned documents, or any node of a kind, somewhere or in one Region?"""
        named = (parts[5][9:] for parts in self.arns.values() if parts[5].startswith(AWS_NAMES))
        documents = [*(name.replace("*", "x").replace("?", "x") for name in named), "AWS-RunShellScript"]
        regions, accounts = self.literals(3) or _REGIONS[:1], self.literals(4) or [self.people[0].caller.account]
        places = product(self.literals(1) or ["aws"], [region] if region else regions, accounts, documents)
        return any(self.takes_in(EXAMPLES[kind].format(*place)) for place in places)

    @cached_property
    def kinds(self) -> frozenset[str]:
        """Which of AWS-owned "document", "instance" and "managed-instance" it covers as such, not by name."""
        return frozenset(kind for kind in EXAMPLES if self.covers(kind))

    @cached_property
    def tags(self) -> tuple[Condition, ...]:
        """Its conditions on the tags of nodes and documents."""
        return tuple(condition for condition in self.statement.conditions if condition.keys[0].startswith(TAG_KEYS))

    @cached_property
    def wants_tags(self) -> bool:
        """Does it fail on what has no tags?"""
        return not all(map(holds_without, self.tags))

    @cached_property
    def document_regions(self) -> frozenset[str]:
        """The Regions of the documents it names, if it names them and nothing else; else empty."""
        regions = {p[3] for p in self.arns.values() if p[2] == "ssm" and p[5].startswith("document/")}
        is_all = regions == {*self.literals(3)} and all(p[5].startswith("document/") for p in self.arns.values())
        return frozenset(regions if is_all and len(self.arns) == len(self.texts) else ())

    def is_alone(self, helps: Callable[[Used], bool]) -> bool:
        """Does it bind somebody whom no statement of the same layer helps, itself among them?"""
        return any(not any(map(helps, self.site.beside(person, self.layer))) for person in self.people)


@dataclass(frozen=True, eq=False)
class Site:
    """A snapshot as the rules ask it; `other_ways`: also about ways round; `tried`: what `tagging` found."""

    snapshot: Snapshot
    other_ways: bool = True
    tried: dict[tuple[str, str], Mapping[int, Sequence[tuple[str, Tags]]]] = field(default_factory=dict, repr=False)

    @cached_property
    def people(self) -> list[Person]:
        """One principal for each account and set of policies; nobody can change those of service-linked roles.

        Loose policies, where no user or role was loaded, count as somebody's each.
        """
        people = recall_people(self.snapshot)
        if all(person.caller.kind == "root" for person in people):
            caller = parse_principal(f"arn:aws:iam::{next(iter(self._places), _ACCOUNT)}:user/somebody")
            loose = (PolicySet(identity=(policy,)) for policy in self.snapshot.compiled.values())
            people = [*people, *(Person(caller, policies, caller.keys, True) for policies in loose)]
        return list({(id(p.policies), p.caller.account): p for p in people if not p.caller.is_service_linked}.values())

    @cached_property
    def _used(self) -> dict[tuple[str, int], list[Used]]:
        found: dict[tuple[str, int], list[Used]] = {}
        for person in self.people:
            for layer, policy in _layers(person.policies):
                if (layer, id(policy)) not in found:
                    readable = (s for s in policy.statements if s.state is State.READABLE)
                    ours = (s for s in readable if reached_by(s.actions, s.not_action) or misspelt(s.actions))
                    found[layer, id(policy)] = [Used(layer, policy, s, n, [], self) for n, s in enumerate(ours)]
                for used in found[layer, id(policy)]:
                    used.people.append(person)
        return found

    def beside(self, person: Person, layer: str) -> list[Used]:
        """The statements of one layer that bind a person."""
        return [used for name, p in _layers(person.policies) if name == layer for used in self._used[layer, id(p)]]

    @property
    def used(self) -> list[Used]:
        """The statements in use that the rules are about, in the order of the policies."""
        order = {policy: place for place, policy in enumerate(self.snapshot.policies.index)}
        found = [used for listed in self._used.values() for used in listed]
        return sorted(found, key=lambda used: order.get(used.policy.name, len(order)))

    @cached_property
    def paths(self) -> Paths:
        """All ways to the nodes; found when a rule first asks, since this takes longer than all rules together."""
        return find_paths(self.snapshot)

    @cached_property
    def spellings(self) -> dict[str, list[str]]:
        """The tag keys of nodes, documents and conditions by their form in lower case."""
        frames = (self.snapshot.nodes, self.snapshot.documents)
        columns = {name.removeprefix(TAG) for f in frames for name in list_tags(f) if f[name].notna().any()}
        found: dict[str, list[str]] = {}
        for key in sorted(columns | {c.key.split("/", 1)[1] for used in self.used for c in used.tags}):
            found.setdefault(key.lower(), []).append(key)
        return found

    @cached_property
    def _places(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for arn in self.snapshot.nodes.drop_duplicates(["account", "region"]).index:
            _, partition, _, region, account, _ = arn.split(":", 5)
            found.setdefault(account, {})[region] = partition
        return found

    def places(self, person: Person) -> dict[str, str]:
        """The Regions of a person's nodes, with their partition: `aws`, `aws-cn`, `aws-us-gov`."""
        return self._places.get(person.caller.account) or dict.fromkeys(_REGIONS, person.caller.arn.split(":")[1])

    def decide(self, person: Person, action: str, arn: str, tags: Tags = _UNTAGGED, given: Given = _NONE) -> bool:
        """Is it allowed, or may it be, on a resource with these tags (asked by their key in lower case)?"""
        kind, row = resource_type(action, arn) or "", ACTIONS[action]
        principal = read_principals([person], row, kind, given)[0]

        def lookup(key: str) -> Value:
            is_tag = key.startswith(NODE_TAGS) and row.supplies(key, kind)
            return tags(key.split("/", 1)[1]) if is_tag else principal.lookup(key)

        decision = decide(person.caller, action, arn, person.caller.account, lookup, person.policies)
        return decision.outcome in (Outcome.ALLOWED, Outcome.CONDITIONAL)


def _layers(policies: PolicySet) -> Iterator[tuple[str, Policy]]:
    """The policies that bind, by layer; RCPs do not reach Systems Manager."""
    scps = {id(policy): policy for level in policies.scps or () for policy in level}
    for layer, listed in (("identity", policies.identity), ("boundary", policies.boundary), ("scp", scps.values())):
        yield from ((layer, policy) for policy in listed or ())
