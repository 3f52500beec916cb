"""The other ways to a node, and as whom one may act."""

from ssmlab.paths.edges import Edge
from ssmlab.paths.search import Paths, find_paths
from ssmlab.paths.tagging import who_may_tag
from ssmlab.paths.ways import DIRECT, TAGGING, Step, Way, read_ways

__all__ = ["DIRECT", "TAGGING", "Edge", "Paths", "Step", "Way", "find_paths", "read_ways", "who_may_tag"]
