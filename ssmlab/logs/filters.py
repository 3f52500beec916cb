"""A filter pattern, compiled: which messages it matches, what to highlight, which values it selects."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from ssmlab.logs.fields import FieldsPattern, read_fields
from ssmlab.logs.json_events import JsonPattern, read_json_pattern
from ssmlab.logs.reading import PatternError, Reader
from ssmlab.logs.regexes import encodable
from ssmlab.logs.terms import Terms, read_terms

_LONGEST: Final = 1024
_KINDS: Final[dict[str, Any]] = {"{": read_json_pattern, "[": read_fields}


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter pattern, compiled by `compile_filter`.

    Attributes
    ----------
    doubts
        Rules used here that AWS's documentation leaves open or gets wrong, in words, with the source.

    Examples
    --------
    >>> errors = compile_filter("[ip, ..., status = 5*, size]")
    >>> line = "127.0.0.1 - frank 500 2048"
    >>> errors.matches(line), errors.spans(line), errors.fields(line)["$status"]
    (True, [(18, 21)], '500')
    """

    pattern: str
    body: Terms | JsonPattern | FieldsPattern
    doubts: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What a metric filter can take values from: selectors `$.a`, fields `$name`."""
        return self.body.names

    def matches(self, message: str) -> bool:
        """Does a message match?"""
        if not isinstance(message, str):
            raise TypeError(f"expected a text as message, got {type(message).__name__}")
        return self.body.matches(message)

    def spans(self, message: str) -> list[tuple[int, int]]:
        """What to highlight in a message that matches: start and end of terms, of regular expressions, of fields with
        a condition; in order, none over another. Nothing for JSON.
        """
        found: list[tuple[int, int]] = []
        for start, end in sorted(self.body.spans(message) if self.matches(message) else []):
            if found and start < found[-1][1]:
                found[-1] = (found[-1][0], max(end, found[-1][1]))
            else:
                found.append((start, end))
        return found

    def fields(self, message: str) -> dict[str, str]:
        """The values that the pattern selects in a message that matches, by selector or `$name`."""
        return self.body.fields(message) if self.matches(message) else {}

    def flags(self, messages: pd.Series[Any]) -> npt.NDArray[np.bool_]:
        """Which messages match? A missing one never does. Terms are searched a column at a time, all else a distinct
        message at a time.
        """
        texts, known = messages.astype(object), messages.notna().to_numpy()
        if (kind := pd.api.types.infer_dtype(texts, skipna=True)) not in ("string", "empty"):
            raise ValueError(f"expected texts as messages, got `{kind}`")
        if isinstance(self.body, Terms):
            return self.body.flags(_to_column(texts)) & known
        codes, distinct = pd.factorize(texts)
        found = np.fromiter(map(self.body.matches, distinct), dtype=bool, count=len(distinct))
        return np.append(found, False)[codes]


def _to_column(texts: pd.Series[Any]) -> Any:
    try:
        column = pa.array(texts, type=pa.string(), from_pandas=True)
    except UnicodeEncodeError:  # half of a surrogate pair
        column = pa.array(texts.map(encodable, na_action="ignore"), type=pa.string(), from_pandas=True)
    return column.fill_null("")


def compile_filter(pattern: str) -> Filter:
    """Read a filter pattern.

    Parameters
    ----------
    pattern
        Terms (`ERROR -"not found"`, `?ERROR ?WARN`, `%regex%`), a condition on JSON (`{ $.status >= 500 }`) or fields
        (`[ip, user, ..., status = 5*]`). The empty pattern matches everything.

    Raises
    ------
    PatternError
        For what CloudWatch Logs refuses; it names the place and the reason.

    Notes
    -----
    Source: CloudWatch Logs User Guide, `FilterAndPatternSyntax`; answers recorded from AWS in September 2026.

    Examples
    --------
    >>> compile_filter("{ $.status = 500 && $.path = /api }")
    Traceback (most recent call last):
    ...
    ssmlab.logs.reading.PatternError: `{ $.status = 500 && $.path = /api }` at 29: expected a number, a text in `"`, or
    a regular expression in `%`, got `/api }`
    """
    if not isinstance(pattern, str):
        raise PatternError(repr(pattern), 0, f"expected a text, got {type(pattern).__name__}")
    if len(pattern) > _LONGEST:
        raise PatternError(pattern, _LONGEST, f"expected at most {_LONGEST:,} characters, got {len(pattern):,}")
    return _compile(pattern)


@lru_cache(maxsize=1024)
def _compile(pattern: str) -> Filter:
    reader = Reader(pattern)
    reader.skip_space()
    read = _KINDS.get(pattern[reader.position : reader.position + 1], read_terms)
    return Filter(pattern, read(reader), tuple(dict.fromkeys(reader.doubts)))


def matches(filter_pattern: str, message: str) -> bool:
    """Does a log message match a CloudWatch Logs filter pattern?

    Raises
    ------
    PatternError
        For a pattern that CloudWatch Logs refuses.
    TypeError
        For a message that is no text.

    Examples
    --------
    >>> import ssmlab
    >>> ssmlab.logs.matches("ERROR -Exiting", "[ERROR] A fatal exception has occurred")
    True
    >>> ssmlab.logs.matches('{ $.eventType = "Update*" }', '{"eventType": "UpdateTrail"}')
    True
    """
    return compile_filter(filter_pattern).matches(message)


def filter_events(pattern: str, frame: pd.DataFrame) -> pd.DataFrame:
    """The log events whose message matches.

    Parameters
    ----------
    pattern
        A filter pattern.
    frame
        Log events with at least the column `message`, such as `load_logs` gives.

    Returns
    -------
    DataFrame
        Those rows, with all columns.

    Raises
    ------
    PatternError
        For a pattern that CloudWatch Logs refuses.
    ValueError
        For a frame without messages, or with messages that are no texts.

    Examples
    --------
    >>> import pandas as pd
    >>> filter_events("?ERROR ?WARN", pd.DataFrame({"message": ["WARN a", "INFO b"]}))["message"].tolist()
    ['WARN a']
    """
    if "message" not in frame:
        raise ValueError(f"expected a frame with a column `message`, got {', '.join(map(repr, frame.columns))}")
    return frame[compile_filter(pattern).flags(frame["message"])]
