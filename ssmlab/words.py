"""Words of every message: counts, the readable end of an ARN, long texts cut, the nearest names."""

import difflib
import re
from collections.abc import Iterable
from typing import Final

_MANY: Final = 5_000  # names: comparing more takes longer than one waits for an error


def say_count(number: int, noun: str, verb: str = "", verbs: str = "", *, shown: int | None = None) -> str:
    """The number with its noun, and what it does, singular or plural; `shown`: how many of them can be seen.

    >>> say_count(1, "node"), say_count(1200, "policy"), say_count(0, "key", "is", "are")
    ('1 node', '1,200 policies', '0 keys are')
    >>> say_count(3, "witness", shown=2), say_count(3, "row", shown=3)
    ('first 2 of 3 witnesses', '3 rows')
    """
    one, first = number == 1, "" if shown in (None, number) else f"first {shown:,} of "
    plural = re.sub("(?<=[^aeiou])y$", "ie", re.sub("s$", "se", noun)) + "s"
    return f"{first}{number:,} {noun if one else plural} {verb if one else verbs}".rstrip()


def say_some(number: int, every: int, noun: str, verb: str, verbs: str) -> str:
    """How many of how many do something.

    >>> say_some(1, 2, "node", "matches", "match"), say_some(0, 1, "node", "matches", "match")
    ('1 of 2 nodes matches', '0 of 1 node match')
    """
    return f"{number:,} of {say_count(every, noun)} {verb if number == 1 else verbs}"


def last_part(arn: str) -> str:
    """The readable end of an ARN: `user/web-ops`, `AWS-RunShellScript`, `i-0123…`."""
    tail = arn.split(":", 5)[-1]
    return tail.rpartition("/")[2] if tail.startswith(("document/", "instance/", "managed-instance/")) else tail


def shorten(text: str, most: int) -> str:
    """A text of so many characters at most.

    >>> shorten("arn:aws:iam::123456789012:user/web-ops", 12)
    'arn:aws:iam…'
    """
    return text if len(text) <= most else f"{text[: most - 1]}…"


def find_near(name: str, known: Iterable[str]) -> list[str]:
    """The names that may be meant: those whose capitals it begins, else the most alike; among many, of those that
    begin alike.

    >>> find_near("MFA", ["aws:SourceIp", "aws:MultiFactorAuthPresent"])
    ['aws:MultiFactorAuthPresent']
    """
    names = list(dict.fromkeys(known))
    short = name.rpartition(":")[2]
    if short.isupper() and (meant := [other for other in names if _capitals(other).startswith(short)]):
        return meant[:3]
    alike = [other for other in names if other[:3].lower() == name[:3].lower()]
    return difflib.get_close_matches(name, (names if len(names) <= _MANY else alike)[:_MANY], n=3)


def _capitals(name: str) -> str:
    return "".join(letter for letter in name.rpartition(":")[2] if letter.isupper())
