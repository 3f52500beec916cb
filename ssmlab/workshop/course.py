"""Exercise notebooks from solution notebooks: one source, in which cells of answers carry the tag `solution`."""

import json
from pathlib import Path
from typing import Any, Final

from ssmlab.workshop.exercises import find_exercise

SOLUTIONS: Final = "solutions"
_TAG: Final = "solution"


def build_course(folder: str | Path) -> list[Path]:
    """Write the exercise notebook of every notebook in `solutions/` into the folder above; returns what was written.

    Raises
    ------
    FileNotFoundError
        If there are no solutions.
    """
    place = Path(folder)
    sources = sorted(place.glob(f"{SOLUTIONS}/*.ipynb"))
    if not sources:
        raise FileNotFoundError(f"no notebooks in `{place / SOLUTIONS}`")
    for source in sources:
        made = make_exercises(json.loads(source.read_text(encoding="utf-8")))
        text = json.dumps(made, indent=1, ensure_ascii=False) + "\n"
        (place / source.name).write_text(text, encoding="utf-8", newline="\n")
    return [place / source.name for source in sources]


def make_exercises(notebook: dict[str, Any]) -> dict[str, Any]:
    """A notebook without its answers: three dots stand there, and what is expected; what explains one is left out."""
    cells = [_empty(cell) for cell in notebook["cells"] if not _is_solution(cell) or cell["cell_type"] == "code"]
    return {**notebook, "cells": cells}


def _is_solution(cell: dict[str, Any]) -> bool:
    return _TAG in cell["metadata"].get("tags", ())


def _empty(cell: dict[str, Any]) -> dict[str, Any]:
    if not _is_solution(cell):
        return cell
    exercise = cell["metadata"]["exercise"]
    metadata = {"tags": ["answer"], "exercise": exercise}
    return {**cell, "metadata": metadata, "source": [f"answer = ...  # {find_exercise(exercise).shape}"]}
