"""Expectations as a file: who must never reach what, and who alone may; tested, with a counterexample in words.

    context: {"aws:MultiFactorAuthPresent": "true"}      # optional, as in `reach`
    expectations:
      - name: contractors never reach production
        never: "user/contractor*"
        nodes: {"tag:Env": prod}
        ways: any                                         # run-command (default), or any
      - name: only web operations restart the web servers
        only: [role/WebOps, "user/op-*"]
        nodes: {"tag:Finance": WebServers}
        documents: RestartWebServer

Principals, nodes and documents are chosen by patterns (`*`, `?`) on ARN, name or id, or by a mapping of columns
(`account`, `region`, `kind`, `platform`, `tag:<Key>`) to patterns, all of which must hold; a list means any of them.
Root users reach everything in their account and count only where they are named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import yaml

from ssmlab.explanation import last_part
from ssmlab.paths import Paths, find_paths
from ssmlab.patterns import Vocabulary, parse_text
from ssmlab.reachability import Reach, reach
from ssmlab.reachability.columns import Codes, first_rows
from ssmlab.reachability.fleets import CONDITIONAL
from ssmlab.snapshots import Snapshot
from ssmlab.snapshots.changes import describe_unknown
from ssmlab.snapshots.files import show

_KEYS: Final = ("name", "never", "only", "nodes", "documents", "ways", "conditional")
_NAMES: Final = {"principals": ("name",), "nodes": ("name", "node_id"), "documents": ("name",)}
_CHOICES: Final = {"ways": ("run-command", "any"), "conditional": ("counts", "ignored")}


class ExpectationError(ValueError):
    """A file of expectations that cannot be tested: which one, where, and what was expected."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """One expectation as rows of the snapshot: `principals` are those that must not reach a pair of the others."""

    name: str
    principals: Codes
    nodes: Codes
    documents: Codes
    ways: str
    least: int  # place in `OUTCOMES` from which on a reach breaks it


def check_expectations(snapshot: Snapshot, source: str | Path | Mapping[str, Any]) -> pd.DataFrame:
    """Test expectations.

    Parameters
    ----------
    source
        Path of a YAML file, or what such a file holds.

    Returns
    -------
    pandas.DataFrame
        Columns `expectation`, `holds`, `counterexample` (empty where it holds).

    Raises
    ------
    ExpectationError
        For what cannot be tested; also for an expectation that chooses nothing.

    Examples
    --------
    >>> import ssmlab
    >>> wanted = {"expectations": [{"name": "no prod", "never": "user/contractor", "nodes": {"tag:Env": "prod"}}]}
    >>> check_expectations(ssmlab.load("data/sample"), wanted)["holds"].to_list()
    [True]
    """
    try:
        body = _read(source)
        wanted = [_parse(snapshot, entry, number) for number, entry in enumerate(body["expectations"], 1)]
    except ExpectationError as error:
        raise error if isinstance(source, Mapping) else ExpectationError(f"`{source}`: {error}") from None
    context = body.get("context") or {}
    found = reach(snapshot, context=context)
    paths = find_paths(snapshot, context) if any(each.ways == "any" for each in wanted) else None
    rows = [(each.name, not (said := _test(found, paths, each)), said) for each in wanted]
    return pd.DataFrame(rows, columns=["expectation", "holds", "counterexample"])


def _read(source: str | Path | Mapping[str, Any]) -> Mapping[str, Any]:
    body: Any = source
    if not isinstance(source, Mapping):
        try:
            body = _Loader(Path(source).read_text(encoding="utf-8")).get_single_data()
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise ExpectationError(f"expected YAML, got {' '.join(str(error).split())}") from None
    listed = body.get("expectations") if isinstance(body, Mapping) else None
    if not isinstance(listed, Sequence) or isinstance(listed, str) or not listed:
        raise ExpectationError(f"expected a list named `expectations`, with at least one in it, got {show(listed)}")
    if unknown := sorted(map(str, set(body) - {"expectations", "context"})):
        raise ExpectationError(describe_unknown("key", unknown[0], ["expectations", "context"]))
    context = body.get("context") or {}
    if not isinstance(context, Mapping) or not all(isinstance(key, str) for key in context):
        raise ExpectationError(f"expected `context` to be a mapping of condition keys to values, got `{context}`")
    return body  # type: ignore[no-any-return]


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """YAML in which a key stands once in a mapping: of two expectations with a dash forgotten none is lost."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        names = [key.value for key, _ in node.value]
        if twice := [name for name in names if names.count(name) > 1]:
            raise yaml.constructor.ConstructorError(problem=f"found `{twice[0]}` twice", problem_mark=node.start_mark)
        return super().construct_mapping(node, deep)


def _parse(snapshot: Snapshot, entry: Any, number: int) -> Expectation:
    where = f"expectation {number}"
    if not isinstance(entry, Mapping):
        raise ExpectationError(f"{where}: expected a mapping with `never` or `only`, got `{entry}`")
    where += f" (`{entry['name']}`)" if "name" in entry else ""
    if unknown := sorted(set(map(str, entry)) - set(_KEYS)):
        raise ExpectationError(f"{where}: {describe_unknown('key', unknown[0], _KEYS)}")
    if ("never" in entry) is ("only" in entry):
        raise ExpectationError(
            f"{where}: expected one of `never` and `only`, got {'both' if 'only' in entry else 'none'}"
        )
    for key, allowed in _CHOICES.items():
        if entry.get(key, allowed[0]) not in allowed:
            raise ExpectationError(f"{where}: expected `{key}` to be one of {', '.join(allowed)}, got `{entry[key]}`")
    kind = "never" if "never" in entry else "only"
    for key in ("never", "nodes", "documents"):  # `only: []`: nobody
        if entry.get(key, "*") == []:
            raise ExpectationError(f"{where}: {key}: `[]` matches nothing")
    named = choose_rows(snapshot, "principals", entry[kind], f"{where}: {kind}")
    roots = np.flatnonzero((snapshot.principals["kind"] == "root").to_numpy(dtype=bool))
    others = np.setdiff1d(np.arange(len(snapshot.principals)), np.append(named, roots))
    nodes, documents = (
        choose_rows(snapshot, side, entry.get(side, "*"), f"{where}: {side}") for side in ("nodes", "documents")
    )
    least = CONDITIONAL if entry.get("conditional", "counts") == "counts" else CONDITIONAL + 1
    told = str(entry.get("name", where))
    principals = named if kind == "never" else others
    return Expectation(told, principals, nodes, documents, entry.get("ways", "run-command"), least)


def choose_rows(snapshot: Snapshot, side: str, wanted: Any, where: str) -> Codes:
    """The rows that a pattern, a mapping or a list of them chooses."""
    frame: pd.DataFrame = getattr(snapshot, side)
    rows: set[int] = set()
    for each in wanted if isinstance(wanted, list) else [wanted]:
        by_column = isinstance(each, Mapping)
        found = _match_columns(frame, each, where) if by_column else _match_names(frame, side, str(each))
        if not len(found):
            known = [last_part(arn) for arn in frame.index]
            hint = "" if by_column else f": {describe_unknown(side[:-1], str(each), known)}"
            raise ExpectationError(f"{where}: `{each}` matches nothing{hint}")
        rows.update(found.tolist())
    return np.array(sorted(rows), dtype=np.int64)


def _match_names(frame: pd.DataFrame, side: str, pattern: str) -> Codes:
    texts = [list(frame.index), [arn.split(":", 5)[-1] for arn in frame.index]]
    texts += [frame[column].astype(object).fillna("").astype(str).to_list() for column in _NAMES[side]]
    tokens = parse_text(pattern, variables=False)
    return np.flatnonzero(np.logical_or.reduce([Vocabulary(column).match(tokens) for column in texts]))


def _match_columns(frame: pd.DataFrame, wanted: Mapping[str, Any], where: str) -> Codes:
    chosen = np.ones(len(frame), dtype=bool)
    for column, pattern in wanted.items():
        if column not in frame:
            raise ExpectationError(f"{where}: {describe_unknown('column', str(column), frame.columns)}")
        values = frame[column].astype(object).where(frame[column].notna(), None).to_list()
        texts = Vocabulary(["" if value is None else str(value) for value in values])
        patterns = [parse_text(str(p), variables=False) for p in (pattern if isinstance(pattern, list) else [pattern])]
        chosen &= texts.match_any(patterns) & np.array([value is not None for value in values], dtype=bool)
    return np.flatnonzero(chosen)


def _test(found: Reach, paths: Paths | None, wanted: Expectation) -> str:
    """The first counterexample in words; empty if there is none."""
    direct = next(_direct(found, wanted), "")
    return direct or (next(_other(paths, wanted), "") if paths and wanted.ways == "any" else "")


def _direct(found: Reach, wanted: Expectation) -> Iterator[str]:
    for outcome in ("allowed", "conditional")[: 4 - wanted.least]:
        rows = found.pairs(wanted.principals, wanted.nodes, wanted.documents, outcome, limit=1)
        for principal, node, document in rows[["principal", "node", "document"]].itertuples(index=False):
            yield found.explain(principal, node, document).sentence


def _other(paths: Paths, wanted: Expectation) -> Iterator[str]:
    groups = np.unique(paths.groups[wanted.nodes])
    outcomes = paths.outcomes[np.ix_(wanted.principals, groups)]
    for who, group in np.argwhere(outcomes >= wanted.least)[:1]:
        member = wanted.nodes[first_rows(np.unique(paths.groups[wanted.nodes], return_inverse=True)[1])[group]]
        principal = paths.snapshot.principals.index[wanted.principals[who]]
        edges = paths.shortest(str(principal), str(paths.snapshot.nodes.index[member]))
        yield "; ".join(edge.sentence for edge in edges) + "."
