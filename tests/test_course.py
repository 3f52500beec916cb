"""The course: exercises made from their solutions, nothing left out, and a fresh folder for everybody."""

import ast
import json
import re
from importlib import import_module
from pathlib import Path

import nbformat
import pytest
from casebook import read_cases

import ssmlab
from ssmlab import cli, widgets, workshop
from ssmlab.workshop.course import make_exercises

ROOT = Path(__file__).parents[1]
COURSE = ROOT / "notebooks" / "course"
SOLUTIONS = sorted(COURSE.glob("solutions/*.ipynb"))
EXPLORERS = [name for name in widgets.__all__ if name != "GraphView"]  # which is a part of others
EXPLORER = re.compile(rf"({'|'.join(EXPLORERS)})\(.*\)")
SAMPLE = ssmlab.load(ROOT / "data" / "sample")


def cells(path, tag):
    return [cell for cell in nbformat.read(path, as_version=4).cells if tag in cell.metadata.get("tags", [])]


def texts(path):
    return "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)


def answers(path, tag):
    """Exercise → the answer in its cell, as data."""
    return {
        cell.metadata["exercise"]: ast.literal_eval(ast.parse(cell.source).body[0].value) for cell in cells(path, tag)
    }


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_an_exercise_notebook_is_what_its_solution_makes(path):
    made = make_exercises(json.loads(path.read_text(encoding="utf-8")))
    assert json.loads((COURSE / path.name).read_text(encoding="utf-8")) == made
    nbformat.validate(nbformat.from_dict(made))


def test_there_is_an_exercise_notebook_for_every_solution_and_no_other():
    assert [path.name for path in sorted(COURSE.glob("*.ipynb"))] == [path.name for path in SOLUTIONS]


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_every_solution_passes_and_every_unfilled_exercise_fails(path, tmp_path):
    for tag, source, passes in (("solution", path, True), ("answer", COURSE / path.name, False)):
        found = {
            name: workshop.check(name, answer, SAMPLE, progress=tmp_path / "p")
            for name, answer in answers(source, tag).items()
        }
        assert {name: verdict.passed for name, verdict in found.items()} == dict.fromkeys(found, passes)
        assert passes or all("is not answered yet: expected" in verdict.text for verdict in found.values())


def test_every_exercise_stands_in_the_notebook_of_its_number():
    placed = {name: path.stem[:2] for path in SOLUTIONS for name in answers(path, "solution")}
    assert placed == {name: name[:2] for name in workshop.read_exercises()}


def test_exercises_are_numbered_as_one_reads_them_and_the_core_closes_with_what_was_learned(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    assert [name for path in SOLUTIONS for name in answers(path, "solution")] == [*workshop.read_exercises()]
    for path in SOLUTIONS[:-1]:
        parts = import_module("course").read_parts(path)
        last = (parts["core"] or parts["home"])[-1]  # 12 and 13 are for home as a whole
        assert "".join(last["source"]).startswith("## What we have learned"), path.stem


def test_every_notebook_has_two_to_four_exercises_a_goal_an_explorer_and_further_reading():
    for path in SOLUTIONS[:-1]:
        text = texts(path)
        assert 2 <= len(answers(path, "solution")) <= 4, path.stem
        for part in (
            "**Goal.**",
            "**What we see.**",
            "workshop.progress()",
            "## What we have learned",
            "**Further reading.**",
        ):
            assert part in text, (path.stem, part)


@pytest.mark.parametrize("path", SOLUTIONS[:-1], ids=lambda path: path.stem)
def test_a_question_is_followed_by_lines_and_these_by_what_we_see(path):
    cells = nbformat.read(path, as_version=4).cells
    begin = next(index for index, cell in enumerate(cells) if cell.source.startswith("## 1. "))
    end = next(index for index, cell in enumerate(cells) if cell.source.startswith("## Exercises"))
    lines = [index for index in range(begin, end) if cells[index].cell_type == "code"]
    said = {cells[index].source: cells[index + 1] for index in lines if not EXPLORER.fullmatch(cells[index].source)}
    assert [
        source
        for source, after in said.items()
        if after.cell_type == "markdown" and not after.source.startswith("**What we see.**")
    ] == []


@pytest.mark.parametrize("path", SOLUTIONS[:-1], ids=lambda path: path.stem)
def test_a_row_of_a_table_that_shows_the_id_of_a_node_shows_its_name_too(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tables, names = [], SAMPLE.nodes.set_index("node_id")["name"]
    monkeypatch.setattr("ssmlab.tables.show_table", tables.append)
    sources = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    plain = [source for source in sources if not EXPLORER.fullmatch(source) and "workshop.check(" not in source]
    exec("\n".join(plain), {})
    rows = [" ".join(map(str, row)) for table in tables for row in table.itertuples(index=False, name=None)]
    ids = re.compile(r"\bm?i-[0-9a-f]{17}\b(?!/)")  # not in the name of a log stream
    shown = [(row, node) for row in rows for node in ids.findall(row)]
    assert [row for row, node in shown if names[node] not in row] == []
    assert shown or path.stem[:2] not in ("04", "06", "10", "11")


def test_every_explorer_stands_in_a_line_of_its_own_and_every_one_is_used():
    used = [
        {found.group(1) for cell in nbformat.read(path, 4).cells if (found := EXPLORER.fullmatch(cell.source))}
        for path in SOLUTIONS[:-1]
    ]
    assert all(used)
    assert set().union(*used) == {*EXPLORERS}


def test_a_policy_pattern_or_tag_is_tried_in_an_explorer_before_it_is_checked():
    tried = {"policy": "PolicyLab(", "tags": "TagLab(", "event pattern": "EventLab(", "filter pattern": "LogLab("}
    for path in SOLUTIONS:
        kinds = {workshop.read_exercises()[name].kind for name in answers(path, "solution")}
        assert {kind for kind in kinds & {*tried} if tried[kind] not in texts(path)} <= (
            {"policy"} if path.stem[:2] == "11" else set()  # there the policy is about tagging
        )


def test_the_fifteen_contradictions_of_the_page_are_all_met():
    tags = [tag for path in SOLUTIONS for cell in nbformat.read(path, 4).cells for tag in cell.metadata.get("tags", [])]
    met = {int(tag.removeprefix("contradiction-")) for tag in tags if tag.startswith("contradiction-")}
    assert met == set(range(1, 16))


def test_what_is_for_home_stands_under_its_heading_and_the_guide_has_the_minutes_of_the_script(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    course = import_module("course")
    for path in SOLUTIONS[:-1]:
        placed = {
            cell["metadata"]["exercise"]: part == "core"
            for part, found in course.read_parts(path).items()
            for cell in found
            if "exercise" in cell["metadata"]
        }
        assert placed == {name: workshop.read_exercises()[name].core for name in placed}
    minutes = course.estimate_course()
    guide = (ROOT / "docs" / "instructor.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| (\d+) \| (\d+) \| (\d\d) ", guide, re.M)
    assert told == [(str(core), str(home), name[:2]) for name, core, home in minutes.itertuples()]
    assert f"The core is {minutes['core'].sum()} minutes" in guide
    assert minutes["core"].sum() <= 180


def test_links_lead_to_notebooks_of_the_course():
    for path in SOLUTIONS:
        assert set(re.findall(r"\]\((\S+?\.ipynb)\)", texts(path))) <= {other.name for other in SOLUTIONS}


def test_no_answer_is_left_in_an_exercise_notebook():
    for path in SOLUTIONS:
        text = texts(COURSE / path.name)
        for name, answer in answers(path, "solution").items():
            assert str(answer).strip() not in text, name


def test_a_new_folder_holds_the_exercises_and_no_solutions(tmp_path, capsys):
    assert cli.main(["workshop", "new", str(tmp_path / "seat-1")]) == 0
    assert "ssmlab lab " in capsys.readouterr().out
    names = {path.relative_to(tmp_path / "seat-1").as_posix() for path in (tmp_path / "seat-1").rglob("*.ipynb")}
    assert names == {path.name for path in SOLUTIONS}
    assert repr(ssmlab.load(tmp_path / "seat-1" / "data" / "sample")) == repr(SAMPLE)


def test_nobodys_work_is_written_over(tmp_path, capsys):
    (tmp_path / "mine.ipynb").write_text("{}")
    assert cli.main(["workshop", "new", str(tmp_path)]) == 2
    assert "is not empty: name a new folder" in capsys.readouterr().err


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_another_seed_has_other_answers_to_questions_and_the_same_solutions(seed, tmp_path):
    fresh = ssmlab.load(workshop.make_folder(tmp_path / "seat", seed) / "data" / "sample")
    kinds = {name: exercise.kind for name, exercise in workshop.read_exercises().items()}
    right = [case for case in read_cases("workshop") if "says" not in case]
    right = right if seed > 1 else [*{case["exercise"]: case for case in right[::-1]}.values()]  # the first of each
    passed = {
        case["name"]: workshop.check(case["exercise"], case["answer"], fresh, progress=tmp_path / "p").passed
        for case in right
    }
    assert all(passed[case["name"]] for case in right if kinds[case["exercise"]] != "names")
    assert not passed["01-1 right 1"]
    assert not passed["03-3 right 1"]


def test_a_room_is_gathered_on_the_command_line(tmp_path, capsys):
    (tmp_path / "seat-1.json").write_text('{"03-1": {"tries": 4, "passed": false}}')
    assert cli.main(["workshop", "gather", str(tmp_path)]) == 0
    assert "Exactly the web servers of development" in capsys.readouterr().out
