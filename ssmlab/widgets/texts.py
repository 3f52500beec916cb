"""HTML of the panels; everything from the data is escaped."""

from __future__ import annotations

import html
import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final
from urllib.parse import quote

from ssmlab.explanation import Explanation, to_html
from ssmlab.policies import TextProblem
from ssmlab.snapshots import Snapshot
from ssmlab.words import say_count

_LINES: Final = "\n\t"
_LINE_HEIGHT: Final = 15  # pixels, of an editor
_MARKS: Final = {"\n": "↵", "\t": "⇥"}


def write_lines(*sentences: str) -> str:
    """A paragraph for each sentence; what stands in backticks is shown as code, here and in lists."""
    return "".join(f"<p>{to_html(show_controls(sentence))}</p>" for sentence in sentences if sentence)


def write_list(lines: Iterable[str], most: int = 20) -> str:
    """A list, cut with a count of what is left out."""
    every = [*lines]
    listed = "".join(f"<li>{to_html(show_controls(line))}</li>" for line in every[:most])
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


def write_json(value: Any) -> str:
    """A value as JSON, line by line."""
    return write_text(json.dumps(value, indent=1, ensure_ascii=False, default=str))


def write_alert(words: str) -> str:
    """What is wrong with what was asked: read out at once by screen readers."""
    return f"<p role='alert'>{html.escape(show_controls(words))}</p>"


def write_error(error: Exception) -> str:
    """An error, as `write_alert`; of a `KeyError` its words without quotation marks."""
    return write_alert(str(error.args[0] if isinstance(error, KeyError) and error.args else error))


def write_explanation(explanation: Explanation) -> str:
    """An explanation, control characters visible."""
    return show_controls(explanation._repr_html_(), keep=_LINES)


def list_problems(problems: Sequence[TextProblem], text: str) -> str:
    """What AWS would refuse, as HTML: line, rule, and the line itself."""
    lines = text.splitlines() or [""]
    rows = []
    for problem in problems:
        place = f"line {problem.line}" + (f", column {problem.column}" if problem.column else "")
        code, what = map(show_controls, (lines[min(problem.line, len(lines)) - 1].strip()[:80], problem.what))
        rows.append(f"<li><b>{place}</b> <code>{html.escape(code)}</code><br>{html.escape(what)}</li>")
    return f"<div role='status'>AWS would refuse this version:<ul>{''.join(rows)}</ul></div>"


def number_lines(field: str, text: str, wrong: Collection[int]) -> str:
    """A style that numbers the lines of the text field of a CSS class, and marks those that are wrong.

    The numbers are a picture behind the text, which scrolls with it: no script is needed.
    """
    size, count = _LINE_HEIGHT, text.count("\n") + 1
    marks = "".join(
        f"<rect y='{size * n - size}' width='9999' height='{size}' fill='#d55e00' fill-opacity='.3'/>" for n in wrong
    )
    numbers = "".join(f"<tspan x='26' y='{size * n - 4}'>{n}</tspan>" for n in range(1, count + 1))
    picture = (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='9999' height='{size * count}'>{marks}"
        f"<text font-family='monospace' font-size='10' text-anchor='end' fill='#808080'>{numbers}</text></svg>"
    )
    ground = f'url("data:image/svg+xml,{quote(picture)}") 0 4px no-repeat local'
    look = f"padding: 4px 4px 4px 32px; line-height: {size}px; background: {ground}, var(--jp-layout-color1, white)"
    return f"<style>.ssmlab-explorer .{field} textarea {{ {look} }}</style>"


def describe_data(snapshot: Snapshot) -> str:
    """One line on what is loaded and how complete it is, as HTML that opens to the list of problems."""
    nodes = snapshot.nodes
    sizes = {"account": nodes["account"].nunique(), "Region": nodes["region"].nunique(), "node": len(nodes)}
    sizes |= {"principal": len(snapshot.principals), "document": len(snapshot.documents)}
    counts = " · ".join(say_count(number, word) for word, number in sizes.items())
    problems = snapshot.problems
    if problems.empty:
        return f"<span>{counts} · data complete</span>"
    errors = int((problems["severity"] == "error").sum())
    kinds = ((errors, "error"), (len(problems) - errors, "warning"))
    words = ", ".join(say_count(*each) for each in kinds if each[0])
    more = write_lines(f"and {len(problems) - 50} more in snapshot.problems") if len(problems) > 50 else ""
    listed = write_problems(problems.head(50), 50)
    return f"<details><summary>{counts} · {words} in the data</summary>{listed}{more}</details>"


def write_problems(problems: Any, most: int = 20) -> str:
    """Problems of files, as a list."""
    rows = problems[["severity", "file", "where", "what"]].itertuples(index=False)
    return write_list(["{}: {} {}: {}".format(*row) for row in rows], most)
