"""Decisions to sentences, steps and the smallest changes. Knows no frames; asks `evaluation` again."""

from ssmlab.explanation.explanation import Explanation, explain_pair, say_reason, to_html
from ssmlab.explanation.parts import Part, say_missed
from ssmlab.explanation.words import call_all, last_part, say_condition, say_statement

__all__ = [
    "Explanation",
    "Part",
    "call_all",
    "explain_pair",
    "last_part",
    "say_condition",
    "say_missed",
    "say_reason",
    "say_statement",
    "to_html",
]
