"""A part of the question, node or document, taken apart: layers, the statements that matter in them, their elements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from ssmlab.conditions import OPERATORS, Condition, parse_operator
from ssmlab.evaluation import Asked, Decision, Found, Place, PolicySet, arrange, decide, find_statements
from ssmlab.evaluation.requests import Lookup
from ssmlab.explanation.words import quote, say_actual, say_statement, say_value, say_wanted
from ssmlab.patterns import Variable, Wild, parse_text, plain_text, resolve, split_arn, split_segments
from ssmlab.policies import State, Statement
from ssmlab.truth import FALSE, TRUE, Truth

_FAR: Final = 10  # counts as so many conditions that fail
_MOST_NEAR: Final = 3
_LAYERS: Final = {"boundary": "permissions boundary", "session": "session policy", "scp": "SCP level {} of {}"}
_SILENT: Final = {
    "identity": "no policy of the principal allows",
    "boundary": "the permissions boundary does not allow",
    "session": "the session policy does not allow",
    "scp": "the service control policies at level {} of {} do not allow",
}


@dataclass(frozen=True, slots=True)
class Part:
    """The node or the document of a question: what kind it is, how it is called, what is asked, by whose policies."""

    kind: str
    name: str
    asked: Asked
    policies: PolicySet

    def decide(self) -> Decision:
        """The single decision; the caller acts in its own account."""
        caller, action, resource, lookup = self.asked
        return decide(caller, action, resource, caller.account, lookup, self.policies)


class Element(NamedTuple):
    """Resource or a condition of a statement: what it wants, what is there, does it hold; `gap`: both as a clause."""

    name: str
    wanted: str
    actual: str
    truth: Truth
    gap: str
    condition: Condition | None = None


def find_places(part: Part) -> tuple[list[Found], dict[Place, list[Found]]]:
    """The statements that deny or may deny, and those that allow or not by the layers that there are.

    Nodes and documents have no policies of their own.
    """
    said: dict[Place, list[Found]] = {}
    for item in find_statements(part.asked, part.policies):
        said.setdefault(item.place, []).append(item)
    found = arrange(said, part.policies, part.asked.caller, never=[], always=None)
    layers = {("identity", 0): found.identity, ("boundary", 0): found.boundary, ("session", 0): found.session}
    layers |= {("scp", level): items for level, items in enumerate(found.scps)}
    present: dict[Place, list[Found]] = {place: items for place, items in layers.items() if items is not None}
    return [item for item in found.deny or () if item.truth is not FALSE], present


def best(items: Iterable[Found]) -> Truth:
    """The truth of a layer."""
    return max((item.truth for item in items), default=FALSE)


def call_layer(place: Place, part: Part) -> str:
    """A layer, of SCPs also the level."""
    return _LAYERS.get(place[0], place[0]).format(int(place[1]) + 1, len(part.policies.scps or ()))


def say_silent(place: Place, items: Sequence[Found], part: Part) -> str:
    """A clause on a layer that does not allow: which, and what its nearest statement lacks."""
    words = _SILENT[place[0]].format(int(place[1]) + 1, len(part.policies.scps or ()))
    if not items:
        return f"{words} `{part.asked.action}`"
    return f"{words} the {part.kind}" + (f": {gaps}" if (gaps := _say_gaps(items, part)) else "")


def say_missed(part: Part, policy: str) -> str:
    """What keeps the nearest Deny of a policy about such resources from applying; empty: nothing, or there is none."""
    found = find_statements(part.asked, part.policies)
    own = [item for item in found if item.applied.statement.effect == "Deny" and item.applied.policy == policy]
    near = [item for item in own if _count_lacks(item, part) < _FAR]
    return _say_gaps(near, part) if near and best(own) is FALSE else ""


def _say_gaps(items: Sequence[Found], part: Part) -> str:
    """What the nearest statement lacks; where none is about such a resource, what they are about."""
    item = choose(items, part)[0]
    gaps = [element.gap for element in read_elements(item, part) if element.truth is FALSE]
    if gaps and _count_lacks(item, part) > _FAR:
        wanted = [
            f"{read_elements(each, part)[0].wanted} ({say_statement(each.applied)})" for each in items[:_MOST_NEAR]
        ]
        return f"no statement names it, only {' and '.join(wanted)}"
    return f"{', and '.join(gaps)} ({say_statement(item.applied)})" if gaps else ""


def say_held(item: Found, part: Part) -> str:
    """The conditions of a statement that hold, as they are: the node's tag `Env` is `prod`."""
    held = (e.condition.key for e in read_elements(item, part) if e.condition and e.truth is TRUE)
    return " and ".join(say_actual(key, part.asked.lookup(key.lower()), part.kind) for key in held)


def choose(items: Sequence[Found], part: Part) -> list[Found]:
    """The statements of a layer that matter: those that allow, else those that may, else those that come nearest."""
    truth = best(items)
    if truth is not FALSE:
        return [item for item in items if item.truth is truth]
    lacks = [_count_lacks(item, part) for item in items]
    return [item for item, lack in zip(items, lacks, strict=True) if lack == min(lacks)][:_MOST_NEAR]


def _count_lacks(item: Found, part: Part) -> int:
    """How far a statement is from allowing: one for each condition that fails, more for resources of another kind."""
    elements = read_elements(item, part)
    lacks = [element for element in elements if element.truth is FALSE]
    kind = part.asked.resource.rpartition(":")[2].partition("/")[0].rpartition("-")[2]
    strange = any(not element.condition and f"{kind}/" not in element.wanted for element in lacks)
    return len(lacks) + _FAR * (strange or not lacks)


def read_elements(item: Found, part: Part) -> list[Element]:
    """Resource and the conditions of a statement; none where it cannot be read."""
    statement = item.applied.statement
    if statement.state is not State.READABLE:
        return []
    return [_read_resource(statement, part), *(_read(condition, part) for condition in statement.conditions)]


def _read(condition: Condition, part: Part) -> Element:
    lookup = part.asked.lookup
    values = [lookup(key) for key in condition.keys]
    texts = [_fill(text, lookup) for text in condition.values] if len(values) > 1 else condition.values
    wanted = say_wanted(condition.operator, texts)
    gap = f"{say_actual(condition.key, values[0], part.kind)}, the policy wants {wanted}"
    of_set, base, _ = parse_operator(condition.operator)
    if base in OPERATORS and any("${" in str(token) for tokens in condition.identity[2] for token in tokens):
        gap += ', as plain text: a variable is filled in only under `"Version": "2012-10-17"`'
    if isinstance(values[0], tuple) and base in OPERATORS and not of_set:
        single = f"`{condition.operator}` compares one value"
        gap = f"`{condition.key}` is a list, and {single}: a list needs `ForAllValues:` or `ForAnyValue:`"
    name = f"{condition.operator} {condition.key}"
    return Element(name, wanted, say_value(values[0]), condition.decide(values).truth, gap, condition)


def _fill(text: str, lookup: Lookup) -> str:
    """A text of a policy with its variables filled in, where they have a value."""
    resolved = resolve(parse_text(text), lookup)
    return text if resolved.may_lack else plain_text(resolved.readings[0])


def _read_resource(statement: Statement, part: Part) -> Element:
    arn = part.asked.resource
    texts = [plain_text(tuple(map(_write, tokens))) for tokens in statement.resources] or ["*"]
    wanted = ("anything but " if statement.not_resource else "") + quote(texts)
    truth, regions = statement.decide_resource(arn, part.asked.lookup).truth, list[str]()
    gap = f"the ARN of the {part.kind} is {quote([arn])}, the policy wants {wanted}"
    if truth is FALSE and not statement.not_resource and (cut := split_arn(arn)):
        named = (split_segments(tokens) for tokens in statement.resources)
        regions = [plain_text(segments[3]) for segments in named if len(segments) == len(cut)]
        elsewhere = [region for region in regions if region and _covers(statement, part, (*cut[:3], region, *cut[4:]))]
        if elsewhere:
            gap = f"the {part.kind} is in {cut[3]}, the policy wants {' or '.join(dict.fromkeys(elsewhere))}"
    return Element("NotResource" if statement.not_resource else "Resource", wanted, quote([arn]), truth, gap)


def _covers(statement: Statement, part: Part, arn: Sequence[str]) -> bool:
    return statement.decide_resource(":".join(arn), part.asked.lookup).truth is TRUE


def _write(token: str | Wild | Variable) -> str | Wild:
    return f"${{{token.key}}}" if isinstance(token, Variable) else token
