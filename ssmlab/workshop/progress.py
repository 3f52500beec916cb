"""What is done: a file beside the notebooks, shown to the learner, and gathered over a room. No names, no server."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd

from ssmlab.workshop.exercises import read_exercises

FILE: Final = "progress.json"


def note_try(exercise_id: str, passed: bool, file: str | Path | None = None) -> int:
    """Count a try; returns how many there were. What has passed once stays passed, and is counted no further."""
    path = find_file(file)
    done = _read(path)
    own = dict(done.get(exercise_id, {"tries": 0, "passed": False}))
    if not own["passed"]:
        own = {"tries": own["tries"] + 1, "passed": passed}
    path.write_text(json.dumps({**done, exercise_id: own}, indent=1) + "\n", encoding="utf-8")
    return int(own["tries"])


def find_file(file: str | Path | None) -> Path:
    """That in the working folder, unless another is named."""
    return Path(file) if file is not None else Path.cwd() / FILE


def _read(path: Path) -> dict[str, Any]:
    """The tries in a file; a damaged one counts as empty: losing a count must not stop a learner."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    noted = body if isinstance(body, dict) else {}
    return {name: own for name, own in noted.items() if name in read_exercises() and _is_count(own)}


def _is_count(own: Any) -> bool:
    return isinstance(own, dict) and isinstance(own.get("tries"), int) and isinstance(own.get("passed"), bool)


def read_progress(file: str | Path) -> pd.DataFrame:
    """What one learner has done: a row an exercise, `exercise`, `title`, `core`, `tries`, `passed`."""
    return _to_frame("", _read(Path(file))).drop(columns="learner")


def gather(folder: str | Path) -> pd.DataFrame:
    """The files of a room as one frame.

    Parameters
    ----------
    folder
        Holds a `.json` file a learner, or a folder a learner with `progress.json` in it. The file's or folder's name is
        the learner's; where there are both, the path is.

    Returns
    -------
    pandas.DataFrame
        A row a learner and exercise: `learner`, `exercise`, `title`, `core`, `tries`, `passed`.

    Raises
    ------
    FileNotFoundError
        If there are no such files.
    """
    place = Path(folder)
    files = [(path.stem, path) for path in sorted(place.glob("*.json"))]
    files += [(path.parent.name, path) for path in sorted(place.glob(f"*/{FILE}"))]
    counts = Counter(name for name, _ in files)
    found = {name if counts[name] == 1 else path.relative_to(place).as_posix(): path for name, path in files}
    if not found:
        raise FileNotFoundError(f"no progress in `{folder}`: expected `NAME.json`, or folders with `{FILE}`")
    return pd.concat([_to_frame(name, _read(path)) for name, path in found.items()], ignore_index=True)


def find_stuck(frame: pd.DataFrame) -> pd.DataFrame:
    """Where the room is stuck, by what `gather` gives: worst first.

    Returns
    -------
    pandas.DataFrame
        Index `exercise`: `title`, `passed`, `trying` (tried, not passed), `tries` (the median of those who passed or
        try: half of them needed as many or fewer).
    """
    tried = frame[frame["tries"] > 0].assign(trying=lambda rows: ~rows["passed"])
    found = tried.groupby("exercise").agg(
        title=("title", "first"), passed=("passed", "sum"), trying=("trying", "sum"), tries=("tries", "median")
    )
    return found.sort_values(["trying", "tries"], ascending=False, kind="stable")


def _to_frame(learner: str, done: Mapping[str, Any]) -> pd.DataFrame:
    rows = [
        (learner, name, exercise.title, exercise.core, own.get("tries", 0), own.get("passed", False))
        for name, exercise in read_exercises().items()
        for own in [done.get(name, {})]
    ]
    return pd.DataFrame(rows, columns=["learner", "exercise", "title", "core", "tries", "passed"])
