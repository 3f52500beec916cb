"""Whole columns of values and ARNs against deciding each by itself: more values than any shortcut needs, and odd ones."""

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from ssmlab.conditions import OPERATORS, Condition
from ssmlab.patterns import ABSENT, NOT_KNOWN, Vocabulary, compile_glob, parse_text
from ssmlab.policies import parse_policy
from ssmlab.reachability.columns import Resources
from ssmlab.reachability.deciding import Decider
from ssmlab.reachability.shapes import decide_classes

LETTERS = "aAbΣσς.-*😀é"  # noqa: RUF001
# One to three characters each: enough for every shortcut, and with characters beyond the basic plane.
TEXTS = [
    "",
    *("".join(t) for length in (1, 2) for t in product(LETTERS, repeat=length)),
    "10",
    "1.0",
    "true",
    "a" * 300,
]
PLAIN = [text for text in TEXTS if "😀" not in text]
pattern_texts = st.text(st.sampled_from([*LETTERS, "?", "*"]), max_size=4)
values = st.one_of(
    pattern_texts,
    st.sampled_from(
        [
            "10",
            "true",
            "${aws:username}",
            "${aws:username}*",
            "a${aws:PrincipalTag/x, 'b'}",
            "${*}a",
            "${ssm:resourceTag/Env}",
        ]
    ),
)
QUICK = settings(max_examples=200)


def column(texts: list[str]) -> Resources:
    """Nodes with these tags, one without, and one whose tags are not known."""
    frame = pd.DataFrame({"tag:Env": [*texts, None, None]}, dtype="object")
    frame = frame.assign(account="111122223333", region="eu-west-1", tags_known=[True] * (len(texts) + 1) + [False])
    frame.index = [f"arn:aws:ec2:eu-west-1:111122223333:instance/i-{row:08x}" for row in range(len(frame))]
    return Resources(frame, "instance")


RESOURCES = {"odd": column(TEXTS), "plain": column(PLAIN), "few": column(TEXTS[:5])}


@QUICK
@given(pattern=pattern_texts, texts=st.sampled_from([TEXTS, PLAIN, TEXTS[:9]]))
def test_a_vocabulary_matches_what_each_text_matches(pattern: str, texts: list[str]) -> None:
    tokens = parse_text(pattern, variables=False)
    assert Vocabulary(texts).match(tokens).tolist() == [compile_glob(tokens).matches(text) for text in texts]


def test_a_vocabulary_finds_and_labels_texts() -> None:
    for texts in (["b", "a", "b"], ["b", "a", "b", *map(str, range(50))]):
        vocabulary = Vocabulary(texts)
        assert vocabulary.find(["a", "b", "none"]) == [1, 0, 2]
        assert vocabulary.label(["a", "none", "b"])[:3].tolist() == [3, 1, 3]


def test_half_a_surrogate_pair_is_a_text_like_others() -> None:
    texts = ["\ud83d", "a\ude00", *map(str, range(50))]
    assert Vocabulary(texts).match(parse_text("a*")).tolist() == [text.startswith("a") for text in texts]


@QUICK
@given(
    operator=st.sampled_from(sorted(OPERATORS)),
    quantifier=st.sampled_from(["", "", "ForAnyValue:", "ForAllValues:"]),
    if_exists=st.booleans(),
    wanted=st.lists(values, min_size=1, max_size=5),
    user=st.sampled_from(["a", "Σ", "*", "a?", ABSENT, NOT_KNOWN]),
    kind=st.sampled_from(sorted(RESOURCES)),
    variables=st.booleans(),
)
def test_a_condition_over_a_column_is_the_condition_of_each_value(
    operator: str, quantifier: str, if_exists: bool, wanted: list[str], user: Any, kind: str, variables: bool
) -> None:
    name = f"{quantifier}{operator}{'IfExists' if if_exists else ''}"
    condition = Condition(name, "ssm:resourceTag/Env", wanted, variables=variables)
    decider = Decider(RESOURCES[kind])
    outer = {"aws:username": user, "aws:principaltag/x": ABSENT}
    found = decider.decide_condition(condition, tuple(outer[key] for key in decider.outer(condition.keys)))
    read = RESOURCES[kind].column(found.keys).values
    expected = [condition.decide([{**outer, condition.keys[0]: value}[k] for k in condition.keys]) for (value,) in read]
    assert found.truths.tolist() == [verdict.truth for verdict in expected]


SERVICES = [("ec2", "instance/i-"), ("ssm", "managed-instance/mi-"), ("ssm", "document/")]
ARNS = [
    *(
        f"arn:aws:{service}:{region}:{account}:{start}{end}"
        for (service, start), region, account, end in product(
            SERVICES, ["eu-west-1", "us-east-2"], ["111122223333", ""], ["0", "01", "a/b", "A"]
        )
    ),
    "arn:aws:ssm:eu-west-1::document/a:b",  # a colon more, a colon less
    "arn:aws:ssm:eu-west-1:document",
]
arn_parts = st.sampled_from(["*", "ec2", "ssm", "s*", "eu-west-1", "eu*", "?u-*", "", "111122223333", "instance/i-*"])
arn_ends = st.sampled_from(
    [
        "*",
        "eu*0",
        "e*-1:*/?-0*1",
        "instance/i-0",
        "instance/*",
        "*/i-?1",
        "document/*",
        "*document/a",
        "managed-instance/mi-0*",
        "document/${aws:username}",
    ]
)
patterns = st.builds(lambda parts, end: ":".join(["arn:aws", *parts, end]), st.lists(arn_parts, max_size=4), arn_ends)


@QUICK
@given(
    elements=st.lists(st.lists(patterns, min_size=1, max_size=3), min_size=1, max_size=4),
    negated=st.booleans(),
    user=st.sampled_from(["0", "a*", ABSENT, NOT_KNOWN]),
)
def test_a_resource_over_a_column_is_the_resource_of_each_arn(
    elements: list[list[str]], negated: bool, user: Any
) -> None:
    name = "NotResource" if negated else "Resource"
    body = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", name: element} for element in elements],
    }
    statements = [s for s in parse_policy(body).statements if s.resources]
    frame = pd.DataFrame({"account": ""}, index=pd.Index(ARNS, dtype="str"))
    decider = Decider(Resources(frame, "instance"))
    for statement in statements:
        decider.note(statement, (user,) * len(statement.resource_keys))
    for statement in statements:
        found = decider.decide_resource(statement, (user,) * len(statement.resource_keys))
        expected = [statement.decide_resource(arn, {"aws:username": user}.__getitem__).truth for arn in ARNS]
        assert found.truths[decider.codes(found.keys)].tolist() == expected


def test_more_patterns_than_a_code_can_double_for_are_told_apart() -> None:
    masks = [np.arange(70) == row for row in range(69)]
    found = decide_classes(np.zeros(70, dtype=np.int64), masks, (), lambda place: place % 3)
    assert found.tolist() == [row % 3 for row in range(70)]
