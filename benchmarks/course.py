"""How long the course takes, by words, cells and tries: `python benchmarks/course.py`. An estimate, no measurement.

A beginner reads 150 words a minute, runs a cell and reads what it says in half a minute, plays with an explorer for
two, answers an exercise in four, and needs three for each further try. TRIES are those of a beginner who tried the
course in an earlier form; those of 07-1 and 08-1, which have asked for more since, are a guess. Of the earlier form
this makes 332 minutes; the beginner's own estimate was 345.
"""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd

COURSE = Path(__file__).parents[1] / "notebooks" / "course"
WORDS, CELL, PLAY, FIRST, FURTHER = 150, 0.5, 2, 4, 3
# fmt: off
TRIES = {
    "01-1": 1, "01-2": 3, "02-1": 1, "02-2": 4, "03-1": 3, "03-2": 1, "03-3": 3, "04-1": 1, "04-2": 1.5, "05-1": 2,
    "05-2": 1, "06-1": 1, "06-2": 2, "07-1": 2.5, "07-2": 1, "08-1": 2, "08-2": 1, "09-1": 1.5, "09-2": 2, "10-1": 2,
    "10-2": 1, "11-1": 1, "11-2": 3, "12-1": 2, "12-2": 2, "13-1": 3, "13-2": 2, "14-1": 2, "14-2": 2, "14-3": 4,
}
# fmt: on


def read_parts(path: Path) -> dict[str, list[dict[str, Any]]]:
    """The cells of the core, and those from the cell that is tagged `home` on; all, if it is the first."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    home = next((at for at, cell in enumerate(cells) if "home" in cell["metadata"].get("tags", ())), len(cells))
    return {"core": cells[:home], "home": cells[home:]}


def estimate(cells: list[dict[str, Any]]) -> float:
    """Minutes for these cells."""
    words = sum(len("".join(cell["source"]).split()) for cell in cells if cell["cell_type"] == "markdown")
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    exercises = [cell["metadata"]["exercise"] for cell in cells if "exercise" in cell["metadata"]]
    explorers = sum(bool(re.match(r"[A-Z]\w+\(", source)) for source in code)
    plain = len(code) - 2 * len(exercises) - explorers
    tries = sum(FIRST + FURTHER * (TRIES[exercise] - 1) for exercise in exercises)
    return words / WORDS + CELL * plain + PLAY * explorers + tries


def estimate_course() -> pd.DataFrame:
    """Minutes of the core and of the rest, a row a notebook; the glossary is for looking words up."""
    notebooks = sorted(COURSE.glob("*.ipynb"))[:-1]
    rows = {path.stem: {part: estimate(cells) for part, cells in read_parts(path).items()} for path in notebooks}
    return pd.DataFrame(rows).T.round(0).astype(int)


if __name__ == "__main__":
    minutes = estimate_course()
    print(minutes.to_string())
    print(f"core {minutes['core'].sum()} minutes, the rest {minutes['home'].sum()}")
