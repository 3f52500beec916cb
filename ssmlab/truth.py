"""Three-valued truth: what is certain, what is not, and why it is not.

`min` is AND, `max` is OR, on single values and on whole `int8` columns alike (Kleene's strong logic): an answer that
does not depend on what is unknown stays certain.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Final, NamedTuple


class Truth(IntEnum):
    """Does it hold? `UNKNOWN` where a key is not known or AWS's documentation leaves the answer open."""

    FALSE = 0
    UNKNOWN = 1
    TRUE = 2


FALSE: Final = Truth.FALSE
UNKNOWN: Final = Truth.UNKNOWN
TRUE: Final = Truth.TRUE


class Verdict(NamedTuple):
    """A truth and the doubts it rests on: sentences that name what the documentation leaves open, with the source."""

    truth: Truth
    doubts: tuple[str, ...] = ()


NO: Final = Verdict(FALSE)
YES: Final = Verdict(TRUE)
OPEN: Final = Verdict(UNKNOWN)


def negate(truth: Truth) -> Truth:
    """The truth of the opposite."""
    return _OPPOSITE[truth]


def agree(readings: Iterable[Verdict], doubt: str) -> Verdict:
    """One verdict from the possible readings of a text: theirs if they agree, else unknown with the `doubt`."""
    verdicts = list(readings)
    doubts = tuple(dict.fromkeys(d for verdict in verdicts for d in verdict.doubts))
    if len({verdict.truth for verdict in verdicts}) == 1:
        return Verdict(verdicts[0].truth, doubts)
    return Verdict(UNKNOWN, (*doubts, doubt))


_OPPOSITE: Final = (TRUE, UNKNOWN, FALSE)
