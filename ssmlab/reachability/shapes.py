"""ARN shapes: resources whose ARNs no Resource element in use can tell apart share one.

A shape is decided by its first ARN with the same `decide_resource` that a single decision uses; this module only
finds which ARNs may be told apart at all, with whole-column text operations.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ssmlab.patterns import ARN_PARTS, Tokens, Wild, plain_text, split_segments
from ssmlab.reachability.columns import Codes, Column, combine, first_rows


def find_shapes(arns: pd.Index[str], patterns: Iterable[Tokens]) -> Column:
    """The shapes of ARNs under Resource patterns whose variables are filled in; `values` holds one ARN a shape."""
    texts = pa.array(arns, type=pa.string())
    parts = pc.split_pattern(texts, ":", max_splits=ARN_PARTS - 1)
    regular = len(arns) == 0 or (pc.min(pc.list_value_length(parts)).as_py() == ARN_PARTS)
    if not regular or pc.any(pc.match_substring(pc.list_element(parts, ARN_PARTS - 1), ":")).as_py():
        return Column(np.arange(len(arns), dtype=np.int64), tuple(arns))
    tails = pc.list_element(parts, ARN_PARTS - 1)
    heads = [_codes(pc.list_element(parts, place)) for place in range(1, ARN_PARTS - 1)]
    codes = combine([*heads, *_features(tails, texts, set(patterns))], len(arns))
    return Column(codes, tuple(arns[first_rows(codes)]))


def _codes(texts: pa.Array) -> Codes:
    return np.asarray(texts.dictionary_encode().indices, dtype=np.int64)


def _features(tails: pa.Array, texts: pa.Array, patterns: set[Tokens]) -> Iterable[Codes]:
    """What tells the sixth parts apart: their type; which plain text they are; which beginnings and patterns they
    match.

    Five colons stand in each ARN, so a wildcard can span one only in a pattern with fewer; there the last segment
    meets the sixth part from its start or is swallowed whole, unless it holds a further wildcard: then the whole ARN
    is compared, loosely, with each way to cut it.
    """
    yield _codes(pc.list_element(pc.split_pattern(tails, "/", max_splits=1), 0))
    ends = {split_segments(pattern)[-1] for pattern in patterns}
    literals = sorted({plain_text(end) for end in ends if not _is_wild(end)})
    yield (
        pd.Index(literals, dtype=object)
        .get_indexer(pd.Index(tails.to_numpy(zero_copy_only=False), dtype=object))
        .astype(np.int64)
        + 1
    )
    for end in sorted(ends, key=repr):
        if not _is_wild(end):
            continue
        if end[-1] is Wild.MANY and not _is_wild(end[:-1]):
            yield _flags(pc.starts_with(tails, plain_text(end[:-1])))
        else:
            yield _flags(_like(tails, end))
    for pattern in sorted((p for p in patterns if len(split_segments(p)) < ARN_PARTS), key=repr):
        last = split_segments(pattern)[-1]
        if _is_wild(last[:-1]):
            yield from (_flags(_like(tails, last[place:])) for place, token in enumerate(last) if token is Wild.MANY)
            yield _flags(_like(texts, pattern))


def _is_wild(tokens: Tokens) -> bool:
    return any(isinstance(token, Wild) for token in tokens)


def _like(texts: pa.Array, tokens: Tokens) -> pa.Array:
    """The tokens as a linear-time regular expression over a whole column."""
    written = {Wild.MANY: ".*", Wild.ONE: "."}
    expression = "".join(written[token] if isinstance(token, Wild) else _escape(str(token)) for token in tokens)
    return pc.match_substring_regex(texts, f"(?s)^{expression}$")


def _escape(text: str) -> str:
    return "".join(char if char.isalnum() or char in "-_/" else f"\\x{{{ord(char):x}}}" for char in text)


def _flags(found: pa.Array) -> Codes:
    return np.asarray(found, dtype=np.int64)
