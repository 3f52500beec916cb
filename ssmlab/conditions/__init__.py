"""Does a condition hold? The operator table, set operators, `IfExists`, `Null`, three-valued truth."""

from ssmlab.conditions.condition import UNRESOLVED, Condition
from ssmlab.conditions.operators import OPERATORS, OperatorError, parse_operator

__all__ = ["OPERATORS", "UNRESOLVED", "Condition", "OperatorError", "parse_operator"]
