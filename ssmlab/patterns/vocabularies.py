"""Many texts, asked at once which of them match a pattern: the same answers as `Glob`, without a Python call a text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ssmlab.patterns.globs import compile_glob
from ssmlab.patterns.texts import Tokens, Wild, is_wild, plain_text

Flags = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]
_STAR: Final = Wild.MANY
_WRITTEN: Final = {Wild.MANY: ".*", Wild.ONE: "."}
_AT_ONCE: Final = 256  # patterns in one regular expression
_MOST_STARS: Final = 8  # in one pattern: a regular expression then takes longer than the texts one by one
_FEW: Final = 32  # texts: below, asking one by one is faster than preparing a column


class Vocabulary:
    """Texts by their place.

    >>> Vocabulary(["WebServers", "Ledger"]).match(("Web", Wild.MANY)).tolist()
    [True, False]
    """

    def __init__(self, texts: Sequence[str] | pa.Array) -> None:
        self._given = texts

    @cached_property
    def texts(self) -> Sequence[str]:
        """The texts themselves."""
        return self._given.to_pylist() if isinstance(self._given, pa.Array) else self._given

    def find(self, texts: Iterable[str]) -> list[int]:
        """The places of those texts that are there; of a text that stands several times, all."""
        return [place for text in texts for place in self._places.get(text, ())]

    def label(self, texts: Sequence[str]) -> Codes:
        """Which of these each text is, counted from 1; 0: none of them."""
        if self._column is None:
            numbers = {text: number for number, text in enumerate(texts, 1)}
            return np.fromiter((numbers.get(text, 0) for text in self.texts), dtype=np.int64, count=len(self.texts))
        found = pc.index_in(self._column, value_set=pa.array(texts, type=pa.string()))
        return np.asarray(pc.fill_null(pc.add(found, 1), 0), dtype=np.int64)

    def match_any(self, patterns: Iterable[Tokens]) -> Flags:
        """Which texts match at least one pattern?"""
        found = np.zeros(len(self._given), dtype=bool)
        listed = list(patterns)
        found[self.find(plain_text(pattern) for pattern in listed if not is_wild(pattern))] = True
        wild = [pattern for pattern in listed if is_wild(pattern)]
        for start in range(0, len(wild), _AT_ONCE):
            found |= self._match_wild(wild[start : start + _AT_ONCE])
        return found

    def match(self, pattern: Tokens) -> Flags:
        """Which texts match a pattern as a whole?"""
        return self.match_any([pattern])

    def _match_wild(self, patterns: Sequence[Tokens]) -> Flags:
        column, (first, *others) = self._column, patterns
        if column is None or any(pattern.count(_STAR) > _MOST_STARS for pattern in patterns):
            return self._match_each(patterns)
        if not others and first[-1] is _STAR and not is_wild(first[:-1]):
            return _flags(pc.starts_with(column, plain_text(first[:-1])))
        expressions = (
            "".join(_WRITTEN[token] if isinstance(token, Wild) else _escape(str(token)) for token in pattern)
            for pattern in patterns
        )
        try:
            return _flags(pc.match_substring_regex(column, f"(?s)^(?:{'|'.join(expressions)})$"))
        except pa.ArrowInvalid:  # larger than RE2 takes
            return self._match_each(patterns)

    def _match_each(self, patterns: Sequence[Tokens]) -> Flags:
        matches = [compile_glob(pattern).matches for pattern in patterns]
        found = (any(match(text) for match in matches) for text in self.texts)
        return np.fromiter(found, dtype=bool, count=len(self.texts))

    @cached_property
    def _places(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for place, text in enumerate(self.texts):
            found.setdefault(text, []).append(place)
        return found

    @cached_property
    def _column(self) -> Any:
        """The texts as a column; None where there are few, or where `?`, one UTF-16 unit, is not one character."""
        if len(self._given) < _FEW:
            return None
        try:
            column = self._given if isinstance(self._given, pa.Array) else pa.array(self._given, type=pa.string())
        except (UnicodeEncodeError, pa.ArrowInvalid):  # half of a surrogate pair
            return None
        if pc.all(pc.equal(pc.binary_length(column), pc.utf8_length(column))).as_py():  # ASCII
            return column
        return None if pc.any(pc.match_substring_regex(column, r"[^\x00-\x{ffff}]")).as_py() else column


def _escape(text: str) -> str:
    return "".join(char if char.isalnum() and char.isascii() else f"\\x{{{ord(char):x}}}" for char in text)


def _flags(found: Any) -> Flags:
    return np.asarray(found, dtype=bool)
