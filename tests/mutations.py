"""Changing the package in one place, and asking the cases of `tests/cases` whether they notice.

Nothing is written to disk and no process is started: a mutant is a patch of names in memory, undone after its cases.
"""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import pytest
from casebook import answer, read_cases

from ssmlab.conditions import parse_operator
from ssmlab.evaluation import principals
from ssmlab.events import patterns
from ssmlab.logs import filters
from ssmlab.patterns import arns, globs, texts
from ssmlab.policies import model

Patch = pytest.MonkeyPatch
CACHES = (
    arns.split_arn,
    arns.split_segments,
    arns.compile_arn,
    arns.compile_resource,
    globs.compile_glob,
    globs.action_matches,
    model._any_matches,
    texts.parse_text,
    principals.parse_principal,
    filters._compile,
    patterns._compile_text,
)


class Mutant(NamedTuple):
    """A change, and the operator, or the words of a name, whose cases are asked first."""

    name: str
    apply: Callable[[Patch], None]
    operator: str = ""


def name(owner: Any, attribute: str, value: Any) -> Callable[[Patch], None]:
    """Another value under a name of a module or class."""
    return lambda patch: patch.setattr(owner, attribute, value)


def row(table: dict[Any, Any], key: Any, value: Any) -> Callable[[Patch], None]:
    """Another row in a table."""
    return lambda patch: patch.setitem(table, key, value)


def method(owner: type, attribute: str, changed: Callable[..., Any]) -> Callable[[Patch], None]:
    """Another method; `changed` gets the original first."""
    original = getattr(owner, attribute)
    return name(owner, attribute, lambda *given: changed(original, *given))


def function(original: Callable[..., Any], changed: Callable[..., Any]) -> Callable[[Patch], None]:
    """Another function, in every module that imports it; `changed` gets the original first."""

    def mutated(*given: Any, **more: Any) -> Any:
        return changed(original, *given, **more)

    def apply(patch: Patch) -> None:
        for module in [module for key, module in sys.modules.items() if key.partition(".")[0] == "ssmlab"]:
            for attribute in [key for key, value in vars(module).items() if value is original]:
                patch.setattr(module, attribute, mutated)

    return apply


def everywhere(original: Any, value: Any) -> Callable[[Patch], None]:
    """Another value wherever this very one is imported."""
    modules = [module for key, module in sys.modules.items() if key.partition(".")[0] == "ssmlab"]
    places = [(module, key) for module in modules for key, known in vars(module).items() if known is original]

    def apply(patch: Patch) -> None:
        for module, key in places:
            patch.setattr(module, key, value)

    return apply


def check(mutants: Iterable[Mutant], kinds: Sequence[str], equivalent: Mapping[str, str]) -> None:
    """Only the mutants that are named as equivalent survive, and all of them do."""
    found = list(mutants)
    assert len({mutant.name for mutant in found}) == len(found)
    assert sorted(mutant.name for mutant in found if survives(mutant, kinds)) == sorted(equivalent)


def survives(mutant: Mutant, kinds: Sequence[str]) -> bool:
    """Is every case answered as before?"""
    with pytest.MonkeyPatch.context() as patch:
        mutant.apply(patch)
        forget()
        try:
            return not any(differs(kind, case) for kind in kinds for case in in_order(kind, mutant.operator))
        finally:
            patch.undo()
            forget()


def forget() -> None:
    """What a mutant compiled is not what the next one would."""
    for cached in CACHES:
        cached.cache_clear()


def in_order(kind: str, operator: str) -> Iterable[Any]:
    """The cases that are likely to notice come first."""
    if kind != "conditions":
        return sorted(read_cases(kind), key=lambda case: operator not in case["name"])
    return sorted(read_cases(kind), key=lambda case: parse_operator(case["operator"])[1] != operator)


def differs(kind: str, case: Any) -> bool:
    try:
        return answer(kind, case) != case
    except Exception:  # noqa: BLE001 - a mutant that falls over is noticed too
        return True
