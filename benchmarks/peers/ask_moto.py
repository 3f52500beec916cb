"""moto: its `IAMPolicy`, joined as moto's own request check joins them.

That check takes the identity policies only: moto has no place for a permissions boundary or SCPs. It hands over no
condition keys; here they are given, because `is_action_permitted` takes them.
"""

import json
from importlib.metadata import version

from asking import Json, ask
from moto.iam.access_control import IAMPolicy, PermissionResult

ACTION = "ssm:SendCommand"


def prepare(principal: Json) -> list[IAMPolicy]:
    policies = principal["own"] + [policy for group in principal["groups"] for policy in group["policies"]]
    return [IAMPolicy(json.dumps(policy["document"])) for policy in policies]


def decide(policies: list[IAMPolicy], arn: str, keys: Json) -> bool:
    permitted = False
    for policy in policies:
        result = policy.is_action_permitted(ACTION, arn, incoming_condition_values=keys)
        if result == PermissionResult.DENIED:
            return False
        permitted = permitted or result == PermissionResult.PERMITTED
    return permitted


ask(version("moto"), prepare, decide)
