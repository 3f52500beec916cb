"""The explorers: one line in a notebook each, such as `ReachExplorer(snapshot)`."""

from ssmlab.widgets.command_explorer import CommandExplorer
from ssmlab.widgets.event_lab import EventLab
from ssmlab.widgets.graph_view import GraphView
from ssmlab.widgets.log_lab import LogLab
from ssmlab.widgets.reach_explorer import ReachExplorer

__all__ = ["CommandExplorer", "EventLab", "GraphView", "LogLab", "ReachExplorer"]
