"""The statuses of a command and of its nodes, and the table that makes the one from the others.

Sources: Systems Manager User Guide, "Understanding command statuses"; API reference, `Command` and
`CommandInvocation`; recordings of AWS, September 2026, which are followed where they and the guide differ.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

# StatusDetails of a node → what may follow.
NEXT: Final[Mapping[str | None, tuple[str, ...]]] = {
    None: ("Pending",),
    "Pending": (
        *("InProgress", "AccessDenied", "InvalidPlatform", "Undeliverable"),
        *("Terminated", "Cancelled", "DeliveryTimedOut"),
    ),
    "InProgress": ("Delayed", "Success", "Failed", "ExecutionTimedOut", "DeliveryTimedOut", "Cancelled"),
    "Delayed": ("InProgress", "DeliveryTimedOut", "Cancelled"),
}
NEXT_OF_COMMAND: Final[Mapping[str | None, tuple[str, ...]]] = {
    None: ("Pending",),
    "Pending": ("InProgress", "Cancelling", "NoInstancesInTag", "AccessDenied", "RateExceeded"),
    "InProgress": ("Cancelling", "Success", "Failed", "DeliveryTimedOut", "ExecutionTimedOut", "Incomplete"),
    "Cancelling": ("Cancelled",),
}
ERRORS: Final = ("Failed", "ExecutionTimedOut")  # what counts against MaxErrors
REFUSED: Final = ("AccessDenied", "InvalidPlatform", "Undeliverable")  # ends a node that never ran the command

_READ: Final = {"Terminated": "terminated", "Delayed": "delayed"}  # StatusDetails → the reading that tells the Status
# StatusDetails → Status, where they differ.
_STATUS: Final = {
    "NoInstancesInTag": "Success",
    "DeliveryTimedOut": "TimedOut",
    "ExecutionTimedOut": "TimedOut",
    **dict.fromkeys((*REFUSED, "Incomplete", "RateExceeded"), "Failed"),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What AWS's documentation says in two ways: the way that is taken, the other, and both in words."""

    default: str
    other: str
    note: str


_FILE: Final = Path(__file__).with_name("readings.json")
READINGS: Final = {name: Reading(**row) for name, row in orjson.loads(_FILE.read_bytes()).items()}
Readings = Mapping[str, str]


def choose_readings(given: Readings | None) -> dict[str, str]:
    """All readings, with those that a caller turns.

    Raises
    ------
    ValueError
        For a name or a reading that there is none of.
    """
    for name, value in (given or {}).items():
        reading = READINGS.get(name)
        if reading is None:
            raise ValueError(f"expected readings of {', '.join(f'`{known}`' for known in READINGS)}, got `{name}`")
        if value not in (reading.default, reading.other):
            raise ValueError(f"expected `{name}` as `{reading.default}` or `{reading.other}`, got `{value}`")
    return {name: reading.default for name, reading in READINGS.items()} | dict(given or {})


def status_of(details: str, readings: Readings) -> str:
    """The Status that goes with StatusDetails, of a node or a command."""
    return readings[_READ[details]] if details in _READ else _STATUS.get(details, details)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many nodes ended in which StatusDetails, and how many errors are allowed."""

    counts: Mapping[str, int]
    max_errors: int
    readings: Readings

    def count(self, *details: str) -> int:
        """Nodes that ended in one of these."""
        return sum(self.counts.get(name, 0) for name in details)

    @property
    def total(self) -> int:
        """All nodes that count."""
        return sum(self.counts.values())

    def passes(self, *details: str) -> bool:
        """Ended more nodes in these than there may be errors?"""
        return self.count(*details) > self.max_errors - (not self.default("max_errors") and self.max_errors > 0)

    def default(self, name: str) -> bool:
        """Is this reading the default?"""
        return self.readings[name] == READINGS[name].default


_Rule = tuple[str, Callable[[Tally], bool], str]
# The first that holds. StatusDetails of the command, when, and why in words.
_RULES: Final[tuple[_Rule, ...]] = (
    ("Cancelled", lambda t: t.count("Cancelled") > 0, "it was cancelled before all nodes had ended"),
    (
        "ExecutionTimedOut",
        lambda t: not t.default("execution_timeouts") and t.passes("ExecutionTimedOut"),
        "{late} of {total} nodes timed out in execution, {over}",
    ),
    ("Failed", lambda t: t.passes(*ERRORS), "{errors} of {total} nodes failed or timed out in execution, {over}"),
    (
        "DeliveryTimedOut",
        lambda t: t.default("delivery_timeouts") and t.passes("DeliveryTimedOut"),
        "{lost} of {total} nodes did not get the command in time, {over}",
    ),
    ("Failed", lambda t: t.count(*REFUSED) == t.total, "no node could run it: {refused} of {total} were refused"),
    ("Success", lambda t: t.count("Success") == t.total, "{success} of {total} nodes ended in Success"),
    (
        "Success",
        lambda t: t.default("refused") and t.count("Success", *REFUSED) == t.total,
        "{success} of {total} nodes ended in Success; {refused} refused, which is no error",
    ),
    ("Incomplete", lambda _: True, "{success} of {total} nodes ended in Success, and too few failed for Failed"),
)


def decide_command(details: Iterable[str], max_errors: int, readings: Readings) -> tuple[str, str]:
    """StatusDetails of a command from those of its nodes, all of which have ended, and why.

    Examples
    --------
    >>> decide_command(["AccessDenied"] * 4 + ["Success"], 0, choose_readings(None))
    ('Success', '1 of 5 nodes ended in Success; 4 refused, which is no error')
    """
    counts = Counter(details)
    if readings["undeliverable"] == "ignored" and len(counts) > 1:
        del counts["Undeliverable"]
    tally = Tally(counts, max_errors, readings)
    found, _, why = next(rule for rule in _RULES if rule[1](tally))
    kinds = {"errors": ERRORS, "refused": REFUSED, "success": ("Success",), "lost": ("DeliveryTimedOut",)}
    words = {word: tally.count(*details) for word, details in (kinds | {"late": ("ExecutionTimedOut",)}).items()}
    return found, why.format(total=tally.total, over=f"max_errors is {max_errors}", **words)


def find_doubts(details: Iterable[str], max_errors: int, readings: Readings) -> list[str]:
    """Where the command's status hangs on a reading: the note of each whose other reading gives another."""
    ended, found = list(details), []
    taken = decide_command(ended, max_errors, readings)[0]
    for name, reading in READINGS.items():
        other = reading.other if readings[name] == reading.default else reading.default
        if decide_command(ended, max_errors, {**readings, name: other})[0] != taken:
            found.append(reading.note)
    return found
