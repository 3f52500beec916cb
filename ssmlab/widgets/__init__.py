"""The explorers: one line in a notebook each, such as `ReachExplorer(snapshot)`."""

from ssmlab.widgets.compare import Compare
from ssmlab.widgets.graph_view import GraphView
from ssmlab.widgets.reach_explorer import ReachExplorer
from ssmlab.widgets.readiness import Readiness

__all__ = ["Compare", "GraphView", "ReachExplorer", "Readiness"]
