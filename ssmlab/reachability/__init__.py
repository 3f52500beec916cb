"""Run Command's rule over whole frames: `reach` and `Reach`; what differs between two, and why."""

from ssmlab.reachability.alone import reach_alone
from ssmlab.reachability.causes import find_causes
from ssmlab.reachability.comparing import count_changes
from ssmlab.reachability.questions import reach
from ssmlab.reachability.reach import Reach
from ssmlab.reachability.witnesses import find_witnesses

__all__ = ["Reach", "count_changes", "find_causes", "find_witnesses", "reach", "reach_alone"]
