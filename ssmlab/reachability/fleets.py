"""Deciding whole columns: every principal against every group of resources that all loaded policies treat alike.

The same functions decide here as in a single `evaluate`: `Condition.decide` once per distinct value,
`Statement.decide_resource` once per ARN shape, `decide_layers` once per distinct combination of layers. What is done
here is only to spread their answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ssmlab.conditions import Condition
from ssmlab.evaluation import Applied, Caller, Layers, Outcome, PolicySet, decide_layers
from ssmlab.evaluation.decisions import is_bound
from ssmlab.patterns import Tokens, Value, resolve, variable_keys
from ssmlab.policies import State, Statement
from ssmlab.reachability.columns import Codes, Column, Resources, combine, encode, first_rows
from ssmlab.reachability.shapes import find_shapes
from ssmlab.truth import FALSE, TRUE, UNKNOWN, Truth

OUTCOMES: Final = (Outcome.EXPLICIT_DENY, Outcome.IMPLICIT_DENY, Outcome.CONDITIONAL, Outcome.ALLOWED)
IMPLICIT: Final = OUTCOMES.index(Outcome.IMPLICIT_DENY)
CONDITIONAL: Final = OUTCOMES.index(Outcome.CONDITIONAL)
ALLOWED: Final = OUTCOMES.index(Outcome.ALLOWED)
Truths = npt.NDArray[np.int8]
Binding = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller with its policies, and how it answers the keys that no resource answers (lower case)."""

    caller: Caller
    policies: PolicySet
    lookup: Callable[[str], Value]


@dataclass(frozen=True)
class Fleet:
    """Resources in groups, and one outcome for each principal and group.

    Attributes
    ----------
    groups
        Group of each resource, numbered in order of first appearance.
    rows
        First resource of each group.
    outcomes
        Principals x groups: places in `OUTCOMES`.
    """

    resources: Resources
    groups: Codes
    rows: Codes
    outcomes: Truths
    elements: Elements

    def allowing(self, principal: Principal, action: str) -> list[tuple[Applied, Truths]]:
        """The Allow statements of a principal's own policies, each with its truth on every group."""
        own = (
            a for a in principal.policies.relevant(action) if a.layer == "identity" and a.statement.effect == "Allow"
        )
        return [(applied, self.elements.decide(applied.statement, principal, self.rows)) for applied in own]


def decide_fleet(resources: Resources, principals: Sequence[Principal], action: str) -> Fleet:
    """Group the resources and decide every principal on every group."""
    relevant = [
        tuple(applied for applied in p.policies.relevant(action) if is_bound(p.caller, applied.layer))
        for p in principals
    ]
    elements = Elements(resources)
    for principal, applied in zip(principals, relevant, strict=True):
        for item in applied:
            elements.add(item.statement, principal)
    groups = combine([*_places(resources), *elements.classes()], len(resources.frame))
    rows = first_rows(groups)
    known: dict[Any, Truths] = {}
    outcomes = [
        _decide(principal, applied, elements, rows, known)
        for principal, applied in zip(principals, relevant, strict=True)
    ]
    matrix = np.array(outcomes, dtype=np.int8).reshape(len(principals), len(rows))
    return Fleet(resources, groups, rows, matrix, elements)


def _places(resources: Resources) -> Iterable[Codes]:
    """A group lies in one account and Region and is of one kind, whatever the policies say."""
    for name in ("account", "region", "kind", "shared_with"):
        if name in resources.frame:
            yield encode(resources.frame[name])[0]


class Elements:
    """The conditions and Resource elements of all statements, each decided once per distinct value and binding.

    A *binding* is what the principal and the request contribute: the values of the keys that no resource answers.
    """

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._conditions: dict[tuple[Any, ...], tuple[Condition, dict[Binding, None]]] = {}
        self._elements: dict[tuple[Any, ...], tuple[Statement, dict[Binding, None]]] = {}
        self._decided: dict[tuple[Any, Binding], Column] = {}
        self._shapes: Column | None = None

    def add(self, statement: Statement, principal: Principal) -> None:
        """Take note of a statement as one principal meets it."""
        if statement.state is not State.READABLE:
            return
        _, bindings = self._elements.setdefault(_element(statement), (statement, {}))
        bindings[self._binding(statement.resource_keys, principal)] = None
        for condition in statement.conditions:
            _, bound = self._conditions.setdefault(_identity(condition), (condition, {}))
            bound[self._binding(condition.keys, principal)] = None

    def _binding(self, keys: Sequence[str], principal: Principal) -> Binding:
        return tuple(principal.lookup(key) for key in keys if not self._resources.answers(key))

    def classes(self) -> Iterable[Codes]:
        """For each set of keys that conditions read together: which resources no condition tells apart; and the same
        for ARNs.
        """
        together: dict[tuple[str, ...], list[Column]] = {}
        for condition, bindings in self._conditions.values():
            keys = tuple(key for key in condition.keys if self._resources.answers(key))
            if keys:
                together.setdefault(keys, []).extend(self._decide_condition(condition, binding) for binding in bindings)
        for statement, bindings in self._elements.values():
            columns = [self._decide_resource(statement, binding) for binding in bindings]
            keys = tuple(key for key in statement.resource_keys if self._resources.answers(key))
            together.setdefault(("arn", *keys), []).extend(columns)
        for columns in together.values():
            truths = np.array([column.values for column in columns], dtype=np.int8)
            yield np.unique(truths, axis=1, return_inverse=True)[1].reshape(-1)[columns[0].codes].astype(np.int64)

    def _decide_condition(self, condition: Condition, binding: Binding) -> Column:
        name = (_identity(condition), binding)
        if name not in self._decided:
            keys = [key for key in condition.keys if self._resources.answers(key)]
            fixed = dict(zip((k for k in condition.keys if not self._resources.answers(k)), binding, strict=True))
            column = (
                self._resources.column(keys)
                if keys
                else Column(np.zeros(len(self._resources.frame), dtype=np.int64), ((),))
            )
            truths = []
            for values in column.values:
                known = fixed | dict(zip(keys, values, strict=True))
                truths.append(condition.decide([known[key] for key in condition.keys]).truth)
            self._decided[name] = Column(column.codes, tuple(truths))
        return self._decided[name]

    def _decide_resource(self, statement: Statement, binding: Binding) -> Column:
        name = (_element(statement), binding)
        if name not in self._decided:
            keys = [key for key in statement.resource_keys if self._resources.answers(key)]
            fixed = dict(
                zip((k for k in statement.resource_keys if not self._resources.answers(k)), binding, strict=True)
            )
            column = self._arn_column(keys)
            truths = []
            for arn, *values in column.values:
                known = fixed | dict(zip(keys, values, strict=True))
                truths.append(statement.decide_resource(arn, known.__getitem__).truth)
            self._decided[name] = Column(column.codes, tuple(truths))
        return self._decided[name]

    def _arn_column(self, keys: Sequence[str]) -> Column:
        """Shapes of ARNs; with keys, the shapes together with the values of those keys."""
        if keys:  # a variable in Resource that the resource itself fills in: every ARN is a shape of its own
            read = self._resources.column(keys)
            arns = self._resources.frame.index
            return Column(
                np.arange(len(arns), dtype=np.int64),
                tuple((arn, *read.values[c]) for arn, c in zip(arns, read.codes, strict=True)),
            )
        if self._shapes is None:
            shapes = find_shapes(self._resources.frame.index, self._patterns())
            self._shapes = Column(shapes.codes, tuple((arn,) for arn in shapes.values))
        return self._shapes

    def _patterns(self) -> Iterable[Tokens]:
        for statement, bindings in self._elements.values():
            outer = [key for key in statement.resource_keys if not self._resources.answers(key)]
            for tokens in statement.resources:
                if not variable_keys(tokens):
                    yield tokens
                elif set(variable_keys(tokens)) <= set(outer):
                    for binding in bindings:
                        yield from resolve(tokens, dict(zip(outer, binding, strict=True)).__getitem__).readings

    def name(self, statement: Statement, principal: Principal) -> tuple[Any, ...]:
        """A name for what a statement says of a principal: the same for all principals that it treats alike."""
        if statement.state is not State.READABLE:
            return (id(statement),)
        keys = (statement.resource_keys, *(condition.keys for condition in statement.conditions))
        return (id(statement), *(self._binding(part, principal) for part in keys))

    def decide(self, statement: Statement, principal: Principal, rows: Codes) -> Truths:
        """Does a statement apply to a principal on the rows?"""
        if statement.state is not State.READABLE:
            return np.full(len(rows), _unreadable(statement), dtype=np.int8)
        _, resource, *bindings = self.name(statement, principal)
        conditions = zip(statement.conditions, bindings, strict=True)
        columns = [self._decide_resource(statement, resource), *(self._decide_condition(c, b) for c, b in conditions)]
        return np.asarray(np.minimum.reduce([_spread(column, rows) for column in columns]), dtype=np.int8)


def _spread(column: Column, rows: Codes) -> Truths:
    return np.array(column.values, dtype=np.int8)[column.codes[rows]]


def _element(statement: Statement) -> tuple[Any, ...]:
    """Resource or NotResource of a statement: decided once for all statements that hold the same."""
    return (statement.not_resource, statement.resources)


def _identity(condition: Condition) -> tuple[Any, ...]:
    return (condition.operator, condition.keys, condition.values, condition.fails_to)


def _decide(
    principal: Principal, relevant: Sequence[Applied], elements: Elements, rows: Codes, known: dict[Any, Truths]
) -> Truths:
    """The outcome of one principal on the rows; principals that all statements treat alike share one answer."""
    # no resource control policy reaches the actions of Run Command
    bound = [(applied, elements.name(applied.statement, principal)) for applied in relevant if applied.layer != "rcp"]
    alike = (
        principal.caller.kind == "root",
        principal.policies.boundary is None,
        len(principal.policies.scps or ()),
        is_bound(principal.caller, "scp"),
        tuple((applied.layer, applied.level, name) for applied, name in bound),
    )
    if alike not in known:
        for applied, name in bound:
            if name not in known:
                known[name] = elements.decide(applied.statement, principal, rows)
        found = [(applied.layer, applied.level, applied.statement.effect, known[name]) for applied, name in bound]
        known[alike] = _combine_layers(principal, found, len(rows))
    return known[alike]


def _unreadable(statement: Statement) -> Truth:
    return FALSE if statement.state is State.UNREADABLE and statement.effect == "Allow" else UNKNOWN


def _combine_layers(principal: Principal, found: Sequence[tuple[str, int, str, Truths]], size: int) -> Truths:
    """One truth a layer on every row, then the order of layers once for each distinct combination."""

    def any_of(chosen: Iterable[Truths]) -> Truths:
        return np.asarray(np.maximum.reduce([np.full(size, FALSE, dtype=np.int8), *chosen]), dtype=np.int8)

    def allows(layer: str, level: int = 0) -> Truths:
        return any_of(truths for la, le, effect, truths in found if (la, le, effect) == (layer, level, "Allow"))

    certain = np.full(size, TRUE, dtype=np.int8)
    levels = range(len(principal.policies.scps or ()) if is_bound(principal.caller, "scp") else 0)
    deny = any_of(truths for _, _, effect, truths in found if effect != "Allow")
    scp = np.minimum.reduce([certain, *(allows("scp", level) for level in levels)])
    identity = certain if principal.caller.kind == "root" else allows("identity")
    boundary = certain if principal.policies.boundary is None else allows("boundary")
    return _layer_table()[deny, scp, identity, boundary]


@lru_cache(maxsize=1)
def _layer_table() -> Truths:
    """`decide_layers` for every combination of deny, SCP, identity and boundary."""
    table = np.empty((3, 3, 3, 3), dtype=np.int8)
    for deny, scp, identity, boundary in product(Truth, repeat=4):
        table[deny, scp, identity, boundary] = OUTCOMES.index(decide_layers(Layers(deny, scp, identity, boundary)))
    return table
