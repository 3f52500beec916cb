"""Run Command's rule over whole frames: `reach` and `Reach`."""

from ssmlab.reachability.reach import Reach, reach

__all__ = ["Reach", "reach"]
