"""The explorers: one line in a notebook each, such as `ReachExplorer(snapshot)`."""

from ssmlab.widgets.command_explorer import CommandExplorer
from ssmlab.widgets.compare import Compare
from ssmlab.widgets.event_lab import EventLab
from ssmlab.widgets.graph_view import GraphView
from ssmlab.widgets.log_lab import LogLab
from ssmlab.widgets.policy_lab import PolicyLab
from ssmlab.widgets.reach_explorer import ReachExplorer
from ssmlab.widgets.readiness import Readiness
from ssmlab.widgets.tag_lab import TagLab

__all__ = [
    "CommandExplorer",
    "Compare",
    "EventLab",
    "GraphView",
    "LogLab",
    "PolicyLab",
    "ReachExplorer",
    "Readiness",
    "TagLab",
]
