"""Patterns of terms, phrases and regular expressions: all of them, any of those with `?`, none of those with `-`.

Sources: CloudWatch Logs User Guide, `FilterAndPatternSyntax`; answers recorded from AWS in September 2026: a term also
matches inside a word; `?` terms are ignored beside others.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from ssmlab.logs.reading import Reader
from ssmlab.logs.regexes import Regex, encodable, read_regex

_WORD: Final = re.compile(r"\w+")
_IGNORED: Final = (
    "terms with `?` are ignored beside terms without: the pattern is read as if they were not there "
    "[FilterAndPatternSyntax; recorded from AWS]"
)
_BLANK: Final = (
    '`" "` matches every message by the documentation, but only those with a blank by answers recorded from AWS; '
    "the recording is followed [FilterAndPatternSyntax]"
)
_LETTERS: Final = (
    "a term with letters beyond A to Z is taken without quotes: the documentation says alphanumeric, and does not say "
    "of which alphabet [FilterAndPatternSyntax]"
)


@dataclass(frozen=True, slots=True)
class Phrase:
    """A term or a quoted phrase, found as it is written, also inside a word."""

    text: str

    def matches(self, message: str) -> bool:
        """Is it in the message?"""
        return self.text in message

    def flags(self, column: Any) -> Any:
        """Which messages of an Arrow column hold it?"""
        return pc.match_substring(column, encodable(self.text))

    def spans(self, message: str) -> list[tuple[int, int]]:
        """Where it is found: start and end of each place."""
        return [found.span() for found in re.finditer(re.escape(self.text), message)]


Term = Phrase | Regex


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms that must be there, terms that must not, and terms of which one must be there."""

    required: tuple[Term, ...]
    excluded: tuple[Term, ...]
    optional: tuple[Term, ...]
    names: tuple[str, ...] = ()

    def matches(self, message: str) -> bool:
        """Does a message match?"""
        return bool(self._join(lambda term: term.matches(message)))

    def flags(self, column: Any) -> npt.NDArray[np.bool_]:
        """Which messages of an Arrow column match? Asked a column at a time."""
        found = self._join(lambda term: np.asarray(term.flags(column), dtype=bool))
        return np.broadcast_to(found, len(column))

    def _join(self, ask: Callable[[Term], Any]) -> Any:
        every = [ask(term) for term in self.required] + [np.logical_not(ask(term)) for term in self.excluded]
        some = [ask(term) for term in self.optional]
        return np.logical_and.reduce(every + [np.logical_or.reduce(some, axis=0)] * bool(some), axis=0)

    def spans(self, message: str) -> list[tuple[int, int]]:
        """Where the terms that must be there are found."""
        return [span for term in (*self.required, *self.optional) for span in term.spans(message)]

    def fields(self, message: str) -> dict[str, str]:  # noqa: ARG002 - as of the other kinds
        """None: a text without structure has no fields."""
        return {}


def read_terms(reader: Reader) -> Terms:
    """Terms up to the end of the pattern."""
    found: dict[str, list[Term]] = {"": [], "-": [], "?": []}
    while not reader.is_at_end():
        sign = reader.take(r"[-?]")
        found[sign[0] if sign else ""].append(_read_term(reader))
        reader.need(r"\s+|$", 'a blank between terms, and `"` round other characters than letters, digits and `_`')
    required, excluded, optional = map(tuple, found.values())
    if optional and (required or excluded):
        reader.doubts.append(_IGNORED)
    return Terms(required, excluded, () if required or excluded else optional)


def _read_term(reader: Reader) -> Term:
    if reader.text.startswith('"', reader.position):
        return _read_phrase(reader)
    if reader.text.startswith("%", reader.position):
        return read_regex(reader)
    word = reader.need(_WORD, 'a term of letters, digits and `_`, a phrase in `"` or a regular expression in `%`')[0]
    if not word.isascii():
        reader.doubts.append(_LETTERS)
    return Phrase(word)


def _read_phrase(reader: Reader) -> Phrase:
    where, text = reader.position, reader.string()
    # refused by AWS: "Invalid character(s) in term" [issue 1008 of DefangLabs/defang]
    reader.check(text, 'expected a phrase between `"` and `"`', where)
    if text == " ":
        reader.doubts.append(_BLANK)
    return Phrase(text)
