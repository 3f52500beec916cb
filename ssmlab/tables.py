"""A frame of sentences as a table to read in a notebook."""

from __future__ import annotations

import html
import re
from typing import Final

import pandas as pd
from IPython.display import HTML

from ssmlab.explanation import last_part, to_html

# pandas' own tables are for numbers: to the right, cut after 50 characters.
_LOOK: Final = "<style>table.ssmlab-table :is(td, th) {text-align: left !important; vertical-align: top}</style>"


def show_table(frame: pd.DataFrame) -> HTML:
    """A frame without its index: texts whole, to the left, lines wrapped, what stands in backticks as code; of an ARN
    the readable end, and the whole under the pointer; nothing where a value is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from ssmlab.tables import show_table
    >>> "<td><code>&lt;b&gt;</code> is text</td>" in show_table(pd.DataFrame({"what": ["`<b>` is text"]})).data
    True
    """
    shown = frame.astype("object").where(frame.notna(), "").map(lambda value: _show(str(value)))
    shown = shown.rename(columns=lambda name: to_html(str(name)).replace("_", "_<wbr>"))
    with pd.option_context("display.max_colwidth", None):
        table = shown.to_html(index=False, escape=False, border=0, classes="ssmlab-table")
    return HTML(_LOOK + table)  # type: ignore[no-untyped-call]


def _show(text: str) -> str:
    if not re.fullmatch(r"arn:\S+", text):
        return to_html(text)
    return f'<span title="{html.escape(text)}">{to_html(last_part(text)).replace("/", "/<wbr>")}</span>'
