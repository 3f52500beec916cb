"""Run Command's rule over whole frames: `reach` and `Reach`."""

from ssmlab.reachability.questions import reach
from ssmlab.reachability.reach import Reach

__all__ = ["Reach", "reach"]
