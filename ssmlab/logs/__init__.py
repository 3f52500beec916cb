"""CloudWatch Logs offline: filter patterns, metric filters, alarms, and files of exported log events."""

from ssmlab.logs.alarms import alarm_states
from ssmlab.logs.filters import Filter, compile_filter, filter_events, matches
from ssmlab.logs.loading import LogExport, load_logs
from ssmlab.logs.metrics import MetricFilter, metric_values
from ssmlab.logs.reading import PatternError

__all__ = [
    "Filter",
    "LogExport",
    "MetricFilter",
    "PatternError",
    "alarm_states",
    "compile_filter",
    "filter_events",
    "load_logs",
    "matches",
    "metric_values",
]
