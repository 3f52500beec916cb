"""`Request`: one call, and how it answers a condition key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ssmlab.evaluation.principals import Caller
from ssmlab.patterns import ABSENT, NOT_KNOWN, Ambiguous, Value
from ssmlab.policies import scalar_text
from ssmlab.services import aws_account, is_aws_document

ContextValue = str | Sequence[str]
Lookup = Callable[[str], Value]


@dataclass(frozen=True, slots=True)
class Request:
    """One call to decide.

    Attributes
    ----------
    principal
        ARN of a user, role, assumed-role session or account root; a service (`events.amazonaws.com`); or `*`
        (anonymous).
    action
        `service:Action`, of any service.
    resource
        ARN, or `*` for actions without resource types (known ones are asked on `*` whatever stands here).
    context
        Condition keys and their values: a text, or a list for a multivalued (array) key, also with one value.
    resource_account
        Account that owns the resource; default: from the ARN, else the principal's. In conditions on
        `aws:ResourceAccount` an AWS-owned document is of AWS's account by default.
    unknown
        Keys whose value is not known. All keys neither here nor in `context` are absent.

    Raises
    ------
    TypeError
        For a principal, action or resource that is no text.

    Examples
    --------
    >>> import ssmlab
    >>> asked = ssmlab.Request("arn:aws:iam::123456789012:user/ana", "s3:ListAllMyBuckets", "*")
    >>> ssmlab.evaluate(asked, ssmlab.PolicySet()).outcome.value
    'implicitDeny'
    """

    principal: str
    action: str
    resource: str
    context: Mapping[str, ContextValue] = field(default_factory=dict)
    resource_account: str | None = None
    unknown: Sequence[str] = ()

    def __post_init__(self) -> None:
        for name in ("principal", "action", "resource"):
            if not isinstance(getattr(self, name), str):
                raise TypeError(f"expected the {name} as text, got `{getattr(self, name)!r}`")


CASE_TWINS = (
    "two keys differ only by case ({}); AWS sees one of the values and no rule says which"
    " [IAM User Guide, reference_policies_elements_condition]"
)
EMPTY_LIST = (
    "the key `{}` is present without a value; whether that counts as absent is not documented"
    " [IAM User Guide, reference_policies_elements_condition_operators]"
)


def read_context(request: Request, caller: Caller, account: str) -> Lookup:
    """How a request answers a key (in lower case): given, following from the ARNs, unknown, else absent."""
    values: dict[str, Value] = dict(caller.keys)
    if is_aws_document(request.resource) and not request.resource_account:
        values["aws:resourceaccount"] = aws_account(request.resource.split(":")[3])
    elif account:
        values["aws:resourceaccount"] = account
    values.update(normalise_context(request.context))
    unknown = [request.unknown] if isinstance(request.unknown, str) else request.unknown
    values.update((key.lower(), NOT_KNOWN) for key in unknown)
    return lambda key: values.get(key, ABSENT)


def normalise_context(context: Mapping[str, ContextValue | None]) -> dict[str, Value]:
    """Keys in lower case, values as the operators read them; keys that differ only by case are ambiguous."""
    values: dict[str, Value] = {}
    spelt: dict[str, list[str]] = {}
    for key, value in context.items():
        spelt.setdefault(key.lower(), []).append(key)
        values[key.lower()] = _read_value(key, value)
    for key, spellings in spelt.items():
        if len(spellings) > 1:
            candidates = tuple(_read_value(spelling, context[spelling]) for spelling in spellings)
            values[key] = Ambiguous(candidates, CASE_TWINS.format(", ".join(f"`{s}`" for s in spellings)))  # type: ignore[arg-type]
    return values


def _read_value(key: str, value: Any) -> Value:
    if value is None or isinstance(value, Ambiguous):
        return value or ABSENT
    if isinstance(value, list | tuple | set | frozenset):
        members = tuple(scalar_text(member) for member in value)
        return members or Ambiguous((ABSENT, ()), EMPTY_LIST.format(key))
    return scalar_text(value)
