"""Policies to start from: the three of the AWS page "Setting up Run Command", and a few more, a file each."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def read_examples() -> dict[str, str]:
    """JSON text by name, those of the page first.

    Examples
    --------
    >>> [*read_examples()][:3]
    ['page 1: one tag', 'page 2: two tags', 'page 3: either tag']
    """
    found = [file for file in files("ssmlab.policies").joinpath("examples").iterdir() if file.name.endswith(".json")]
    ordered = sorted(found, key=lambda file: (not file.name.startswith("page-"), file.name))
    return {_call(file.name.removesuffix(".json")): file.read_text("utf-8").strip() for file in ordered}


def _call(stem: str) -> str:
    """`page-1-one-tag` as people read it."""
    first, second, rest = (*stem.split("-", 2), "")[:3]
    return f"{first} {second}: {rest.replace('-', ' ')}" if first == "page" else stem.replace("-", " ")
