"""A reach as a networkx graph with layered positions."""

from ssmlab.graphs.causes import draw_causes
from ssmlab.graphs.graph import COLUMNS, MOST_MARKS, to_marks, to_networkx
from ssmlab.graphs.layout import place_layers
from ssmlab.graphs.ways import add_ways

__all__ = ["COLUMNS", "MOST_MARKS", "add_ways", "draw_causes", "place_layers", "to_marks", "to_networkx"]
