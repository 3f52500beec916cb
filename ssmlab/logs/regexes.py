r"""`%regex%`: the syntax that CloudWatch Logs takes, checked, and matched by RE2 in time linear in the text.

Source: CloudWatch Logs User Guide, `regex-expressions`: letters and digits, a few symbols, the operators
`^ $ ? [ ] { } | \ * + .`, `\d \s \w` and `\xhh`; no parentheses, no multibyte characters.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from ssmlab.logs.reading import PatternError, Reader

_CHARACTER: Final = r"[A-Za-z0-9:_#=@/;,\- ]"
_OPERATORS: Final = r"\^$?[]{}|*+."
_ESCAPED: Final = r"\\(?:[dsw]|x[0-7][0-9A-Fa-f]|[\\^$?\[\]{}|*+.:_#=@/;,\-])"
_CLASS: Final = rf"\[\^?+(?:{_ESCAPED}|{_CHARACTER}|[\^$?{{}}|*+.])"
_PIECE: Final = re.compile(
    rf"[\^$|]|(?:{_ESCAPED}|{_CHARACTER}|\.|{_CLASS}+\])(?:[?*+]|\{{(\d{{1,4}})(?:,(\d{{0,4}}))?\}})?", re.ASCII
)
_UNREAD: Final = re.compile(rf"(?:{_CLASS}*)?(\\?)", re.ASCII)  # how far a piece that is none can be read
# A text of 256 KB against more than this takes RE2 seconds: the bound of this package, CloudWatch Logs names none.
_MOST_REPEATED: Final = 1000
_MOST_REGEXES: Final = 2
_LONGEST_KEPT: Final = 1024  # characters of a text whose answer is remembered: of messages, thousands take much memory
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
        return (_recall if len(text) <= _LONGEST_KEPT else _search)(self.expression, text)

    def flags(self, column: Any) -> Any:
        """In which texts of an Arrow column is it found?"""
        return pc.match_substring_regex(column, self.expression)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where it is found: start and end of each place, none empty."""
        # To an expression of ASCII all other characters are alike, so that two of them can serve as marks.
        free = encodable(text).replace(_START, _OTHER).replace(_END, _OTHER)
        marked = pc.replace_substring_regex(pa.scalar(free), f"({self.expression})", f"{_START}\\1{_END}").as_py()
        places = [found.span(1) for found in re.finditer(f"{_START}([^{_END}]*){_END}", marked)]
        # before each place stand the two marks of those before it, and its first
        return [(start - 2 * n - 1, end - 2 * n - 1) for n, (start, end) in enumerate(places) if start < end]


def _search(expression: str, text: str) -> bool:
    return bool(pc.match_substring_regex(pa.scalar(encodable(text)), expression).as_py())


# Fields and JSON values repeat, and a call of RE2 costs more than remembering.
_recall: Final = lru_cache(4096)(_search)


def encodable(text: str) -> str:
    """The text with `?` for each half of a surrogate pair, which Arrow does not take."""
    return text.encode("utf-8", "replace").decode()


def read_regex(reader: Reader) -> Regex:
    """The regular expression that starts here with `%`."""
    start = reader.position + 1
    end = reader.text.find("%", start)
    reader.check(end >= 0, "expected a closing `%`, got the end of the pattern")
    reader.regexes += 1
    reader.check(reader.regexes <= _MOST_REGEXES, f"expected at most {_MOST_REGEXES} regular expressions in a pattern")
    reader.check(start < end, "expected a regular expression between `%` and `%`")
    is_short = _count_repeated(reader, start, end) <= _MOST_REPEATED
    reader.check(is_short, f"expected at most {_MOST_REPEATED} repetitions in a regular expression")
    found = Regex(reader.text[start:end])
    try:
        found.matches("")
    except pa.ArrowInvalid as error:  # a range that goes down, `{3,2}`
        said, _, part = str(error).rpartition(": ")
        what = f"expected a regular expression, got `{part}`: {said.rpartition(': ')[2]}"
        raise reader.error(what, max(start, reader.text.find(part, start))) from None
    reader.position = end + 1
    return found


def _count_repeated(reader: Reader, position: int, end: int) -> int:
    """How many characters an expression stands for when written out; refused is what its syntax does not know."""
    repeated = 0
    while position < end:
        piece = _PIECE.match(reader.text, position, end)
        if piece is None:
            raise _refuse(reader, position, end)
        position, repeated = piece.end(), repeated + int(piece[2] or piece[1] or 1)
    return repeated


def _refuse(reader: Reader, position: int, end: int) -> PatternError:
    read = _UNREAD.match(reader.text, position, end)
    where, is_escape = (read.end(), read[1]) if read else (position, "")
    wanted = f"a letter, a digit, one of `: _ # = @ / ; , -` or an operator of `{_OPERATORS}` in its place"
    if is_escape:
        wanted = "`d`, `s`, `w`, `xhh` or an operator behind `\\`"
    got = f"`{reader.text[where]}`" if where < end else "the end of the expression"
    return reader.error(f"expected {wanted}, got {got}; `\\xhh` writes any ASCII character", where)
