"""The workshop: every exercise against right, nearly right and wrong answers; what is done; a room of learners."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from casebook import read_cases

import ssmlab
from ssmlab import workshop

SAMPLE = ssmlab.load(Path(__file__).parents[1] / "data" / "sample")
EXERCISES = workshop.read_exercises()
SHARED = set.intersection(*({hint for _, hint in each.hints} for each in EXERCISES.values() if each.kind == "policy"))
TEXTS = {  # an answer that is none, for each kind
    "policy": "Allow everything",
    "tags": "[1]",
    "request": '"true"',
    "names": '{"a": 1}',
    "event pattern": "{",
    "filter pattern": "{ $.a",
    "alarm": "{}",
}


def judge(exercise, answer, tmp_path):
    return workshop.check(exercise, answer, SAMPLE, progress=tmp_path / "progress.json")


def told(verdict):
    """What is wrong, without the first line and the hints."""
    return "\n".join(line for line in verdict.text.split("\n")[1:] if not line.startswith("hint "))


def hinted(verdict):
    return [line.split(": ", 1)[1] for line in verdict.text.split("\n") if line.startswith("hint ")]


@pytest.mark.parametrize("exercise", EXERCISES)
def test_right_answers_pass_and_each_wrong_one_gets_its_own_message_and_a_hint_that_fits(exercise, tmp_path):
    cases = {case["name"]: case for case in read_cases("workshop") if case["exercise"] == exercise}
    verdicts = {}
    for name, case in cases.items():
        (tmp_path / "progress.json").write_text(json.dumps({exercise: {"tries": 9, "passed": False}}))
        verdicts[name] = judge(exercise, case["answer"], tmp_path)
    wrong = [name for name in cases if "says" in cases[name]]
    assert {name for name in cases if not verdicts[name].passed} == set(wrong)
    assert {name: cases[name]["says"] in verdicts[name].text for name in wrong} == dict.fromkeys(wrong, True)
    assert len({told(verdicts[name]) for name in wrong}) == len(wrong) >= 5
    assert len(cases) > len(wrong)
    hints = {name: hinted(verdicts[name]) for name in wrong}
    first = {name: case["hint"] for name, case in cases.items() if "hint" in case}
    assert {name: hints[name][0][: len(hint)] for name, hint in first.items()} == first
    met = {hint for each in hints.values() for hint in each}
    assert [hint for fits, hint in EXERCISES[exercise].hints if hint not in met and hint not in SHARED] == []


def test_every_hint_of_a_kind_is_the_first_one_for_some_mistake():
    first = [case["hint"] for case in read_cases("workshop") if "hint" in case]
    assert [hint for hint in SHARED if not hint.startswith(tuple(first))] == []


@pytest.mark.parametrize("exercise", EXERCISES)
def test_an_exercise_without_an_answer_says_what_is_expected_and_counts_no_try(exercise, tmp_path):
    verdict = judge(exercise, ..., tmp_path)
    assert not verdict.passed
    assert verdict.text.startswith(f"{exercise} is not answered yet: expected ")
    assert not (tmp_path / "progress.json").exists()


@pytest.mark.parametrize("exercise", EXERCISES)
def test_an_answer_that_cannot_be_read_is_refused_in_words(exercise, tmp_path):
    verdict = judge(exercise, TEXTS[EXERCISES[exercise].kind], tmp_path)
    assert not verdict.passed
    assert told(verdict)
    assert verdict.text.startswith(f"{exercise} is not judged yet, and this counts as no try.")
    assert not (tmp_path / "progress.json").exists()


@pytest.mark.parametrize("exercise", EXERCISES)
def test_objects_that_are_no_data_are_refused_and_not_run(exercise, tmp_path):
    verdict = judge(exercise, lambda: pytest.fail("was run"), tmp_path)
    assert not verdict.passed
    assert "got `" in verdict.text


@pytest.mark.parametrize("as_list", [list, tuple, set, frozenset, pd.Series, pd.Index, pd.array, np.array])
def test_names_may_be_a_list_of_any_form(as_list, tmp_path):
    names = ["bastion", "batch-1", "legacy-1", "web-13", "ledger-11"]
    assert judge("01-1", as_list(names), tmp_path).passed
    assert not judge("01-1", as_list([*names, "web-1"]), tmp_path).passed


def test_what_the_hints_lead_to_passes_and_a_whole_table_is_told_to_be_one(tmp_path):
    nodes, reach = SAMPLE.nodes, ssmlab.reach(SAMPLE)
    assert judge("01-1", nodes.query('account == "123456789012" and not managed')["name"], tmp_path).passed
    who = reach.who_can(node="db-1", document="AWS-RunShellScript")
    assert judge("02-2", who.query("outcome == 'allowed'")["principal"], tmp_path).passed
    pairs = reach.pairs(node="web-1", document="AWS-RunShellScript", outcome="explicitDeny")
    said = judge("10-2", pairs, tmp_path).text
    assert 'got a whole table: take one column of it, such as `["principal"]`' in said
    said = judge("01-1", nodes.query("not managed")["name"], tmp_path).text
    assert "counts as no try.\na machine in your list has no name, it is `nan`: take the column `node_id`" in said


def test_hints_grow_with_each_try_and_end(tmp_path):
    nobody = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
    answers = [judge("02-1", nobody, tmp_path).text.count("\nhint ") for _ in range(5)]
    assert answers == [1, 2, 3, 4, 4]


def test_what_is_not_an_exercise_is_named(tmp_path):
    with pytest.raises(KeyError, match=r"no exercise `03-9`, did you mean `03-3`"):
        judge("03-9", "x", tmp_path)


def test_a_verdict_is_shown_as_text_and_never_as_html(tmp_path):
    shown = judge("01-1", ["<img src=x onerror=alert(1)>"], tmp_path)._repr_html_()
    assert "&lt;img src=x" in shown
    assert "<img" not in shown


def test_a_pass_stays_and_is_counted_no_further(tmp_path):
    file = tmp_path / "progress.json"
    for answer in (["op-ana"], ["web-1"], ["not-prod"], ["web-ops"]):
        judge("10-2", answer, tmp_path)
    assert json.loads(file.read_text()) == {"10-2": {"tries": 2, "passed": True}}
    assert str(workshop.progress(file)) == "0 of 13 core exercises passed, 1 of 17 others"


def test_the_panel_follows_each_check_and_says_its_state_in_signs_and_words(tmp_path):
    panel, other = (workshop.progress(tmp_path / name) for name in ("progress.json", "other.json"))
    before = panel.children[0].value
    assert "0 of 13 core exercises passed, 0 of 17 others, next is 01-1" in before
    assert before.index("○ open 14-2") < before.index("if there is time, or at home") < before.index("○ open 01-2")
    judge("10-2", ["op-ana"], tmp_path)
    assert "… tried 10-2" in panel.children[0].value
    judge("10-2", ["not-prod"], tmp_path)
    assert "0 of 13 core exercises passed, 1 of 17 others, next is 01-1" in panel.children[0].value
    assert "✓ done 10-2" in panel.children[0].value
    assert "○ open 10-1" in panel.children[0].value
    assert panel.frame.set_index("exercise").loc["10-2", ["tries", "passed"]].to_list() == [2, True]
    assert other.children[0].value == before


def test_titles_and_tries_open_and_a_file_that_another_notebook_wrote_is_read_again(tmp_path):
    panel = workshop.progress(tmp_path / "progress.json")
    _, buttons, table = panel.children
    assert table.layout.display == "none"
    buttons.children[0].value = True
    assert (table.layout.display, "Instances that are not managed" in table.value) == (None, True)
    (tmp_path / "progress.json").write_text('{"01-1": {"tries": 1, "passed": true}}')
    buttons.children[1].click()
    assert "✓ done 01-1" in panel.children[0].value


@pytest.mark.parametrize("text", ['{"10-2": 7, "x": {"tries": 1, "passed": true}, ', "[" * 100_000, "[1]"])
def test_a_damaged_file_of_progress_stops_nobody(tmp_path, text):
    (tmp_path / "progress.json").write_text(text)
    judge("10-2", ["not-prod"], tmp_path)
    assert json.loads((tmp_path / "progress.json").read_text()) == {"10-2": {"tries": 1, "passed": True}}


def test_a_room_is_gathered_and_shows_where_it_is_stuck(tmp_path):
    for number in range(30):
        done = {"02-1": {"tries": 1, "passed": True}, "03-1": {"tries": number + 1, "passed": number < 10}}
        folder = tmp_path / f"seat-{number:02}"
        folder.mkdir()
        (folder / "progress.json").write_text(json.dumps(done))
    frame = workshop.gather(tmp_path)
    assert (len(frame), frame["learner"].nunique()) == (30 * len(EXERCISES), 30)
    stuck = workshop.find_stuck(frame)
    assert stuck.reset_index().iloc[0].to_list() == ["03-1", EXERCISES["03-1"].title, 10, 20, 15.5]
    assert stuck.loc["02-1"].to_list() == [EXERCISES["02-1"].title, 30, 0, 1.0]


def test_a_folder_without_progress_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"expected `NAME\.json`"):
        workshop.gather(tmp_path)


@pytest.mark.parametrize(
    ("exercise", "kind"), [("05-1", ssmlab.Snapshot), ("12-1", list), ("13-1", pd.DataFrame), ("14-2", ssmlab.Snapshot)]
)
def test_a_learner_is_given_what_the_exercise_is_about(exercise, kind):
    assert isinstance(workshop.given(exercise, SAMPLE), kind)


@pytest.mark.parametrize("exercise", [name for name, each in EXERCISES.items() if "policy" in each.rest])
def test_a_policy_to_begin_with_does_not_pass(exercise, tmp_path):
    asked = EXERCISES[exercise].rest
    drafts = [change["policy"] for change in asked.get("given", ()) if change["name"] == asked["policy"]["name"]]
    drafts = drafts or [SAMPLE.policies.loc[asked["policy"]["name"], "document"]]  # that of the page, or of the sample
    assert [judge(exercise, draft, tmp_path).passed for draft in drafts] == [False]


def test_what_an_exercise_gives_is_in_its_snapshot():
    reach = ssmlab.reach(workshop.given("14-2", SAMPLE))
    assert reach.outcome("NightShift", "db-1", "AWS-RunShellScript").value == "allowed"


def test_where_progress_cannot_be_written_the_answer_is_judged_all_the_same(tmp_path):
    nowhere = tmp_path / "no such folder" / "progress.json"
    cases = [case for case in read_cases("workshop") if case["exercise"] == "03-1"]
    answers = (next(case["answer"] for case in cases if ("says" in case) == is_wrong) for is_wrong in (False, True))
    right, wrong = (workshop.check("03-1", answer, SAMPLE, progress=nowhere) for answer in answers)
    assert (right.passed, wrong.passed) == (True, False)
    assert all("This try is not counted: " in str(verdict) for verdict in (right, wrong))


def test_a_file_and_a_folder_of_one_name_are_two_learners(tmp_path):
    (tmp_path / "ana").mkdir()
    for file in ("ana.json", "ana/progress.json", "ben.json"):
        workshop.check("03-1", {"Statement": []}, SAMPLE, progress=tmp_path / file)
    found = workshop.gather(tmp_path)
    assert [*found["learner"].unique()] == ["ana.json", "ben", "ana/progress.json"]
    assert found["tries"].sum() == 3


def test_a_sample_made_anew_is_seen(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "data" / "sample" / "nodes.csv"
    file.parent.mkdir(parents=True)
    for count in (1, 2):
        lines = [f"i-0000000000000000{number},123456789012,eu-west-1" for number in range(count)]
        file.write_text("\n".join(["node_id,account,region", *lines]))
        assert len(workshop.load_sample().nodes) == count
        assert workshop.load_sample() is workshop.load_sample()


def test_half_a_letter_is_no_answer_and_no_error(tmp_path):
    assert "is not judged yet, and this counts as no try" in judge("01-1", ["\ud800"], tmp_path).text
