"""EventBridge: event patterns, what they match and why not, and many rules over a stream of events.

>>> from ssmlab import events
>>> event = {"source": "aws.ssm", "detail": {"status": "success"}}
>>> events.matches({"source": ["aws.ssm"], "detail": {"status": ["Success"]}}, event)
False
"""

from ssmlab.events.loading import load_events
from ssmlab.events.mismatches import Mismatch, explain_mismatch
from ssmlab.events.operators import PatternError
from ssmlab.events.patterns import Pattern, compile_pattern, matches
from ssmlab.events.rules import Rule, Rules, load_rules
from ssmlab.events.streams import Stream
from ssmlab.events.values import EventError

__all__ = [
    "EventError",
    "Mismatch",
    "Pattern",
    "PatternError",
    "Rule",
    "Rules",
    "Stream",
    "compile_pattern",
    "explain_mismatch",
    "load_events",
    "load_rules",
    "matches",
]
