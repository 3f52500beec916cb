"""Who may assume which role: the trust policy together with `sts:AssumeRole`, in the same account and across accounts.

Source: IAM User Guide, `reference_policies_evaluation-logic` and its cross-account page.
"""

from __future__ import annotations

from collections.abc import Iterator

from ssmlab.evaluation import Caller, Decision, Outcome, PolicySet, decide, name_service, parse_principal
from ssmlab.paths.tables import Tables
from ssmlab.paths.ways import Step
from ssmlab.patterns import NOT_KNOWN
from ssmlab.policies import Policy, PolicyError, parse_policy
from ssmlab.reachability.callers import Principal
from ssmlab.reachability.fleets import OUTCOMES
from ssmlab.reachability.matrices import ask_one

ASSUME = Step("sts:AssumeRole", "role")


def read_trust(tables: Tables) -> list[Policy]:
    """The trust policy of each role of `tables.frame(ASSUME)`; unknown where it was not collected or cannot be read."""
    found = []
    for arn, body in tables.frame(ASSUME)["trust"].items():
        name = f"{arn} trust"
        try:
            found.append(Policy.unknown(name) if body is None else parse_policy(body, name=name, layer="resource"))
        except PolicyError:
            found.append(Policy.unknown(name))
    return found


def decide_assume(tables: Tables) -> Iterator[tuple[int, int, Decision]]:
    """Row of a principal, row among the roles, and the decision, for all that may be allowed."""
    roles, (principals, _) = tables.frame(ASSUME), tables.side(ASSUME)
    for row, (arn, trust) in enumerate(zip(roles.index, read_trust(tables), strict=True)):
        for who in _candidates(trust, principals, tables):
            principal = principals[who]
            # the root user may assume no role [STS API reference, AssumeRole]; a service-linked role serves its service
            if principal.caller.arn == arn or principal.caller.kind == "root" or principal.caller.is_service_linked:
                continue
            own, rcps = principal.policies, tables.snapshot.attached(str(arn)).rcps  # they guard the role's side
            policies = PolicySet(own.identity, own.boundary, own.session, own.scps, rcps, trust)
            asked = ask_one("role", tables.side(ASSUME), who, row, ASSUME.action).asked
            decision = decide(principal.caller, ASSUME.action, arn, arn.split(":")[4], asked.lookup, policies)
            if decision.outcome in (Outcome.ALLOWED, Outcome.CONDITIONAL):
                yield who, row, decision


def _candidates(trust: Policy, principals: list[Principal], tables: Tables) -> Iterator[int]:
    """Principals that some Allow of a trust policy may name: by ARN, by account, or all."""
    allowing = [s for s in trust.statements if s.effect == "Allow"]
    named = {text for s in allowing for _, text in s.principals}
    accounts = {
        text.split(":")[4] if ":" in text else text for text in named if text.endswith(":root") or text.isdigit()
    }
    everybody = "*" in named or any(s.not_principal or not s.principals for s in allowing)
    for who, principal in enumerate(principals):
        if everybody or principal.caller.arn in named or tables.accounts[who] in accounts:
            yield who


def trusts_service(tables: Tables, service: str) -> Iterator[Decision]:
    """Whether a service may assume each role, by any of its names; what its request holds beside is not known."""

    def ask(caller: Caller) -> Decision:
        return decide(caller, ASSUME.action, arn, "", lambda key: caller.keys.get(key, NOT_KNOWN), policies)

    for arn, trust in zip(tables.frame(ASSUME).index, read_trust(tables), strict=True):
        policies = PolicySet(rcps=tables.snapshot.attached(str(arn)).rcps, resource=trust)
        found = [ask(parse_principal(name)) for name in name_service(service, arn.split(":")[1])]
        yield max(found, key=lambda decision: OUTCOMES.index(decision.outcome))
