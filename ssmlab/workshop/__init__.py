"""The workshop: exercises, their checks, what is done, and folders for learners.

>>> from ssmlab import workshop
>>> workshop.check("02-1", ...).passed
False
"""

from ssmlab.workshop.checking import Verdict, check
from ssmlab.workshop.exercises import Exercise, given, load_sample, read_exercises
from ssmlab.workshop.progress import Progress, find_stuck, gather, progress

__all__ = [
    "Exercise",
    "Progress",
    "Verdict",
    "check",
    "find_stuck",
    "gather",
    "given",
    "load_sample",
    "progress",
    "read_exercises",
]
