"""Single decisions: layers, the page's three policies, three-valued answers, reasons."""

from typing import Any

import pytest
from casebook import ANA, Case, answer, load_cases
from hypothesis import given, settings
from hypothesis import strategies as st

from ssmlab.evaluation import Outcome, PolicySet, Request, decide_layers, evaluate
from ssmlab.evaluation.layers import BINDING_CAPS, Layers, Rule
from ssmlab.truth import Truth

NODE = "arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef0"
ALLOW = {"Effect": "Allow", "Action": "ssm:SendCommand", "Resource": "*"}


def policy(*statements: dict[str, Any], version: str = "2012-10-17") -> dict[str, Any]:
    return {"Version": version, "Statement": list(statements)}


@pytest.mark.parametrize("case", load_cases("layers"))
def test_layers(case: Case) -> None:
    assert answer("layers", case) == case


@pytest.mark.parametrize("case", load_cases("run_command"))
def test_run_command(case: Case) -> None:
    assert answer("run_command", case) == case


@pytest.mark.parametrize("case", load_cases("page_policies"))
def test_page_policy(case: Case) -> None:
    assert answer("page_policies", case) == case


def test_the_deciding_statement_is_named() -> None:
    decision = evaluate(Request(ANA, "ssm:SendCommand", NODE), PolicySet(identity=[policy(ALLOW | {"Sid": "Run"})]))
    assert [(s.layer, s.policy, s.sid, s.index) for s in decision.determining_statements] == [
        ("identity", "identity[0]", "Run", 0)
    ]


def test_open_conditions_name_only_what_decides() -> None:
    mfa = ALLOW | {
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}, "StringEquals": {"aws:PrincipalArn": ANA}}
    }
    other = ALLOW | {"Action": "ssm:StartSession", "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}
    request = Request(ANA, "ssm:SendCommand", NODE, unknown=["aws:MultiFactorAuthPresent", "aws:SourceIp"])
    decision = evaluate(request, PolicySet(identity=[policy(mfa, other)]))
    assert [(c.operator, c.key, c.values) for c in decision.open_conditions] == [
        ("Bool", "aws:MultiFactorAuthPresent", ("true",))
    ]


def test_an_unknown_variable_in_a_resource_is_an_open_condition() -> None:
    statement = ALLOW | {"Resource": "arn:aws:ec2:*:*:instance/${aws:PrincipalTag/node}"}
    request = Request(ANA, "ssm:SendCommand", NODE, unknown=["aws:PrincipalTag/node"])
    decision = evaluate(request, PolicySet(identity=[policy(statement)]))
    assert (decision.outcome, [str(c.key) for c in decision.open_conditions]) == (
        "conditional",
        ["aws:principaltag/node"],
    )


@pytest.mark.parametrize("text", ["ana", "arn:aws:s3:::bucket", "arn:aws:iam::123456789012:group/g", ""])
def test_a_principal_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"expected the ARN of a user, role, session or account root.* got `{text}`"):
        evaluate(Request(text, "ssm:SendCommand", NODE), PolicySet())


@pytest.mark.parametrize("named", BINDING_CAPS)
@pytest.mark.parametrize("cap", ["identity", "boundary", "session"])
def test_the_caps_of_a_grant_are_those_of_the_table(named: str, cap: str) -> None:
    layers = Layers(Truth.FALSE, identity=Truth.TRUE, grants=((named, Truth.TRUE),))._replace(**{cap: Truth.FALSE})
    elsewhere = cap != "identity"  # identity is silent where boundary or session cap it
    capped = decide_layers(layers._replace(identity=Truth.FALSE) if elsewhere else layers)
    bound = cap in BINDING_CAPS[named] or "identity" in BINDING_CAPS[named]
    assert (capped is Outcome.IMPLICIT_DENY) is bound


TRUTHS = st.sampled_from(Truth)
LAYERS = st.builds(
    Layers,
    deny=TRUTHS,
    scp=TRUTHS,
    identity=TRUTHS,
    boundary=TRUTHS,
    session=TRUTHS,
    grants=st.lists(st.tuples(st.sampled_from(sorted(BINDING_CAPS)), TRUTHS), max_size=2).map(tuple),
)


@settings(max_examples=300)
@given(layers=LAYERS, cross=st.booleans(), must=st.booleans(), shared=st.booleans(), data=st.data())
def test_settling_what_is_unknown_never_contradicts_a_certain_answer(
    layers: Layers, cross: bool, must: bool, shared: bool, data: st.DataObject
) -> None:
    def settle(truth: Truth) -> Truth:
        return data.draw(st.sampled_from([Truth.FALSE, Truth.TRUE])) if truth is Truth.UNKNOWN else truth

    settled = Layers(*(settle(t) for t in layers[:5]), tuple((n, settle(t)) for n, t in layers.grants))
    before = decide_layers(layers, Rule(cross, must, shared))
    after = decide_layers(settled, Rule(cross, must, shared))
    denied = {Outcome.IMPLICIT_DENY, Outcome.EXPLICIT_DENY}
    assert before is Outcome.CONDITIONAL or before is after or {before, after} == denied
    assert after is not Outcome.CONDITIONAL


@given(layers=LAYERS)
def test_a_deny_never_allows(layers: Layers) -> None:
    order = list(Outcome)
    denied = decide_layers(layers._replace(deny=Truth.TRUE))
    assert denied is Outcome.EXPLICIT_DENY
    assert order.index(decide_layers(layers._replace(deny=Truth.FALSE))) >= order.index(decide_layers(layers))


def test_a_resource_that_may_match_is_an_open_condition() -> None:
    statement = ALLOW | {"Resource": "arn:aws:ec2:eu*instance/*"}
    decision = evaluate(Request(ANA, "ssm:SendCommand", NODE), PolicySet(identity=[policy(statement)]))
    assert decision.outcome == "conditional"
    assert [(c.operator, c.values) for c in decision.open_conditions] == [("Resource", ("arn:aws:ec2:eu*instance/*",))]


def test_every_action_of_every_service() -> None:
    decision = evaluate(Request(ANA, "ssm:SendCommand", NODE), PolicySet(identity=[policy(ALLOW | {"Action": "*:*"})]))
    assert (decision.outcome, decision.doubts) == ("allowed", ())


def test_one_unknown_key_may_be_a_text() -> None:
    statement = ALLOW | {"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}
    request = Request(ANA, "ssm:SendCommand", NODE, unknown="aws:SourceIp")
    assert evaluate(request, PolicySet(identity=[policy(statement)])).outcome == "conditional"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"Condition": {"StringLike": {"k:long": ["*a" * 20 + f"b{number}" for number in range(10_000)]}}}, "implicitDeny"),
        ({"Condition": {"StringLike": {"k:long": [*map(str, range(10_000)), "a*"]}}}, "allowed"),
        ({"Condition": {"StringNotLike": {"k:long": [f"${{aws:username}}{number}" for number in range(10_000)]}}}, "allowed"),
        ({"Condition": {"StringLike": {"k:long": "?*" * 100_000}}}, "implicitDeny"),
        ({"Condition": {"StringLike": {"k:long": "?*" * 1_000}}}, "allowed"),
        ({"Resource": [f"arn:aws:ec2:*:*:*x*b*{number}" for number in range(10_000)]}, "implicitDeny"),
        ({"Resource": [*(f"arn:aws:ec2:*:*:*/{number}" for number in range(10_000)), "arn:aws:ec2:*:*:*/i-*"]}, "allowed"),
        ({"Resource": "arn:aws:ec2:*:*:" + "*i" * 100_000 + "b"}, "implicitDeny"),
        ({"Resource": "arn:aws:ec2" + ":*" * 20_000}, "implicitDeny"),
        ({"Action": [f"s?m:*a*b*{number}" for number in range(10_000)]}, "implicitDeny"),
    ],
    ids=["patterns", "patterns, the last one", "variables", "too many units", "units", "resources", "resources, the last one",
         "a resource of a megabyte", "colons", "actions"],
)  # fmt: skip
def test_policies_built_to_be_slow_are_answered(change: dict[str, Any], expected: str) -> None:
    request = Request(ANA, "ssm:SendCommand", NODE, {"k:long": "a" * 2_000})
    assert evaluate(request, PolicySet(identity=[policy(ALLOW | change)])).outcome == expected


def test_an_empty_list_in_a_variable_is_open_with_its_doubt() -> None:
    statement = ALLOW | {"Resource": "arn:aws:ec2:*:*:instance/${k:b}"}
    decision = evaluate(Request(ANA, "ssm:SendCommand", NODE, {"k:b": []}), PolicySet(identity=[policy(statement)]))
    assert (decision.outcome, "present without a value" in decision.doubts[0]) == ("conditional", True)
