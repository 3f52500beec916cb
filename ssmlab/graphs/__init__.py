"""A reach, or what changes between two, as a networkx graph with layered positions."""

from ssmlab.graphs.causes import draw_causes
from ssmlab.graphs.difference import draw_changes
from ssmlab.graphs.graph import COLUMNS, MOST_MARKS, call_policy, to_marks, to_networkx
from ssmlab.graphs.layout import place_layers
from ssmlab.graphs.ways import add_ways
from ssmlab.graphs.words import say_changes
