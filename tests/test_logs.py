"""Filter patterns and alarms against their cases; frames, metric filters and exported files; what nobody may break."""

import gzip
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from casebook import Case, answer, load_cases, read_cases
from hypothesis import given
from hypothesis import strategies as st

import ssmlab
from ssmlab.logs import (
    Filter,
    MetricFilter,
    PatternError,
    alarm_states,
    compile_filter,
    filter_events,
    load_logs,
    matches,
    metric_values,
    regexes,
)
from ssmlab.logs.comparing import OPERATORS
from ssmlab.logs.json_events import STATES

WORDS = st.text("abcXYZ_019", min_size=1, max_size=6)
LINES = st.lists(st.text('abX19_ \t"[]%{}:é', max_size=6), max_size=5).map(" ".join)
# Pieces of every syntax, so that many of the texts are nearly patterns.
PIECES = [
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "$.a",
    "$.b[0]",
    "[*]",
    ".*",
    " = ",
    "!=",
    " > ",
    "1",
    "1e5",
    '"',
    "x",
    "%",
    "\\",
]
PIECES += [
    "&&",
    "||",
    " ",
    ",",
    "...",
    "-",
    "?",
    "*",
    "+",
    "{2}",
    "{1,",
    "^",
    "[a-z]",
    "IS NULL",
    "NOT EXISTS",
    "'",
    "é",
]
PATTERNS = st.one_of(st.text(max_size=20), st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=4)
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)),
    max_leaves=8,
)
RULE = {"threshold": 50, "comparison": "GreaterThanThreshold", "evaluation_periods": 3}


def frame(*rows: tuple[int, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["timestamp", "message"])


def time(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


# --- The cases ---


@pytest.mark.parametrize("case", load_cases("logs"))
def test_filter_pattern(case: Case) -> None:
    assert answer("logs", case) == case


@pytest.mark.parametrize("case", load_cases("alarms"))
def test_alarm(case: Case) -> None:
    assert answer("alarms", case) == case


@pytest.mark.parametrize("case", load_cases("logs"))
def test_a_column_is_answered_as_its_messages_are(case: Case) -> None:
    if isinstance(case["expected"], bool):
        messages = pd.Series([case["message"], None, case["message"]], dtype=object)
        assert compile_filter(case["pattern"]).flags(messages).tolist() == [case["expected"], False, case["expected"]]


@pytest.mark.parametrize("name", [*OPERATORS, *STATES])
def test_every_row_of_the_tables_has_a_case(name: str) -> None:
    assert any(name in case["pattern"] and isinstance(case["expected"], bool) for case in read_cases("logs"))


# --- What is highlighted, what is selected ---


@pytest.mark.parametrize(
    ("pattern", "message", "expected"),
    [
        ("full -fine", "full is full", ["full", "full"]),
        ("?WARN ?ERROR", "WARN then ERROR", ["WARN", "ERROR"]),
        ("full -full", "full", []),
        ("abc %bcd%", "xabcdx", ["abcd"]),
        ("%^.|[0-9]%", "é1\ue000é2", ["é", "1", "2"]),
        ("%x*%", "axxb", ["xx"]),
        ("[level, code = 7, rest]", 'INFO "7" more', ['"7"']),
        ("[..., code > 1 && code < 9]", "a b 7", ["7"]),
        ("{ $.a = 1 }", '{"a": 1}', []),
        ("", "anything", []),
    ],
)
def test_spans_are_what_matched_in_order(pattern: str, message: str, expected: list[str]) -> None:
    assert [message[start:end] for start, end in compile_filter(pattern).spans(message)] == expected


@pytest.mark.parametrize(
    ("pattern", "message", "expected"),
    [
        ("[level, job, rest]", 'INFO "a b" c  d ', {"$level": "INFO", "$job": "a b", "$rest": "c  d"}),
        ("[level, ..., code,]", "INFO a 7 ok", {"$level": "INFO", "$2": "a", "$code": "7", "$4": "ok"}),
        ("[level = WARN, rest]", "INFO b", {}),
        ("[a,b]", "[x y]z [x y]", {"$a": "[x y]z", "$b": "x y"}),
        (
            '{ $.a = * || $.b[*] = "y" || $.c = 1 }',
            '{"a": 1.50, "b": ["x", "y"], "c": null}',
            {"$.a": "1.50", "$.b[*]": "x"},
        ),
        ("ERROR", "ERROR", {}),
    ],
)
def test_fields_are_the_values_that_the_pattern_names(pattern: str, message: str, expected: dict[str, str]) -> None:
    assert compile_filter(pattern).fields(message) == expected


def test_a_filter_is_compiled_once_and_cannot_be_changed() -> None:
    compiled = compile_filter("ERROR")
    assert compile_filter("ERROR") is compiled
    with pytest.raises(AttributeError):
        compiled.pattern = "x"  # type: ignore[misc]


def test_an_error_names_the_pattern_the_place_and_the_reason() -> None:
    with pytest.raises(PatternError) as caught:
        matches("[a, b = ]", "x y")
    error = caught.value
    reason = 'expected a number, a text in `"`, or a regular expression in `%`, got `]`'
    assert (error.pattern, error.where, error.reason) == ("[a, b = ]", 8, reason)
    assert str(error) == f"`[a, b = ]` at 8: {reason}"


@pytest.mark.parametrize("pattern", [None, 7, b"x", [], {}])
def test_a_pattern_that_is_no_text_is_refused(pattern: object) -> None:
    with pytest.raises(PatternError, match=f"expected a text, got {type(pattern).__name__}"):
        matches(pattern, "x")  # type: ignore[arg-type]


@pytest.mark.parametrize("pattern", ["x", "%x%", "[a]", "{ $.a = 1 }"])
def test_a_message_that_is_no_text_is_refused(pattern: str) -> None:
    with pytest.raises(TypeError, match="expected a text as message, got dict"):
        matches(pattern, {"a": 1})  # type: ignore[arg-type]


# --- What holds for all ---


@given(pattern=PATTERNS, message=st.one_of(LINES, VALUES.map(json.dumps)))
def test_a_pattern_is_refused_or_answers(pattern: str, message: str) -> None:
    compiled: Filter | PatternError
    try:
        compiled = compile_filter(pattern)
    except PatternError as error:
        compiled = error
    if isinstance(compiled, PatternError):
        assert 0 <= compiled.where <= len(pattern)
        assert compiled.reason
        return
    found = compiled.matches(message)
    assert compiled.flags(pd.Series([message])).tolist() == [found]
    spans = compiled.spans(message)
    assert all(start < end <= len(message) for start, end in spans)
    assert spans == sorted(spans)
    assert found or (spans, compiled.fields(message)) == ([], {})


@given(term=WORDS, message=LINES)
def test_an_exclusion_is_the_complement(term: str, message: str) -> None:
    assert matches(term, message) != matches(f"-{term}", message)
    assert matches(term, message) == matches(f'"{term}"', message) == matches(f"?{term}", message) == (term in message)


@given(terms=st.lists(WORDS, min_size=1, max_size=4), message=LINES)
def test_terms_are_all_or_any(terms: list[str], message: str) -> None:
    found = [term in message for term in terms]
    assert matches(" ".join(terms), message) == all(found)
    assert matches(" ".join(f"?{term}" for term in terms), message) == any(found)
    assert matches(" ".join(f"-{term}" for term in terms), message) != any(found)


@given(message=st.text(min_size=1, max_size=40))
def test_a_message_quoted_matches_itself(message: str) -> None:
    quoted = re.sub(r'(["\\])', r"\\\1", message)
    compiled = compile_filter(f'"{quoted}"')
    assert (compiled.matches(message), compiled.spans(message)) == (True, [(0, len(message))])


@given(message=st.text(st.characters(codec="ascii"), min_size=1, max_size=20))
def test_a_message_in_codes_matches_itself(message: str) -> None:
    assert matches("%^" + "".join(f"\\x{ord(char):02x}" for char in message) + "$%", message)


@given(fields=st.lists(st.text("abX19_.:/-", min_size=1, max_size=5), min_size=1, max_size=5))
def test_a_line_matches_the_pattern_built_from_its_fields(fields: list[str]) -> None:
    line = " ".join(fields)
    pattern = ", ".join(f'f{place} = "{text}"' for place, text in enumerate(fields))
    assert compile_filter(f"[{pattern}]").fields(line) == {f"$f{place}": text for place, text in enumerate(fields)}
    assert matches(f"[..., {pattern}]", f"a {line}")


@given(
    document=st.dictionaries(st.sampled_from("abc"), st.one_of(st.integers(), st.text("ab1 é", max_size=4)), min_size=1)
)
def test_a_document_matches_the_pattern_built_from_it(document: dict[str, int | str]) -> None:
    conditions = [f"$.{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in document.items()]
    assert matches(f"{{ {' && '.join(conditions)} }}", json.dumps(document))
    assert not any(matches(f"{{ {text.replace('=', '!=', 1)} }}", json.dumps(document)) for text in conditions)


@given(value=VALUES, literal=st.sampled_from(["1", '"a"', "*", "%[0-9]%", '"*a"']))
def test_unequal_is_the_complement_of_equal_for_texts_and_numbers(value: object, literal: str) -> None:
    message = json.dumps({"v": value})
    compared = isinstance(value, int | float | str) and not isinstance(value, bool)
    answers = [matches(f"{{ $.v {sign} {literal} }}", message) for sign in ("=", "!=")]
    assert sorted(answers) == ([False, True] if compared else [False, False])


@given(left=st.integers(), right=st.integers())
def test_numbers_are_ordered(left: int, right: int) -> None:
    message = json.dumps({"v": left})
    answers = {sign: matches(f"{{ $.v {sign} {right} }}", message) for sign in ("<", ">", "<=", ">=", "=", "!=")}
    expected = [left < right, left > right, left <= right, left >= right, left == right, left != right]
    assert list(answers.values()) == expected
    assert matches(f"[v >= {right}]", str(left)) == (left >= right)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("{ $.a = 1 }", '{"a":' * 100_000),
        ("{ $.a NOT EXISTS }", '{"b":' + "[" * 100_000 + "]" * 100_000 + "}"),
        ("{ $.a = 1 }", '{"a":' + "9" * 100_000 + "}"),
        ("{ $.a < 1 }", '{"a":1e999999999}'),
        ("%" + "a*" * 400 + "b%", "a" * 100_000),
        ("[a = 1, ..., b]", "[ " * 50_000),
        ("[a = 1, ..., b]", '" ' * 50_001),
    ],
    ids=["open objects", "deep arrays", "a long number", "a huge number", "many stars", "open brackets", "open quotes"],
)
def test_a_hostile_message_is_answered(pattern: str, message: str) -> None:
    assert not matches(pattern, message)


# --- Frames ---


def test_filter_events_keeps_rows_and_columns() -> None:
    events = frame((0, "ERROR a"), (1, "INFO b"), (2, "ERROR c"))
    assert filter_events("ERROR", events).to_dict("index") == {
        0: {"timestamp": 0, "message": "ERROR a"},
        2: {"timestamp": 2, "message": "ERROR c"},
    }


@pytest.mark.parametrize("dtype", ["object", "str", "category"])
def test_a_column_may_have_any_dtype_of_text(dtype: str) -> None:
    messages = pd.Series(["ERROR 1", None, "b"], dtype=dtype)
    for pattern in ("ERROR", "[a, b]", "%R{2}%"):
        assert compile_filter(pattern).flags(messages).tolist() == [True, False, False]


def test_half_of_a_surrogate_pair_loses_its_log_event_only(tmp_path: Path) -> None:
    page = {"events": [{"timestamp": n, "message": text} for n, text in enumerate(("a", "b\ud800", "\U0001f600"))]}
    (tmp_path / "events.json").write_text(json.dumps(page))
    export = load_logs(tmp_path)
    assert export.events["message"].to_list() == ["a", "\U0001f600"]
    assert export.problems[["file", "where"]].to_numpy().tolist() == [
        ["events.json", "$.events[1].message"],
        ["events.json", "$.events[1]"],
    ]


def test_half_of_a_surrogate_pair_is_searched() -> None:
    messages = pd.Series(["ERROR \ud800", "b"], dtype=object)
    assert compile_filter("%^ERR%").flags(messages).tolist() == [True, False]
    assert compile_filter("%R .$%").spans("ERROR \ud800") == [(4, 7)]


@pytest.mark.parametrize(("messages", "kind"), [([1, 2], "integer"), (["a", 1], "mixed-integer"), ([b"x"], "bytes")])
def test_messages_that_are_no_texts_are_refused(messages: list[object], kind: str) -> None:
    with pytest.raises(ValueError, match=f"expected texts as messages, got `{kind}`"):
        filter_events("a", pd.DataFrame({"message": pd.Series(messages, dtype=object)}))


def test_a_frame_without_messages_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a frame with a column `message`, got 'text'"):
        filter_events("a", pd.DataFrame({"text": ["a"]}))


# --- Metric filters ---


LATENCIES = frame(
    (0, '{"ms": 5, "op": "get"}'),
    (1_000, '{"ms": "7", "op": "put"}'),
    (2_000, '{"ms": 8, "op": "get"}'),
    (61_000, '{"ms": "slow", "op": "get"}'),
    (125_000, '{"op": "get"}'),
    (185_000, '{"ms": 2.5, "op": "get"}'),
)


def listed(values: pd.DataFrame) -> list[float | None]:
    return [None if pd.isna(value) else value for value in values["value"]]


@pytest.mark.parametrize(
    ("metric", "statistic", "expected"),
    [
        (MetricFilter("get"), "Sum", [2, 1, 1, 1]),
        (MetricFilter("put", value=2), "Sum", [2, None, None, None]),
        (MetricFilter("put", default=0), "Sum", [1, 0, 0, 0]),
        (MetricFilter("{ $.ms = * }", "$.ms"), "Sum", [20, None, None, 2.5]),
        (MetricFilter("{ $.ms = * }", "$.ms"), "Average", [20 / 3, None, None, 2.5]),
        (MetricFilter("{ $.ms = * }", "$.ms"), "Minimum", [5, None, None, 2.5]),
        (MetricFilter("{ $.ms = * }", "$.ms"), "Maximum", [8, None, None, 2.5]),
        (MetricFilter("{ $.ms = * }", "$.ms"), "SampleCount", [3, None, None, 1]),
        (MetricFilter("nothing"), "Sum", [None, None, None, None]),
    ],
)
def test_a_metric_filter_gives_a_value_a_period(
    metric: MetricFilter, statistic: str, expected: list[float | None]
) -> None:
    assert listed(metric_values(metric, LATENCIES, statistic=statistic)) == expected


def test_a_period_without_log_events_has_no_value_though_there_is_a_default() -> None:
    values = metric_values(MetricFilter("x", default=0), frame((5_000, "x"), (45_000, "y")), period=20)
    assert values["period_start"].tolist() == [
        time("1970-01-01 00:00"),
        time("1970-01-01 00:00:20"),
        time("1970-01-01 00:00:40"),
    ]
    assert listed(values) == [1, None, 0]


def test_dimensions_part_a_metric() -> None:
    metric = MetricFilter("{ $.ms = * && $.op = * }", "$.ms", dimensions={"Operation": "$.op"})
    found = metric_values(metric, LATENCIES, period=120).astype({"period_start": "str"})
    assert found.dropna().values.tolist() == [
        ["1970-01-01 00:00:00+00:00", 13.0, "get"],
        ["1970-01-01 00:00:00+00:00", 7.0, "put"],
        ["1970-01-01 00:02:00+00:00", 2.5, "get"],
    ]
    assert len(found) == 4


def test_a_field_of_a_line_is_a_value() -> None:
    metric = MetricFilter("[level, size > 10]", "$size", dimensions={"Level": "$level"})
    assert metric_values(metric, frame((0, "INFO 12"), (0, "INFO 9")))[["value", "Level"]].values.tolist() == [
        [12.0, "INFO"]
    ]


def test_times_may_be_of_any_form() -> None:
    metric, texts = MetricFilter("{ $.ms = * }", "$.ms"), LATENCIES["timestamp"]
    stamps = pd.to_datetime(texts, unit="ms", utc=True)
    for times in (
        stamps,
        stamps.dt.as_unit("ms"),
        stamps.dt.as_unit("ns"),
        stamps.dt.tz_convert("Asia/Tokyo"),
        texts.astype(float),
    ):
        assert listed(metric_values(metric, LATENCIES.assign(timestamp=times))) == [20, None, None, 2.5]


def test_no_log_events_have_no_periods() -> None:
    assert metric_values(MetricFilter("x", default=0), LATENCIES.iloc[:0]).empty


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"value": "$.size"}, "expected a number, or a selector or field of the pattern (`$.ms`), got `$.size`"),
        ({"value": "many"}, "expected a number, or a selector or field of the pattern (`$.ms`), got `many`"),
        ({"default": "x"}, "expected a number as default value, got `x`"),
        ({"default": 0, "dimensions": {"a": "$.ms"}}, "expected a default value or dimensions, got both"),
        ({"dimensions": dict.fromkeys("abcd", "$.ms")}, "expected at most 3 dimensions, got 4"),
        ({"dimensions": {"value": "$.ms"}}, "expected dimensions of other names than `period_start` and `value`, got `value`"),
        ({"dimensions": {"a": "$.op"}}, "expected a number, or a selector or field of the pattern (`$.ms`), got `$.op`"),
        ({"pattern": "x", "dimensions": {"a": "$.op"}}, "expected a number, or a selector or field of the pattern (none in this pattern), got `$.op`"),
    ],
)  # fmt: skip
def test_a_wrong_metric_filter_is_refused(given: dict, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        MetricFilter(**{"pattern": "{ $.ms = * }"} | given)


@pytest.mark.parametrize(
    ("events", "given", "message"),
    [
        (LATENCIES, {"period": 45}, "expected a period of 10, 20, 30 or a multiple of 60 seconds, got `45`"),
        (LATENCIES, {"period": "60"}, "expected a period of 10, 20, 30 or a multiple of 60 seconds, got `60`"),
        (
            LATENCIES,
            {"statistic": "p99"},
            "expected one of `Sum`, `Average`, `Minimum`, `Maximum`, `SampleCount`, got `p99`",
        ),
        (
            LATENCIES[["message"]],
            {},
            "expected a frame with the columns `timestamp` and `message`, got none named `timestamp`",
        ),
        (
            frame((0, "x"), (10**13, "x")),
            {},
            "expected at most 1,000,000 periods, got 166,666,667: take a longer period",
        ),
    ],
)
def test_a_wrong_question_for_metric_values_is_refused(events: pd.DataFrame, given: dict, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        metric_values(MetricFilter("x"), events, **given)


# --- Alarms ---


@pytest.mark.parametrize(
    ("comparison", "expected"),
    [
        ("GreaterThanThreshold", ["OK", "OK", "ALARM"]),
        ("GreaterThanOrEqualToThreshold", ["OK", "ALARM", "ALARM"]),
        ("LessThanThreshold", ["ALARM", "OK", "OK"]),
        ("LessThanOrEqualToThreshold", ["ALARM", "ALARM", "OK"]),
    ],
)
def test_each_comparison_breaches_on_its_side(comparison: str, expected: list[str]) -> None:
    assert (
        alarm_states([49, 50, 51], threshold=50, comparison=comparison, evaluation_periods=1, evaluation_range=1)
        == expected
    )


def test_an_alarm_goes_through_its_states() -> None:
    values = [None, 10, 90, 90, 90, 10, *[float("nan")] * 5, 90]
    states = ["INSUFFICIENT_DATA", *["OK"] * 3, "ALARM", *["OK"] * 5, "INSUFFICIENT_DATA", "INSUFFICIENT_DATA"]
    assert alarm_states(values, **RULE) == states


@pytest.mark.parametrize("gap", [None, float("nan"), np.float32("nan"), pd.NA])
def test_a_gap_of_any_type_is_missing(gap: Any) -> None:
    assert alarm_states([90, gap, gap], **RULE | {"evaluation_periods": np.int64(1)}, evaluation_range=1) == [
        "ALARM",
        "INSUFFICIENT_DATA",
        "INSUFFICIENT_DATA",
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"comparison": ">"}, "expected one of `GreaterThanOrEqualToThreshold`, `GreaterThanThreshold`, `LessThanThreshold`, `LessThanOrEqualToThreshold` as `comparison`, got `>`"),
        ({"treat_missing_data": "Missing"}, "expected one of `missing`, `ignore`, `breaching`, `notBreaching` as `treat_missing_data`, got `Missing`"),
        ({"initial": "ok"}, "expected one of `OK`, `ALARM`, `INSUFFICIENT_DATA` as `initial`, got `ok`"),
        ({"evaluation_periods": 0}, "expected a whole number, at least 1, as `evaluation_periods`, got `0`"),
        ({"evaluation_periods": 2.5}, "expected a whole number, at least 1, as `evaluation_periods`, got `2.5`"),
        ({"datapoints_to_alarm": 4}, "expected a whole number, 1 to 3, as `datapoints_to_alarm`, got `4`"),
        ({"evaluation_range": 2}, "expected a whole number, at least 3, as `evaluation_range`, got `2`"),
        ({"threshold": None}, "expected a number as `threshold`, got `None`"),
        ({"values": ["x"]}, "expected a number or None as a value, got `x`"),
    ],
)  # fmt: skip
def test_a_wrong_alarm_is_refused(given: dict, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        alarm_states(**{"values": [1], **RULE} | given)


POINTS = st.sampled_from([None, 10, 90])


@given(
    far=st.lists(POINTS, max_size=8),
    values=st.lists(POINTS, min_size=5, max_size=12),
    m=st.integers(1, 3),
    missing=st.sampled_from(["missing", "ignore", "breaching", "notBreaching"]),
)
def test_what_is_far_back_counts_only_by_the_state_it_left(
    far: list[float | None], values: list[float | None], m: int, missing: str
) -> None:
    rule = RULE | {"datapoints_to_alarm": m, "treat_missing_data": missing}
    near, whole = alarm_states(values, **rule), alarm_states([*far, *values], **rule)
    assert len(whole) == len(far) + len(values)
    alike = [one == other for one, other in zip(near[4:], whole[len(far) + 4 :], strict=True)]
    assert alike == sorted(alike)  # once alike, always alike


# --- Files ---


def events(export: ssmlab.logs.LogExport) -> list[tuple[str, str, str]]:
    rows = export.events[["log_stream", "timestamp", "message"]].itertuples(index=False)
    return [(stream, stamp.isoformat(timespec="milliseconds"), message) for stream, stamp, message in rows]


def problems(export: ssmlab.logs.LogExport) -> list[tuple[str, str, str, str]]:
    return [tuple(row) for row in export.problems.itertuples(index=False)]


def event(time: object, message: object, **more: object) -> dict[str, object]:
    return {"timestamp": time, "message": message, **more}


def test_filter_log_events_in_pages_of_one_file(tmp_path: Path) -> None:
    pages = [
        {"events": [event(2000, "b", logStreamName="s2")], "nextToken": "n"},
        {"events": [event(1000, "a", logStreamName="s1")]},
    ]
    file = tmp_path / "filter-log-events.json"
    file.write_text("\n".join(map(json.dumps, pages)))
    export = load_logs(file, log_group="/aws/ssm/AWS-RunShellScript")
    assert events(export) == [
        ("s1", "1970-01-01T00:00:01.000+00:00", "a"),
        ("s2", "1970-01-01T00:00:02.000+00:00", "b"),
    ]
    assert problems(export) == []
    assert export.events["log_group"].tolist() == ["/aws/ssm/AWS-RunShellScript"] * 2
    assert list(export.events) == ["log_group", "log_stream", "timestamp", "message"]
    assert filter_events("b", export.events)["log_stream"].tolist() == ["s2"]


def test_get_log_events_takes_the_stream_from_the_file_and_has_tokens_always(tmp_path: Path) -> None:
    (tmp_path / "stdout.1.json").write_text(json.dumps({"events": [event(1, "a")], "nextForwardToken": "f/1"}))
    (tmp_path / "stdout.2.json").write_text(json.dumps({"events": [event(2, "é")], "nextForwardToken": "f/2"}))
    export = load_logs(tmp_path)
    assert events(export) == [
        ("stdout", "1970-01-01T00:00:00.001+00:00", "a"),
        ("stdout", "1970-01-01T00:00:00.002+00:00", "é"),
    ]
    assert problems(export) == []


def test_a_further_page_that_was_not_collected_is_told(tmp_path: Path) -> None:
    file = tmp_path / "f.json"
    file.write_text(json.dumps({"events": [event(1, "a")], "nextToken": "n"}))
    assert problems(load_logs(file)) == [("f.json", "$", "warning", "not collected: a further page, and what it holds")]


def test_an_export_to_s3(tmp_path: Path) -> None:
    stream = tmp_path / "exported" / "i-0123456789abcdef0-stdout"
    stream.mkdir(parents=True)
    text = "2026-11-24T10:00:00.123Z one\n  more of one\n\n2026-11-24T10:00:01Z two\n2026-11-24T10:00:02.5Z \n"
    (stream / "000000.gz").write_bytes(gzip.compress(text.encode()))
    (tmp_path / "exported" / "aws-logs-write-test").write_text("Permission Check Successful")
    name = stream.name
    export = load_logs(tmp_path)
    assert events(export) == [
        (name, "2026-11-24T10:00:00.123+00:00", "one\n  more of one\n"),
        (name, "2026-11-24T10:00:01.000+00:00", "two"),
        (name, "2026-11-24T10:00:02.500+00:00", ""),
    ]
    assert problems(export) == []


def test_damaged_records_are_told_and_lose_no_others(tmp_path: Path) -> None:
    damaged = [
        event(1, "kept"),
        event(1, None),
        event("now", "x"),
        event(True, "x"),
        event(1, "x", logStreamName=7),
        "x",
        event(2, "too"),
    ]
    (tmp_path / "a.json").write_text(json.dumps({"events": damaged}) + '{"other": 1}')
    (tmp_path / "b.log").write_text("before\n2026-11-24T10:00:00Z kept\n2026-13-24T10:00:00Z no month\n")
    (tmp_path / "c.json").write_text('{"events": [')
    (tmp_path / "d.gz").write_bytes(gzip.compress(b"2026-11-24T10:00:00Z whole\n" * 2)[:-9])
    (tmp_path / "e.log").write_bytes(b"2026-11-24T10:00:01Z caf\xe9\n")
    export = load_logs(tmp_path)
    assert export.events["message"].tolist() == ["kept", "too", "kept", "whole", "whole", "caf\ufffd"]
    assert [(file, where) for file, where, *_ in problems(export)] == [
        ("a.json", "$[0].events[1]"),
        ("a.json", "$[0].events[2].timestamp"),
        ("a.json", "$[0].events[3].timestamp"),
        ("a.json", "$[0].events[4].logStreamName"),
        ("a.json", "$[0].events[5]"),
        ("a.json", "$[1]"),
        ("b.log", "line 1"),
        ("b.log", "line 3"),
        ("c.json", "line 1"),
        ("d.gz", ""),
        ("e.log", ""),
    ]
    assert export.problems["what"].tolist()[:3] == [
        'expected an event with a text `message`, got `{"timestamp": 1, "message": null}`',
        "expected milliseconds since 1970, got `now`",
        "expected milliseconds since 1970, got `true`",
    ]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "expected a file of log events, got an empty folder"),
        ({"a.json": "{"}, "`a.json` at line 1: expected JSON"),
        ({"a.json": ""}, "`a.json` at line 1: expected JSON, got an empty file"),
        ({"a.json": "[]"}, "`a.json` at $: expected an object with a list `events`, got `[]`"),
        ({"a.log": "nothing"}, "`a.log` at line 1: expected an ISO timestamp, a blank and a message, got `nothing`"),
    ],
)
def test_nothing_to_load_is_an_error(tmp_path: Path, files: dict[str, str], message: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(ssmlab.LoadError, match=re.escape(message)):
        load_logs(tmp_path)


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(
        ssmlab.LoadError, match=re.escape("`none.json`: expected a file that can be read, got No such file")
    ):
        load_logs(tmp_path / "none.json")


def test_a_file_without_events_is_an_empty_frame(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"events": []}')
    export = load_logs(tmp_path)
    assert (events(export), problems(export)) == ([], [])


def test_the_package_exports_the_module() -> None:
    assert ssmlab.logs.matches is matches
    assert isinstance(ssmlab.logs.compile_filter("x"), Filter)


def test_a_long_text_is_searched_and_not_remembered():
    regexes._recall.cache_clear()
    long = "x" * 100_000 + "code=500"
    assert (matches("%code=5%", long), matches("%code=6%", long)) == (True, False)
    assert matches("[text = %code=5%]", "code=500")
    assert regexes._recall.cache_info().currsize == 3  # two expressions as they were read, and the short text


def test_a_number_beyond_all_that_an_alarm_can_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a number or None as a value"):
        alarm_states([1], threshold=10**400, comparison="GreaterThanThreshold", evaluation_periods=1)
