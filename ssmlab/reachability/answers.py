"""Clauses decided on resources, and their truths spread over rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from ssmlab.reachability.clauses import Clause
from ssmlab.reachability.columns import Codes, Truths, combine
from ssmlab.reachability.deciding import Decided, Decider
from ssmlab.truth import TRUE, Truth


class Answers:
    """What clauses, by number, say of resources; a number below `len(Truth)` stands for that truth itself."""

    def __init__(self, decider: Decider, clauses: Mapping[int, Clause]) -> None:
        self._decider = decider
        self._parts = {
            number: [part for part in clause.decide(decider) if not part.is_certain]
            for number, clause in clauses.items()
        }

    @property
    def numbers(self) -> list[int]:
        """The clauses that are decided."""
        return [*self._parts]

    def classes(self) -> Iterable[Codes]:
        """For each set of keys that parts of clauses read together: which resources none of these parts tells apart."""
        together: dict[tuple[str, ...], dict[bytes, Truths]] = {}
        for part in (part for parts in self._parts.values() for part in parts if part.keys):
            together.setdefault(part.keys, {})[part.truths.tobytes()] = part.truths
        for keys, vectors in together.items():
            size = len(next(iter(vectors.values())))
            values = combine((vector.astype(np.int64) for vector in vectors.values()), size)
            yield values[self._decider.codes(keys)]

    def truths(self, numbers: Codes, rows: Codes) -> Truths:
        """Clauses x rows."""
        truths = np.empty((len(numbers), len(rows)), dtype=np.int8)
        codes: dict[tuple[str, ...], Codes] = {}
        for place, number in enumerate(numbers.tolist()):
            truths[place] = number if number < len(Truth) else self._spread(self._parts[number], rows, codes)
        return truths

    def _spread(self, parts: Iterable[Decided], rows: Codes, codes: dict[tuple[str, ...], Codes]) -> Truths | Truth:
        """The least truth of the parts on each row."""
        found: Truths | Truth = TRUE
        for part in parts:
            if part.keys not in codes:
                codes[part.keys] = self._decider.codes(part.keys)[rows]
            taken = part.truths.take(codes[part.keys])
            found = taken if found is TRUE else np.minimum(found, taken)
        return found
