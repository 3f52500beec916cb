"""How nodes answer: exit code, output, errors and seconds, as the user says or by default."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from random import Random
from typing import Any, Final

import pandas as pd

from ssmlab.snapshots.changes import describe_unknown
from ssmlab.snapshots.schema import listed

_SECONDS: Final = (1.0, 3.0)  # of a node of which nothing is said


@dataclass(frozen=True, slots=True)
class Answer:
    """What a node does with a command: its exit code, standard output and error, and the seconds it takes.

    Raises
    ------
    ValueError
        For a value that a field cannot have.
    """

    exit_code: int = 0
    output: str = ""
    error: str = ""
    seconds: float = 1.0

    def __post_init__(self) -> None:
        if not (isinstance(self.exit_code, int) and isinstance(self.seconds, int | float) and self.seconds >= 0):
            raise ValueError(f"expected a whole `exit_code` and `seconds` from 0, got `{self}`")
        if not -(2**31) <= self.exit_code < 2**32:
            raise ValueError(f"expected an `exit_code` of 32 bits, got `{self}`")
        if not (isinstance(self.output, str) and isinstance(self.error, str)):
            raise ValueError(f"expected texts as `output` and `error`, got `{self}`")


_FIELDS: Final = tuple(one.name for one in fields(Answer))
_TUPLE: Final = ("exit_code", "output", "seconds")
Said = Mapping[str, Any] | Answer | tuple[Any, ...]
Responses = Mapping[str, Said] | Callable[[str], Said | None] | Said | None


def read_responses(responses: Responses, nodes: pd.DataFrame) -> Callable[[str, Random], Answer]:
    """How a node answers, by its ARN.

    Parameters
    ----------
    responses
        Fields of `Answer`, or a tuple of exit code, output and seconds, for all nodes; or a mapping of ARN, id or name
        of a node to them; or a function of the ARN.

    Raises
    ------
    KeyError
        For a node that is not known.
    ValueError
        For a field that there is none of, or a value that it cannot have.
    """
    if callable(responses):
        return lambda node, random: _read(responses(node), random)
    if not isinstance(responses, Mapping) or says_of_all(responses):
        return lambda _, random: _read(responses, random)
    by_node = find_answers(responses, nodes)
    return lambda node, random: _read(by_node.get(node), random)


def says_of_all(responses: Mapping[str, Any]) -> bool:
    """Are these the fields of one answer, not answers by node?"""
    return bool(responses) and responses.keys() <= {*_FIELDS}


def find_answers(responses: Mapping[str, Said], nodes: pd.DataFrame) -> dict[str, Said]:
    """What is said of nodes by ARN, id or name, by their ARNs; raises as `read_responses`."""
    return {node: said for name, said in responses.items() for node in _find(nodes, name)}


def _find(nodes: pd.DataFrame, name: str) -> pd.Index[str]:
    found = nodes.index[(nodes.index == name) | (nodes["node_id"] == name) | (nodes["name"] == name).fillna(False)]
    if found.empty:
        raise KeyError(describe_unknown("node", name, [*nodes["node_id"], *nodes.index], len(nodes)))
    return found


def _read(said: Any, random: Random) -> Answer:
    seconds = random.uniform(*_SECONDS)  # drawn for every node, so that what is said of one changes no other
    if isinstance(said, Answer):
        return said
    if isinstance(said, tuple) and 0 < len(said) <= len(_TUPLE):
        said = dict(zip(_TUPLE, said, strict=False))
    if not isinstance(said, Mapping | None):
        raise ValueError(f"expected a node's answer with {listed(_FIELDS)}, got `{said}`")
    if unknown := (said or {}).keys() - {*_FIELDS}:
        raise ValueError(f"expected a node's answer with {listed(_FIELDS)}, got {listed(sorted(unknown))}")
    return Answer(**{"seconds": round(seconds, 3), **(said or {})})
