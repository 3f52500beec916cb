"""What holds of every decision, whatever the policies: three-valued truth, order, splitting, adding.

The calls are random: several operators with set operators, `IfExists` and variables, every layer, keys that are given,
absent, arrays or not known.
"""

import json
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ssmlab import Decision, PolicySet, Request, evaluate
from ssmlab.evaluation import Outcome
from ssmlab.patterns import parse_text, variable_keys

ACTION = "sqs:SendMessage"
QUEUE = "arn:aws:sqs:eu-west-1:123456789012:xy"
SESSION = "arn:aws:sts::123456789012:assumed-role/Ops/ana"
PRINCIPALS = (
    "arn:aws:iam::123456789012:user/ana",
    "arn:aws:iam::123456789012:role/Ops",
    SESSION,
    "arn:aws:sts::123456789012:federated-user/bob",
    "arn:aws:iam::123456789012:root",
    "arn:aws:iam::999999999999:user/eve",
    "events.amazonaws.com",
    "*",
)
KEYS = ("k:a", "k:b", "k:c")
RANK = {"explicitDeny": 0, "implicitDeny": 0, "conditional": 1, "allowed": 2}

texts = st.sampled_from(["x", "X", "y", "xy", "x*", "1", "2", "true", "", "10.0.0.1", "arn:aws:iam::1:user/x"])
plain_values = {
    "String": ["x", "y", "x*", "*", "?", "xy"],
    "Numeric": ["1", "2", "1.0", "one"],
    "Bool": ["true", "false", "yes"],
    "Null": ["true", "false"],
    "Arn": ["arn:aws:iam::*:user/*", "arn:aws:iam::1:user/y", "*"],
    "IpAddress": ["10.0.0.0/8", "10.0.0.1", "nowhere"],
}
varied_values = {
    "String": ["${k:b}", "${k:c, 'x'}", "x${k:b}", "${k:a}"],
    "Arn": ["arn:aws:iam::1:user/${k:b}", "${k:c}"],
    "Bool": ["${k:b}"],
}
OPERATORS = {
    "String": ["StringEquals", "StringLike", "StringEqualsIgnoreCase", "StringNotEquals", "StringNotLike"],
    "Numeric": ["NumericEquals", "NumericLessThan", "NumericNotEquals"],
    "Bool": ["Bool"],
    "Null": ["Null"],
    "Arn": ["ArnLike", "ArnNotEquals"],
    "IpAddress": ["IpAddress"],
}


@st.composite
def conditions(draw: st.DrawFn, variables: bool = True) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _ in range(draw(st.integers(0, 2))):
        family = draw(st.sampled_from(sorted(OPERATORS)))
        operator = draw(st.sampled_from(OPERATORS[family]))
        if family != "Null":
            operator = draw(st.sampled_from(["", "", "ForAnyValue:", "ForAllValues:"])) + operator
            operator += draw(st.sampled_from(["", "", "IfExists"]))
        values = plain_values[family] + (varied_values.get(family, []) if variables else [])
        listed = st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True)
        found.setdefault(operator, {})[draw(st.sampled_from(KEYS))] = draw(listed)
    return found


def pick(values: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True)


@st.composite
def statements(draw: st.DrawFn, layer: str = "identity", variables: bool = True) -> dict[str, Any]:
    resources = ["*", QUEUE, "arn:aws:sqs:*:*:x*", "arn:aws:sqs:*:*:other", "arn:aws:sqs:*"]
    statement: dict[str, Any] = {"Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"]))}
    actions = pick(["sqs:*", "SQS:send*", "*", ACTION, "s3:*"])
    statement[draw(st.sampled_from(["Action"] * 5 + ["NotAction"]))] = draw(actions)
    listed = pick(resources + ["arn:aws:sqs:*:*:${k:b}", "arn:aws:sqs:*:*:x${k:c, 'y'}"] * variables)
    statement[draw(st.sampled_from(["Resource"] * 5 + ["NotResource"]))] = draw(listed)
    if layer == "rcp":  # what AWS takes of a customer
        actions = pick(["sqs:*", "SQS:send*", ACTION, "s3:*"])
        return {"Effect": "Deny", "Principal": "*", "Action": draw(actions), "Resource": draw(listed)} | {
            "Condition": draw(conditions(variables))
        }
    if layer == "resource":
        named = ["*", {"AWS": list(PRINCIPALS[:2])}, {"AWS": "123456789012"}, {"AWS": SESSION}, {"AWS": PRINCIPALS[5]}]
        form = draw(st.sampled_from(["Principal", "Principal", "Principal", "NotPrincipal"]))
        statement[form] = draw(st.sampled_from([*named, {"Service": "events.amazonaws.com"}]))
    return statement | {"Condition": draw(conditions(variables))}


def policies(layer: str = "identity", variables: bool = True) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda version, listed: {"Version": version, "Statement": listed},
        st.sampled_from(["2012-10-17"] * 3 + ["2008-10-17"]),
        st.lists(statements(layer, variables), max_size=3),
    )


@st.composite
def policy_sets(draw: st.DrawFn, variables: bool = True) -> dict[str, Any]:
    """Arguments of `PolicySet`; most layers with something that allows everything, so that the rest matters."""
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}

    def some(layer: str) -> list[Any]:
        return draw(st.lists(policies(layer, variables), max_size=2)) + [everything] * (draw(st.integers(0, 2)) > 0)

    found: dict[str, Any] = {"identity": some("identity")}
    for layer in draw(st.sets(st.sampled_from(["boundary", "session"]))):
        found[layer] = some(layer)
    if draw(st.booleans()):
        found["scps"] = [some("scp") for _ in range(draw(st.integers(0, 2)))]
    if draw(st.booleans()):
        found["rcps"] = [draw(st.lists(policies("rcp", variables), max_size=1))]
    if draw(st.booleans()):
        found["resource"] = draw(policies("resource", variables))
    return found


@st.composite
def requests(draw: st.DrawFn) -> Request:
    values = st.one_of(texts, st.lists(texts, max_size=2))
    context = draw(st.dictionaries(st.sampled_from(KEYS), values, max_size=3))
    unknown = draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=3, unique=True))
    return Request(draw(st.sampled_from(PRINCIPALS[:1] * 4 + PRINCIPALS)), ACTION, QUEUE, context, unknown=unknown)


def decide(request: Request, arguments: dict[str, Any]) -> Decision:
    return evaluate(request, PolicySet(**arguments))


def rank(decision: Decision) -> int:
    return RANK[decision.outcome]


def open_keys(decision: Decision) -> set[str]:
    """The keys that open conditions name, those of their variables too."""
    variables = {key for c in decision.open_conditions for text in c.values for key in variable_keys(parse_text(text))}
    return {condition.key.lower() for condition in decision.open_conditions} | variables


MANY = settings(max_examples=120)


@MANY
@given(requests(), policy_sets(), st.data())
def test_a_value_or_the_absence_of_an_unknown_key_never_contradicts_the_answer(
    request: Request, arguments: dict[str, Any], data: st.DataObject
) -> None:
    before = decide(request, arguments)
    assert (before.outcome is Outcome.CONDITIONAL) is (before.open_conditions != ())
    if before.outcome is Outcome.CONDITIONAL:
        return
    values = st.one_of(texts, st.lists(texts, max_size=2), st.none())
    known = {key: data.draw(values) for key in request.unknown}
    after = decide(replace(request, context={**request.context, **known}, unknown=()), arguments)
    assert rank(after) == rank(before)


@MANY
@given(requests(), policy_sets(), st.data())
def test_the_open_conditions_are_all_that_is_open(
    request: Request, arguments: dict[str, Any], data: st.DataObject
) -> None:
    before = decide(request, arguments)
    if before.outcome is not Outcome.CONDITIONAL:
        return
    assert before.open_conditions != ()
    assert before.doubts != () or open_keys(before) & set(request.unknown)
    known = {key: data.draw(texts.filter(lambda text: "*" not in text)) for key in request.unknown}
    named = open_keys(before)
    context = {**request.context, **{key: value for key, value in known.items() if key in named}}
    unknown = [key for key in request.unknown if key not in named]
    after = decide(replace(request, context=context, unknown=unknown), arguments)
    assert after.outcome is not Outcome.CONDITIONAL or after.doubts != ()


def mix(value: Any, draw: Any) -> Any:
    """The same policies with every list in another order; the elements of a list of levels are lists themselves."""
    if isinstance(value, list):
        return draw(st.permutations([mix(item, draw) for item in value]))
    return {key: mix(item, draw) for key, item in value.items()} if isinstance(value, dict) else value


@MANY
@given(requests(), policy_sets(), st.data())
def test_order_never_matters(request: Request, arguments: dict[str, Any], data: st.DataObject) -> None:
    before, after = (decide(request, given) for given in (arguments, mix(arguments, data.draw)))
    assert (after.outcome, sorted(after.doubts)) == (before.outcome, sorted(before.doubts))
    assert open_keys(after) == open_keys(before)


def split(statement: dict[str, Any], draw: Any) -> list[dict[str, Any]]:
    """Two statements for one: a list cut in two whose elements are alternatives."""
    places = [("Action",), ("Resource",)] + [
        ("Condition", operator, key)
        for operator, keys in statement["Condition"].items()
        for key in keys
        if "Not" not in operator and "ForAllValues" not in operator
    ]
    halves = [json.loads(json.dumps(statement)) for _ in range(2)]
    path = draw(st.sampled_from(places))
    inner = halves
    for name in path[:-1]:
        inner = [half[name] for half in inner]
    listed = inner[0].get(path[-1], [])
    if len(listed) < 2:
        return [statement]
    inner[0][path[-1]], inner[1][path[-1]] = listed[:1], listed[1:]
    return halves


@MANY
@given(requests(), policy_sets(variables=False), st.data())
def test_a_statement_split_in_two_says_the_same(
    request: Request, arguments: dict[str, Any], data: st.DataObject
) -> None:
    def rewrite(value: Any) -> Any:
        if isinstance(value, list):
            return [rewrite(item) for item in value]
        if not isinstance(value, dict):
            return value
        listed = [s if "Condition" in s else s | {"Condition": {}} for s in value["Statement"]]
        return value | {"Statement": [part for s in listed for part in split(s, data.draw)]}

    changed = {layer: rewrite(value) for layer, value in arguments.items()}
    assert decide(request, changed).outcome == decide(request, arguments).outcome


def place(arguments: dict[str, Any], layer: str, statement: dict[str, Any]) -> dict[str, Any]:
    """One more policy in a layer that is there."""
    added = {"Version": "2012-10-17", "Statement": [statement]}
    if layer == "resource":
        policy = arguments["resource"]
        return arguments | {"resource": policy | {"Statement": [*policy["Statement"], statement]}}
    if layer in ("scps", "rcps"):
        levels = arguments[layer]
        return arguments | {layer: [[*levels[0], added], *levels[1:]] if levels else []}
    return arguments | {layer: [*arguments[layer], added]}


LAYER_OF = {"scps": "scp", "rcps": "rcp"}


@MANY
@given(requests(), policy_sets(), st.data())
def test_a_deny_never_allows_and_an_allow_never_denies(
    request: Request, arguments: dict[str, Any], data: st.DataObject
) -> None:
    layer = data.draw(st.sampled_from(sorted(arguments)))
    statement = data.draw(statements(LAYER_OF.get(layer, layer)))
    before, after = decide(request, arguments), decide(request, place(arguments, layer, statement))
    change = rank(after) - rank(before)
    assert change <= 0 if statement["Effect"] == "Deny" else change >= 0


@MANY
@given(requests(), policy_sets(), st.data())
def test_a_statement_about_another_action_says_nothing(
    request: Request, arguments: dict[str, Any], data: st.DataObject
) -> None:
    layer = data.draw(st.sampled_from(sorted(arguments)))
    statement = data.draw(statements(LAYER_OF.get(layer, layer)))
    statement = {key: value for key, value in statement.items() if key != "NotAction"} | {"Action": "kms:*"}
    before, after = decide(request, arguments), decide(request, place(arguments, layer, statement))
    assert (after.outcome, after.doubts) == (before.outcome, before.doubts)
    assert list(map(str, after.open_conditions)) == list(map(str, before.open_conditions))
