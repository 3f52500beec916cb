"""Decisions to sentences and steps. Knows no frames; says nothing that `evaluation` has not answered.

Every answer is one plain sentence first, then the steps for document and node.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import pandas as pd

from ssmlab.evaluation import Applied, Decision, OpenCondition, Outcome
from ssmlab.policies import State
from ssmlab.truth import FALSE

_OUTCOMES: Final = {
    Outcome.ALLOWED: "allowed",
    Outcome.CONDITIONAL: "depends",
    Outcome.EXPLICIT_DENY: "denied",
    Outcome.IMPLICIT_DENY: "not allowed",
}
_SILENT: Final = {  # layer -> why it does not allow
    "identity": "no policy of the principal allows it",
    "boundary": "the permissions boundary does not allow it",
    "scp": "the service control policies do not allow it at every level",
}
_IS: Final = ("Bool", "StringEquals", "StringLike", "ArnLike", "ArnEquals", "NumericEquals", "DateEquals", "IpAddress")


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why.

    Attributes
    ----------
    outcome
        Of principal, node and document together.
    sentence
        The answer with its reason.
    steps
        Frame: part ("document", "node"), outcome, reason, statement.
    nearest
        The smallest changes that would allow it; not found yet, always empty.
    doubts
        What AWS's documentation leaves open, with the source.
    """

    outcome: Outcome
    sentence: str
    steps: pd.DataFrame
    nearest: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    def __str__(self) -> str:
        steps = (f"  {step.part}: {step.reason}" for step in self.steps.itertuples())
        return "\n".join([self.sentence, *steps, *(f"  in doubt: {doubt}" for doubt in self.doubts)])

    def _repr_html_(self) -> str:
        steps = (f"<li><b>{_safe(step.part)}</b>: {_safe(step.reason)}</li>" for step in self.steps.itertuples())
        doubts = (f"<li><i>in doubt</i>: {_safe(doubt)}</li>" for doubt in self.doubts)
        return f"<p>{_safe(self.sentence)}</p><ul>{''.join(steps)}{''.join(doubts)}</ul>"


def _safe(text: object) -> str:
    return html.escape(str(text))


def explain_pair(
    outcome: Outcome, principal: str, parts: Mapping[str, tuple[str, Decision]], misfit: str = "", but: str = ""
) -> Explanation:
    """Explain one (principal, node, document).

    Parameters
    ----------
    outcome
        Of the three together.
    principal
        How the principal is called in the sentence.
    parts
        "document" and "node": how it is called, and its decision.
    misfit
        Why the three do not go together at all (other Region or account); empty if they do.
    but
        What keeps the command from running although access is granted; empty if nothing does.
    """
    rows = [
        (part, _OUTCOMES[decision.outcome], _reason(decision), "; ".join(map(str, decision.determining_statements)))
        for part, (_, decision) in parts.items()
    ]
    steps = pd.DataFrame(rows, columns=["part", "outcome", "reason", "statement"])
    may = "may run" if outcome in (Outcome.ALLOWED, Outcome.CONDITIONAL) else "may not run"
    why = f": {misfit}" if misfit else _because(outcome, {part: decision for part, (_, decision) in parts.items()})
    sentence = f"{principal} {may} {parts['document'][0]} on {parts['node'][0]}{why}."
    sentence += f" But {but}." if but and may == "may run" else ""
    doubts = tuple(dict.fromkeys(doubt for _, decision in parts.values() for doubt in decision.doubts))
    return Explanation(outcome, sentence, steps, (), doubts)


def last_part(arn: str) -> str:
    """The readable end of an ARN: `user/web-ops`, `AWS-RunShellScript`, `i-0123…`."""
    tail = arn.split(":", 5)[-1]
    return tail.rpartition("/")[2] if tail.startswith(("document/", "instance/", "managed-instance/")) else tail


def _because(outcome: Outcome, decisions: Mapping[str, Decision]) -> str:
    """The reason of the sentence: from the parts that have its outcome; said once where it is the same."""
    if outcome is Outcome.ALLOWED:
        reasons = {part: _reason(decision) for part, decision in decisions.items()}
        if len(set(reasons.values())) == 1:
            return f": both are {reasons['node']}"
        return ": " + ", ".join(f"the {part} is {reason}" for part, reason in reasons.items())
    if outcome is Outcome.CONDITIONAL:
        opened = (condition for decision in decisions.values() for condition in decision.open_conditions)
        return " only if " + " and ".join(dict.fromkeys(map(say_condition, opened)))
    refused: dict[str, list[str]] = {}
    for part, decision in decisions.items():
        if decision.outcome is outcome:
            refused.setdefault(_reason(decision), []).append(f"the {part}")
    return ": " + "; ".join(f"{' and '.join(named)}: {reason}" for reason, named in refused.items())


def _reason(decision: Decision) -> str:
    """Why one resource has its outcome."""
    if decision.outcome is Outcome.ALLOWED:
        return f"allowed by {_listed(decision.determining_statements)}"
    if decision.outcome is Outcome.EXPLICIT_DENY:
        return f"{_listed(decision.determining_statements)} denies it, and a deny beats every allow"
    if decision.outcome is Outcome.CONDITIONAL:
        return "only if " + " and ".join(dict.fromkeys(map(say_condition, decision.open_conditions)))
    return " and ".join(words for layer, words in _SILENT.items() if getattr(decision.layers, layer) is FALSE)


def say_condition(condition: OpenCondition) -> str:
    """An open condition as a clause: `aws:MultiFactorAuthPresent` is `true`."""
    wanted = " or ".join(f"`{value}`" for value in condition.values)
    if condition.applied.statement.effect == "Deny" and condition.operator:
        return f"not ({condition.operator} `{condition.key}` {wanted}), which {say_statement(condition.applied)} denies"
    if not condition.operator:
        policy = say_statement(condition.applied).split(", statement")[0]
        if condition.applied.layer == "scp" and condition.applied.statement.state is State.UNKNOWN:
            return "the service control policies allow it, which were not collected"
        if condition.applied.statement.state is State.UNREADABLE:
            return f"{policy} does not deny it, in a statement that AWS would refuse"
        return f"{policy} allows it, which was not collected"
    return f"`{condition.key}` {'is' if condition.operator in _IS else condition.operator} {wanted}".rstrip()


def say_statement(applied: Applied) -> str:
    """A statement by policy and Sid or number; the layer where it is not the principal's own."""
    layer = (
        "" if applied.layer == "identity" else f"{applied.layer.upper() if len(applied.layer) == 3 else applied.layer} "
    )
    return f"{layer}policy {applied.policy.rpartition('/')[2]}, statement {applied.sid or applied.index + 1}"


def _listed(statements: Iterable[Applied]) -> str:
    """Statements of the principal's own policies, else of the other layers."""
    found = [applied for applied in statements if applied.statement.effect]
    own = [applied for applied in found if applied.layer == "identity"]
    denying = [applied for applied in found if applied.statement.effect == "Deny"]
    named = dict.fromkeys(map(say_statement, denying or own))
    return " and ".join(named) or "the account itself, of which this is the root user"
