"""Every notebook runs from top to bottom, in a kernel of its own, without an error and without a warning on screen."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
COURSE = sorted(FOLDER.glob("course/*.ipynb"))
SOLUTIONS = sorted(FOLDER.glob("course/solutions/*.ipynb"))  # every answer is checked by tests/test_course.py too


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path) -> None:
    run(path, path.parent)


@pytest.mark.parametrize("path", COURSE, ids=lambda path: path.stem)
def test_a_notebook_of_the_course_runs_in_the_folder_of_a_learner(path: Path, tmp_path: Path) -> None:
    run(path, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_a_notebook_with_solutions_runs_in_the_folder_of_a_learner(path: Path, tmp_path: Path) -> None:
    run(path, tmp_path)


def run(path: Path, folder: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()
    said = [output for cell in notebook.cells for output in cell.get("outputs", []) if output.get("name") == "stderr"]
    assert said == []
