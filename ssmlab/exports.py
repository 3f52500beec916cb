"""Tables and graphs as the content of files. Text of the data starts no formula and breaks no XML."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

if TYPE_CHECKING:
    import networkx as nx

_FORMULA: Final = "^([=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20])"
_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # [XML 1.0, section 2.2]


def defuse(frame: pd.DataFrame) -> pd.DataFrame:
    """A copy in which no text cell starts a formula when a spreadsheet opens it: a `'` goes before `=`, `+`, `-`,
    `@`, also of full width, tab, return and line feed. Source: OWASP, CSV injection.

    Examples
    --------
    >>> defuse(pd.DataFrame({"name": ["=1+1", "web-1"]}))["name"].to_list()
    ["'=1+1", 'web-1']
    """
    texts = frame.select_dtypes(["object", "string", "category"])
    safe = {str(name): texts[name].astype(str).str.replace(_FORMULA, r"'\1", regex=True) for name in texts}
    return frame.assign(**safe).rename(columns=lambda name: re.sub(_FORMULA, r"'\1", str(name)))


def write_csv(frame: pd.DataFrame) -> bytes:
    """A table as CSV, UTF-8, without its index."""
    return defuse(frame).to_csv(index=False).encode("utf-8", "replace")


def write_parquet(frame: pd.DataFrame) -> bytes:
    """A table as Parquet, without its index, its text untouched."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()


def write_graphml(graph: nx.DiGraph[str] | None) -> bytes:
    """A graph as GraphML; what is no text and no number is left out.

    Raises
    ------
    ValueError
        Where there is no graph.
    """
    if graph is None:
        raise ValueError("this view has no graph, expected CSV or Parquet")
    import networkx as nx  # slow to import: only who draws waits

    plain: nx.DiGraph[str] = nx.DiGraph(**_plain(graph.graph))
    ids = _name_nodes(graph)
    plain.add_nodes_from((ids[name], _plain(data)) for name, data in graph.nodes(data=True))
    plain.add_edges_from((ids[a], ids[b], _plain(data)) for a, b, data in graph.edges(data=True))
    return "\n".join(nx.generate_graphml(plain)).encode("utf-8")


def _name_nodes(graph: nx.DiGraph[str]) -> dict[str, str]:
    """Of each node an id that XML can hold, and that no other has."""
    ids: dict[str, str] = {}
    for name in sorted(graph, key=lambda name: _clean(name) != name):  # what XML can hold keeps its own
        ids[name] = _clean(name)
        while [*ids.values()].count(ids[name]) > 1:
            ids[name] += "�"
    return ids


def _plain(data: dict[str, Any]) -> dict[str, Any]:
    return {name: _clean(value) for name, value in data.items() if isinstance(value, str | int | float)}


def _clean(value: Any) -> Any:
    return _NO_XML.sub("�", value) if isinstance(value, str) else value
