"""The workshop: exercises, their checks, what is done, and folders for learners.

>>> from ssmlab import workshop
>>> workshop.check("02-1", ...).passed
False
"""

from ssmlab.workshop.checking import Verdict, check
from ssmlab.workshop.course import build_course
from ssmlab.workshop.exercises import Exercise, given, load_sample, read_exercises
from ssmlab.workshop.folders import make_folder
from ssmlab.workshop.panel import Progress, progress
from ssmlab.workshop.progress import find_stuck, gather

__all__ = [
    "Exercise",
    "Progress",
    "Verdict",
    "build_course",
    "check",
    "find_stuck",
    "gather",
    "given",
    "load_sample",
    "make_folder",
    "progress",
    "read_exercises",
]
