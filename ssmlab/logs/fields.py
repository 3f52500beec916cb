"""`[ip, user, ..., status = 4*, size > 1000]`: patterns for lines of fields between blanks.

Sources: CloudWatch Logs User Guide, `FilterAndPatternSyntax`; answers recorded from AWS in September 2026: blanks and
tabs part fields, text in `"` or `[]` is one field, the last field takes the rest of the line.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple

from ssmlab.conditions.values import read_number
from ssmlab.logs.comparing import Scalar, read_comparison
from ssmlab.logs.reading import Condition, Reader, read_logic

_WORD: Final = re.compile(r"\S+")
_REST: Final = re.compile(r"\S*")
_CLOSING: Final = {'"': '"', "[": "]"}
_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
_BARE: Final = re.compile(r'(?:(?!&&|\|\|)[^\s,\[\]()"%=<>])+')
_ANY: Final = re.compile(r"[\s\S]*")


class Piece(NamedTuple):
    """A field of a line: what it says, and where it stands."""

    text: str
    start: int
    end: int


def split_line(line: str) -> Iterator[Piece]:
    """The fields of a line, in time that grows with the line alone.

    >>> [piece.text for piece in split_line('127.0.0.1 - [10/Oct 13:25] "GET /" 404')]
    ['127.0.0.1', '-', '10/Oct 13:25', 'GET /', '404']
    """
    last = {sign: line.rfind(closing) for sign, closing in _CLOSING.items()}
    found = _WORD.search(line)
    while found:
        start, end = found.span()
        text, sign = found[0], line[start]
        if last.get(sign, -1) > start:
            closing = line.index(_CLOSING[sign], start + 1) + 1
            rest = _REST.match(line, closing)
            end = rest.end() if rest else closing
            text = line[start + 1 : closing - 1] if end == closing else line[start:end]
        yield Piece(text, start, end)
        found = _WORD.search(line, end)


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a pattern: its name, empty if it has none, and what must hold for it."""

    name: str
    condition: Condition | None = None

    def holds(self, text: str) -> bool:
        """Does what must hold, hold for this text, which is a number if it reads as one?"""
        return self.condition is None or self.condition(Scalar(text, read_number(text)))


@dataclass(frozen=True, slots=True)
class FieldsPattern:
    """Fields before a `...` and those behind it; without one (`tail` is None) the last takes the rest of the line."""

    head: tuple[Field, ...]
    tail: tuple[Field, ...] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the fields, as `fields` gives them."""
        return tuple(f"${field.name}" for field in (*self.head, *(self.tail or ())) if field.name)

    def matches(self, message: str) -> bool:
        """Does a line match?"""
        pairs = self._align(message)
        return pairs is not None and all(field.holds(piece.text) for field, piece in pairs)

    def spans(self, message: str) -> list[tuple[int, int]]:
        """Where the fields stand that have a condition."""
        pairs = self._align(message) or []
        return [(piece.start, piece.end) for field, piece in pairs if field.condition]

    def fields(self, message: str) -> dict[str, str]:
        """`$name` → text of the field; one without a name goes by its place, counted from 1: `$3`."""
        pairs = self._align(message) or []
        return {f"${field.name or place}": piece.text for place, (field, piece) in enumerate(pairs, 1)}

    def _align(self, line: str) -> list[tuple[Field, Piece]] | None:
        """Each piece of the line with its field; None if there are fewer pieces than fields."""
        size = len(self.head)
        if self.tail is None:
            pieces = list(islice(split_line(line), size + 1))
            if len(pieces) > size > 0:
                start, end = pieces[size - 1].start, len(line.rstrip())
                pieces[size - 1 :] = [Piece(line[start:end], start, end)]
            return list(zip(self.head, pieces, strict=False)) if len(pieces) >= size else None
        pieces = list(split_line(line))
        between = len(pieces) - size - len(self.tail)
        fields = (*self.head, *[Field("")] * between, *self.tail)
        return list(zip(fields, pieces, strict=True)) if between >= 0 else None


def read_fields(reader: Reader) -> FieldsPattern:
    """A pattern in brackets, up to its end."""
    reader.open("[", "]")
    sides: list[list[Field]] = [[]]
    more = not reader.take_sign("]")
    while more:
        reader.skip_space()
        where = reader.position
        if reader.take_sign("..."):
            sides.append([])
        else:
            sides[-1].append(_read_field(reader))
        reader.check(len(sides) <= 2, "expected `...` at most once", where)
        more = reader.take_sign(",")
        if not more and not reader.take_sign("]"):
            raise reader.expected("`,` or `]`")
    if not reader.is_at_end():
        raise reader.expected("the end of the pattern")
    head, *tails = map(tuple, sides)
    return FieldsPattern(head, tails[0] if tails else None)


def _read_field(reader: Reader) -> Field:
    start = reader.position
    if reader.text.startswith((",", "]"), start):
        return Field("")
    name = reader.need(_NAME, "the name of a field, `...` or `]`")[0]
    if reader.take(r"\s*(?=[,\]])"):
        return Field(name)
    reader.position = start

    def read_condition() -> Condition:
        reader.need(rf"{re.escape(name)}(?![A-Za-z0-9_-])", f"a condition on `{name}`")
        return read_comparison(reader, _BARE, _ANY)

    return Field(name, read_logic(reader, read_condition))
