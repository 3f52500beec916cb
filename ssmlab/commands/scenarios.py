"""Commands to look at first, and simple choices of how nodes answer: what a screen needs to call `send_command`."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import pandas as pd

from ssmlab.commands.answers import Said, find_answers, says_of_all
from ssmlab.commands.command import Command
from ssmlab.commands.running import send_command
from ssmlab.events import Rule
from ssmlab.reachability import Reach
from ssmlab.snapshots import Snapshot
from ssmlab.snapshots.schema import list_tags, listed

_Row = dict[str, Any]
_WELL: Final[_Row] = {"output": "httpd is active (running)\nrequests=120 latency=35 ms\n"}
_ILL: Final[_Row] = {"exit_code": 1, "output": "httpd is inactive\n", "error": "ERROR Unit httpd.service not found.\n"}

# How nodes answer → the answer of the first, second, … node that runs the command.
SCENARIOS: Final[Mapping[str, Callable[[int], _Row]]] = {
    "all succeed": lambda _: _WELL,
    "every third fails": lambda number: _ILL if number % 3 == 0 else _WELL,
    "all fail": lambda _: _ILL,
    "one does not answer": lambda number: _WELL | {"seconds": math.inf} if number == 0 else _WELL,
    "one after the other is slower": lambda number: _WELL | {"seconds": 5.0 * (number + 1)},
}


def play_scenario(snapshot: Snapshot, scenario: str, own: Mapping[str, Any] | None = None, **call: Any) -> Command:
    """Send a command whose nodes answer as in a scenario.

    Parameters
    ----------
    scenario
        One of `SCENARIOS`, which counts the nodes that run the command.
    own
        `responses` that go before it: of one node, or of all.
    call
        As in `send_command`.

    Raises
    ------
    AccessDenied, CommandError, KeyError, ValueError
        As in `send_command`.

    Examples
    --------
    >>> import ssmlab
    >>> call = {"principal": "web-ops", "document": "AWS-RunShellScript", "instance_ids": "i-0123456789abcdef0"}
    >>> play_scenario(ssmlab.load("data/sample"), "all fail", **call).reason
    '1 of 1 node failed or timed out in execution, max_errors is 0'
    """
    if scenario not in SCENARIOS:
        raise ValueError(f"expected one of {listed(SCENARIOS)}, got `{scenario}`")
    if own and says_of_all(own):
        return send_command(snapshot, **call, responses=own)
    said, numbers = find_answers(own or {}, snapshot.nodes), dict[str, int]()

    def answer(node: str) -> Said:
        number = numbers.setdefault(node, len(numbers))  # nodes that never get the command are not asked
        return said.get(node, SCENARIOS[scenario](number))

    return send_command(snapshot, **call, responses=answer)


def first_command(reach: Reach, principal: str) -> dict[str, Any]:
    """A command that tells most of what a principal (ARN) may do: some of its nodes run it, others refuse.

    Returns
    -------
    dict
        `document`, `region` and `targets`, as in `send_command`, which are missing if no tag has nodes that it reaches;
        nothing if it reaches no node.
    """
    pairs = reach.pairs(principal, outcome="allowed", limit=1)
    if pairs.empty:
        return {}
    document, node = str(pairs["document"][0]), str(pairs["node"][0])
    shell = document.rpartition("/")[0] + "/AWS-RunShellScript"  # which everyone knows
    if shell in reach.snapshot.documents.index and reach.outcome(principal, node, shell) == "allowed":
        document = shell
    nodes = reach.snapshot.nodes
    there = nodes[(nodes["account"] == principal.split(":")[4]) & (nodes["region"] == nodes.loc[node, "region"])]
    reached = reach.nodes(principal)["outcome"].reindex(there.index) == "allowed"
    told = {"document": str(reach.snapshot.documents.loc[document, "name"]), "region": str(nodes.loc[node, "region"])}
    return told | _telling_tag(there, reached)


def _telling_tag(nodes: pd.DataFrame, reached: pd.Series[bool]) -> dict[str, Any]:
    """The tag whose nodes are best divided into those reached and the others."""
    best, found = 0.0, dict[str, Any]()
    for column in list_tags(nodes):
        counts = reached.groupby(nodes[column].astype("str")).agg(["sum", "count"])
        some, rest = counts["sum"], counts["count"] - counts["sum"]
        # enough of both, and as few rows as that takes
        worth = some.where(some < rest, rest).clip(upper=4) + some.clip(upper=4) / 10 - counts["count"] / 1000
        if len(worth) and worth.max() > best:
            best, found = worth.max(), {"targets": ({"Key": column, "Values": [str(worth.idxmax())]},)}
    return found


def read_object(what: str, text: str) -> dict[str, Any] | None:
    """A JSON object that somebody typed; None for nothing.

    Raises
    ------
    ValueError
        With line and column, or what was got instead of an object.

    Examples
    --------
    >>> read_object("responses", '{"web-1": exit_code}')
    Traceback (most recent call last):
    ...
    ValueError: responses, line 1, column 11: expected JSON: Expecting value
    """
    found = _read(what, text)
    if not isinstance(found, dict | None):
        raise ValueError(f"{what}: expected an object, got `{text.strip()[:40]}`")
    return found


def read_rules(text: str) -> list[Rule]:
    """Rules that somebody typed, as a JSON list of objects with the fields of `Rule`.

    Raises
    ------
    ValueError
        With the place.

    Examples
    --------
    >>> [rule.name for rule in read_rules('[{"name": "failed", "pattern": {"detail": {"status": ["Failed"]}}}]')]
    ['failed']
    """
    found = _read("rules", text)
    try:
        rules = [Rule(**rule) for rule in found or ()]
        are_good = all(isinstance(rule.name, str) and _are_objects(rule.targets) for rule in rules)
    except TypeError:
        are_good = False
    if not are_good:
        wanted = '[{"name": "…", "pattern": {…}, "targets": [{…}], "role": "…"}]'
        raise ValueError(f"rules: expected a list such as {wanted}")
    return rules


def _are_objects(targets: Any) -> bool:
    return isinstance(targets, list | tuple) and all(isinstance(target, Mapping) for target in targets)


def _read(what: str, text: str) -> Any:
    try:
        return json.loads(text) if text.strip() else None
    except json.JSONDecodeError as error:
        raise ValueError(f"{what}, line {error.lineno}, column {error.colno}: expected JSON: {error.msg}") from None
    except RecursionError:
        raise ValueError(f"{what}: nested too deeply") from None
