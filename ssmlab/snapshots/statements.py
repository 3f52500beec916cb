"""Policies of a frame, compiled; their statements as text to read."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import pandas as pd

from ssmlab.policies import Policy, PolicyError, PolicyProblem, State, Statement, parse_policy
from ssmlab.snapshots.bodies import to_json

_COLUMNS: Final = "policy index sid effect layer attached_to actions resources conditions problem"
_COMPILED: Final = ["layer", "document"]


def compile_policies(policies: pd.DataFrame, before: pd.DataFrame, compiled: Mapping[str, Policy]) -> dict[str, Policy]:
    """The policies by id. Those of which neither layer nor document changed are the ones that were compiled before."""
    known = {policy: body for policy, *body in before[_COMPILED].itertuples()}
    return {
        policy: compiled[policy] if _is_same(known.get(policy), body) else _compile(policy, *body)
        for policy, *body in policies[_COMPILED].itertuples()
    }


def _is_same(old: list[Any] | None, new: list[Any]) -> bool:
    return old is not None and old[0] == new[0] and (old[1] is new[1] or to_json(old[1]) == to_json(new[1]))


def _compile(policy: str, layer: str, document: Any) -> Policy:
    if document is None:
        return Policy.unknown(policy)
    try:
        return parse_policy(document, name=policy, layer=layer)
    except PolicyError as error:  # IAM would not have stored it: the file is damaged, and what was in it is not known
        return replace(Policy.unknown(policy), problems=(PolicyProblem("$", str(error)),))


def list_statements(policies: pd.DataFrame, compiled: Mapping[str, Policy]) -> pd.DataFrame:
    """A row a statement, as text to read."""
    rows = [
        (name, statement.index, statement.sid, statement.effect, layer, targets, *_describe(compiled[name], statement))
        for name, layer, targets in policies[["layer", "attached_to"]].itertuples()
        for statement in compiled[name].statements
    ]
    return pd.DataFrame(rows, columns=_COLUMNS.split())


def _describe(policy: Policy, statement: Statement) -> tuple[str, str, str, str]:
    """Actions, resources, conditions, and what is wrong."""
    source, own = statement.source, f"$.Statement[{statement.index}]"
    others = [problem for problem in policy.problems if problem.where.startswith("$.Statement[")]
    wrong = [problem.what for problem in policy.problems if problem not in others or problem.where.startswith(own)]
    conditions = [
        f"{operator} {key}: {_text(value)}"
        for operator, keys in _items(source.get("Condition"))
        for key, value in _items(keys)
    ]
    problem = "; ".join(wrong) or "not collected" * (statement.state is State.UNKNOWN)
    return _element(source, "Action"), _element(source, "Resource"), "; ".join(conditions), problem


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    return iter(value.items() if isinstance(value, Mapping) else ())


def _element(source: Mapping[str, Any], name: str) -> str:
    return f"all but {_text(source[f'Not{name}'])}" if f"Not{name}" in source else _text(source.get(name, []))


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return value if isinstance(value, str) else to_json(value)
