"""One decision: `Request`, `PolicySet`, `Decision`, and the order of layers."""

from ssmlab.evaluation.decisions import Decision, decide, evaluate
from ssmlab.evaluation.layers import BINDING_CAPS, Layers, Outcome, Rule, decide_layers
from ssmlab.evaluation.policy_sets import Applied, PolicySet
from ssmlab.evaluation.principals import Caller, parse_principal
from ssmlab.evaluation.requests import Request, normalise_context
from ssmlab.evaluation.statements import OpenCondition, decide_elements

__all__ = [
    "BINDING_CAPS",
    "Applied",
    "Caller",
    "Decision",
    "Layers",
    "OpenCondition",
    "Outcome",
    "PolicySet",
    "Request",
    "Rule",
    "decide",
    "decide_elements",
    "decide_layers",
    "evaluate",
    "normalise_context",
    "parse_principal",
]
