"""HTML of the panels; everything from the data is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ssmlab.explanation import Explanation
from ssmlab.snapshots import Snapshot

_LINES: Final = "\n\t"
_MARKS: Final = {"\n": "↵", "\t": "⇥"}


def write_lines(*sentences: str) -> str:
    """A paragraph for each sentence."""
    return "".join(f"<p>{html.escape(show_controls(sentence))}</p>" for sentence in sentences if sentence)


def write_list(lines: Iterable[str], most: int = 20) -> str:
    """A list, cut with a count of what is left out."""
    every = [*lines]
    listed = "".join(f"<li>{html.escape(show_controls(line))}</li>" for line in every[:most])
    more = f"<p>and {len(every) - most:,} more</p>" if len(every) > most else ""
    return f"<ul>{listed}</ul>{more}" if every else ""


def show_controls(text: str, keep: str = "") -> str:
    r"""Text with its control characters, and others that cannot be seen, as visible marks.

    >>> show_controls("\x1b[31mred\r\n\u202e"), show_controls("a\nb", keep="\n")
    ('\\x1b[31mred\\r↵\\u202e', 'a\nb')
    """
    return "".join(
        char if char.isprintable() or char in keep else _MARKS.get(char) or ascii(char)[1:-1] for char in text
    )


def write_text(text: str) -> str:
    """Untrusted text as a block, line by line; control characters are visible."""
    return f"<pre>{html.escape(show_controls(text, keep=_LINES))}</pre>"


def write_explanation(explanation: Explanation) -> str:
    """An explanation, control characters visible."""
    return show_controls(explanation._repr_html_(), keep=_LINES)


def describe_data(snapshot: Snapshot) -> str:
    """One line on what is loaded and how complete it is, as HTML that opens to the list of problems."""
    nodes = snapshot.nodes
    sizes = {"account": nodes["account"].nunique(), "Region": nodes["region"].nunique(), "node": len(nodes)}
    sizes |= {"principal": len(snapshot.principals), "document": len(snapshot.documents)}
    counts = " · ".join(count_things(number, word) or f"0 {word}s" for word, number in sizes.items())
    problems = snapshot.problems
    if problems.empty:
        return f"<span>{counts} · data complete</span>"
    errors = int((problems["severity"] == "error").sum())
    words = ", ".join(filter(None, (count_things(errors, "error"), count_things(len(problems) - errors, "warning"))))
    listed = "".join(f"<li>{html.escape(_problem(row))}</li>" for row in problems.head(50).to_dict("records"))
    more = f"<li>and {len(problems) - 50} more in snapshot.problems</li>" if len(problems) > 50 else ""
    return f"<details><summary>{counts} · {words} in the data</summary><ul>{listed}{more}</ul></details>"


def _problem(row: Mapping[Any, Any]) -> str:
    return f"{row['severity']}: {row['file']} {row['where']}: {row['what']}"


def count_things(number: int, word: str) -> str:
    """`3 errors`; nothing for none."""
    return f"{number} {word}{'s' if number > 1 else ''}" if number else ""
