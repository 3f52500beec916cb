"""Statements that cannot do what they seem to, or that do more: `check_policies`."""

from ssmlab.findings.checking import check_policies

__all__ = ["check_policies"]
