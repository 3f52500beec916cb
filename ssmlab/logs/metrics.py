"""Metric filters: log events → a value a period.

Sources: CloudWatch Logs User Guide, `FilterAndPatternSyntaxForMetricFilters`, `MonitoringLogData`; API reference,
`MetricTransformation`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from ssmlab.conditions.values import read_number
from ssmlab.logs.filters import Filter, compile_filter
from ssmlab.snapshots.schema import listed

_MOST_DIMENSIONS: Final = 3
_MOST_ROWS: Final = 1_000_000  # the bound of this package
STATISTICS: Final = {"Sum": "sum", "Average": "mean", "Minimum": "min", "Maximum": "max", "SampleCount": "count"}


@dataclass(frozen=True, slots=True)
class MetricFilter:
    """A filter pattern, and the value that each matching log event adds to a metric.

    Attributes
    ----------
    pattern
        A filter pattern.
    value
        A number, or the selector (`$.latency`) or field (`$size`) of the pattern that holds one.
    default
        The value of a period with log events of which none matches; None: there is none.
    dimensions
        Name → selector or field of the pattern; at most three, and not with a default.

    Raises
    ------
    PatternError
        For a pattern that CloudWatch Logs refuses.
    ValueError
        For a value, default or dimensions that it refuses.

    Examples
    --------
    >>> MetricFilter("{ $.latency = * }", "$.latency").value
    '$.latency'
    """

    pattern: str
    value: str | float = "1"
    default: float | None = None
    dimensions: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "dimensions", MappingProxyType(dict(self.dimensions)))
        compiled, sources = self.filter, list(self.dimensions.values())
        if len(sources) > _MOST_DIMENSIONS:
            raise ValueError(f"expected at most {_MOST_DIMENSIONS} dimensions, got {len(sources)}")
        if taken := {"period_start", "value"} & set(self.dimensions):
            raise ValueError(f"expected dimensions of other names than `period_start` and `value`, got `{min(taken)}`")
        if sources and self.default is not None:
            raise ValueError("expected a default value or dimensions, got both")
        if self.default is not None and not _is_number(self.default):
            raise ValueError(f"expected a number as default value, got `{self.default}`")
        for source in sources if _is_number(self.value) else [str(self.value), *sources]:
            if source not in compiled.names:
                known = listed(compiled.names) or "none in this pattern"
                raise ValueError(f"expected a number, or a selector or field of the pattern ({known}), got `{source}`")

    @property
    def filter(self) -> Filter:
        """The pattern, compiled."""
        return compile_filter(self.pattern)


def _is_number(value: Any) -> bool:
    return read_number(str(value)) is not None


def metric_values(
    metric_filter: MetricFilter,
    frame: pd.DataFrame,
    period: int = 60,
    statistic: str = "Sum",
    matched: npt.NDArray[np.bool_] | None = None,
) -> pd.DataFrame:
    """The metric that a filter makes of log events, a row a period.

    Parameters
    ----------
    metric_filter
        The filter, with the value that an event adds.
    frame
        Log events with at least the columns `timestamp` (a time, or milliseconds since 1970) and `message`.
    period
        Seconds: 10, 20, 30 or a multiple of 60.
    statistic
        Of the values of a period: `Sum`, `Average`, `Minimum`, `Maximum` or `SampleCount`.
    matched
        Which log events match, where that is known already.

    Returns
    -------
    DataFrame
        Columns `period_start` (UTC), `value` and one for each dimension. Every period from the first log event to the
        last is there, for every combination of dimensions found; a value is missing (NaN) where nothing is reported. A
        matching event whose value is no number, or which lacks a dimension, reports nothing.

    Examples
    --------
    >>> lines = pd.DataFrame({"timestamp": [0, 1000, 61_000, 185_000], "message": ["ERROR", "ERROR", "INFO", "ERROR"]})
    >>> metric_values(MetricFilter("ERROR", default=0), lines)["value"].tolist()
    [2.0, 0.0, nan, 1.0]
    """
    _check(period, statistic, frame)
    numeric = pd.api.types.is_numeric_dtype(frame["timestamp"])
    times = pd.to_datetime(frame["timestamp"], unit="ms" if numeric else None, utc=True).dt.floor(f"{period}s")
    found = metric_filter.filter.flags(frame["message"]) if matched is None else matched
    rows = _measure(metric_filter, frame["message"], times, found & times.notna().to_numpy())
    names = list(metric_filter.dimensions)
    reported = rows.groupby(["period_start", *names], sort=True)["value"].agg(STATISTICS[statistic])
    if metric_filter.default is not None:
        quiet = pd.Index(times.dropna().unique(), name="period_start").difference(reported.index)
        reported = pd.concat([reported, pd.Series(float(metric_filter.default), quiet)])
    every = _periods(times, period)
    keys = rows[names].drop_duplicates().sort_values(names) if names else pd.DataFrame(index=[0])
    if len(every) * len(keys) > _MOST_ROWS:
        raise ValueError(f"expected at most {_MOST_ROWS:,} rows, got {len(every) * len(keys):,}: take a longer period")
    grid = every.to_frame(name="period_start", index=False).merge(keys, how="cross")
    values = reported.rename("value").rename_axis(["period_start", *names]).reset_index()
    return grid.merge(values, how="left", on=["period_start", *names])[["period_start", "value", *names]]


def _check(period: int, statistic: str, frame: pd.DataFrame) -> None:
    if not isinstance(period, int) or (period not in (10, 20, 30) and (period <= 0 or period % 60)):
        raise ValueError(f"expected a period of 10, 20, 30 or a multiple of 60 seconds, got `{period}`")
    if statistic not in STATISTICS:
        raise ValueError(f"expected one of {listed(STATISTICS)}, got `{statistic}`")
    if missing := [column for column in ("timestamp", "message") if column not in frame]:
        raise ValueError(f"expected a frame with the columns `timestamp` and `message`, got none named `{missing[0]}`")


def _measure(
    metric_filter: MetricFilter, messages: pd.Series[Any], times: pd.Series[Any], matched: npt.NDArray[np.bool_]
) -> pd.DataFrame:
    """A row an event that reports a value: the period, the value, the dimensions."""
    codes, distinct = pd.factorize(messages[matched].astype(object))
    names = list(metric_filter.dimensions)
    read = [_read(metric_filter, message) for message in distinct]
    table = pd.DataFrame(read, columns=["value", *names]).astype({"value": "float64"})
    rows = table.iloc[codes].assign(period_start=times[matched].array)
    return rows.dropna(subset=["value", *names])


def _read(metric_filter: MetricFilter, message: str) -> list[Any]:
    fields, value = metric_filter.filter.body.fields(message), str(metric_filter.value)
    number = read_number(fields.get(value, value))
    reported = math.nan if number is None else float(number)
    dimensions = [fields.get(source) for source in metric_filter.dimensions.values()]
    return [reported if math.isfinite(reported) else math.nan, *dimensions]


def _periods(times: pd.Series[Any], period: int) -> pd.DatetimeIndex:
    if times.isna().all():
        return pd.DatetimeIndex([], tz="UTC")
    count = int((times.max() - times.min()).total_seconds() // period) + 1
    if count > _MOST_ROWS:
        raise ValueError(f"expected at most {_MOST_ROWS:,} periods, got {count:,}: take a longer period")
    return pd.DatetimeIndex(times.min() + np.arange(count) * pd.Timedelta(seconds=period))
