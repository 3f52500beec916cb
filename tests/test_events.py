"""Event patterns against their cases; what must hold whatever the pattern; rules over streams; why an event fails."""

import copy
import json
import pickle
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from casebook import Case, answer, load_cases, read_cases
from hypothesis import given
from hypothesis import strategies as st

from ssmlab import events
from ssmlab.events.complexity import is_too_complex
from ssmlab.events.operators import OPERATORS
from ssmlab.events.values import read_fields
from ssmlab.snapshots import LoadError

TEXTS = st.text(st.sampled_from('ab*\\?"ßİ😀:.'), max_size=5)
SCALARS = st.one_of(TEXTS, st.booleans(), st.none(), st.integers(-3, 3), st.floats(-2, 2), st.just(2**53 + 1))
NAMES = st.sampled_from(["a", "b", "a.b", "-", "$or", "prefix", ""])
NODES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=12
)
EVENTS = st.dictionaries(NAMES, NODES, max_size=4)
SHALLOW = st.dictionaries(
    st.sampled_from("abc"), st.integers(0, 2) | st.lists(st.integers(0, 2), max_size=2), max_size=3
)
NESTED = st.dictionaries(
    st.sampled_from("de"),
    st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(0, 1) | st.lists(SHALLOW, max_size=2)), max_size=3),
)
ALTERNATIVES = st.one_of(
    st.integers(0, 2),
    st.just({"exists": False}),
    st.just({"exists": True}),
    st.builds(lambda number: {"anything-but": number}, st.integers(0, 2)),
)
PATHS = ["a", "b", "d.a", "d.b", "d.c.a", "d.c.b", "e.a", "e.b"]
PATTERNS = st.dictionaries(
    st.sampled_from(PATHS), st.lists(ALTERNATIVES, min_size=1, max_size=2), min_size=1, max_size=4
)
OPERANDS = st.recursive(
    SCALARS | st.sampled_from([">", "=", "<=", "10.0.0.0/8", "::/0"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*OPERATORS, "x"]), inner, max_size=2),
    max_leaves=6,
)
WILD = st.dictionaries(st.sampled_from([*OPERATORS, "$or", "a", "html"]), OPERANDS, max_size=3)


@pytest.mark.parametrize("case", load_cases("events"))
def test_event(case: Case) -> None:
    assert answer("events", case) == case


@pytest.mark.parametrize("name", OPERATORS)
def test_every_operator_has_cases_that_hold_fail_and_are_refused(name: str) -> None:
    found = {str(case["expected"])[:1] for case in read_cases("events") if f'"{name}"' in json.dumps(case["pattern"])}
    assert found == {"T", "F", "["}


def pattern_of(node: dict[str, Any]) -> dict[str, Any]:
    """A pattern that wants the first value of every field."""
    return {
        name: pattern_of(value) if isinstance(value, dict) else [value[0] if isinstance(value, list) else value]
        for name, value in node.items()
    }


FLAT = st.recursive(
    SCALARS.filter(lambda value: value != 2**53 + 1) | st.lists(TEXTS, min_size=1, max_size=3),
    lambda inner: st.dictionaries(st.sampled_from(["a", "b", "c-d", "E"]), inner, min_size=1, max_size=3),
    max_leaves=8,
)


@given(event=st.dictionaries(st.sampled_from(["a", "b", "c-d", "E"]), FLAT, min_size=1))
def test_a_pattern_built_from_an_event_matches_it(event: dict[str, Any]) -> None:
    assert events.matches(pattern_of(event), event)
    assert events.matches(json.dumps(pattern_of(event)), json.dumps(event))


@given(value=SCALARS, excluded=st.lists(TEXTS, min_size=1) | st.lists(st.integers(-3, 3), min_size=1))
def test_anything_but_is_the_opposite_of_the_same_values_where_there_is_one(value: Any, excluded: list[Any]) -> None:
    exact = events.matches({"v": excluded}, {"v": value})
    assert events.matches({"v": [{"anything-but": excluded}]}, {"v": value}) is not exact


@given(
    value=SCALARS,
    name=st.sampled_from(["prefix", "suffix", "equals-ignore-case"]),
    text=st.sampled_from(["a", "bß", "😀"]),
)
def test_anything_but_like_is_the_opposite_where_there_is_a_value(value: Any, name: str, text: str) -> None:
    holds = events.matches({"v": [{name: text}]}, {"v": value})
    assert events.matches({"v": [{"anything-but": {name: text}}]}, {"v": value}) is not holds


@given(value=TEXTS, start=TEXTS, end=TEXTS)
def test_a_wildcard_is_a_prefix_and_a_suffix_that_do_not_overlap(value: str, start: str, end: str) -> None:
    escaped = [text.replace("\\", "\\\\").replace("*", "\\*") for text in (start, end)]
    expected = len(value) >= len(start + end) and value.startswith(start) and value.endswith(end)
    assert events.matches({"v": [{"wildcard": "*".join(escaped)}]}, {"v": value}) is expected


def turned(node: Any) -> Any:
    """The same with names in another order."""
    if isinstance(node, dict):
        return {name: turned(value) for name, value in reversed(node.items())}
    return [turned(value) for value in node] if isinstance(node, list) else node


@given(pattern=PATTERNS, event=NESTED)
def test_the_order_of_names_never_matters(pattern: dict[str, Any], event: dict[str, Any]) -> None:
    expected = events.matches(pattern, event)
    assert events.matches(turned(pattern), event) is expected
    assert events.matches(pattern, turned(event)) is expected


def holds(alternative: Any, value: Any) -> bool:
    if isinstance(alternative, dict):
        return alternative.get("exists", value != alternative.get("anything-but"))
    return value == alternative


def tried(pattern: dict[str, list[Any]], event: dict[str, Any]) -> bool:
    """The rule by trying every choice of a leaf, or of absence, for every field."""
    leaves = read_fields(event)

    def is_bound(places: Any, bound: dict[int, int]) -> bool:
        return all(bound.get(array, index) == index for array, index in places)

    def choices(paths: list[str], bound: dict[int, int]) -> Iterator[bool]:
        if not paths:
            yield True
            return
        near = [leaf for leaf in leaves.get(paths[0], []) if is_bound(leaf.places, bound)]
        if not near and {"exists": False} in pattern[paths[0]]:
            yield from choices(paths[1:], bound)
        for leaf, alternative in product(near, pattern[paths[0]]):
            if holds(alternative, leaf.value):
                yield from choices(paths[1:], bound | dict(leaf.places))

    return any(choices(sorted(pattern), {}))


@given(pattern=PATTERNS, event=NESTED)
def test_arrays_of_objects_match_as_when_every_choice_is_tried(pattern: dict[str, Any], event: dict[str, Any]) -> None:
    assert events.matches(pattern, event) is tried(pattern, event)


@given(patterns=st.lists(PATTERNS, max_size=6), stream=st.lists(NESTED | SHALLOW, max_size=4))
def test_rules_match_what_each_pattern_matches(patterns: list[dict[str, Any]], stream: list[dict[str, Any]]) -> None:
    rules = events.Rules(events.Rule(f"r{number}", pattern) for number, pattern in enumerate(patterns))
    expected = [
        (n, rule.name) for n, event in enumerate(stream) for rule in rules.rules if events.matches(rule.pattern, event)
    ]
    assert list(rules.match(stream).itertuples(index=False, name=None)) == expected
    asked = events.Stream(stream)
    assert [asked.flags(rule.pattern).tolist() for rule in rules.rules] == [
        [events.matches(rule.pattern, event) for event in stream] for rule in rules.rules
    ]


Refused = (events.PatternError, events.EventError)


def answered(pattern: Any, event: Any) -> bool | events.PatternError | events.EventError:
    try:
        return events.matches(pattern, event)
    except Refused as error:
        return error


@given(pattern=EVENTS | WILD | st.dictionaries(NAMES, st.lists(WILD | SCALARS, max_size=3)), event=EVENTS)
def test_whatever_the_pattern_it_is_answered_or_refused_with_a_place(
    pattern: dict[str, Any], event: dict[str, Any]
) -> None:
    found = answered(pattern, event)
    if isinstance(found, bool):
        assert (events.explain_mismatch(pattern, event) is None) is found
        assert events.matches(json.dumps(pattern), json.dumps(event)) is found
    else:
        assert str(found) == f"{found.where}: {found.reason}"
        assert found.where


@given(st.text(max_size=40) | st.text('{}[]":,$or*\\a1', max_size=40))
def test_whatever_the_text_it_is_answered_or_refused(text: str) -> None:
    assert isinstance(answered(text, {}), bool | events.PatternError)
    assert isinstance(answered({"a": [1]}, text), bool | events.EventError)


@given(st.lists(st.text("ab*", max_size=30), max_size=4))
def test_the_complexity_of_wildcards_is_found_in_the_end(texts: list[str]) -> None:
    is_too_complex([(text, text) for text in texts])


@pytest.mark.parametrize(
    ("pattern", "event"),
    [
        ('{"a":' * 50_000, {}),
        ('{"a":[' + "[" * 50_000, {}),
        ({"a": [1]}, '{"b":' + "[" * 100_000),
        ("[" * 4000 + "]" * 4000, {}),
    ],
)
def test_deep_nesting_is_refused(pattern: Any, event: Any) -> None:
    with pytest.raises(
        (events.PatternError, events.EventError), match=r"^the (pattern|text): (expected at most|nested)"
    ):
        events.matches(pattern, event)


def test_an_event_that_holds_itself_is_refused() -> None:
    event: dict[str, Any] = {"a": 1}
    event["b"] = [event]
    with pytest.raises(events.EventError, match="the event: nested more than 1,000 deep"):
        events.matches({"a": [1]}, event)


def test_a_deep_event_and_wide_arrays_are_matched() -> None:
    deep: Any = {"x": 1}
    for _ in range(990):
        deep = [deep]
    assert events.matches({"d": {"x": [1]}}, {"d": deep})
    wide = {name: [{"a": n, "b": -n} for n in range(3000)] for name in "defghij"}
    assert events.matches({name: {"a": [{"exists": True}], "b": [-2999]} for name in wide}, wide)
    assert not events.matches({name: {"a": [2999], "b": [-2998]} for name in wide}, wide)


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ("[1]", "the event: expected an object, got `list`"),
        (None, "the event: expected an object, got `NoneType`"),
        ("{", "line 1, column 2: expected JSON: "),
        ({"a": {"b": {1}}}, "a.b: expected a JSON value, got `{1}`"),
        ({"a": float("nan")}, "a: expected a JSON value, got `nan`"),
    ],
)
def test_what_is_no_event_is_refused_with_its_place(event: Any, message: str) -> None:
    with pytest.raises(events.EventError) as caught:
        events.matches({"a": [1]}, event)
    assert str(caught.value).startswith(message)


def test_a_pattern_that_json_cannot_hold_is_refused() -> None:
    with pytest.raises(events.PatternError, match="the pattern: expected what JSON can hold: "):
        events.compile_pattern({"a": {1, 2}})


def test_what_the_documentation_leaves_open_is_a_doubt_of_the_pattern() -> None:
    compiled = events.compile_pattern('{"a": [300, 1e-400], "b": ["x", {"numeric": ["=", 1]}]}')
    assert [doubt[:40] for doubt in compiled.doubts] == [
        "numbers are compared by value, as the en",
        "the engine cannot hold `1e-400`: it does",
    ]
    assert events.compile_pattern({"b": ["x", {"prefix": "y"}]}).doubts == ()


EVENT = {
    "source": "aws.ssm",
    "detail": {
        "status": "success",
        "code": "3600",
        "ok": True,
        "who": " ana",
        "p": {"q": 1},
        "tags": [{"k": "a", "v": 1}, {"k": "b", "v": 2}],
    },
}


@pytest.mark.parametrize(
    ("pattern", "field", "actual", "sentence"),
    [
        ({"source": ["aws.ssm"], "detail": {"status": ["Success"]}}, "detail.status", '"success"', '`detail.status` is "success", the pattern wants "Success": case matters'),
        ({"detail": {"code": [3600]}}, "detail.code", '"3600"', '`detail.code` is "3600", the pattern wants 3600: the types differ'),
        ({"detail": {"ok": [1, 2]}}, "detail.ok", "true", "`detail.ok` is true, the pattern wants 1 or 2: the types differ"),
        ({"detail": {"who": ["ana"]}}, "detail.who", '" ana"', '`detail.who` is " ana", the pattern wants "ana": spaces count'),
        ({"detail": {"status": [{"anything-but": "success"}]}}, "detail.status", '"success"', '`detail.status` is "success", the pattern wants {"anything-but": "success"}'),
        ({"status": ["success"]}, "status", "", '`status` is absent (there is `detail.status`), the pattern wants "success"'),
        ({"Source": ["aws.ssm"]}, "Source", "", '`Source` is absent (there is `source`), the pattern wants "aws.ssm"'),
        ({"detail": {"p": [{"exists": True}]}}, "detail.p", "", '`detail.p` is absent as a value: it is an object, and patterns look at what stands inside, the pattern wants {"exists": true}'),
        ({"detail": {"none": ["x"]}}, "detail.none", "", '`detail.none` is absent, the pattern wants "x"'),
        ({"source": [{"exists": False}]}, "source", '"aws.ssm"', '`source` is "aws.ssm", the pattern wants {"exists": false}'),
        ({"detail": {"tags": {"k": ["a"], "v": [2]}}}, "detail.tags.v", "1, 2", "`detail.tags.v` is 1, 2, but not in the element of an array that `detail.tags.k` hold in, the pattern wants 2"),
        ({"detail": {"tags": {"k": [{"exists": False}], "v": [2]}}}, "detail.tags.k", '"a", "b"', '`detail.tags.k` is "a", "b", but in some element of an array, the pattern wants {"exists": false}'),
        ({"$or": [{"a": [1], "b": [2]}, {"source": ["aws.ec2"]}]}, "source", '"aws.ssm"', '`source` is "aws.ssm", the pattern wants "aws.ec2" (the nearest of 2 ways through `$or`)'),
    ],
)  # fmt: skip
def test_a_mismatch_names_the_first_field_that_fails_and_why(
    pattern: Any, field: str, actual: str, sentence: str
) -> None:
    found = events.explain_mismatch(pattern, EVENT)
    assert found is not None
    assert (found.field, found.actual, found.sentence) == (field, actual, sentence)


def test_a_match_has_no_mismatch() -> None:
    assert events.explain_mismatch({"source": ["aws.ssm"]}, EVENT) is None


def test_a_bad_rule_is_named() -> None:
    with pytest.raises(events.PatternError, match=r"^rule `r`: a\[0\]: expected an object with one operator, got 0$"):
        events.Rules([events.Rule("r", {"a": [{}]})])
    with pytest.raises(ValueError, match="rule `r` stands twice: expected every name once"):
        events.Rules([events.Rule("r", {"a": [1]}), events.Rule("r", {"a": [2]})])


def write(path: Path, body: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(body))


def test_rules_load_from_what_the_cli_prints(tmp_path: Path) -> None:
    region = tmp_path / "123456789012" / "eu-west-1"
    role, target = (
        "arn:aws:iam::123456789012:role/Events",
        {"Id": "1", "Arn": "arn:aws:ssm:eu-west-1::document/AWS-RunShellScript"},
    )
    printed = [
        {
            "Name": "failed",
            "Arn": "a",
            "State": "ENABLED",
            "EventPattern": '{"detail":{"status":["Failed"]}}',
            "RoleArn": role,
        },
        {"Name": "off", "Arn": "b", "State": "DISABLED", "EventPattern": '{"source":["x"]}'},
        {"Name": "nightly", "Arn": "c", "State": "ENABLED", "ScheduleExpression": "rate(1 day)"},
    ]
    write(region / "list-rules.json", {"Rules": printed})
    write(region / "list-targets-by-rule" / "failed.json", {"Targets": [target]})
    failed = events.Rule("failed", '{"detail":{"status":["Failed"]}}', (target,), role)
    assert events.load_rules(tmp_path).rules == (failed,)
    assert events.load_rules(region / "list-rules.json").matching({"detail": {"status": "Failed"}}) == (failed,)
    write(tmp_path / "123456789012" / "us-east-1" / "list-rules.json", {"Rules": [printed[0] | {"Arn": "d"}]})
    assert [rule.name for rule in events.load_rules(tmp_path).rules] == ["a", "d"]


@pytest.mark.parametrize("body", ["{", "[]", '{"Rules": 1}', '{"Rules": [1]}', None])
def test_files_that_hold_no_rules_are_refused(tmp_path: Path, body: str | None) -> None:
    if body:
        (tmp_path / "list-rules.json").write_text(body)
    with pytest.raises(LoadError, match="list-rules"):
        events.load_rules(tmp_path)


def test_errors_can_be_copied_and_pickled() -> None:
    for error in (
        events.PatternError("detail.status", "expected a text"),
        events.EventError("the event", "expected an object"),
    ):
        for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):
            assert (type(twin), str(twin), vars(twin)) == (type(error), str(error), vars(error))
    assert str(events.PatternError("", "expected an object")) == "the pattern: expected an object"
