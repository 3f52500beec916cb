r"""`%regex%`: the syntax that CloudWatch Logs takes, checked, and matched by RE2 in time linear in the text.

Source: CloudWatch Logs User Guide, `regex-expressions`: letters and digits, a few symbols, the operators
`^ $ ? [ ] { } | \ * + .`, `\d \s \w` and `\xhh`; no parentheses, no multibyte characters.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from ssmlab.logs.reading import Reader

_CHARACTER: Final = r"[A-Za-z0-9:_#=@/;,\- ]"
_OPERATORS: Final = r"\^$?[]{}|*+."
_IN_CLASS: Final = r"[A-Za-z0-9:_#=@/;,\- ^$?{}|*+.]"
_ESCAPABLE: Final = r"[\\^$?\[\]{}|*+.:_#=@/;,\-]"
_KINDS: Final = (r"\d", r"\s", r"\w")
_COUNT: Final = r"\{(\d{1,4})(,?)(\d{0,4})\}"
# A text of 256 KB against more than this takes RE2 seconds: the bound of this package, CloudWatch Logs names none.
_MOST_REPEATED: Final = 1000
_MOST_REGEXES: Final = 2
_START, _END, _OTHER = "\ue000\ue001\ue002"


@dataclass(frozen=True, slots=True)
class Regex:
    """A regular expression of the limited syntax, searched anywhere in a text.

    >>> Regex("ab+c").matches("xabbcx"), Regex("ab+c").spans("xabbcx abc")
    (True, [(1, 5), (7, 10)])
    """

    expression: str

    def matches(self, text: str) -> bool:
        """Is it found?"""
        return bool(pc.match_substring_regex(pa.scalar(encodable(text)), self.expression).as_py())

    def flags(self, column: Any) -> Any:
        """In which texts of an Arrow column is it found?"""
        return pc.match_substring_regex(column, self.expression)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where it is found: start and end of each place, none empty."""
        # To an expression of ASCII all other characters are alike, so that two of them can serve as marks.
        free = encodable(text).replace(_START, _OTHER).replace(_END, _OTHER)
        marked = pc.replace_substring_regex(pa.scalar(free), f"({self.expression})", f"{_START}\\1{_END}").as_py()
        return [span for span in _read_marks(marked) if span[0] < span[1]]


def encodable(text: str) -> str:
    """The text with `?` for each half of a surrogate pair, which Arrow does not take."""
    return text.encode("utf-8", "replace").decode()


def _read_marks(marked: str) -> Iterator[tuple[int, int]]:
    before, *found = marked.split(_START)
    position = len(before)
    for piece in found:
        inside, _, after = piece.partition(_END)
        yield position, position + len(inside)
        position += len(inside) + len(after)


def read_regex(reader: Reader) -> Regex:
    """The regular expression that starts here with `%`."""
    start = reader.position + 1
    end = reader.text.find("%", start)
    if end < 0:
        raise reader.error("expected a closing `%`, got the end of the pattern")
    reader.regexes += 1
    if reader.regexes > _MOST_REGEXES:
        raise reader.error(f"expected at most {_MOST_REGEXES} regular expressions in a pattern")
    pieces = list(_read_pieces(Reader(reader.text, start, end)))
    if not pieces:
        raise reader.error("expected a regular expression between `%` and `%`")
    if sum(size for _, size in pieces) > _MOST_REPEATED:
        raise reader.error(f"expected at most {_MOST_REPEATED} repetitions in a regular expression")
    reader.position = end + 1
    return Regex("".join(piece for piece, _ in pieces))


def _read_pieces(reader: Reader) -> Iterator[tuple[str, int]]:
    """Each piece as RE2 writes it, and how many characters it stands for when written out."""
    while reader.position < reader.end:
        if anchor := reader.take(r"[\^$|]"):
            yield anchor[0], 1
            continue
        piece = _read_class(reader) or _read_character(reader)
        where = reader.position
        if count := reader.take(_COUNT):
            yield piece + count[0], _most(reader, where, *count.groups())
        else:
            sign = reader.take(r"[?*+]")
            yield piece + (sign[0] if sign else ""), 1


def _most(reader: Reader, where: int, least: str, comma: str, most: str) -> int:
    if most and (not comma or int(most) < int(least)):
        raise reader.error("expected `{n}`, `{n,}` or `{n,m}` with n not above m", where)
    return int(most or least)


def _read_character(reader: Reader) -> str:
    if reader.take(r"\."):
        return "."
    return _read_escape(reader) or _read_plain(reader, _CHARACTER)


def _read_plain(reader: Reader, allowed: str) -> str:
    found = reader.take(allowed)
    if found is None:
        wanted = f"a letter, a digit, one of `: _ # = @ / ; , -` or an operator of `{_OPERATORS}` in its place"
        got = f"`{reader.text[reader.position]}`" if reader.position < reader.end else "the end of the expression"
        raise reader.error(f"expected {wanted}, got {got}; `\\xhh` writes any ASCII character")
    return _plain(found[0])


def _read_escape(reader: Reader) -> str:
    """What a backslash makes of the next character, as RE2 writes it; empty if no backslash stands here."""
    if not reader.take(r"\\"):
        return ""
    if kind := reader.take(r"[dsw]"):
        return f"\\{kind[0]}"
    if code := reader.take(r"x([0-7][0-9A-Fa-f])"):
        return _plain(chr(int(code[1], 16)))
    plain = reader.take(_ESCAPABLE)
    if plain is None:
        raise reader.expected("`d`, `s`, `w`, `xhh` or an operator behind `\\`")
    return _plain(plain[0])


def _read_class(reader: Reader) -> str:
    """`[…]` as RE2 writes it; empty if none stands here."""
    opening = reader.take(r"\[(\^?)")
    if opening is None:
        return ""
    members = list[str]()
    while not (members and reader.take(r"\]")):
        members.append(_read_member(reader))
    return f"[{opening[1]}{''.join(members)}]"


def _read_member(reader: Reader) -> str:
    r"""A character, a range, or a kind such as `\d`."""
    first, where = _read_escape(reader) or _read_plain(reader, _IN_CLASS), reader.position
    if first in _KINDS or not reader.take(r"-(?!\])"):
        return first
    last = _read_escape(reader) or _read_plain(reader, _IN_CLASS)
    if last in _KINDS or _code(last) < _code(first):
        raise reader.error("expected a range from a lower to a higher character", where)
    return f"{first}-{last}"


def _plain(char: str) -> str:
    return f"\\x{{{ord(char):x}}}"


def _code(plain: str) -> int:
    return int(plain[3:-1], 16)
