"""Where in its text something of a policy stands: JSON path to line."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Final

from ssmlab.policies.grammar import PolicyError, parse_policy
from ssmlab.policies.json_text import decode_url, read_json

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


@dataclass(frozen=True, slots=True)
class TextProblem:
    """Something that AWS would refuse: the line, from 1; the column, where the text is no JSON (else 0); the rule."""

    line: int
    column: int
    what: str


@dataclass(slots=True)
class _Level:
    """An object (`index` None) or a list that is being read, its path, and its member that comes next."""

    path: str
    index: int | None
    key: str | None = None

    @property
    def member(self) -> str:
        """The path of the member."""
        return f"{self.path}.{self.key}" if self.index is None else f"{self.path}[{self.index}]"


@dataclass(slots=True)
class _Reader:
    """Reads a text token by token; `lines` holds the line of every key and list item by its JSON path."""

    lines: dict[str, int] = field(default_factory=lambda: {"$": 1})
    levels: list[_Level] = field(default_factory=list)

    def read(self, token: str, line: int) -> None:
        """One more token."""
        level = self.levels[-1] if self.levels else None
        if token in "}]":
            del self.levels[-1:]
        elif token == "," and level:
            level.index, level.key = (None, None) if level.index is None else (level.index + 1, None)
        elif token[0] == '"' and level and level.index is None and level.key is None:
            level.key = str(json.loads(token, strict=False))
            self.lines.setdefault(level.member, line)
        elif token not in ":,":
            path = level.member if level else "$"
            self.lines.setdefault(path, line)
            if token in "{[":
                self.levels.append(_Level(path, 0 if token == "[" else None))


def find_lines(text: str) -> dict[str, int]:
    r"""The line, from 1, of every key and list item of a JSON text, by its JSON path as `PolicyProblem.where` has it.

    Examples
    --------
    >>> find_lines('{"Statement": [\n {"Effect": "Allow"}]}')
    {'$': 1, '$.Statement': 1, '$.Statement[0]': 2, '$.Statement[0].Effect': 2}
    """
    reader, line, end = _Reader(), 1, 0
    for match in _TOKEN.finditer(text):
        line, end = line + text.count("\n", end, match.start()), match.start()
        reader.read(match[0], line)
    return reader.lines


def line_of(lines: dict[str, int], path: str) -> int:
    """The line of a JSON path; of an element that is missing, that of the nearest it would stand in."""
    around = (name for name in lines if path == name or (path.startswith(name) and path[len(name)] in ".["))
    return lines[max(around, key=len, default="$")]


def check_text(text: str, layer: str = "identity") -> list[TextProblem]:
    r"""What AWS would refuse in the text of a policy, in the order of the lines; none: it would be stored.

    Examples
    --------
    >>> check_text('{"Version": "2012-10-17",\n "Statement": [{"Effect": "Alow", "Action": "*", "Resource": "*"}]}')
    [TextProblem(line=2, column=0, what='expected `Allow` or `Deny`, got `"Alow"`')]
    >>> check_text('{"Version": }')
    [TextProblem(line=1, column=13, what='expected JSON: expecting value')]
    """
    try:
        problems = parse_policy(read_json(decode_url(text)), layer=layer).problems
    except json.JSONDecodeError as error:
        said = f"expected JSON: {error.msg[:1].lower()}{error.msg[1:].removesuffix(' at')}"
        return [TextProblem(error.lineno, error.colno, said)]
    except PolicyError as error:
        return [TextProblem(1, 0, str(error))]
    lines = find_lines(text)
    found = [TextProblem(line_of(lines, problem.where), 0, problem.what) for problem in problems]
    return sorted(found, key=lambda problem: problem.line)
