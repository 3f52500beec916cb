"""The smallest changes that turn an answer: each is applied and decided again before it is named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice, product
from typing import Final, NamedTuple

from ssmlab.conditions import Condition
from ssmlab.evaluation import Found, Outcome, Place
from ssmlab.explanation.parts import Element, Part, best, call_layer, choose, find_places, read_elements, say_silent
from ssmlab.explanation.words import say_actual, say_policy, say_statement, say_subject
from ssmlab.patterns import ABSENT, Ambiguous, Value, parse_text, resolve, split_arn
from ssmlab.policies import State
from ssmlab.services import TAG_KEYS
from ssmlab.truth import FALSE, TRUE, Truth

MOST: Final = 5
_MOST_TRIED: Final = 256
_POLICY: Final = 2  # a change of a policy counts as two values
_FIXED: Final = (  # keys that follow from what is asked; `Caller.keys` holds those that follow from who asks
    "aws:requestedregion",
    "aws:resourceaccount",
    "ssm:documenttype",
    "aws:principalisawsservice",
    "aws:principalservicename",
)
_VALUES: Final = (  # of each type some; what is named is never these, but what the policy wants
    *("other", "0", "1000000000", "true", "false"),
    *("1970-01-01T00:00:00Z", "2100-01-01T00:00:00Z", "192.0.2.1", "2001:db8::1"),
)


class Trial(NamedTuple):
    """The value that a change gives a tag of the "node" or "document", or a key of the "request"; None: no value."""

    of: str
    key: str
    value: str | None


class Change(NamedTuple):
    """One change, in words by which it is known, what it makes of a part, and its size: policies weigh more.

    `trial`: how to try it, where it is no change of a policy.
    """

    words: str
    apply: Callable[[Part], Part]
    size: int = 1
    trial: Trial | None = None


Way = tuple[Change, ...]


def find_changes(parts: Sequence[Part], outcome: Outcome) -> list[Way]:
    """The smallest sets of changes that allow what is not allowed, or end what is; at most `MOST`, all of one size."""
    is_allowed = outcome is Outcome.ALLOWED
    tried = _join(chain.from_iterable(map(_endings, parts))) if is_allowed else _join(product(*_obstacles(parts)))
    found: list[Way] = []
    for way in sorted(tried, key=_measure):
        if len(found) == MOST or (found and not _is_as_small(way, found[0], outcome)):
            break
        if (_decide(parts, way) is Outcome.ALLOWED) is not is_allowed:
            found.append(way)
    return found


def _is_as_small(way: Way, smallest: Way, outcome: Outcome) -> bool:
    """Of one size; where one change is enough, any other single one too, unless only what is open is asked for."""
    if len(smallest) == 1 and outcome is not Outcome.CONDITIONAL:
        return len(way) == 1
    return _measure(way) == _measure(smallest)


def _measure(way: Way) -> int:
    return sum(change.size for change in way)


def _decide(parts: Iterable[Part], way: Way) -> Outcome:
    for change in way:
        parts = [change.apply(part) for part in parts]
    outcomes = [part.decide().outcome for part in parts]
    return next((outcome for outcome in outcomes if outcome is not Outcome.ALLOWED), Outcome.ALLOWED)


def _join(chosen: Iterable[Sequence[Way]]) -> Iterable[Way]:
    """Sets of ways as one way each, every change once."""
    ways = (tuple({change.words: change for way in ways for change in way}.values()) for ways in chosen)
    return {frozenset(change.words for change in way): way for way in islice(ways, _MOST_TRIED)}.values()


def _obstacles(parts: Iterable[Part]) -> Iterator[list[Way]]:
    """What keeps the parts from being allowed: for each obstacle the ways to take it away."""
    for part in parts:
        denying, places = find_places(part)
        for item in denying:
            is_missing = item.applied.statement.state is State.UNKNOWN
            words = f"{say_statement(item.applied)} {'denies' if item.truth is TRUE else 'may deny'} the {part.kind}"
            yield [*_break(item, part, _say_hit), (_reveal(item) if is_missing else _remove(item, words),)]
        for place, items in places.items():
            if best(items) is not TRUE:
                mended = [way for item in items if (way := _mend(item, part))]
                yield [*sorted(mended, key=len), (_grant(place, items, part, bool(mended)),)]


def _endings(part: Part) -> Iterable[tuple[Way, ...]]:
    """What would end an allow: for every statement of the granting layer that allows, a way to stop it."""
    items = next((choose(items, part) for items in find_places(part)[1].values() if items), [])
    without = ((_remove(item, f"{say_statement(item.applied)} is taken away"),) for item in items)
    ways = [[*_break(item, part, _say_end), way] for item, way in zip(items, without, strict=True)]
    return product(*ways) if ways else ()


def _mend(item: Found, part: Part) -> Way | None:
    """New values for all conditions of a statement that do not hold; None if that is not enough, or cannot be."""
    failing = [element for element in read_elements(item, part) if element.truth is not TRUE]
    changes = [_change_value(e, TRUE, part, f"{e.gap} ({say_statement(item.applied)})") for e in failing]
    return None if None in changes else tuple(change for change in changes if change)


def _break(item: Found, part: Part, say: Callable[[Found, Element, Part], str]) -> list[Way]:
    """New values for single conditions of a statement, so that it applies no more."""
    held = [element for element in read_elements(item, part) if element.condition and element.truth is not FALSE]
    changes = (_change_value(element, FALSE, part, say(item, element, part)) for element in held)
    return [(change,) for change in changes if change]


def _say_hit(item: Found, element: Element, part: Part) -> str:
    condition, verb = element.condition, "applies because" if item.truth is TRUE else "may apply:"
    assert condition is not None
    value = part.asked.lookup(condition.keys[0])
    more = "" if value in condition.values else f", it denies {element.wanted}"
    return f"the deny in {say_statement(item.applied)} {verb} {say_actual(condition.key, value, part.kind)}{more}"


def _say_end(item: Found, element: Element, part: Part) -> str:
    assert element.condition is not None
    subject = say_subject(element.condition.key, part.kind)
    return f"another value of {subject}: {say_statement(item.applied)} wants {element.wanted}"


def _remove(item: Found, words: str) -> Change:
    statement = item.applied.statement
    return Change(words, lambda part: replace(part, policies=part.policies.without(statement)), _POLICY)


def _reveal(item: Found) -> Change:
    """A policy that was not collected turns out to allow everything and to deny nothing."""
    applied = item.applied

    def apply(part: Part) -> Part:
        policies = part.policies.with_policy(_allow("*", "*"), applied.layer, applied.level)
        for other in part.policies.relevant(part.asked.action):
            policies = policies.without(other.statement) if other.policy == applied.policy else policies
        return replace(part, policies=policies)

    return Change(f"{say_policy(applied)} {'were' if applied.layer == 'scp' else 'was'} not collected", apply)


def _grant(place: Place, items: Sequence[Found], part: Part, near: bool) -> Change:
    """A statement more in a layer: for this resource, or where no statement names the action for all."""
    layer, level = place[0], int(place[1])
    missing = next((item for item in items if item.applied.statement.state is State.UNKNOWN), None)
    if missing:
        return _reveal(missing)
    other = f"no other statement ({call_layer(place, part)}) allows the {part.kind}"
    words = other if near else say_silent(place, items, part)
    policy = _allow(part.asked.action, part.asked.resource if items else "*")
    return Change(words, lambda p: replace(p, policies=p.policies.with_policy(policy, layer, level)), _POLICY)


def _allow(action: str, resource: str) -> dict[str, dict[str, str]]:
    return {"Statement": {"Effect": "Allow", "Action": action, "Resource": resource}}


def _change_value(element: Element, truth: Truth, part: Part, words: str) -> Change | None:
    """Another value of a condition's key, with which it holds or fails; None where nobody can change it."""
    condition, lookup = element.condition, part.asked.lookup
    if condition is None or not _can_change(condition.keys[0], part):
        return None
    rest = [lookup(key) for key in condition.keys[1:]]
    fits = (value for value in _guess(condition, part) if condition.decide([value, *rest]).truth is truth)
    value = next(fits, None)
    if value is None:
        return None
    key, changed = condition.keys[0], value if isinstance(value, str) else None
    trial = Trial("request", condition.key, changed)
    if key.startswith(TAG_KEYS):
        trial = Trial(part.kind, condition.key.partition("/")[2], changed)
    return Change(words, lambda p: _with_value(p, key, value, part.kind), trial=trial)


def _can_change(key: str, part: Part) -> bool:
    value, cut = part.asked.lookup(key), split_arn(part.asked.resource)
    if key in _FIXED or key in part.asked.caller.keys:
        return False
    if isinstance(value, Ambiguous) and len(value.candidates) == 1:  # the action does not supply it
        return False
    return not (key.startswith(TAG_KEYS) and cut and not cut[4])  # nobody tags what AWS owns


def _guess(condition: Condition, part: Part) -> Iterator[Value]:
    """Values among which one fits: those of the policy, then some of each type, then none."""
    resolved = (resolve(parse_text(text), part.asked.lookup) for text in condition.values)
    for reading in (reading for found in resolved for reading in found.readings):
        yield "".join(token if isinstance(token, str) else "x" for token in reading)
    plain = (text for text in condition.values if "${" not in text)
    yield from (text.partition("/")[0] for text in plain)  # a range of addresses begins with one
    yield from (*_VALUES, ABSENT)


def _with_value(part: Part, key: str, value: Value, kind: str) -> Part:
    """A part where a key has another value; a tag only of the node or the document, under each of its key's names."""
    tag = key.startswith(TAG_KEYS)
    if tag and part.kind != kind:
        return part
    names = {name + key.partition("/")[2] for name in TAG_KEYS} if tag else {key}
    before = part.asked.lookup
    return replace(part, asked=part.asked._replace(lookup=lambda asked: value if asked in names else before(asked)))
