"""Alarms: M of N datapoints, and what is missing.

Sources: CloudWatch User Guide, `AlarmThatSendsEmail`, "How alarm state is evaluated when data is missing", its two
tables and the premature alarm state; transitions recorded from AWS in September 2026.
"""

import math
import operator
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final

import pandas as pd

from ssmlab.snapshots.schema import listed

OK: Final = "OK"
ALARM: Final = "ALARM"
INSUFFICIENT_DATA: Final = "INSUFFICIENT_DATA"
STATES: Final = (OK, ALARM, INSUFFICIENT_DATA)
COMPARISONS: Final[dict[str, Callable[[float, float], bool]]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
MISSING: Final = ("missing", "ignore", "breaching", "notBreaching")
_BEYOND: Final = 2  # periods looked at beyond N: from the documentation's example, which gives no rule


def alarm_states(
    values: Iterable[float | None],
    *,
    threshold: float,
    comparison: str,
    evaluation_periods: int,
    datapoints_to_alarm: int | None = None,
    treat_missing_data: str = "missing",
    evaluation_range: int | None = None,
    initial: str = INSUFFICIENT_DATA,
) -> list[str]:
    """The state of an alarm after each period.

    Parameters
    ----------
    values
        One a period, oldest first; None, NaN and `pandas.NA` are missing.
    threshold, comparison
        What breaches, such as 50 and `GreaterThanThreshold`.
    evaluation_periods, datapoints_to_alarm
        N, and M of them that must breach; M is N by default.
    treat_missing_data
        `missing`, `ignore`, `breaching` or `notBreaching`.
    evaluation_range
        How many periods are looked at; by default N + 2, as in the documentation's example, which gives no rule. With
        periods of 10 s, recordings from AWS show 8 to 11.
    initial
        The state before the first period.

    Returns
    -------
    list of str
        `OK`, `ALARM` or `INSUFFICIENT_DATA`, one a period.

    Raises
    ------
    ValueError
        For a parameter that CloudWatch does not take; it names what is allowed.

    Notes
    -----
    Of the periods looked at, the N newest with a value count. If there are fewer, `breaching` and `notBreaching` fill
    up to N. Under `missing` and `ignore`, M values that breach mean `ALARM`, else one that does not means `OK`. If all
    breach but are fewer than M, it is `ALARM` under `missing` if the oldest is at least M periods old (the premature
    alarm state); else the state stays. [AlarmThatSendsEmail]

    Examples
    --------
    >>> rule = {"threshold": 50, "comparison": "GreaterThanThreshold", "evaluation_periods": 3}
    >>> alarm_states([0, 80, None, 90], **rule, datapoints_to_alarm=2)
    ['OK', 'OK', 'OK', 'ALARM']
    """
    most = evaluation_periods if datapoints_to_alarm is None else datapoints_to_alarm
    looked_at = evaluation_periods + _BEYOND if evaluation_range is None else evaluation_range
    _check_choice("comparison", comparison, COMPARISONS)
    _check_choice("treat_missing_data", treat_missing_data, MISSING)
    _check_choice("initial", initial, STATES)
    _check_count("evaluation_periods", evaluation_periods, 1, None)
    _check_count("datapoints_to_alarm", most, 1, evaluation_periods)
    _check_count("evaluation_range", looked_at, evaluation_periods, None)
    limit = _read_value(threshold)
    if limit is None:
        raise ValueError(f"expected a number as `threshold`, got `{threshold}`")
    read = [_read_value(value) for value in values]
    breaches = [None if value is None else COMPARISONS[comparison](value, limit) for value in read]
    states, state = [], initial
    for end in range(1, len(breaches) + 1):
        window = breaches[max(0, end - looked_at) : end]
        state = _decide(window, evaluation_periods, most, treat_missing_data) or state
        states.append(state)
    return states


def _decide(window: Sequence[bool | None], periods: int, most: int, treatment: str) -> str | None:
    """The state that the periods looked at tell, newest last; None: it stays as it is."""
    known = [breach for breach in window if breach is not None][-periods:]
    gaps, breaching = periods - len(known), sum(known)
    if treatment in ("breaching", "notBreaching") or not gaps:
        filled = breaching + gaps * (treatment == "breaching")
        return ALARM if filled >= most else OK
    if not known:
        return INSUFFICIENT_DATA if treatment == "missing" else None
    if breaching >= most:
        return ALARM
    if breaching < len(known):
        return OK
    age = len(window) - window.index(True)
    return ALARM if treatment == "missing" and age >= most else None


def _read_value(value: Any) -> float | None:
    if value is None or value is pd.NA:
        return None
    try:
        number = float(value)
    except (OverflowError, TypeError, ValueError):
        raise ValueError(f"expected a number or None as a value, got `{value}`") from None
    return None if math.isnan(number) else number  # of any type: a float32 too


def _check_choice(name: str, value: str, allowed: Collection[str]) -> None:
    if value not in allowed:
        raise ValueError(f"expected one of {listed(allowed)} as `{name}`, got `{value}`")


def _check_count(name: str, value: Any, least: int, most: int | None) -> None:
    is_whole = hasattr(value, "__index__") and not isinstance(value, bool)
    if not is_whole or value < least or (most is not None and value > most):
        wanted = f"{least} to {most}" if most is not None else f"at least {least}"
        raise ValueError(f"expected a whole number, {wanted}, as `{name}`, got `{value}`")
