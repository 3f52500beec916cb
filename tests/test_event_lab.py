"""The event lab without a browser: state in, views out."""

import html
import json
from pathlib import Path

import pytest
from hostile import CONTROLS

import ssmlab
from ssmlab.commands import Command, send_command
from ssmlab.events import EventError, load_events, matches
from ssmlab.snapshots import LoadError
from ssmlab.widgets import EventLab
from ssmlab.widgets.event_views import ALL, OWN, STARTS, State, gather_events, write_pattern

NODE = "i-06aa5aa9e85538805"


@pytest.fixture(scope="module")
def snapshot() -> ssmlab.Snapshot:
    return ssmlab.load("data/sample")


@pytest.fixture(scope="module")
def command(snapshot: ssmlab.Snapshot) -> Command:
    team = [{"Key": "tag:Team", "Values": ["blue"]}]
    return send_command(snapshot, "web-ops", "AWS-RunShellScript", None, team, "us-east-2")


@pytest.fixture
def lab(command: Command) -> EventLab:
    return EventLab(command)


def rows(lab: EventLab) -> list[list[str]]:
    return lab._table._table.df.astype(str).to_numpy().tolist()


def test_the_first_view_is_the_pages_first_rule_on_the_events_of_a_command(lab: EventLab) -> None:
    assert json.loads(lab.state.pattern) == STARTS["any transition of a command"]
    assert "3 of 13 events match." in lab._live.value
    assert [row[4] for row in rows(lab) if row[0] == "✓ yes"] == ["Pending", "InProgress", "Success"]


def test_of_all_events_the_matches_stand_first_and_nodes_have_names(lab: EventLab) -> None:
    lab.controls["pattern"].value = '{"detail": {"status": ["Failed"]}}'
    assert [row[0] for row in rows(lab)] == ["✓ yes"] * 2 + ["no"] * 11
    assert [row[3] for row in rows(lab)[:2]] == ["kiosk-1", "web-13"]
    assert "13 events, matches first" in lab._table._count.value
    assert [row[3] for row in EventLab([*lab.events])._table._table.df.astype(str).to_numpy().tolist()][3] == NODE


def test_why_none_matches_is_told_as_counts(lab: EventLab) -> None:
    lab.controls["pattern"].value = '{"source": ["aws.ssm"], "detail": {"status": ["failed"]}}'
    counts = '"Pending" (5), "InProgress" (3), "Success" (3), "Failed" (2)'
    assert f"<li>13 of 13 events fail at <code>detail.status</code>; values there: {counts}</li>" in html.unescape(
        lab.why.value
    )
    lab.controls["pattern"].value = '{"detail": {"status": ["Failed"], "no": ["x"]}}'
    told = html.unescape(lab.why.value)
    assert "<li>11 of 13 events fail at <code>detail.status</code>" in told
    assert "<li>2 of 13 events fail at <code>detail.no</code>; values there: absent (2)</li>" in told
    assert "events match" not in told


@pytest.mark.parametrize("start", STARTS)
def test_every_start_matches_what_the_pattern_matches(lab: EventLab, start: str) -> None:
    lab.controls["start"].value = start
    assert lab.matched.tolist() == [matches(STARTS[start], event) for event in lab.events]


def test_what_is_typed_is_matched_at_once_and_is_ones_own(lab: EventLab) -> None:
    lab.controls["pattern"].value = '{"detail": {"status": [{"prefix": "In"}]}}'
    assert lab.state.start == lab.controls["start"].value == OWN
    assert "3 of 13 events match." in lab._live.value
    lab.controls["shown"].value = "matches"
    assert {row[4] for row in rows(lab)} == {"InProgress"}
    lab.controls["shown"].value = "no match"
    assert len(rows(lab)) == 10


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ('{"source": "aws.ssm"}', "<b>source</b>: expected an object or an array"),
        ('{\n "source": ["a" "b"]\n}', '<b>line 2, column 17</b>: expected JSON'),
        ('{\n "source": ["a" "b"]\n}', '"a" <mark>&quot;</mark>b&quot;]'.replace('"a"', "&quot;a&quot;")),
        ("", "<b>line 1, column 1</b>"),
        ('{"<img>": []}', "<b>&lt;img&gt;</b>: expected a value or an operator, got an empty array"),
        ('{"source": [{"prefx": "aws"}]}', "unknown operator `prefx`"),
    ],
)  # fmt: skip
def test_a_pattern_that_is_refused_is_told_with_its_place(lab: EventLab, pattern: str, said: str) -> None:
    lab.controls["pattern"].value = pattern
    assert said in lab._wrong.value
    assert not lab.matched.any()
    assert "EventBridge refuses this pattern" in lab._live.value
    lab.controls["pattern"].value = '{"source": ["aws.ssm"]}'
    assert lab._wrong.value == ""
    assert lab.matched.all()


def test_a_selected_event_is_explained(lab: EventLab) -> None:
    lab.controls["pattern"].value = '{"detail": {"status": ["pending"]}}'
    lab._table._table.selected_rows = [0]
    why = html.unescape(lab.why.value)
    assert (
        'It does not match: <code>detail.status</code> is "Pending", the pattern wants "pending": case matters.' in why
    )
    assert '"detail-type": "EC2 Command Status-change Notification"' in why
    lab.controls["pattern"].value = '{"detail": {"status": ["Pending"]}}'
    lab._table._table.selected_rows = [0]
    assert "It matches: every field of the pattern holds." in lab.why.value


def test_many_events_are_matched_in_the_background_and_only_the_last_pattern_counts(command: Command) -> None:
    lab = EventLab([*command.events] * 200)
    for text in ("P", "Pe", "Pending"):
        lab.controls["pattern"].value = f'{{"detail": {{"status": [{{"prefix": "{text}"}}]}}}}'
    assert "Matching…" in lab._live.value
    lab.wait()
    assert "1,000 of 2,600 events match." in lab._live.value
    lab.controls["pattern"].value = "{"
    assert "EventBridge refuses this pattern" in lab._live.value
    assert not lab.matched.any()


def test_counts_are_by_kind_and_status(lab: EventLab) -> None:
    lab.tabs.selected_index = 1
    assert lab._counts._table.df.values.tolist() == [
        ["command", "Pending", 1, 1],
        ["node", "Pending", 0, 4],
        ["command", "InProgress", 1, 1],
        ["node", "InProgress", 0, 2],
        ["node", "Failed", 0, 2],
        ["node", "Success", 0, 2],
        ["command", "Success", 1, 1],
    ]
    assert lab.export("CSV")[1].decode().splitlines()[0] == "of,status,match,events"


def test_events_come_from_a_list_a_command_a_file_or_a_snapshot(
    snapshot: ssmlab.Snapshot, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "events.json").write_text("\n".join(json.dumps(event) for event in command.events))
    assert [*gather_events(command)] == gather_events(iter(command.events)) == load_events(tmp_path / "events.json")
    monkeypatch.chdir(tmp_path)  # a path from here, and one through a link
    (tmp_path / "link").symlink_to(tmp_path)
    assert load_events("events.json") == load_events(tmp_path / "link" / "events.json") == [*command.events]
    monkeypatch.undo()
    assert {event["detail"]["status"] for event in gather_events(snapshot)} >= {"Success", "Failed"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1', "expected JSON, got Expecting"),
        ("[1]", "at event 0: expected an object, got `1`"),
        ("[" * 100_000, "expected JSON, got nested too deeply"),
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "events.json").write_text(text)
    with pytest.raises(LoadError, match=said):
        EventLab(tmp_path / "events.json")
    with pytest.raises(LoadError, match=r"expected a file that can be read, got No such file"):
        load_events(tmp_path / "none.json")


def test_half_of_a_surrogate_pair_loses_its_event_only_and_is_told(tmp_path: Path) -> None:
    events = [{"source": "a"}, {"source": "b", "detail": {"x": ["\ud800"]}}, {"\udc00": 1}, {"source": "\U0001f600"}]
    (tmp_path / "events.json").write_text(json.dumps(events) + '{"source": "c"}')
    found = load_events(tmp_path / "events.json")
    assert found == [events[0], events[3], {"source": "c"}]
    assert found.problems[["file", "where"]].to_numpy().tolist() == [
        ["events.json", "$[0][2]"],
        ["events.json", "$[0][1].detail.x[0]"],
    ]
    (tmp_path / "lost.json").write_text(json.dumps(events[1]))
    with pytest.raises(LoadError, match=r"`lost.json` at \$.detail.x\[0\]: expected text in UTF-8, got half of a"):
        load_events(tmp_path / "lost.json")
    assert "left out of the file: 2 places" in EventLab(tmp_path / "events.json").describe()


def test_no_events_and_what_is_no_event_are_told() -> None:
    lab = EventLab([])
    assert "No event to show." in lab._table._count.value
    with pytest.raises(EventError, match="event 1: expected an object, got `text`"):
        EventLab([{}, "text"])


def test_a_view_is_a_line_to_copy(lab: EventLab) -> None:
    lab.controls["pattern"].value = '{"source": [{"prefix": "aws\\u2028<"}]}'
    line = html.unescape(lab._line.value.partition("<code>")[2].partition("</code>")[0])
    again = eval(line, {"EventLab": EventLab, "events": lab.events})
    assert again.state == lab.state


def test_a_pattern_can_be_given_as_a_dict() -> None:
    assert EventLab([], pattern={"source": ["a", "b"]}).state == State('{\n  "source": ["a", "b"]\n}', OWN, ALL)
    assert all(json.loads(write_pattern(pattern)) == pattern for pattern in STARTS.values())


@pytest.mark.parametrize("text", CONTROLS, ids=range(len(CONTROLS)))
def test_text_of_events_and_patterns_is_escaped_in_every_view(text: str) -> None:
    event = {
        "source": text,
        "detail-type": text,
        "time": text,
        "detail": {"status": text, "instance-id": text, text: 1},
    }
    lab = EventLab([event], pattern={"source": [text + "x"]})
    shown = [lab.describe(), lab.why.value, lab._line.value]
    lab._table._table.selected_rows = [0]
    shown += [lab.why.value]
    lab.controls["pattern"].value = f'{{"{text}": ['
    shown += [lab._wrong.value]
    assert not any(tag in words for words in shown for tag in ("<script", "<img", "<svg"))
    assert not any(char in words for words in [*shown, *rows(lab)[0]] for char in "\x00\x1b\u202e")
