"""The line on other ways in: limits on Run Command of the chosen principals that can be walked round, in words."""

from __future__ import annotations

import html
from collections.abc import Sequence

from ssmlab.explanation import last_part
from ssmlab.paths import Paths

MOST = 20


def describe_around(paths: Paths, principals: Sequence[str]) -> str:
    """HTML: each chosen principal's shortest way round its limits, or that there is none."""
    found = paths.around()
    rows = found[found["principal"].isin(principals)]
    names = ", ".join(last_part(arn) for arn in principals[:3]) + (" …" if len(principals) > 3 else "")
    if not len(rows):
        return f"<p>No way round the limits of {html.escape(names or 'nobody')} is known from these policies.</p>"
    perhaps = {"allowed": "", "conditional": "<i>perhaps</i> "}
    lines = [
        f"<li>{perhaps[row.outcome]}{row.nodes} more nodes: {html.escape(str(row.path))}</li>"  # type: ignore[index]
        for row in rows.head(MOST).itertuples()
    ]
    more = f"<p>and {len(rows) - MOST} principals more</p>" if len(rows) > MOST else ""
    return f"<p>These limits can be walked round:</p><ul>{''.join(lines)}</ul>{more}"
