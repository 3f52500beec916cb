"""One decision: `Request`, `PolicySet`, `Decision`, and the order of layers."""

from ssmlab.evaluation.decisions import Decision, arrange, decide, evaluate, find_statements
from ssmlab.evaluation.layers import BINDING_CAPS, Layers, Outcome, Rule, decide_layers
from ssmlab.evaluation.policy_sets import DENY, Applied, Place, PolicySet
from ssmlab.evaluation.principals import Caller, name_service, parse_principal, read_service
from ssmlab.evaluation.requests import Request, normalise_context
from ssmlab.evaluation.statements import Asked, Found, OpenCondition, decide_elements
