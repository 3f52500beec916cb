"""ssmlab: who reaches which nodes with which documents through AWS Run Command, from files, offline.

>>> import ssmlab
>>> snapshot = ssmlab.load("data/sample")
>>> reach = ssmlab.reach(snapshot)
>>> reach.outcome("web-ops", "i-0123456789abcdef0", "AWS-RunShellScript").value
'allowed'
"""

from ssmlab import commands, events, logs
from ssmlab.drawing import draw_graph
from ssmlab.evaluation import Decision, Outcome, PolicySet, Request, evaluate
from ssmlab.expectations import ExpectationError, check_expectations
from ssmlab.explanation import Explanation
from ssmlab.findings import check_policies
from ssmlab.graphs import to_networkx
from ssmlab.paths import Paths, find_paths
from ssmlab.policies import PolicyError
from ssmlab.pseudonyms import pseudonymise
from ssmlab.reachability import Reach, reach
from ssmlab.readiness import check_readiness
from ssmlab.snapshots import LoadError, Snapshot, load

__version__ = "0.1.0"
__all__ = [
    "Decision",
    "ExpectationError",
    "Explanation",
    "LoadError",
    "Outcome",
    "Paths",
    "PolicyError",
    "PolicySet",
    "Reach",
    "Request",
    "Snapshot",
    "check_expectations",
    "check_policies",
    "check_readiness",
    "commands",
    "draw_graph",
    "evaluate",
    "events",
    "find_paths",
    "load",
    "logs",
    "pseudonymise",
    "reach",
    "to_networkx",
]
