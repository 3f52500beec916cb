"""What every kind of filter pattern is read with: a place in the text, quoted strings, `&&`, `||` and parentheses."""

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

_SPACE: Final = re.compile(r"\s*")
_STRING: Final = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPE: Final = re.compile(r'\\(["\\])')
_DEEPEST: Final = 100  # parentheses: the bound of this package, CloudWatch Logs names none


class PatternError(ValueError):
    """A filter pattern that CloudWatch Logs refuses.

    Attributes
    ----------
    pattern
        The pattern as given.
    where
        The place in it, counted from 0.
    reason
        What was expected there, and what was got.
    """

    def __init__(self, pattern: str, where: int, reason: str) -> None:
        super().__init__(pattern, where, reason)
        self.pattern, self.where, self.reason = pattern, where, reason

    def __str__(self) -> str:
        return f"`{self.pattern}` at {self.where}: {self.reason}"


class Reader:
    """A pattern, how far it has been read, how many regular expressions were in it, and the doubts."""

    def __init__(self, text: str) -> None:
        self.text, self.position = text, 0
        self.regexes, self.doubts = 0, list[str]()

    def take(self, expression: str | re.Pattern[str]) -> re.Match[str] | None:
        """What stands here, if it fits; reading goes on behind it."""
        match = re.compile(expression).match(self.text, self.position)
        if match:
            self.position = match.end()
        return match

    def need(self, expression: str | re.Pattern[str], what: str) -> re.Match[str]:
        """What stands here, which must fit: what was expected else."""
        match = self.take(expression)
        if match is None:
            raise self.expected(what)
        return match

    def skip_space(self) -> None:
        """Go on to the next character that is no blank."""
        self.take(_SPACE)

    def take_sign(self, sign: str) -> bool:
        """Is this sign next? Blanks before it do not count."""
        self.skip_space()
        return self.take(re.escape(sign)) is not None

    def is_at_end(self) -> bool:
        """Is nothing but blanks left?"""
        self.skip_space()
        return self.position >= len(self.text)

    def open(self, sign: str, closing: str) -> None:
        """Go behind the sign that starts a pattern, which must end with another."""
        wanted = f"expected a pattern that starts with `{sign}` to end with `{closing}`"
        self.check(self.text.rstrip().endswith(closing), wanted, len(self.text))
        self.take_sign(sign)

    def string(self) -> str:
        """A text in double quotes, without them; a backslash makes a quote or a backslash plain."""
        match = self.take(_STRING)
        if match is None:
            raise self.error('expected a closing `"`, got the end of the pattern')
        return _ESCAPE.sub(r"\1", match[1])

    def rest(self) -> str:
        """What was not read yet, as a message says it."""
        left = self.text[self.position :]
        return f"`{left if len(left) <= 20 else left[:19] + '…'}`" if left else "the end of the pattern"

    def expected(self, what: str) -> PatternError:
        """The error that something else stands here."""
        return self.error(f"expected {what}, got {self.rest()}")

    def check(self, holds: object, reason: str, where: int | None = None) -> None:
        """Refuse a pattern of which something does not hold, at a place, by default here."""
        if not holds:
            raise self.error(reason, where)

    def error(self, reason: str, where: int | None = None) -> PatternError:
        """An error at a place, by default here."""
        return PatternError(self.text, self.position if where is None else where, reason)


Condition = Callable[[Any], bool]  # on a JSON object, or on a field of a line


def read_logic(reader: Reader, read_condition: Callable[[], Condition], depth: int = 0) -> Condition:
    """Conditions joined by `||` and `&&`, which binds closer, and parentheses [recorded from AWS, September 2026]."""
    reader.check(depth <= _DEEPEST, f"expected at most {_DEEPEST} parentheses in one another")

    def read_one() -> Condition:
        if not reader.take_sign("("):
            return read_condition()
        inner = read_logic(reader, read_condition, depth + 1)
        if not reader.take_sign(")"):
            raise reader.expected("`)`, `&&` or `||`")
        return inner

    def read_joined(read: Callable[[], Condition], sign: str, join: Callable[[Iterable[bool]], bool]) -> Condition:
        parts = [read()]
        while reader.take_sign(sign):
            parts.append(read())
        return parts[0] if len(parts) == 1 else lambda subject: join(part(subject) for part in parts)

    return read_joined(lambda: read_joined(read_one, "&&", all), "||", any)
