"""Decisions to sentences, steps and the smallest changes. Knows no frames; asks `evaluation` again."""

from ssmlab.explanation.changes import Trial
from ssmlab.explanation.explanation import Explanation, explain_pair, say_reason, to_html
from ssmlab.explanation.parts import Part, say_missed
from ssmlab.explanation.words import call_all, say_open, say_statement
from ssmlab.words import last_part
