"""Tags of an edited inventory file, against those of the nodes."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ssmlab.snapshots.files import Folder, Problems, Spot
from ssmlab.snapshots.loading import load
from ssmlab.snapshots.schema import TAG, listed
from ssmlab.snapshots.spreadsheet import read_lines
from ssmlab.words import say_count

_NAMED, _LONGEST = 5, 60  # nodes in a message; letters of a file's name, which systems limit


class TagChange(NamedTuple):
    """A tag that nodes (ARNs) get; value None: that they lose."""

    key: str
    value: str | None
    nodes: list[str]


def read_tag_file(name: str, content: bytes, nodes: pd.DataFrame) -> tuple[list[TagChange], pd.DataFrame]:
    r"""What an inventory CSV would change in the tags of the nodes; nothing else in it is taken.

    A column `tag:<Key>` counts for all its lines, an empty cell as an absent tag; tags without a column stay.

    Returns
    -------
    tuple
        The changes, and problems by file and line as `Snapshot.problems` has them, nodes that are not known among them.

    Raises
    ------
    LoadError
        If there is no inventory in the file.

    Examples
    --------
    >>> import ssmlab
    >>> text = b"node_id,account,region,tag:Finance\ni-0123456789abcdef0,123456789012,eu-west-1,Ledger\n"
    >>> changes, problems = read_tag_file("edited.csv", text, ssmlab.load("data/sample").nodes)
    >>> changes[0].key, changes[0].value, changes[0].nodes[0].rpartition("/")[2], len(problems)
    ('Finance', 'Ledger', 'i-0123456789abcdef0', 0)
    """
    with TemporaryDirectory() as folder:
        called = "".join(filter(str.isprintable, Path(name).stem))[:_LONGEST]
        path = Path(folder) / f"{called or 'tags'}.csv"
        path.write_bytes(content)
        loaded = load(path)
        header = next(read_lines(Folder(Path(folder)), path))[1]
    rows = nodes.index.get_indexer(loaded.nodes.index)
    problems = Problems()
    if unknown := [*loaded.nodes.index[rows < 0]]:
        told = f"{say_count(len(unknown), 'node')} not loaded: {listed(unknown, _NAMED)}"
        problems.warning(Spot(path.name), told)
    known = loaded.nodes[rows >= 0]
    before = nodes.iloc[rows[rows >= 0]]
    columns = dict.fromkeys(name.strip() for name in header if name.strip().startswith(TAG))
    changes = [change for column in columns for change in _compare(before, known, column)]
    kept = [change for change in changes if change.key and not change.key.startswith("aws:")]  # AWS's own
    for key in dict.fromkeys(change.key for change in changes if change not in kept):
        problems.warning(Spot(path.name), f"column `{TAG}{key}` is left out: expected a key that one can set")
    return kept, pd.concat([loaded.noted, problems.frame()], ignore_index=True)


def _compare(before: pd.DataFrame, after: pd.DataFrame, column: str) -> Iterator[TagChange]:
    """The changes of one tag, by its new value."""
    old, new = _texts(before, column), _texts(after, column)
    differs = np.flatnonzero(old != new)
    for value, places in pd.Series(differs).groupby(new[differs], dropna=False, sort=False):
        own = value if isinstance(value, str) else None
        yield TagChange(column.removeprefix(TAG), own, [*after.index[places.to_numpy()]])


def _texts(frame: pd.DataFrame, column: str) -> Any:
    """The values of a tag; None where it is absent. A tag that nobody has is no column."""
    values = frame.reindex(columns=[column])[column].astype(object)
    return values.where(values.notna(), None).to_numpy(dtype=object)
