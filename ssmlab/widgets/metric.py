"""The picture of a metric and its alarm: a bar a period, the threshold, and the alarm's state below; pure."""

from __future__ import annotations

import math
from typing import Final

import pandas as pd

from ssmlab.widgets.log_views import State, describe_metric, list_runs, say_alarm
from ssmlab.widgets.svg import WIDTH, element, make_picture, place_legend, write, write_letter

MOST_PERIODS: Final = 240
# State of an alarm: colour, letter, height of its strip, dashes of its edge.
STATES: Final = {
    "OK": ("#009E73", "O", 10, "none"),
    "ALARM": ("#D55E00", "A", 20, "none"),
    "INSUFFICIENT_DATA": ("#999999", "?", 14, "3 2"),
}
SIGNS: Final = {
    "GreaterThanOrEqualToThreshold": ">=",
    "GreaterThanThreshold": ">",
    "LessThanThreshold": "<",
    "LessThanOrEqualToThreshold": "<=",
}
_LEFT, _RIGHT, _HIGH = 60, WIDTH - 20, 170
_VALUE, _LINE, _NOTHING = "#0072B2", "#CC79A7", "\N{MULTIPLICATION SIGN}"


def draw_metric(measured: pd.DataFrame, state: State) -> str:
    """An SVG of the values of each period, the threshold and the state of the alarm.

    Parameters
    ----------
    measured
        As `measure` gives it.
    """
    shown = measured.tail(MOST_PERIODS).reset_index(drop=True)
    cut = f" The last {MOST_PERIODS} of {len(measured):,} periods are drawn." if len(measured) > len(shown) else ""
    legend, top = place_legend(_list_legend({*shown["state"]}), 34)
    axis = _Axis(shown["value"], float(state.threshold), top + 14, len(shown))
    drawn = [legend, *_draw_values(shown, axis), *_draw_threshold(state, axis), *_draw_states(shown, axis)]
    title = f"{state.statistic} of {state.value} where `{state.pattern}` matches, and its alarm"
    most = state.evaluation_periods
    of = f"{state.datapoints} of the last {most} periods" if most > 1 else "a period"
    caption = f"ALARM if it is {_say_limit(state)} in {of}. {describe_metric(measured, state)}{cut}"
    drawn += _draw_times(shown, axis)
    return make_picture(title, caption, drawn, top + _HIGH + 68, heard=say_alarm(measured))


def _say_limit(state: State) -> str:
    return f"{SIGNS[state.comparison]} {float(state.threshold):g}"


class _Axis:
    """Period and value → px."""

    def __init__(self, values: pd.Series[float], threshold: float, top: float, count: int) -> None:
        known = [0.0, threshold, *values.dropna()]
        self.low, self.high = float(min(known)), float(max(known))
        self.top, self.count = top, max(count, 1)

    def across(self, period: float) -> float:
        return _LEFT + (_RIGHT - _LEFT) * period / self.count

    def up(self, value: float) -> float:
        return self.top + _HIGH * (self.high - value) / ((self.high - self.low) or 1)


def _list_legend(states: set[str]) -> list[tuple[str, str]]:
    value = element("rect", x=-6, y=-6, width=12, height=12, fill=_VALUE)
    limit = element("line", x1=-8, y1=0, x2=8, y2=0, stroke=_LINE, stroke_width=2, stroke_dasharray="6 3")
    entries = [(value, "value"), (write(-4, 4, _NOTHING), "no value"), (limit, "threshold")]
    return entries + [(_strip(-7, STATES[name][2] / 2, 14, name), name) for name in STATES if name in states]


def _strip(x: float, bottom: float, width: float, name: str) -> str:
    colour, letter, height, dashes = STATES[name]
    look = {"fill": colour, "stroke": "currentColor", "stroke_width": 0.7, "stroke_dasharray": dashes}
    shape = element("rect", x=x, y=bottom - height, width=width, height=height, **look)
    return shape + (write_letter(letter, x=x + width / 2, y=bottom - height / 2 + 3.5) if width >= 8 else "")


def _draw_values(shown: pd.DataFrame, axis: _Axis) -> list[str]:
    wide, drawn = (_RIGHT - _LEFT) / axis.count, list[str]()
    for number, value in enumerate(shown["value"]):
        if math.isnan(value):
            drawn.append(write(axis.across(number + 0.5), axis.up(0) - 2, _NOTHING, text_anchor="middle"))
            continue
        top, bottom = sorted((axis.up(value), axis.up(0)))
        place = {"x": axis.across(number) + wide * 0.1, "y": top, "width": wide * 0.8, "height": max(bottom - top, 1)}
        drawn.append(element("rect", **place, fill=_VALUE))
    zero = {"y1": axis.up(0), "y2": axis.up(0), "stroke": "currentColor", "stroke_width": 0.7}
    ticks = [write(_LEFT - 6, axis.up(value) + 4, f"{value:g}", text_anchor="end") for value in {axis.low, axis.high}]
    return [*drawn, *ticks, element("line", x1=_LEFT, x2=_RIGHT, **zero)]


def _draw_threshold(state: State, axis: _Axis) -> list[str]:
    y = axis.up(float(state.threshold))
    line = {"x1": _LEFT, "x2": _RIGHT, "y1": y, "y2": y, "stroke": _LINE, "stroke_width": 2, "stroke_dasharray": "6 3"}
    return [element("line", **line), write(8, y - 5, _say_limit(state))]


def _draw_states(shown: pd.DataFrame, axis: _Axis) -> list[str]:
    bottom = axis.top + _HIGH + 30
    runs = [
        _strip(axis.across(start), bottom, axis.across(end) - axis.across(start), name)
        for name, start, end in list_runs([*shown["state"]])
    ]
    return [write(8, bottom - 2, "alarm"), *runs]


def _draw_times(shown: pd.DataFrame, axis: _Axis) -> list[str]:
    """A tick where a period begins, its time centred below."""
    step, y, drawn = max(1, math.ceil(axis.count * 64 / (_RIGHT - _LEFT))), axis.top + _HIGH, list[str]()
    for number in range(0, len(shown), step):
        x, time = axis.across(number), shown["period_start"][number].strftime("%H:%M:%S")
        drawn.append(element("line", x1=x, x2=x, y1=y + 30, y2=y + 36, stroke="currentColor"))
        drawn += [write(x, y + 48, time, text_anchor="middle")] if x < _RIGHT - 8 else []
    return drawn
