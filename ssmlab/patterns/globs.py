"""Matching a text with `*` and `?`, in linear time per piece.

Source: IAM User Guide, `reference_policies_elements_condition_operators`; recorded from AWS in September 2026: `?` is
one UTF-16 unit.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from ssmlab.patterns.texts import Token, Tokens, Wild, is_wild, parse_text, plain_text


class Glob:
    """A text with wildcards, compiled.

    The text is cut at its `*` into pieces; each piece is searched once, leftmost first, so that the time grows with
    text times piece and never with the number of ways to match. `?` stands for one UTF-16 unit, as recorded from AWS.

    >>> Glob(parse_text("W?b*")).matches("WebServers")
    True
    """

    __slots__ = ("_exact", "_first", "_last", "_middle", "_text")

    def __init__(self, tokens: Tokens) -> None:
        pieces: list[list[Token]] = [[]]
        for token in tokens:
            if token is Wild.MANY:
                pieces.append([])
            else:
                pieces[-1].append(token)
        first, *rest = [_Piece(piece) for piece in pieces]
        self._text = None if is_wild(tokens) else plain_text(tokens)
        self._first = first
        self._exact = not rest
        self._last = rest[-1] if rest else first
        self._middle = [piece for piece in rest[:-1] if piece.length]

    def matches(self, text: str) -> bool:
        """Does the whole text match?"""
        if self._text is not None:
            return text == self._text
        text = to_units(text)
        end = len(text) - self._last.length
        if self._exact:
            return end == 0 and self._first.at(text, 0)
        position = self._first.length
        if position > end or not self._first.at(text, 0) or not self._last.at(text, end):
            return False
        for piece in self._middle:
            found = piece.find(text, position, end)
            if found < 0:
                return False
            position = found + piece.length
        return True


class _Piece:
    """A run without `*`: a plain text, or one with `?` as a regular expression of plain characters and dots."""

    __slots__ = ("_pattern", "_text", "length")

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._text = to_units(plain_text(tuple(tokens)))
        self.length = len(self._text)
        expression = "".join("." if token is Wild.ONE else re.escape(to_units(str(token))) for token in tokens)
        self._pattern = re.compile(expression, re.DOTALL) if Wild.ONE in tokens else None

    def at(self, text: str, position: int) -> bool:
        if self._pattern is None:
            return text.startswith(self._text, position)
        return self._pattern.match(text, position) is not None

    def find(self, text: str, start: int, end: int) -> int:
        if self._pattern is None:
            return text.find(self._text, start, end)
        match = self._pattern.search(text, start, end)
        return match.start() if match else -1


def to_units(text: str) -> str:
    """The text as UTF-16 units: a character beyond the basic plane counts as two."""
    if text.isascii() or max(text) <= "\uffff":
        return text
    units = text.encode("utf-16-be", "surrogatepass")
    return "".join(chr(high << 8 | low) for high, low in zip(units[::2], units[1::2], strict=True))


@lru_cache(maxsize=65536)
def compile_glob(tokens: Tokens) -> Glob:
    """`Glob(tokens)`, compiled once for all policies that hold the same text."""
    return Glob(tokens)


@lru_cache(maxsize=65536)
def action_matches(pattern: str, action: str) -> bool:
    """Does an Action element cover an action? Prefix and name ignore case; `*` and `?` are allowed.
    [reference_policies_elements_action]
    """
    return compile_glob(_lowered(pattern)).matches(action.lower())


def _lowered(pattern: str) -> Tokens:
    return parse_text(pattern.lower(), variables=False)
