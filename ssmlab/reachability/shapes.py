"""ARN shapes: resources whose ARNs no Resource element in use can tell apart share one.

A shape is decided by one of its ARNs with the same `decide_resource` that a single decision uses; this module only
finds which ARNs may be told apart at all, with whole-column text operations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ssmlab.patterns import Tokens, Vocabulary, Wild, is_wild, plain_text, split_segments
from ssmlab.patterns.arns import ARN_PARTS
from ssmlab.reachability.columns import Codes, Truths, combine, first_rows
from ssmlab.truth import Truth

_MANY: Final = 10  # masks before codes are numbered again: each doubles them


class Probes(NamedTuple):
    """What tells ARNs apart under patterns: plain texts for the sixth part; sets of patterns for it, of which one must
    match; patterns for the whole.
    """

    texts: set[str]
    tails: set[frozenset[Tokens]]
    wholes: set[Tokens]

    def take_in(self, other: Probes) -> bool:
        """Add the probes of a further element; is any of them new?"""
        if self.texts >= other.texts and self.tails >= other.tails and self.wholes >= other.wholes:
            return False
        self.texts.update(other.texts)
        self.tails.update(other.tails)
        self.wholes.update(other.wholes)
        return True


def probe(patterns: Iterable[Tokens]) -> Probes:
    """The probes of patterns of which any may match, as those of a Resource element without variables.

    Patterns with the same five parts before the sixth are one: an ARN meets these parts of all of them or of none. Five
    colons stand in each ARN, so a wildcard can span one only in a pattern with fewer; there the last segment meets the
    sixth part from its start or is swallowed whole, unless it holds a further wildcard: then the whole ARN is compared,
    loosely, with each way to cut it.
    """
    texts, tails, wholes = set[str](), dict[tuple[Tokens, ...], set[Tokens]](), set[Tokens]()
    for pattern in patterns:
        *head, end = split_segments(pattern)
        if not is_wild(end):
            texts.add(plain_text(end))
            continue
        tails.setdefault(tuple(head), set()).add(end)
        if len(head) < ARN_PARTS - 1 and is_wild(end[:-1]):
            wholes.add(pattern)
            cuts = (end[place:] for place, token in enumerate(end) if token is Wild.MANY)
            tails |= {(*head, cut): {cut} for cut in cuts}
    return Probes(texts, set(map(frozenset, tails.values())), wholes)


@dataclass(frozen=True, eq=False)
class Shapes:
    """The shapes of a column of ARNs.

    Attributes
    ----------
    codes
        Shape of each ARN.
    rows
        Row of one ARN of each shape; `arns` holds these ARNs.
    """

    codes: Codes
    rows: Codes
    arns: Sequence[str]
    probes: Probes
    _heads: Codes
    _tails: Vocabulary
    _wholes: Vocabulary

    def decide(self, probes: Probes, decide: Callable[[int], Truth]) -> Truths:
        """The truth of each shape under an element with these probes, each kind of shape decided once."""
        masks = [*map(self._tails.match_any, probes.tails), *map(self._wholes.match, probes.wholes)]
        return decide_classes(self._heads, masks, self._tails.find(probes.texts), decide)


def find_shapes(arns: pd.Index[str], probes: Probes) -> Shapes:
    """The shapes of ARNs under elements with these probes."""
    column = pa.array(arns.array, type=pa.string())
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    regular = pc.equal(pc.count_substring(column, ":"), ARN_PARTS - 1)
    parts = pc.split_pattern(pc.if_else(regular, column, ":"), ":", max_splits=1, reverse=True)
    heads = np.array(pc.list_element(parts, 0).dictionary_encode().indices, dtype=np.int64)
    odd = np.flatnonzero(~np.asarray(regular, dtype=bool))
    heads[odd] = int(heads.max(initial=0)) + 1 + np.arange(len(odd))  # no ARN of six parts: each is a kind of its own
    tails, wholes = Vocabulary(pc.list_element(parts, 1)), Vocabulary(column)
    masks = chain(map(tails.match_any, probes.tails), map(wholes.match, probes.wholes))  # one at a time: many are large
    told = chain([heads, tails.label(sorted(probes.texts))], (mask.astype(np.int64) for mask in masks))
    codes = combine(told, len(arns))
    rows = first_rows(codes)
    taken = pa.array(rows)
    texts: list[Any] = [Vocabulary(part.take(taken).to_pylist()) for part in (pc.list_element(parts, 1), column)]
    return Shapes(codes, rows, texts[1].texts, probes, combine([heads[rows]], len(rows)), *texts)


def decide_classes(
    base: Codes, masks: Sequence[npt.NDArray[np.bool_]], alone: Sequence[int], decide: Callable[[int], Truth]
) -> Truths:
    """One truth for each place, decided once for all places with one `base` code that the same masks cover; those
    `alone` each by themselves.
    """
    codes = base.copy()
    for count, mask in enumerate(masks, 1):
        codes += codes + mask
        codes = combine([codes], len(codes)) if count % _MANY == 0 else codes
    if len(alone):
        codes[alone] = int(codes.max()) + 1 + np.arange(len(alone))
    first = np.full(int(codes.max(initial=-1)) + 1, -1, dtype=np.int64)
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    kinds = np.flatnonzero(first >= 0)
    table = np.empty(len(first), dtype=np.int8)
    table[kinds] = [decide(place) for place in first[kinds].tolist()]
    return table.take(codes)
