"""Policy JSON to frozen `Policy` and `Statement`: the only place that meets raw policy JSON."""

from ssmlab.policies.elements import scalar_text
from ssmlab.policies.examples import read_examples
from ssmlab.policies.grammar import LAYERS, PolicyError, parse_policy
from ssmlab.policies.json_text import RepeatedKeys, decode_url, read_json
from ssmlab.policies.model import Policy, PolicyProblem, State, Statement
from ssmlab.policies.places import TextProblem, check_text, find_lines, line_of
