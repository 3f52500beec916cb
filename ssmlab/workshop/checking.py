"""`check`: an answer, judged by the engine itself, and answered in words."""

import html
import re
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from ssmlab.snapshots import Snapshot
from ssmlab.workshop.exercises import Exercise, find_exercise, load_sample
from ssmlab.workshop.kinds import KINDS
from ssmlab.workshop.panel import refresh
from ssmlab.workshop.progress import note_try
from ssmlab.workshop.reading import AnswerError

_MOST: Final = 2  # complaints that are told at once


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an answer passes, and why not.

    Attributes
    ----------
    passed
        Does what the exercise asks for hold, here and in other inventories?
    text
        The reasons, and hints that fit the first of them, one more with each try.
    """

    passed: bool
    text: str

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__

    def _repr_html_(self) -> str:
        lines = [re.sub("`([^`]*)`", r"<code>\1</code>", html.escape(line)) for line in self.text.split("\n")]
        color = "#1a7f37" if self.passed else "#9a6700"
        style = f"border-left: 4px solid {color}; padding-left: 10px; overflow-wrap: anywhere; white-space: normal"
        return f'<div role="status" style="{style}">{"".join(f"<p>{line}</p>" for line in lines)}</div>'


def check(
    exercise_id: str, answer: Any, snapshot: Snapshot | None = None, *, progress: str | Path | None = None
) -> Verdict:
    """Check an answer. Any answer passes under which what was asked for holds; nothing of the answer is executed.

    What cannot be read, or AWS would not take, counts as no try.

    Parameters
    ----------
    exercise_id
        Such as "03-2".
    answer
        JSON text or plain data, names also as a column of a frame; `...` stands for no answer yet.
    snapshot
        The inventory at hand; default: the sample in the folder that one works in.
    progress
        The file in which tries are counted; default: `progress.json` in the working folder.

    Raises
    ------
    KeyError
        For an exercise that there is not.
    FileNotFoundError
        If no snapshot is given, and no sample is found.

    Examples
    --------
    >>> check("03-1", ...)
    03-1 is not answered yet: expected a policy, as JSON text between triple quotes
    """
    exercise = find_exercise(exercise_id)
    if answer is ... or answer is None:
        return Verdict(False, f"{exercise.id} is not answered yet: expected {exercise.shape}")
    try:
        wrong = _complain(exercise, answer, snapshot or load_sample())
    except (AnswerError, UnicodeEncodeError) as error:  # the latter: half of a letter, which no name holds
        return Verdict(False, f"{exercise.id} is not judged yet, and this counts as no try.\n{error}")
    tries, lost = 1, list[str]()
    try:
        tries = note_try(exercise.id, not wrong, progress)
    except OSError as error:  # such as of a folder that is read-only: the answer is judged all the same
        lost = [f"This try is not counted: {error}"]
    refresh(progress)
    if not wrong:
        return Verdict(True, "\n".join([f"{exercise.id} passes: {exercise.title}", *lost]))
    first = sorted(exercise.hints, key=lambda each: not each[0])  # those that are for some complaints only
    fitting = [hint for fits, hint in first if re.search(fits, wrong[0])]
    hints = [f"hint {number} of {len(fitting)}: {hint}" for number, hint in enumerate(fitting[:tries], 1)]
    return Verdict(False, "\n".join([f"{exercise.id} does not pass yet.", *wrong, *hints, *lost]))


def _complain(exercise: Exercise, answer: Any, snapshot: Snapshot) -> list[str]:
    """What is wrong, in the order in which one would mend it; empty: nothing."""
    kind = KINDS[exercise.kind]
    for said, complaints in kind.judge(exercise, kind.read(answer), snapshot):
        if told := [f"{said}{complaint}" for complaint in islice(complaints, _MOST)]:
            return told
    return []
