"""Beyond the inventory: requests, made from the texts of two policies, that the two decide differently.

Whether two policies allow the same is not decided here: finding no witness proves nothing. What is tried are resources
and condition keys in all the ways that the texts of the policies set apart: each literal, texts that each wildcard
takes in, near misses, the key absent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations, islice, product
from typing import Any, Final

import pandas as pd

from ssmlab.conditions import Condition
from ssmlab.evaluation import PolicySet, Request, evaluate
from ssmlab.patterns import ABSENT
from ssmlab.policies import Policy, Statement, parse_policy
from ssmlab.reachability.candidates import Given, fill, joined, list_values, near_misses, sample
from ssmlab.services import ACTIONS, resource_type
from ssmlab.truth import TRUE

_COLUMNS: Final = ("resource", "context", "before", "after", "more", "words")
_MOST: Final = 12_000  # requests that are tried
_MOST_OF_EACH: Final = 12  # values of a key
_MOST_RESOURCES: Final = 60
_ACCOUNTS: Final = ("111122223333", "444455556666")
_REGIONS: Final = ("eu-west-1", "us-east-1", "ap-southeast-2", "eu-central-1")
_A_REGION, _AN_ACCOUNT = re.compile(r"[a-z]{2}(-[a-z]+)+-\d"), re.compile(r"\d{12}")
_ARN_PARTS: Final = 6
_KINDS: Final = {  # of resource: its ARN, and a name that no policy means
    "instance": ("arn:aws:ec2:{}:{}:instance/{}", "i-0fedcba9876543210"),
    "managed-instance": ("arn:aws:ssm:{}:{}:managed-instance/{}", "mi-0fedcba9876543210"),
    "document": ("arn:aws:ssm:{}:{}:document/{}", "AnotherDocument"),
    "document of AWS": ("arn:aws:ssm:{0}::document/{2}", "AWS-RunShellScript"),
}
_DERIVED: Final = ("aws:principal", "aws:resourceaccount", "aws:username", "aws:userid")  # keys that follow from ARNs
_OWN_TAGS: Final = "aws:principaltag/"
_REQUESTED: Final = "aws:requestedregion"
_WORDS: Final = {
    "allowed": "allows",
    "conditional": "may allow",
    "explicitDeny": "denies",
    "implicitDeny": "does not allow",
}
Document = Policy | Mapping[str, Any] | str
Context = dict[str, Given]
Witness = tuple[str, Context, str, str]


@dataclass(frozen=True, slots=True)
class Space:
    """What may be asked on one resource: the values of each key (None: absent)."""

    resource: str
    keys: Mapping[str, Sequence[Given | None]]

    @property
    def size(self) -> int:
        """How many requests there are."""
        found = 1
        for values in self.keys.values():
            found *= len(values)
        return found


def find_witnesses(
    before: Document, after: Document, action: str = "ssm:SendCommand", most: int = _MOST
) -> pd.DataFrame:
    """Find requests that one policy allows and the other does not, whether or not the inventory holds such a thing.

    Each policy is asked as the only identity policy of a user in the resource's account.

    Parameters
    ----------
    before, after
        Documents: dict, JSON text or `Policy`.
    most
        Requests at most. Where more can be made, those are tried that set or change up to two keys of what a statement
        asks for.

    Returns
    -------
    pandas.DataFrame
        A row a witness, with as few keys as needed: `resource` (ARN), `context` (dict), `before`, `after` (outcomes),
        `more` resources of the same kind for which the same holds, `words`. `attrs`: `tried` requests, and whether
        these were `all` that can be made from the texts.

    Raises
    ------
    PolicyError
        For a text that is no JSON object.

    Examples
    --------
    >>> policy = {"Effect": "Allow", "Action": "ssm:SendCommand", "Resource": "arn:aws:ssm:*:*:document/Web-*"}
    >>> found = find_witnesses({"Statement": policy}, {"Statement": policy | {"Resource": "*:document/Web-?"}})
    >>> found["words"].head(1).item()
    'own document `Web-` (and 4 more like it): the first policy allows it, the second does not allow it'
    """
    policies = [
        policy if isinstance(policy, Policy) else parse_policy(policy, name=name)
        for policy, name in ((before, "first"), (after, "second"))
    ]
    statements = [s for policy in policies for s in policy.statements if s.covers_action(action)]
    spaces = list_spaces(statements, action)
    spelt = {c.keys[0]: c.key for s in statements for c in s.conditions}
    found: list[Witness] = []
    tried = 0
    for space in spaces:
        asked = [_asker(space.resource, policy, action) for policy in policies]
        for context in islice(_contexts(space, statements, most // len(spaces)), most // len(spaces)):
            tried += 1
            first, second = (ask(context) for ask in asked)
            if first != second and {first, second} != {"explicitDeny", "implicitDeny"}:
                spelt_out = {spelt.get(key, key): value for key, value in context.items()}
                found.append((space.resource, spelt_out, first, second))
    frame = pd.DataFrame([*_fold(_smallest(found))], columns=list(_COLUMNS))
    frame.attrs.update(tried=tried, all=tried == sum(space.size for space in spaces))
    return frame


def list_spaces(statements: Sequence[Statement], action: str) -> list[Space]:
    """The resources that the statements set apart, each with the keys and values that they do."""
    conditions = [condition for statement in statements for condition in statement.conditions]
    found = []
    for resource in _resources(statements, conditions):
        kind = resource_type(action, resource) or ""
        keys = _keys(conditions, action, kind)
        if _REQUESTED in keys:
            keys[_REQUESTED] = [resource.split(":")[3]]
        found.append(Space(resource, keys))
    return found


def _keys(conditions: Sequence[Condition], action: str, kind: str) -> dict[str, list[Any]]:
    """The keys that a call may carry for a resource of a kind, with their values; absent comes first."""
    found: dict[str, list[Any]] = {}
    for condition in conditions:
        for key in condition.keys:
            is_derived = key.startswith(_DERIVED) and not key.startswith(_OWN_TAGS)
            if not is_derived and (action not in ACTIONS or ACTIONS[action].supplies(key, kind)):
                values = list_values(condition, key)
                found.setdefault(key, [None]).extend(value for value in values if value not in found[key])
    return {key: values[:_MOST_OF_EACH] for key, values in found.items()}


def _resources(statements: Sequence[Statement], conditions: Sequence[Condition]) -> list[str]:
    """ARNs of every kind: each name in one place, one name in each place."""
    filled = [arn.split(":", 5) for s in statements for tokens in s.resources for arn in fill(tokens)]
    parts = [part for part in filled if len(part) == _ARN_PARTS]
    named = [str(value) for c in conditions if c.keys[0] == _REQUESTED for value in list_values(c, _REQUESTED)]
    regions = _places([*(p[3] for p in parts), *named], _A_REGION, _REGIONS)
    accounts = _places([p[4] for p in parts], _AN_ACCOUNT, _ACCOUNTS)
    found: dict[str, None] = {}
    for kind, (form, other) in _KINDS.items():
        names = [other, *_names(parts, kind, form)]
        places = [(region, account, name) for name in names for region, account in [(regions[0], accounts[0])]]
        places += [(*place, name) for place, name in product(product(regions, accounts), names[:2])]
        found |= dict.fromkeys(form.format(region, account, name) for region, account, name in places)
    return [*found][:_MOST_RESOURCES]


def _names(parts: Sequence[Sequence[str]], kind: str, form: str) -> list[str]:
    """Names that the Resource patterns take in, and near misses."""
    start = form.rpartition(":")[2].partition("/")[0] + "/"
    names = [*dict.fromkeys(p[5].removeprefix(start) for p in parts if p[5].startswith(start))]
    every = [*names, *(text for name in names if len(name) > 1 for text in near_misses(name)), *joined(names)]
    is_of_aws = kind == "document of AWS"
    return [name for name in every if len(name) > 1 and (not is_of_aws or name.startswith(("AWS", "Amazon")))]


def _places(texts: Iterable[str], form: re.Pattern[str], usual: Sequence[str]) -> list[str]:
    """Regions or accounts: the usual one, those that are named, and, where any is set apart, the other usual ones."""
    named = [*dict.fromkeys(text for text in texts if text not in ("", "x"))]
    return [*dict.fromkeys([usual[0], *filter(form.fullmatch, named), *(usual if named else ())])]


def _contexts(space: Space, statements: Sequence[Statement], most: int) -> Iterator[Context]:
    """All contexts where there are few; else what each statement asks for, with up to two keys changed."""
    keys = [*space.keys]
    if space.size <= most:
        yield from (_present(dict(zip(keys, values, strict=True))) for values in product(*space.keys.values()))
        return
    seen = set()
    bases = [{}, *(_satisfy(statement, space) for statement in statements)]
    for count in range(3):
        for base, chosen in product(bases, combinations(keys, count)):
            for values in product(*(space.keys[key] for key in chosen)):
                context = _present({**base, **dict(zip(chosen, values, strict=True))})
                name = repr(sorted(context.items()))
                if name not in seen:
                    seen.add(name)
                    yield context


def _satisfy(statement: Statement, space: Space) -> dict[str, Given | None]:
    """For each condition of a statement the first value with which it holds."""
    found: dict[str, Given | None] = {}
    for condition in statement.conditions:
        for values in islice(product(*(space.keys.get(key, [None]) for key in condition.keys)), _MOST_OF_EACH**2):
            if condition.decide([ABSENT if value is None else value for value in values]).truth is TRUE:
                found |= dict(zip(condition.keys, values, strict=True))
                break
    return {key: value for key, value in found.items() if key in space.keys}


def _present(context: Mapping[str, Given | None]) -> Context:
    return {key: value for key, value in context.items() if value is not None}


def _asker(resource: str, policy: Policy, action: str) -> Callable[[Context], str]:
    """What a policy says of a resource; asked once for all contexts that are alike in the keys that it reads."""
    who = f"arn:aws:iam::{resource.split(':')[4] or _ACCOUNTS[0]}:user/{sample('aws:username')}"
    keys = {key for s in policy.statements for key in (*s.resource_keys, *(k for c in s.conditions for k in c.keys))}
    own = PolicySet(identity=(policy,))

    @cache
    def decide(read: frozenset[tuple[str, Given]]) -> str:
        return str(evaluate(Request(who, action, resource, dict(read)), own).outcome.value)

    return lambda context: decide(frozenset(pair for pair in context.items() if pair[0] in keys))


def _smallest(found: Iterable[Witness]) -> list[Witness]:
    """Of witnesses on one resource with the same answers those that no smaller one is a part of."""
    kept: dict[tuple[str, str, str], list[Context]] = {}
    for resource, context, before, after in sorted(found, key=lambda row: len(row[1])):
        smaller = kept.setdefault((resource, before, after), [])
        if not any(part.items() <= context.items() for part in smaller):
            smaller.append(context)
    return [(name[0], context, name[1], name[2]) for name, contexts in kept.items() for context in contexts]


def _fold(found: Iterable[Witness]) -> Iterator[tuple[Any, ...]]:
    """One witness for all resources of a kind, and how many more there are."""
    alike: dict[Any, list[Witness]] = {}
    for row in found:
        alike.setdefault((_say_kind(row[0]), *row[2:], frozenset(row[1].items())), []).append(row)
    for rows in alike.values():
        yield *rows[0], len(rows) - 1, _say(*rows[0], len(rows) - 1)


def _say(resource: str, context: Context, before: str, after: str, more: int) -> str:
    """A witness as a sentence."""
    told = [f"{key} = {_say_value(value)}" for key, value in context.items()]
    what = f"{_say_resource(resource)}{' with ' if told else ''}{' and '.join(told)}"
    what += f" (and {more} more like it)" if more else ""
    return f"{what}: the first policy {_WORDS[before]} it, the second {_WORDS[after]} it"


def _say_value(value: Given) -> str:
    return f"`{value}`" if isinstance(value, str) else f"[{', '.join(f'`{one}`' for one in value)}]"


def _say_resource(resource: str) -> str:
    region, account, rest = resource.split(":", 5)[3:]
    place = [region] if region != _REGIONS[0] else []
    place += [f"account {account}"] if account not in ("", _ACCOUNTS[0]) else []
    return f"{_say_kind(resource)} `{rest.partition('/')[2]}`{' in ' if place else ''}{', '.join(place)}"


def _say_kind(resource: str) -> str:
    account, rest = resource.split(":", 5)[4:]
    kind = rest.partition("/")[0].replace("-", " ")
    return f"{kind} of AWS" if not account else f"own {kind}" if kind == "document" else kind
