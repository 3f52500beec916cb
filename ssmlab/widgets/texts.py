"""HTML of the panels; everything from the data is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from typing import Any

from ssmlab.snapshots import Snapshot


def write_lines(*sentences: str) -> str:
    """A paragraph for each sentence."""
    return "".join(f"<p>{html.escape(sentence)}</p>" for sentence in sentences)


def write_list(lines: Iterable[str], most: int = 20) -> str:
    """A list, cut with a count of what is left out."""
    every = [*lines]
    listed = "".join(f"<li>{html.escape(line)}</li>" for line in every[:most])
    more = f"<p>and {len(every) - most:,} more</p>" if len(every) > most else ""
    return f"<ul>{listed}</ul>{more}" if every else ""


def describe_data(snapshot: Snapshot) -> str:
    """One line on what is loaded and how complete it is, as HTML that opens to the list of problems."""
    nodes = snapshot.nodes
    counts = [
        f"{nodes['account'].nunique()} accounts",
        f"{nodes['region'].nunique()} Regions",
        f"{len(nodes)} nodes",
        f"{len(snapshot.principals)} principals",
        f"{len(snapshot.documents)} documents",
    ]
    problems = snapshot.problems
    if problems.empty:
        return f"<span>{html.escape(' · '.join(counts))} · data complete</span>"
    errors = int((problems["severity"] == "error").sum())
    words = ", ".join(
        part for part in (count_things(errors, "error"), count_things(len(problems) - errors, "warning")) if part
    )
    listed = "".join(f"<li>{html.escape(_problem(row))}</li>" for row in problems.head(50).to_dict("records"))
    more = f"<li>and {len(problems) - 50} more in snapshot.problems</li>" if len(problems) > 50 else ""
    summary = f"{html.escape(' · '.join(counts))} · {words} in the data"
    return f"<details><summary>{summary}</summary><ul>{listed}{more}</ul></details>"


def _problem(row: Mapping[Any, Any]) -> str:
    return f"{row['severity']}: {row['file']} {row['where']}: {row['what']}"


def count_things(number: int, word: str) -> str:
    """`3 errors`; nothing for none."""
    return f"{number} {word}{'s' if number > 1 else ''}" if number else ""
