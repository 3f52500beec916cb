"""Every rule has a case that fails without it: the package is changed in one place, and some case must then differ.

A mutant that no case can tell from the original stands beside its test by name, with the reason.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from itertools import combinations
from typing import Any

from mutations import Mutant, check, function, method, name, row

from ssmlab import services
from ssmlab.conditions import OPERATORS, Condition, condition, operators, parse_operator, values
from ssmlab.conditions.operators import Operator, Unreadable
from ssmlab.conditions.values import Network
from ssmlab.evaluation import (
    BINDING_CAPS,
    Caller,
    Outcome,
    Rule,
    decisions,
    policy_sets,
    principals,
    requests,
    statements,
)
from ssmlab.evaluation import layers as order
from ssmlab.patterns import ABSENT, NOT_KNOWN, ArnPattern, Resolved, ResourcePattern, Variable, Wild, arns, globs, texts
from ssmlab.policies import Statement, elements, grammar
from ssmlab.truth import FALSE, NO, TRUE, YES, Truth, Verdict

DECISIONS = ("layers", "run_command", "page_policies", "grammar")
ANYTHING = re.compile(".*", re.DOTALL)
NOTHING = re.compile(r"(?!)")


# --- The operator table ---


def row_mutants() -> Iterator[Mutant]:
    """Each field of each row: the opposite, or what stands in another row."""
    for operator, original in OPERATORS.items():
        for change, changed in changes(operator, original):
            yield Mutant(f"{operator}: {change}", row(OPERATORS, operator, changed), operator)


def changes(operator: str, original: Operator) -> Iterator[tuple[str, Operator]]:
    for flag in ("negated", "strict", "wildcards"):
        yield f"{flag} turned round", replace(original, **{flag: not getattr(original, flag)})
    for variables in {True, False, None} - {original.variables}:
        yield f"variables {variables}", replace(original, variables=variables)
    positive = {other: found for other, found in OPERATORS.items() if "Not" not in other}
    for read, other in {found.read: other for other, found in positive.items()}.items():
        if read is not original.read:
            yield f"reads as {other}", replace(original, read=read)
    for compile_value, other in {found.compile: other for other, found in positive.items()}.items():
        if compile_value is not original.compile and other != operator.replace("Not", ""):
            yield f"compares as {other}", replace(original, compile=compile_value)
    wrongs = {original.compile((text,)) for text in ("no value", Wild.MANY)}
    for wrong in wrongs & set(Unreadable):
        for other in set(Unreadable) - {wrong}:
            yield f"{wrong.name} is {other.name}", replace(original, compile=swap(original, wrong, other))


def swap(original: Operator, wrong: Unreadable, other: Unreadable) -> Any:
    def compile_value(tokens: Any) -> Any:
        found = original.compile(tokens)
        return other if found is wrong else found

    return compile_value


def test_every_row_of_the_operator_table_is_held_by_cases() -> None:
    check(row_mutants(), ["conditions"], EQUIVALENT_ROWS)


def each(found: Sequence[str], change: str) -> list[str]:
    return [f"{operator}: {change}" for operator in found]


EQUIVALENT_ROWS = {
    **dict.fromkeys(
        each([operator for operator, found in OPERATORS.items() if not found.negated], "strict turned round"),
        "an unreadable value of the request fails a positive operator either way",
    ),
    **dict.fromkeys(
        each(
            [operator for operator, found in OPERATORS.items() if found.negated and found.textual],
            "strict turned round",
        ),
        "every value of the request can be read as a text",
    ),
    **dict.fromkeys(
        each(
            [operator for operator in OPERATORS if not operator.startswith(("String", "Arn"))], "wildcards turned round"
        ),
        "numbers, dates, truths, bytes and ranges are read from the plain text, in which a wildcard is a character",
    ),
}


def test_every_field_of_a_row_has_mutants() -> None:
    # `textual` only tells whole columns which texts may be decided at once; test_reachability compares the two
    mutated = {"read", "compile", "negated", "wildcards", "strict", "variables"}
    assert {field.name for field in fields(Operator)} == mutated | {"textual"}


# --- Set operators, IfExists, Null, what is missing or unreadable ---


def quantifier(found: Condition) -> str:
    return parse_operator(found.operator)[0]


def without_if_exists(original: Any, self: Condition) -> bool:
    return not quantifier(self) and self.is_negated if self.if_exists else original(self)


def without_quantifier(this: str) -> Any:
    return lambda original, self: self.is_negated if quantifier(self) == this else original(self)


def as_any_member(original: Any, self: Condition, given: Sequence[Any]) -> Verdict:
    if not isinstance(given[0], tuple) or quantifier(self):
        return original(self, given)
    return max((original(self, (member, *given[1:])) for member in given[0]), default=NO)


def taken_as(value: Any) -> Any:
    return lambda original, self, given: original(self, [value if item is NOT_KNOWN else item for item in given])


def fixed(value: Any) -> property:
    """An attribute of every object that has this value whatever is set."""
    return property(lambda self: value, lambda self, given: None)


def condition_mutants() -> Iterator[Mutant]:
    absent = "_holds_when_absent"
    yield Mutant("IfExists says nothing", method(Condition, absent, without_if_exists))
    yield Mutant("ForAllValues fails what is absent", method(Condition, absent, without_quantifier("ForAllValues")))
    yield Mutant("ForAnyValue passes what is absent", method(Condition, absent, without_quantifier("ForAnyValue")))
    yield Mutant("what is absent fails", method(Condition, absent, lambda *_: False))
    yield Mutant("what is absent passes", method(Condition, absent, lambda *_: True))
    yield Mutant(
        "ForAnyValue is ForAllValues", method(Condition, "_quantify", lambda _, self, found: min(found, default=YES))
    )
    yield Mutant(
        "ForAllValues is ForAnyValue", method(Condition, "_quantify", lambda _, self, found: max(found, default=NO))
    )
    yield Mutant(
        "no members: passes", method(Condition, "_quantify", lambda f, self, found: f(self, found) if found else YES)
    )
    yield Mutant(
        "no members: fails", method(Condition, "_quantify", lambda f, self, found: f(self, found) if found else NO)
    )
    yield Mutant("an array is any of its members", method(Condition, "decide", as_any_member))
    yield Mutant(
        "no doubt of an empty member", method(Condition, "_doubt_empty", lambda f, self, verdict, value: verdict)
    )
    yield Mutant(
        "Null turned round", method(Condition, "_decide_null", lambda f, self, is_absent: f(self, not is_absent))
    )
    yield Mutant("Null reads every text as true", name(condition, "read_bool", bool))
    yield Mutant("unreadable ARNs fail", name(Condition, "fails_to", fixed(FALSE)))
    yield Mutant("unreadable ARNs pass", name(Condition, "fails_to", fixed(TRUE)))
    yield Mutant("every variable has a value", name(Resolved, "may_lack", False))
    yield Mutant("what is unknown is absent", method(Condition, "decide", taken_as(ABSENT)))
    yield Mutant("what is unknown is a text", method(Condition, "decide", taken_as("x")))
    for kind in Unreadable:
        yield Mutant(f"no words for {kind.name}", row(operators.UNREADABLE, kind, ""))


def test_set_operators_and_what_is_missing_are_held_by_cases() -> None:
    check(condition_mutants(), ["conditions"], {})


# --- What a text means ---


def bare(token: Any) -> Any:
    return Variable(token.key) if isinstance(token, Variable) else token


def member(given: Any) -> Any:
    return given[0] if isinstance(given, tuple) and given else given


def text_mutants() -> Iterator[Mutant]:
    yield Mutant("? is one character", function(globs.to_units, lambda _, text: text))
    for wild in Wild:

        def plain(original: Any, text: str, wild: Wild = wild) -> list[Any]:
            return [token.value if token is wild else token for token in original(text)]

        yield Mutant(f"{wild.value} is plain", function(texts._wildcards, plain))
    yield Mutant(
        "${*} is a wildcard", function(texts._variable, lambda f, text: Wild(text) if text in ("*", "?") else f(text))
    )
    yield Mutant(
        "${$} is a variable", function(texts._variable, lambda f, text: Variable(text) if text == "$" else f(text))
    )
    yield Mutant("defaults are not read", function(texts._variable, lambda f, text: bare(f(text))))
    yield Mutant("variables are plain text", function(texts.parse_text, lambda f, text, variables=True: f(text, False)))
    yield Mutant(
        "variables in every version", function(texts.parse_text, lambda f, text, variables=True: f(text, True))
    )
    yield Mutant(
        "an array gives its first member",
        function(texts.resolve, lambda f, tokens, lookup: f(tokens, lambda key: member(lookup(key)))),
    )
    yield Mutant(
        "an array is absent",
        function(
            texts.resolve,
            lambda f, tokens, lookup: f(tokens, lambda key: ABSENT if isinstance(lookup(key), tuple) else lookup(key)),
        ),
    )
    yield Mutant(
        "what is unknown gives nothing",
        function(
            texts.resolve,
            lambda f, tokens, lookup: f(tokens, lambda key: ABSENT if lookup(key) is NOT_KNOWN else lookup(key)),
        ),
    )
    yield Mutant(
        "a value's wildcards are plain", function(texts._readings, lambda f, tokens, taken: f(tokens, taken)[:1])
    )
    yield Mutant("a value's wildcards count", function(texts._readings, lambda f, tokens, taken: f(tokens, taken)[-1:]))
    yield Mutant("wildcards in every operator", function(texts.literal, lambda _, tokens: tokens))
    yield Mutant(
        "the sixth part ends at a colon",
        function(arns.split_arn, lambda f, text: f(text) and (*f(text)[:5], f(text)[5].partition(":")[0])),
    )
    yield Mutant(
        "an ARN is matched as a whole",
        method(
            ArnPattern,
            "matches",
            lambda _, self, parts: globs.Glob(texts.parse_text(":".join("*" for _ in parts))).matches(":".join(parts)),
        ),
    )
    yield Mutant("nothing spans a colon", method(ResourcePattern, "_spans", lambda *_: False))
    yield Mutant("every wildcard spans a colon", method(ResourcePattern, "_spans", lambda *_: True))
    yield Mutant(
        "no doubt of a resource", method(ResourcePattern, "match", lambda f, self, arn: Verdict(f(self, arn).truth))
    )
    yield Mutant(
        "actions keep case",
        function(
            globs.action_matches,
            lambda f, pattern, action: globs.compile_glob(texts.parse_text(pattern)).matches(action),
        ),
    )
    yield Mutant(
        "actions know no wildcards",
        function(globs.action_matches, lambda f, pattern, action: pattern.lower() == action.lower()),
    )
    yield Mutant("numbers are doubles", name(values, "Decimal", float))
    yield Mutant("Infinity is a number", name(values, "_NUMBER", ANYTHING))
    yield Mutant("no epoch seconds", name(values, "_EPOCH", NOTHING))
    yield Mutant("no zones", function(values._offset, lambda f, zone: f("Z")))
    yield Mutant("masks are plain digits", name(values, "_MASK", re.compile(r"\d+")))
    yield Mutant("IPv6 host bits are ignored", method(Network, "holds", lambda f, self, other: f(cleared(self), other)))
    yield Mutant(
        "IPv4 host bits count",
        method(Network, "holds", lambda f, self, other: cleared(self) == self and f(self, other)),
    )
    yield Mutant(
        "IPv4 is IPv6", method(Network, "holds", lambda f, self, other: f(self, replace(other, version=self.version)))
    )


def cleared(network: Network) -> Network:
    return replace(network, address=network.address >> network.host_bits << network.host_bits)


def test_the_meaning_of_a_text_is_held_by_cases() -> None:
    check(text_mutants(), ["conditions", "resources", *DECISIONS], {})


# --- The order of layers ---

FIELDS = ("deny", "scp", "identity", "boundary", "session")
CAPS = [caps for size in range(4) for caps in combinations(("identity", "boundary", "session"), size)]


def layer_mutants() -> Iterator[Mutant]:
    for one, other in combinations(FIELDS, 2):
        swapped = lambda found, one=one, other=other: found._replace(
            **{one: getattr(found, other), other: getattr(found, one)}
        )
        yield Mutant(f"{one} and {other} swapped", rewritten(swapped))
    for one, other in combinations(BINDING_CAPS, 2):
        turned = {one: other, other: one}
        renamed = lambda found, turned=turned: found._replace(
            grants=tuple((turned.get(n, n), t) for n, t in found.grants)
        )
        yield Mutant(f"grants to {one} and {other} swapped", rewritten(renamed))
    for field in FIELDS:
        for truth in Truth:
            constant = lambda found, field=field, truth=truth: found._replace(**{field: truth})
            yield Mutant(f"{field} is {truth.name}", rewritten(constant))
    yield Mutant("no grants", rewritten(lambda found: found._replace(grants=())))
    for granted, original in BINDING_CAPS.items():
        for caps in CAPS:
            if caps != original:
                yield Mutant(
                    f"a grant to {granted} is bound by {', '.join(caps) or 'nothing'}", row(BINDING_CAPS, granted, caps)
                )
    for flag in Rule._fields:
        for given in (False, True):
            ruled = lambda f, found, rule=order.IN_ACCOUNT, flag=flag, given=given: f(
                found, rule._replace(**{flag: given})
            )
            yield Mutant(f"{flag} is always {given}", function(order.decide_layers, ruled))
    yield Mutant(
        "everything unknown is open",
        function(
            order.find_open, lambda f, found, rule: [(x,) for x in FIELDS] + [("grants", n) for n, _ in found.grants]
        ),
    )
    yield Mutant("nothing unknown is open", function(order.find_open, lambda *_: ()))
    yield Mutant(
        "an implicit deny is explicit",
        function(
            order.decide_layers,
            lambda f, *given: Outcome.EXPLICIT_DENY if f(*given) is Outcome.IMPLICIT_DENY else f(*given),
        ),
    )


def rewritten(change: Any) -> Any:
    """Before the layers are decided, once, they are changed."""
    return function(decisions._gather, lambda f, *given: change(f(*given)))


def bound_mutants() -> Iterator[Mutant]:
    yield Mutant(
        "SCPs bind everybody", function(decisions.is_bound, lambda f, caller, layer: layer == "scp" or f(caller, layer))
    )
    yield Mutant(
        "RCPs bind everybody", function(decisions.is_bound, lambda f, caller, layer: layer == "rcp" or f(caller, layer))
    )
    for layer in ("scp", "rcp"):
        for kind in ("user", "session", "root", "service", "anonymous"):
            free = lambda f, caller, found, layer=layer, kind=kind: (
                f(caller, found) and (caller.kind, found) != (kind, layer)
            )
            bind = lambda f, caller, found, layer=layer, kind=kind: (
                f(caller, found) or (caller.kind, found) == (kind, layer)
            )
            bound = decisions.is_bound(Caller(kind, ""), layer)
            yield Mutant(
                f"{layer}: a {kind} is {'free' if bound else 'bound'}",
                function(decisions.is_bound, free if bound else bind),
            )
    for action in decisions._TRUST_ACTIONS:
        rest = tuple(other for other in decisions._TRUST_ACTIONS if other != action)
        yield Mutant(f"no trust for {action}", name(decisions, "_TRUST_ACTIONS", rest))
    yield Mutant(
        "KMS keys are like others", function(decisions._must_allow, lambda f, action, resource: f(action, "*"))
    )
    yield Mutant(
        "all of KMS has a key", function(decisions._must_allow, lambda f, action, resource: f(action, ":key/"))
    )
    for truth in Truth:
        yield Mutant(f"RCPs reach: {truth.name}", function(services.rcp_applies, lambda f, action, truth=truth: truth))
    for service in sorted(services._RCP_SERVICES):
        yield Mutant(
            f"RCPs do not reach {service}", name(services, "_RCP_SERVICES", services._RCP_SERVICES - {service})
        )
    for service in ("ec2", "ssm"):
        rest = services._NO_RCP_SERVICES - {service}
        yield Mutant(f"RCPs may reach {service}", name(services, "_NO_RCP_SERVICES", rest))
    yield Mutant("documents of AWS are nobody's", function(services.is_aws_document, lambda *_: False))
    yield Mutant("the account of AWS is known everywhere", function(services.aws_account, lambda f, _: f("us-east-1")))
    yield Mutant("every action has resources", function(services.has_no_resources, lambda *_: False))
    yield Mutant("no doubt of a bucket", function(services.resource_doubts, lambda *_: ()))
    yield Mutant("no doubt of sharing", function(services.sharing_doubts, lambda *_: ()))
    yield Mutant(
        "every document may be shared", function(services.is_shared, lambda f, _, arn: services.is_document(arn))
    )
    yield Mutant("no doubt of keys", function(services.condition_doubts, lambda *_: ()))


def principal_mutants() -> Iterator[Mutant]:
    for kind in BINDING_CAPS:
        blind = lambda f, *given, kind=kind: None if f(*given) == kind else f(*given)
        yield Mutant(f"nobody is named as {kind}", function(principals._named, blind))
    for kind in principals._ALL_OF:
        yield Mutant(f"NotPrincipal needs little for a {kind}", row(principals._ALL_OF, kind, ()))
    yield Mutant("the narrower grant decides", name(principals, "_WIDTH", principals._WIDTH[::-1]))
    yield Mutant(
        "NotPrincipal is Principal",
        function(principals.decide_principal, lambda f, found, caller: f(replace(found, not_principal=False), caller)),
    )
    yield Mutant(
        "NotAction is Action",
        method(Statement, "covers_action", lambda f, self, action: f(replace(self, not_action=False), action)),
    )
    yield Mutant(
        "NotResource is Resource",
        method(Statement, "decide_resource", lambda f, self, *given: f(replace(self, not_resource=False), *given)),
    )
    for key in (
        "principalarn",
        "principalaccount",
        "principaltype",
        "username",
        "principalisawsservice",
        "principalservicename",
    ):

        def forgetful(original: Any, text: str, key: str = f"aws:{key}") -> Caller:
            caller = original(text)
            return replace(caller, keys={k: v for k, v in caller.keys.items() if k != key})

        yield Mutant(f"aws:{key} is not filled in", function(principals.parse_principal, forgetful))
    yield Mutant(
        "aws:resourceaccount is not filled in",
        function(requests.read_context, lambda f, request, caller, account: f(request, caller, "")),
    )
    yield Mutant(
        "aws:resourceaccount may be empty",
        function(requests.read_context, lambda f, request, caller, account: f(request, caller, account or "x")),
    )
    yield Mutant(
        "what is unknown is not told",
        function(requests.read_context, lambda f, request, *given: f(replace(request, unknown=()), *given)),
    )
    yield Mutant(
        "of two spellings the last counts", name(requests, "Ambiguous", lambda candidates, doubt: candidates[-1])
    )
    yield Mutant("service-linked roles are roles", name(Caller, "is_service_linked", False))


def statement_mutants() -> Iterator[Mutant]:
    yield Mutant(
        "conditions say nothing",
        function(statements.decide_elements, lambda f, found, *given: f(replace(found, conditions=()), *given)),
    )
    yield Mutant("resources say nothing", method(Statement, "decide_resource", lambda *_: YES))
    for truth in Truth:
        yield Mutant(
            f"what AWS would refuse is {truth.name}",
            function(statements._decide_state, lambda f, applied, truth=truth: f(applied)._replace(truth=truth)),
        )
    yield Mutant(
        "without an effect it is no deny",
        function(
            policy_sets.place_of,
            lambda f, layer, level, found: (layer, level) if found.effect != "Deny" else f(layer, level, found),
        ),
    )
    yield Mutant(
        "levels are one",
        function(policy_sets.place_of, lambda f, layer, level, found: f(layer, 0, found)),
    )
    yield Mutant("no doubt is outweighed", function(decisions._outweighed, lambda *_: False))
    yield Mutant("every doubt is outweighed", function(decisions._outweighed, lambda *_: True))
    yield Mutant("every statement is right", function(grammar._check_statement, lambda *_: None))
    yield Mutant("both elements may stand", function(elements.check_pair, lambda *_, **__: None))
    yield Mutant("every action is right", name(elements, "_ACTION", ANYTHING))
    yield Mutant("every Sid is right", name(grammar, "_SID", ANYTHING))
    yield Mutant("principals may be patterns", name(elements, "_NO_PATTERN", ANYTHING))
    yield Mutant("every principal is right", function(elements._is_principal, lambda *_: True))
    yield Mutant("every policy is right", function(grammar._check_body, lambda *_: ()))
    yield Mutant("every value is right", name(Condition, "unreadable", fixed(())))


def test_the_order_of_layers_is_held_by_cases() -> None:
    check(layer_mutants(), DECISIONS, EQUIVALENT_LAYERS)


EQUIVALENT_LAYERS = {
    **dict.fromkeys(
        [f"grants to {one} and {other} swapped" for one, other in combinations(("session", "service", "any"), 2)],
        "nothing binds the one or the other",
    ),
    **dict.fromkeys(
        [f"a grant to service is bound by {caps}" for caps in ("boundary", "session", "boundary, session")],
        "a service has neither a boundary nor a session policy",
    ),
}


def test_whom_a_layer_binds_is_held_by_cases() -> None:
    check(bound_mutants(), DECISIONS, {})


def test_who_calls_is_held_by_cases() -> None:
    check(principal_mutants(), DECISIONS, {})


def test_what_a_statement_says_is_held_by_cases() -> None:
    check(statement_mutants(), DECISIONS, {})
