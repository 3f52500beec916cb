"""Policy JSON to frozen `Policy` and `Statement`: the only place that meets raw policy JSON."""

from ssmlab.policies.elements import scalar_text
from ssmlab.policies.grammar import LAYERS, PolicyError, parse_policy
from ssmlab.policies.json_text import RepeatedKeys, decode_url, read_json
from ssmlab.policies.model import Policy, PolicyProblem, State, Statement

__all__ = [
    "LAYERS",
    "Policy",
    "PolicyError",
    "PolicyProblem",
    "RepeatedKeys",
    "State",
    "Statement",
    "decode_url",
    "parse_policy",
    "read_json",
    "scalar_text",
]
