"""The ways to a node and to what reaches one, as data: `ways.json`, a way a line.

A way leads to a `node`, to a `role` or `user` that one then acts as, or to any permission in an `account`. All its
steps must be allowed; a role must be one that the service of `trust` may assume. `open` says what policies do not
tell, so that such a way is never certain.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Final

Tags = tuple[tuple[str, str], ...]
Given = dict[str, str | tuple[str, ...] | None]  # keys of a request; None: absent


@dataclass(frozen=True, slots=True)
class Step:
    """An action and what it is decided on: "node", "document", "role", …, or the format of an ARN that is new; with
    "other tags": with each of `tags`, keys in lower case, if there are any, else with all that policies ask for.
    """

    action: str
    on: str
    context: Given = field(default_factory=dict)
    tags: tuple[Tags, ...] = ()

    @property
    def retags(self) -> bool:
        """Is it decided on a node as if that had other tags, or none?"""
        return self.on.startswith(("instance with", "managed-instance with"))


@dataclass(frozen=True, slots=True)
class Way:
    """One way; `verb` is its sentence, `nodes` the kind of ARN it is for ("ec2", "mi"; empty: both)."""

    name: str
    to: str
    verb: str
    steps: tuple[Step, ...]
    source: str
    trust: str = ""
    nodes: str = ""
    unmanaged: bool = False
    open: str = ""


DIRECT: Final = "run-command"
TAGGING: Final = ("tag-node", "untag-node", "tag-managed-node", "untag-managed-node")


@cache
def read_ways() -> dict[str, Way]:
    """All ways by name."""
    rows = json.loads(files("ssmlab.paths").joinpath("ways.json").read_text(encoding="utf-8"))
    return {row["way"]: _read(**row) for row in rows}


def _read(way: str, steps: list[Mapping[str, object]], **rest: object) -> Way:
    return Way(way, steps=tuple(Step(**step) for step in steps), **rest)  # type: ignore[arg-type]
