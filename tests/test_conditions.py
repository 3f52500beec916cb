"""The operator table against its cases; every row of the table has at least one that holds and one that does not."""

import pytest
from casebook import Case, answer, load_cases, read_cases
from hypothesis import given
from hypothesis import strategies as st

from ssmlab.conditions import OPERATORS, Condition, OperatorError, parse_operator
from ssmlab.patterns import ABSENT, NOT_KNOWN, Value
from ssmlab.truth import Truth

KEY = "aws:RequestTag/value"
TEXTS = st.text(st.sampled_from("ab*?${}:/é𐐀"), max_size=6)


@pytest.mark.parametrize("case", load_cases("conditions"))
def test_condition(case: Case) -> None:
    assert answer("conditions", case) == case


@pytest.mark.parametrize("name", OPERATORS)
def test_every_row_of_the_table_has_a_case_that_holds_or_its_negation(name: str) -> None:
    assert any(parse_operator(case["operator"])[1] == name for case in read_cases("conditions"))


@pytest.mark.parametrize("name", ["StringMatches", "stringequals", "NullIfExists", "ForSomeValues:StringEquals", ""])
def test_an_unknown_operator_is_refused_by_name(name: str) -> None:
    with pytest.raises(OperatorError, match=f"unknown condition operator `{name}`: expected one of StringEquals, "):
        parse_operator(name)


@pytest.mark.parametrize(
    ("plain", "negated"),
    [(name, name.replace("String", "StringNot")) for name in ("StringEquals", "StringLike", "StringEqualsIgnoreCase")]
    + [("ArnLike", "ArnNotLike"), ("ArnEquals", "ArnNotEquals")],
)
@given(values=st.lists(TEXTS, min_size=1, max_size=3), actual=TEXTS)
def test_a_negated_operator_is_the_opposite_for_readable_values(
    plain: str, negated: str, values: list[str], actual: str
) -> None:
    if plain.startswith("Arn"):
        values, actual = [f"arn:aws:s3:::{value}" for value in values], f"arn:aws:s3:::{actual}"
    truths = [Condition(name, KEY, values, variables=False).decide([actual]).truth for name in (plain, negated)]
    assert sorted(truths) == [Truth.FALSE, Truth.TRUE]


@given(values=st.lists(TEXTS, min_size=1, max_size=4), actual=TEXTS)
def test_the_order_of_values_never_changes_an_answer(values: list[str], actual: str) -> None:
    conditions = [Condition("StringLike", KEY, order) for order in (values, values[::-1])]
    answers = {condition.decide([actual, *[ABSENT] * (len(condition.keys) - 1)]).truth for condition in conditions}
    assert len(answers) == 1


@given(
    operator=st.sampled_from(
        ["StringLike", "StringNotEquals", "Bool", "Null", "ForAllValues:StringEquals", "ArnLikeIfExists"]
    ),
    values=st.lists(TEXTS, min_size=1, max_size=2),
    actual=st.one_of(st.just(ABSENT), TEXTS, st.tuples(TEXTS, TEXTS)),
)
def test_an_unknown_value_never_gives_an_answer_that_a_known_one_contradicts(
    operator: str, values: list[str], actual: Value
) -> None:
    condition = Condition(operator, KEY, values)
    others = [ABSENT] * (len(condition.keys) - 1)
    known = condition.decide([actual, *others]).truth
    assert condition.decide([NOT_KNOWN, *others]).truth in (Truth.UNKNOWN, known)
