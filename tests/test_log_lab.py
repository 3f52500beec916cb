"""The log lab without a browser: state in, views out."""

import html
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from hostile import CONTROLS

import ssmlab
from ssmlab.logs.alarms import STATES as ALARM_STATES
from ssmlab.widgets import LogLab
from ssmlab.widgets.log_views import State, gather_logs, list_runs, mark_spans, measure, write_messages
from ssmlab.widgets.metric import MOST_PERIODS, STATES, draw_metric

MINUTE = 60_000


def make_events(*messages: str, gap: int = MINUTE) -> pd.DataFrame:
    return pd.DataFrame({"timestamp": [gap * number for number in range(len(messages))], "message": messages})


def cells(lab: LogLab) -> list[str]:
    """The texts of the first message's row."""
    row = ElementTree.fromstring(lab._messages.value).find("tbody/tr")
    return ["".join(cell.itertext()) for cell in row]


@pytest.fixture
def lab() -> LogLab:
    events = make_events("ERROR 3", "fine", "ERROR 5", "ERROR 1", "fine", "fine")
    return LogLab(events, pattern="[word = ERROR, size]", default="0", evaluation_periods=3, datapoints=2)


def test_the_first_view_shows_what_failed_in_a_command() -> None:
    lab = LogLab(ssmlab.load("data/sample"))
    assert (lab.state.pattern, lab.state.period) == ("ERROR", 10)
    assert "<mark>ERROR</mark> Unit httpd.service not found." in lab._messages.value


def test_what_is_typed_is_searched_at_once_and_marked(lab: LogLab) -> None:
    lab.controls["pattern"].value = "fine"
    assert "3 of 6 messages match." in lab._live.value
    assert lab._messages.value.count("<mark>fine</mark>") == 3
    assert "ERROR" not in lab._messages.value
    lab.controls["shown"].value = "all messages"
    assert "ERROR 5" in lab._messages.value
    lab.controls["pattern"].value = "nothing"
    lab.controls["shown"].value = "matches"
    assert "none matches" in lab._messages.value


def test_a_pattern_that_is_refused_is_told_with_its_place(lab: LogLab) -> None:
    lab.controls["pattern"].value = "{ $.a = <b> }"
    assert "At character 9: expected a number" in lab._wrong.value
    assert "{ $.a = <mark>&lt;</mark>b&gt; }" in lab._wrong.value
    assert "CloudWatch Logs refuses this pattern." in lab._live.value
    for view in (0, 1, 2):
        lab.tabs.selected_index = view
    lab.controls["pattern"].value = "fine"
    assert lab._wrong.value == ""
    assert lab.matched.sum() == 3


def test_the_metric_and_the_alarm_are_drawn_and_told(lab: LogLab) -> None:
    lab.tabs.selected_index = 1
    assert lab.measured["value"].tolist() == [1, 0, 1, 1, 0, 0]
    assert lab.measured["state"].tolist() == ["INSUFFICIENT_DATA", "OK", "ALARM", "ALARM", "ALARM", "OK"]
    label = ElementTree.fromstring(lab._picture.value).get("aria-label")
    assert label == (
        "Sum of 1 where `[word = ERROR, size]` matches, and its alarm. ALARM if it is >= 1 in 2 of the last 3 periods. "
        "6 periods of 60 s: the highest is 1 at 00:00:00; 0 without a value. It is ALARM in the periods 00:02:00 to 00:04:00, and OK at the end."
    )
    lab.controls["value"].value = "$size"
    lab.controls["default"].value = ""
    np.testing.assert_array_equal(lab.measured["value"], [3, np.nan, 5, 1, np.nan, np.nan])


def test_a_period_is_explained_with_its_messages(lab: LogLab) -> None:
    lab.tabs.selected_index = 2
    lab._table._table.selected_rows = [2]
    assert "00:02:00: the value 1; the alarm is ALARM after it." in lab.why.value
    assert "<li>ERROR 5</li>" in lab.why.value


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("value", "$nothing", "expected a number, or a selector or field of the pattern"),
        ("default", "none", "default: expected a number, got `none`"),
        ("threshold", "<b>", "threshold: expected a number, got `&lt;b&gt;`"),
    ],
)
def test_what_cloudwatch_refuses_is_told_in_the_panel(lab: LogLab, field: str, value: str, said: str) -> None:
    lab.tabs.selected_index = 1
    before = getattr(lab.state, field)
    lab.controls[field].value = value
    assert f"<p role='alert'>{said}" in lab.why.value
    lab.controls[field].value = before
    assert "<svg" in lab._picture.value


def test_m_above_n_is_refused_and_changes_neither(lab: LogLab) -> None:
    lab.tabs.selected_index = 1
    lab.controls["datapoints"].value = 5
    assert (lab.state.datapoints, lab.state.evaluation_periods) == (5, 3)
    assert "<p role='alert'>expected at most 3 of the last 3 periods, got 5</p>" in lab.why.value
    lab.controls["evaluation_periods"].value = 5
    assert "ALARM if it is &gt;= 1 in 5 of the last 5 periods." in lab._picture.value


def test_an_error_or_a_result_is_told_once(lab: LogLab) -> None:
    lab.tabs.selected_index = 1
    drawn = " ".join(ElementTree.fromstring(lab._picture.value).itertext())
    assert ("It is ALARM in the periods" in lab._live.value, "It is ALARM in the periods" in drawn) == (True, False)
    lab.controls["threshold"].value = "many"
    places = lab._live, lab.why, lab._picture, lab._messages, lab._count, lab._table._count
    assert [place for place in places if "expected a number" in place.value] == [lab.why]
    lab.controls["pattern"].value = "["
    places = lab._live, lab._picture, lab._messages, lab._count, lab._table._count
    assert [place for place in places if "refuses" in place.value] == [lab._live]
    assert ("At character" in lab._wrong.value, lab.why.value) == (True, "")


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [
        ("error", "3 lines hold it in other letters: filter patterns count upper and lower case."),
        ("Fine -error", "3 lines hold it in other letters"),
        ("[word = Error, size = 5]", "1 line holds it in other letters"),
        ("warning", ""),
        ("%errOr%", ""),
        ("{ $.a IS NULL }", ""),
        ("ERROR", ""),
    ],
)
def test_no_match_but_one_in_other_letters_is_told(lab: LogLab, pattern: str, hint: str) -> None:
    lab.controls["pattern"].value = pattern
    assert hint in lab._live.value
    assert ("in other letters" in lab._live.value) == bool(hint)


def test_messages_have_node_and_stream(lab: LogLab) -> None:
    snapshot = ssmlab.load("data/sample")
    call = {"instance_ids": "i-0123456789abcdef0", "responses": {"output": "ERROR a"}}
    command = ssmlab.commands.send_command(snapshot, "web-ops", "AWS-RunShellScript", **call)
    others = make_events("ERROR a").assign(log_stream="app/1")
    found = [cells(LogLab(data)) for data in (command, command.log_events, others)]
    assert found == [
        ["✓", "09:00:02", "web-1", "stdout", "ERROR a"],
        ["✓", "09:00:02", "i-0123456789abcdef0", "stdout", "ERROR a"],
        ["✓", "00:00:00", "", "app/1", "ERROR a"],
    ]
    assert "stream" not in lab._messages.value


def test_times_stand_centred_below_their_ticks(lab: LogLab) -> None:
    lab.tabs.selected_index = 1
    drawn = [*ElementTree.fromstring(lab._picture.value).iter()]
    ticks = [e.get("x1") for e in drawn if e.tag.endswith("line") and e.get("x1") == e.get("x2")]
    times = [(e.get("x"), e.get("text-anchor")) for e in drawn if re.fullmatch(r"00:0\d:00", e.text or "")]
    assert times == [(x, "middle") for x in ticks]
    assert len(times) == 6


def test_logs_come_from_a_frame_a_command_a_file_or_a_snapshot(tmp_path: Path) -> None:
    snapshot = ssmlab.load("data/sample")
    command = ssmlab.commands.send_command(
        snapshot, "web-ops", "AWS-RunShellScript", "i-0123456789abcdef0", responses={"output": "ready"}
    )
    time = int(command.log_events["timestamp"].iloc[0].timestamp() * 1000)
    page = {"events": [{"timestamp": time, "message": "ready"}]}
    (tmp_path / "events.json").write_text(json.dumps(page))
    found = [
        gather_logs(data)[["timestamp", "message"]] for data in (command, tmp_path / "events.json", page["events"])
    ]
    for frame in found[1:]:
        pd.testing.assert_frame_equal(frame, found[0], check_dtype=False)
    with pytest.raises(ValueError, match="got none named `message`"):
        LogLab(pd.DataFrame({"timestamp": []}))


def test_no_log_events_say_so() -> None:
    lab = LogLab(make_events())
    assert "no log events" in lab.describe()
    assert "No message to show" in lab._messages.value
    lab.tabs.selected_index = 1
    assert "There is no log event, so the metric has no period" in lab._picture.value


def test_of_many_messages_and_periods_the_first_and_the_last_are_shown() -> None:
    events = make_events(*["ERROR"] * 1000)
    lab = LogLab(events, pattern="ERROR", period=60)
    assert lab._messages.value.count("<tr>") == 1 + 200
    assert "1,000 of 1,000 messages match." in lab._live.value
    assert lab._count.value == "The first 200 are shown."
    lab.tabs.selected_index = 1
    assert f"The last {MOST_PERIODS} of 1,000 periods are drawn." in html.unescape(lab.to_picture())
    assert len(lab.to_frame()) == 1000


def test_many_messages_are_searched_in_the_background_and_only_the_last_pattern_counts() -> None:
    lab = LogLab(make_events(*["ERROR", "fine"] * 1500), pattern="")
    for text in ("E", "ERR", "ERROR"):
        lab.controls["pattern"].value = text
    assert "Searching…" in lab._live.value
    lab.wait()
    assert "1,500 of 3,000 messages match." in lab._live.value
    lab.tabs.selected_index = 1
    lab.wait()
    assert "<svg" in lab._picture.value
    lab.controls["value"].value = "$nothing"
    lab.wait()
    assert "<p role='alert'>expected a number, or a selector" in lab.why.value


def test_a_long_message_is_cut_but_its_matches_are_kept() -> None:
    message = "x" * 5000 + "ERROR" + "y" * 5000
    assert mark_spans(message, [(5000, 5005)]) == "x" * 5000 + "<mark>ERROR</mark>…"
    assert mark_spans(message, []) == "x" * 2000 + "…"


def test_a_view_is_a_line_to_copy(lab: LogLab) -> None:
    lab.controls["pattern"].value = "\"a 'phrase'\" -<b>"
    line = html.unescape(lab._line.value.partition("<code>")[2].partition("</code>")[0])
    again = eval(line, {"LogLab": LogLab, "log_events": lab.log_events})
    assert again.state == lab.state


def test_what_is_seen_is_saved(lab: LogLab) -> None:
    assert lab.export("CSV")[1].decode().splitlines()[0] == "timestamp,message,matched"
    name, content = lab.export("Picture")
    assert (name, ElementTree.fromstring(content).get("role")) == ("LogLab.svg", "img")
    lab.tabs.selected_index = 2
    assert lab.export("CSV")[1].decode().splitlines()[0] == "period_start,value,state"


@pytest.mark.parametrize("text", CONTROLS, ids=range(len(CONTROLS)))
def test_text_of_messages_and_patterns_is_escaped_in_every_view(text: str) -> None:
    pattern = json.dumps(text) if text.isprintable() else ""
    lab = LogLab(make_events(text, text).assign(log_group=text), pattern=pattern)
    shown = [lab.describe(), lab._messages.value, lab._line.value]
    lab.tabs.selected_index = 1
    shown += [lab._picture.value.replace("<svg xmlns", ""), lab.why.value]
    ElementTree.fromstring(lab._picture.value)
    lab.tabs.selected_index = 2
    lab._table._table.selected_rows = [0]
    lab.controls["pattern"].value = f"{{ $.a = {text} }}"
    shown += [lab.why.value, lab._wrong.value]
    assert not any(tag in words for words in shown for tag in ("<script", "<img", "<svg"))
    assert not any(char in words for words in shown for char in "\x00\x1b\u202e")


# --- The layers below ---


def test_every_state_of_an_alarm_has_a_colour_a_letter_and_a_height_of_its_own() -> None:
    assert {*STATES} == {*ALARM_STATES}
    assert [len(set(values)) for values in zip(*STATES.values(), strict=True)][:3] == [3, 3, 3]


def test_runs_cover_every_period_once() -> None:
    assert list_runs([]) == []
    assert list_runs(["OK", "OK", "ALARM", "OK"]) == [("OK", 0, 2), ("ALARM", 2, 3), ("OK", 3, 4)]


@pytest.mark.parametrize("messages", [["-5"], ["-5", "x", "7"], ["0"], ["x"]])
def test_values_of_every_sign_are_drawn(messages: list[str]) -> None:
    state = State(pattern="[size]", value="$size", threshold="-2")
    measured = measure(gather_logs(make_events(*messages)), state)
    heights = [
        float(e.get("height")) for e in ElementTree.fromstring(draw_metric(measured, state)).iter() if e.get("height")
    ]
    assert min(heights) > 0


def test_a_pattern_for_json_matches_without_marks() -> None:
    frame = gather_logs(make_events('{"a": 1}'))
    listed, words = write_messages(frame, "{ $.a = 1 }", np.array([True]), "matches", {})
    assert ("<mark>" in listed, "&quot;a&quot;" in listed, words) == (False, True, "")


def test_log_events_without_any_time_are_searched_all_the_same() -> None:
    lab = LogLab(pd.DataFrame({"timestamp": [None], "message": ["ERROR a"]}))
    assert "1 log event without a time" in lab.describe()
    assert lab.matched.tolist() == [True]
    for view in (1, 2):
        lab.tabs.selected_index = view
    assert "role='alert'" not in lab.why.value


@pytest.mark.parametrize("times", [["2026-01-01", "soon"], [0, 1e30]])
def test_a_time_that_cannot_be_read_is_named_with_its_log_event(times: list[object]) -> None:
    with pytest.raises(ValueError, match=r"log event 1: expected a time in `timestamp`, got `(soon|1e\+30)`"):
        LogLab(pd.DataFrame({"timestamp": times, "message": ["a", "b"]}))


def test_times_may_be_written_in_several_ways() -> None:
    times = ["2026-01-01", "2026-01-01T02:00:00+02:00"]
    assert LogLab(pd.DataFrame({"timestamp": times, "message": ["a", "b"]})).log_events["timestamp"].nunique() == 1
