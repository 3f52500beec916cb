"""The explorers: one line in a notebook each, such as `ReachExplorer(snapshot)`."""

from ssmlab.widgets.compare import Compare
from ssmlab.widgets.graph_view import GraphView
from ssmlab.widgets.policy_lab import PolicyLab
from ssmlab.widgets.reach_explorer import ReachExplorer
from ssmlab.widgets.readiness import Readiness
from ssmlab.widgets.tag_lab import TagLab

__all__ = ["Compare", "GraphView", "PolicyLab", "ReachExplorer", "Readiness", "TagLab"]
