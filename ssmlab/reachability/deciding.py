"""Conditions and Resource elements over whole columns: each decided once for all values that it cannot tell apart.

Which values may be told apart at all is found with whole-column text operations; what they get is decided by the same
`Condition.decide` and `Statement.decide_resource` as in a single decision.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from ssmlab.conditions import Condition
from ssmlab.patterns import Tokens, Value, resolve, variable_keys
from ssmlab.policies import Statement
from ssmlab.reachability.columns import Codes, Column, Resources, Truths, combine, first_rows
from ssmlab.reachability.shapes import Probes, Shapes, decide_classes, find_shapes, probe
from ssmlab.truth import TRUE, Truth

Binding = tuple[Value, ...]
ARN: Final = "arn"
_MOST_READINGS: Final = 64  # values that a node gives a variable in Resource: with more, each node is decided by itself
_FEW: Final = 8  # values: below, deciding each is faster than finding classes


class Decided(NamedTuple):
    """One truth for each distinct value of `keys` together; the first may be `ARN`: the shapes of ARNs."""

    keys: tuple[str, ...]
    truths: Truths
    is_certain: bool  # it holds whatever the resource

    @classmethod
    def of(cls, keys: tuple[str, ...], truths: Truths) -> Decided:
        """The truths, and what follows from them."""
        return cls(keys, truths, bool(truths.min(initial=TRUE) == TRUE))


class Decider:
    """Decides conditions and Resource elements on resources, and remembers what it decided.

    A *binding* is what the principal and the request contribute: the values of the keys that no resource answers.
    """

    def __init__(self, resources: Resources) -> None:
        self.resources = resources
        self._decided: dict[Any, Decided] = {}
        self._probes_of: dict[tuple[tuple[Tokens, ...], Binding], Probes] = {}
        self._probes = probe(())
        self._shapes: Shapes | None = None
        self._pairs: dict[tuple[str, ...], Column] = {}

    def inner(self, keys: Iterable[str]) -> tuple[str, ...]:
        """The keys that resources answer."""
        return tuple(key for key in keys if self.resources.answers(key))

    def outer(self, keys: Iterable[str]) -> tuple[str, ...]:
        """The keys that the principal and the request answer."""
        return tuple(key for key in keys if not self.resources.answers(key))

    def codes(self, keys: tuple[str, ...]) -> Codes:
        """Which of the distinct values that `Decided.keys` speaks of each resource has."""
        return self._arns(keys).codes if keys[:1] == (ARN,) else self.resources.column(keys).codes

    def note(self, statement: Statement, binding: Binding) -> None:
        """Take note of a Resource element, before any is decided: the shapes of ARNs depend on all of them."""
        if (statement.resources, binding) in self._probes_of:
            return
        is_new = self._probes.take_in(self._probe(statement, binding))
        if is_new and self._shapes:  # what was decided before spoke of other shapes
            self._shapes = None
            self._pairs.clear()
            self._decided = {name: found for name, found in self._decided.items() if name[0] != ARN}

    def decide_condition(self, condition: Condition, binding: Binding) -> Decided:
        """A condition on each distinct value of the keys that resources answer."""
        name = (condition.identity, binding)
        if name not in self._decided:
            keys = self.inner(condition.keys)
            fixed = dict(zip(self.outer(condition.keys), binding, strict=True))
            self._decided[name] = Decided.of(keys, self._decide_values(condition, keys, fixed))
        return self._decided[name]

    def _decide_values(self, condition: Condition, keys: tuple[str, ...], fixed: Mapping[str, Value]) -> Truths:
        values = self.resources.column(keys).values

        def decide(place: int) -> Truth:
            known = {**fixed, **dict(zip(keys, values[place], strict=True))}
            return condition.decide([known[key] for key in condition.keys]).truth

        found = condition.patterns(fixed.__getitem__) if keys == condition.keys[:1] and len(values) > _FEW else None
        if found is None:
            return np.array([decide(place) for place in range(len(values))], dtype=np.int8)
        read, plain, varied = found
        vocabulary, places, others = self.resources.vocabulary(keys[0], read)
        truths = np.empty(len(values), dtype=np.int8)
        truths[others] = [decide(place) for place in others.tolist()]
        masks = [
            vocabulary.match_any(plain),
            *({pattern: vocabulary.match_any([pattern]) for pattern in varied}.values()),
        ]
        base = np.zeros(len(places), dtype=np.int64)
        truths[places] = decide_classes(base, masks, (), lambda place: decide(places[place]))
        return truths

    def decide_resource(self, statement: Statement, binding: Binding) -> Decided:
        """Resource or NotResource of a statement on each shape of ARN, together with the keys that its variables read
        and resources answer.
        """
        name = (ARN, statement.not_resource, statement.resources, binding)
        if name not in self._decided:
            keys = self.inner(statement.resource_keys)
            self._decided[name] = Decided.of((ARN, *keys), self._decide_arns(statement, keys, binding))
        return self._decided[name]

    def _decide_arns(self, statement: Statement, keys: tuple[str, ...], binding: Binding) -> Truths:
        fixed = dict(zip(self.outer(statement.resource_keys), binding, strict=True))
        shapes, pairs = self.shapes, self._arns((ARN, *keys))
        if not keys:
            lookup = fixed.__getitem__
            probes = self._probe(statement, binding)
            return shapes.decide(probes, lambda place: statement.decide_resource(shapes.arns[place], lookup).truth)
        column, truths = self.resources.column(keys), []
        for row in pairs.values:
            known = {**fixed, **dict(zip(keys, column.values[column.codes[row]], strict=True))}
            arn = self.resources.arns[row]
            truths.append(statement.decide_resource(arn, known.__getitem__).truth)
        return np.array(truths, dtype=np.int8)

    def _arns(self, keys: tuple[str, ...]) -> Column:
        """Shapes of ARNs; with keys, the shapes together with the values of those keys. `values`: a row of each."""
        shapes = self.shapes
        if keys not in self._pairs:
            codes = shapes.codes
            if len(keys) > 1:  # with many values every resource is decided by itself
                column = self.resources.column(keys[1:])
                many = len(column.values) > _MOST_READINGS
                codes = np.arange(len(codes)) if many else combine([codes, column.codes], len(codes))
            self._pairs[keys] = Column(codes, tuple(first_rows(codes).tolist()))
        return self._pairs[keys]

    @property
    def shapes(self) -> Shapes:
        """The shapes of ARNs under all patterns noted."""
        if self._shapes is None:
            self._shapes = find_shapes(self.resources.frame.index, self._probes)
        return self._shapes

    def _probe(self, statement: Statement, binding: Binding) -> Probes:
        """What tells ARNs apart under a Resource element.

        Of patterns without variables any may match. Those with variables may count for some resources only, or not for
        certain: each, filled in, is a probe of its own.
        """
        name = (statement.resources, binding)
        if name not in self._probes_of:
            found = probe(tokens for tokens in statement.resources if not variable_keys(tokens))
            for reading in self._readings(statement, binding):
                found.take_in(probe([reading]))
            self._probes_of[name] = found
        return self._probes_of[name]

    def _readings(self, statement: Statement, binding: Binding) -> Sequence[Tokens]:
        """The patterns with variables, for each value that resources give these; none where that is too many values."""
        keys = self.inner(statement.resource_keys)
        values = self.resources.column(keys).values if keys else ((),)
        if len(values) > _MOST_READINGS:
            return ()
        fixed = dict(zip(self.outer(statement.resource_keys), binding, strict=True))
        found: dict[Tokens, None] = {}
        for inner in values:
            known = {**fixed, **dict(zip(keys, inner, strict=True))}
            for tokens in statement.varied:
                found |= dict.fromkeys(resolve(tokens, known.__getitem__).readings)
        return list(found)
