"""ssmlab one decision at a time: `evaluate` on compiled policies, asked as the peers are."""

from asking import Json, ask

import ssmlab

ACTION = "ssm:SendCommand"
Caller = tuple[str, ssmlab.PolicySet]


def prepare(principal: Json) -> Caller:
    policies = principal["own"] + [policy for group in principal["groups"] for policy in group["policies"]]
    levels = [[policy["document"] for policy in level] for level in principal["scps"]]
    boundary = [policy["document"] for policy in principal["boundary"]] or None
    identity = [policy["document"] for policy in policies]
    return principal["arn"], ssmlab.PolicySet(identity=identity, boundary=boundary, scps=levels)


def decide(caller: Caller, arn: str, keys: Json) -> str:
    principal, policies = caller
    return ssmlab.evaluate(ssmlab.Request(principal, ACTION, arn, keys), policies).outcome


ask(ssmlab.__version__, prepare, decide)
