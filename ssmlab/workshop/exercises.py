"""The exercises as data: `exercises.yaml`, read once; and what a learner is given to work on."""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache, lru_cache, reduce
from pathlib import Path
from typing import Any, Final

import pandas as pd
import yaml

from ssmlab.reachability.names import find_node
from ssmlab.snapshots import Snapshot, load
from ssmlab.snapshots.changes import describe_unknown

_SAMPLE: Final = Path("data", "sample")
_FIRST_LINE: Final = pd.Timestamp("2026-09-03T02:00:00Z")


@dataclass(frozen=True, slots=True)
class Exercise:
    """One exercise.

    Attributes
    ----------
    id, title
        `03-2`: the second exercise of notebook 03.
    core
        Is it a part of the afternoon, or for those who have time, and for home?
    kind, shape
        What is answered: a row of the table in `kinds`; what an answer looks like, in words.
    hints
        What a complaint must say (a regular expression) for the hint to fit, empty for any; and the hint.
    rest
        What the kind needs: where the answer goes, and what must hold.
    """

    id: str
    title: str
    core: bool
    kind: str
    shape: str
    hints: tuple[tuple[str, str], ...]
    rest: Mapping[str, Any]


@cache
def read_exercises() -> Mapping[str, Exercise]:
    """All exercises, in the order of the course."""
    return {name: _read_exercise(name, **body) for name, body in _read_file()["exercises"].items()}


def _read_exercise(name: str, title: str, kind: str, hints: Sequence[Any], core: bool = True, **rest: Any) -> Exercise:
    asked = f"{kind} of {rest['ask']['which']}" if "ask" in rest else kind
    every = [*hints, *_read_file()["hints"].get(kind, ())]
    told = tuple(("", hint) if isinstance(hint, str) else (hint["if"], hint["then"]) for hint in every)
    return Exercise(name, title, core, kind, _read_file()["shapes"][asked], told, rest)


@cache
def _read_file() -> Mapping[str, Any]:
    body: Mapping[str, Any] = yaml.safe_load(Path(__file__).with_name("exercises.yaml").read_text(encoding="utf-8"))
    return body


def find_exercise(name: str) -> Exercise:
    """An exercise by its id.

    Raises
    ------
    KeyError
        For an id that there is not, with the nearest ones.
    """
    exercises = read_exercises()
    if name not in exercises:
        raise KeyError(describe_unknown("exercise", str(name), exercises))
    return exercises[name]


def load_sample() -> Snapshot:
    """The sample of the folder that one works in: `data/sample` in it or above it, else that of the clone.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    here = Path.cwd()
    for folder in (here, *here.parents, Path(__file__).parents[2]):
        if (folder / _SAMPLE).is_dir():
            files = sorted((folder / _SAMPLE).rglob("*"))
            return _load_once(folder / _SAMPLE, tuple((path, path.lstat().st_mtime_ns) for path in files))
    raise FileNotFoundError(f"no `{_SAMPLE}` in `{here}` or above it: make a folder with `ssmlab workshop new DIR`")


@lru_cache(maxsize=4)
def _load_once(folder: Path, _state: tuple[tuple[Path, int], ...]) -> Snapshot:
    """Once, until a file changes."""
    return load(folder)


def given(exercise_id: str, snapshot: Snapshot | None = None) -> Any:
    """What one works on: a snapshot, a list of events, or a frame of log events.

    Examples
    --------
    >>> given("02-1")
    Snapshot(60 nodes, 25 documents, 32 principals, 27 policies, 5 problems)
    """
    exercise = find_exercise(exercise_id)
    if "events" in exercise.rest:
        return [event for side in exercise.rest["events"].values() for event in make_events(side)]
    if "lines" in exercise.rest:
        return _make_log(exercise.rest["lines"])
    if "series" in exercise.rest:
        return _make_minutes([value for case in exercise.rest["series"] for value in case["values"]])
    return set_up(exercise, snapshot or load_sample())


def set_up(exercise: Exercise, snapshot: Snapshot) -> Snapshot:
    """The snapshot as the exercise changes it at first: `tags` on a `node`, or `policy` by name."""
    for change in exercise.rest.get("given", ()):
        if "tags" in change:
            arn = str(snapshot.nodes.index[find_node(snapshot, change["node"])])
            snapshot = snapshot.with_tags(arn, change["tags"])
        else:
            places = {key: change[key] for key in ("name", "principal", "layer") if key in change}
            snapshot = snapshot.with_policy(change["policy"], **places)
    return snapshot


def make_events(changes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Events, each `of` a kind with other values at some paths."""
    return [_change(_read_file()["bases"][event["of"]], event) for event in changes]


def _change(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """An event with other values at some paths such as `detail.status`."""
    event: dict[str, Any] = deepcopy(dict(base))
    for path, value in changes.items():
        *parents, name = path.split(".")
        if path != "of":
            reduce(dict.__getitem__, parents, event)[name] = value
    return event


def _make_log(lines: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Log events, those to be found spread among the others, one a minute."""
    mixed = sorted((line for side in ("match", "no match") for line in lines[side]), key=lambda line: line[::-1])
    return _write_log(enumerate(mixed))


def _make_minutes(values: Sequence[int | None]) -> pd.DataFrame:
    """Log events of minutes with so many failures each; where it is None, nothing was written."""
    alive, failed = "INFO nginx: alive", "ERROR nginx: restart failed"
    said = [(minute, [alive, *[failed] * value]) for minute, value in enumerate(values) if value is not None]
    return _write_log((minute, line) for minute, lines in said for line in lines)


def _write_log(lines: Iterable[tuple[int, str]]) -> pd.DataFrame:
    minutes, said = zip(*lines, strict=True)
    times = [_FIRST_LINE + pd.Timedelta(minutes=minute) for minute in minutes]
    return pd.DataFrame({"timestamp": pd.Series(times, dtype="datetime64[ms, UTC]"), "message": said})
