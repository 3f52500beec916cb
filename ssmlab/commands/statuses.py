"""The statuses of a command and of its nodes, and the table that makes the one from the others.

Sources: Systems Manager User Guide, "Understanding command statuses"; API reference, `Command` and
`CommandInvocation`; recordings of AWS, September 2026, which are followed where they and the guide differ.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from ssmlab.snapshots.schema import listed
from ssmlab.words import say_count

OPEN: Final = ("Pending", "InProgress", "Delayed")  # StatusDetails of a node that has not ended
ERRORS: Final = ("Failed", "ExecutionTimedOut")  # what counts against MaxErrors
REFUSED: Final = ("AccessDenied", "InvalidPlatform", "Undeliverable")  # ends a node that never ran the command

# Of those, in words: to AWS none is an error.
_TOLD: Final = dict(zip(REFUSED, ("refused", "of another platform", "stopped or not managed"), strict=True))
# StatusDetails → Status, where they differ.
_STATUS: Final = {
    "Delayed": "Pending",
    "NoInstancesInTag": "Success",
    **dict.fromkeys(("DeliveryTimedOut", "ExecutionTimedOut"), "TimedOut"),
    **dict.fromkeys((*REFUSED, "Terminated", "Incomplete", "RateExceeded", "FailedDueToAlarm"), "Failed"),
}
# StatusDetails of a node → what is not certain about its Status.
UNSURE: Final = {
    "Terminated": "the Status of a Terminated node is not written: recorded as Failed where an alarm ended a command",
    "Delayed": "the API reference lists Delayed as a node's Status; AWS was recorded to answer Pending, and Delayed in"
    " StatusDetails [CommandInvocationStatus]; the user guide lists Delayed for commands, too, but not when one is:"
    " here none is [monitor-commands]",
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What AWS's documentation says in two ways: the way that is taken, the other, and both in words."""

    default: str
    other: str
    note: str


READINGS: Final = {
    name: Reading(**row) for name, row in orjson.loads(Path(__file__).with_name("readings.json").read_bytes()).items()
}
Readings = Mapping[str, str]


def choose_readings(given: Readings | None) -> dict[str, str]:
    """All readings, with those that a caller turns.

    Raises
    ------
    ValueError
        For a name or a reading that there is none of.
    """
    for name, value in (given or {}).items():
        if name not in READINGS:
            raise ValueError(f"expected readings of {listed(READINGS)}, got `{name}`")
        reading = READINGS[name]
        if value not in (reading.default, reading.other):
            raise ValueError(f"expected `{name}` as `{reading.default}` or `{reading.other}`, got `{value}`")
    return {name: reading.default for name, reading in READINGS.items()} | dict(given or {})


def status_of(details: str) -> str:
    """The Status that goes with StatusDetails, of a node or a command."""
    return _STATUS.get(details, details)


def decide_command(details: Iterable[str], max_errors: int, readings: Readings) -> tuple[str, str]:
    """StatusDetails of a command from those of its nodes, all of which have ended, and why.

    Examples
    --------
    >>> decide_command(["AccessDenied"] * 4 + ["Success"], 0, choose_readings(None))
    ('Success', '1 of 5 nodes ended in Success; 4 refused, which is no error')
    """

    def is_default(name: str) -> bool:
        return readings[name] == READINGS[name].default

    counts = Counter(details)
    if not is_default("undeliverable") and len(counts) > 1:
        del counts["Undeliverable"]
    success, late, lost = (counts[name] for name in ("Success", "ExecutionTimedOut", "DeliveryTimedOut"))
    total, errors, refused = (sum(counts[name] for name in names) for names in (counts, ERRORS, REFUSED))
    most = max_errors - (not is_default("max_errors") and max_errors > 0)
    told = ", ".join(f"{counts[name]} {words}" for name, words in _TOLD.items() if counts[name])
    nodes, over = say_count(total, "node"), f"max_errors is {max_errors}"
    done = f"{success} of {nodes} ended in Success"
    is_late = late > most and not is_default("execution_timeouts")
    is_lost = lost > most and is_default("delivery_timeouts")
    is_fine = success + refused == total and is_default("refused")
    table = (
        (counts["Cancelled"] > 0, "Cancelled", "it was cancelled before all nodes had ended"),
        (is_late, "ExecutionTimedOut", f"{late} of {nodes} timed out in execution, {over}"),
        (errors > most, "Failed", f"{errors} of {nodes} failed or timed out in execution, {over}"),
        (is_lost, "DeliveryTimedOut", f"{lost} of {nodes} did not get the command in time, {over}"),
        (refused == total, "Failed", f"no node could run it: {told}"),
        (success == total, "Success", done),
        (is_fine, "Success", f"{done}; {told}, which is no error"),
        (True, "Incomplete", f"{done}, and too few failed for Failed"),
    )
    return next((found, why) for holds, found, why in table if holds)


def find_doubts(ended: Iterable[str], passed: Iterable[str], max_errors: int, readings: Readings) -> Iterator[str]:
    """Where the command's status hangs on a reading: the note of each whose other reading gives another.

    And what is not certain about a Status that it or a node has passed.
    """
    details, seen = [*ended], {*passed}
    taken, _ = decide_command(details, max_errors, readings)
    for name, reading in READINGS.items() if details else ():
        other = reading.other if readings[name] == reading.default else reading.default
        if decide_command(details, max_errors, {**readings, name: other})[0] != taken:
            yield reading.note
    yield from (why for unsure, why in UNSURE.items() if unsure in seen)
