"""How things are called: statements, condition keys, what a policy wants and what is there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ssmlab.conditions import OPERATORS, parse_operator
from ssmlab.evaluation import Applied, OpenCondition
from ssmlab.patterns import ABSENT, Ambiguous, Special, Value
from ssmlab.policies import State
from ssmlab.services import TAG_KEYS
from ssmlab.words import last_part

_MOST: Final = 4  # values of a condition that are named
_LONGEST: Final = 200  # characters of a text
_WANTED: Final = {  # operator -> what its values are to it, where it is neither "this" nor "anything but this"
    "NumericLessThan": "less than ",
    "NumericLessThanEquals": "at most ",
    "NumericGreaterThan": "more than ",
    "NumericGreaterThanEquals": "at least ",
    "DateLessThan": "a time before ",
    "DateLessThanEquals": "a time up to ",
    "DateGreaterThan": "a time after ",
    "DateGreaterThanEquals": "a time from ",
    "IpAddress": "an address in ",
    "NotIpAddress": "an address outside ",
}
_OF_SET: Final = {"": "", "ForAnyValue": "at least one of ", "ForAllValues": "only "}
_SPECIAL: Final = {Special.ABSENT: "absent", Special.UNKNOWN: "not known"}


def call_all(arns: Iterable[str]) -> list[str]:
    """The last parts of ARNs, with the end of the account where it sets two apart.

    >>> call_all(["arn:aws:iam::111122223333:root", "arn:aws:iam::444455556666:root"])
    ['root (…3333)', 'root (…6666)']
    """
    every = [*arns]
    owners: dict[str, set[str]] = {}
    for arn in every:
        owners.setdefault(last_part(arn), set()).add(arn)
    return [
        last_part(arn) + (f" (…{arn.split(':')[4][-4:]})" if len(owners[last_part(arn)]) > 1 else "") for arn in every
    ]


def say_statement(applied: Applied) -> str:
    """A statement by policy and Sid or number; the layer where it is not the principal's own."""
    layer = (
        "" if applied.layer == "identity" else f"{applied.layer.upper() if len(applied.layer) == 3 else applied.layer} "
    )
    return f"{layer}policy {applied.policy.rpartition('/')[2]}, statement {applied.sid or applied.index + 1}"


def say_policy(applied: Applied) -> str:
    """The policy of a statement; of an organization that was not collected no policy has a name."""
    if applied.layer == "scp" and applied.statement.state is State.UNKNOWN:
        return "the service control policies"
    return say_statement(applied).rpartition(", statement")[0]


def quote(texts: Iterable[str], joined: str = " or ") -> str:
    """Texts of the data, each between backticks, long ones cut."""
    every = [f"`{text if len(text) <= _LONGEST else text[:_LONGEST] + '…'}`" for text in texts]
    return joined.join(every[:_MOST]) + (f"{joined}{len(every) - _MOST} more" if len(every) > _MOST else "")


def say_subject(key: str, kind: str = "") -> str:
    """A condition key as people call it: the node's tag `Finance`. `kind`: "node", "document"."""
    name, _, tag = key.partition("/")
    if key.lower().startswith(TAG_KEYS):
        return f"the {kind}'s tag `{tag}`" if kind else f"tag `{tag}`"
    return f"the principal's tag `{tag}`" if name.lower() == "aws:principaltag" else f"`{key}`"


def say_wanted(operator: str, values: Iterable[str]) -> str:
    """What a condition asks for: `a` or `b`, anything but `c`, no value."""
    of_set, base, if_exists = parse_operator(operator)
    if base not in OPERATORS:
        return "no value" if "true" in {value.lower() for value in values} else "any value"
    words = _WANTED.get(base, "anything but " if OPERATORS[base].negated else "")
    rest = (" in any case" if "IgnoreCase" in base else "") + (", if it has a value" if if_exists else "")
    return f"{_OF_SET[of_set]}{words}{quote(values)}{rest}"


def say_value(value: Value) -> str:
    """A value of the request as it is."""
    if isinstance(value, Special):
        return _SPECIAL[value]
    if isinstance(value, Ambiguous):
        return " or ".join(map(say_value, value.candidates))
    return quote([value]) if isinstance(value, str) else quote(value, " and ") or "empty"


def say_actual(key: str, value: Value, kind: str) -> str:
    """A clause: the node's tag `Finance` is `WebServer`; the node has no tag `Finance`."""
    if key.lower().startswith(TAG_KEYS) and value is ABSENT:
        return f"the {kind} has no tag `{key.partition('/')[2]}`"
    return f"{say_subject(key, kind)} is {say_value(value)}"


def say_condition(condition: OpenCondition, kind: str = "") -> str:
    """An open condition as a clause: `aws:MultiFactorAuthPresent` is `true`."""
    applied, state = condition.applied, condition.applied.statement.state
    denies = applied.statement.effect == "Deny"
    if state is State.UNREADABLE:
        return f"{say_policy(applied)} does not deny it, in a statement that AWS would refuse"
    if state is State.UNKNOWN:  # it may allow and it may deny
        allows = "allow it, which were" if applied.layer == "scp" else "allows it, which was"
        return f"{say_policy(applied)} {allows} not collected"
    if condition.operator in ("Resource", "NotPrincipal", "RCP"):
        return f"`{condition.key}` {condition.operator} {quote(condition.values)}".rstrip()
    verb = "has" if condition.operator == "Null" else "is"
    wanted = say_wanted(condition.operator, condition.values)
    return f"{say_subject(condition.key, kind)} {verb}{' not' if denies else ''} {wanted}"


def say_open(conditions: Iterable[OpenCondition], kind: str = "") -> list[str]:
    """What must hold, a clause for each place: statements that allow are alternatives, every deny must fail."""
    statements: dict[int, list[OpenCondition]] = {}
    for condition in conditions:
        statements.setdefault(id(condition.applied), []).append(condition)
    places: dict[object, list[str]] = {}
    for name, opened in statements.items():
        applied = opened[0].applied
        denies = applied.statement.effect == "Deny" and applied.statement.state is State.READABLE
        clause = (" or " if denies else " and ").join(say_condition(condition, kind) for condition in opened)
        clause += f", which {say_statement(applied)} denies" if denies else ""
        places.setdefault(name if applied.statement.effect == "Deny" else applied.place, []).append(clause)
    return [clauses[0] if len(clauses) == 1 else f"either {' or '.join(clauses)}" for clauses in places.values()]
