"""Who calls, and whether a Principal element names them.

Sources: IAM User Guide, `reference_policies_elements_principal`, `reference_policies_condition-keys`,
`reference_identifiers`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from ssmlab.patterns import Ambiguous, Value, split_arn
from ssmlab.policies import Statement
from ssmlab.truth import NO, UNKNOWN, YES, Verdict

_KINDS: Final = {  # (service, first word of the resource part) -> kind, aws:PrincipalType
    ("iam", "user"): ("user", "User"),
    ("iam", "role"): ("role", "AssumedRole"),
    ("iam", "root"): ("root", "Account"),
    ("sts", "assumed-role"): ("session", "AssumedRole"),
    ("sts", "federated-user"): ("federated", "FederatedUser"),
}


@dataclass(frozen=True, slots=True)
class Caller:
    """A principal that makes a request.

    Attributes
    ----------
    kind
        "user", "role" (a session of it without a name), "session", "federated", "root", "service" or "anonymous".
    name
        Of the user or role, without path.
    keys
        The condition keys that follow from its ARN, names in lower case.
    """

    kind: str
    arn: str
    account: str = ""
    name: str = ""
    keys: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    @property
    def is_service_linked(self) -> bool:
        """Is it a service-linked role or a session of one? SCPs and RCPs bind none. [using-service-linked-roles]"""
        is_session = self.kind == "session" and self.name.startswith("AWSServiceRoleFor")
        return is_session or ":role/aws-service-role/" in self.arn


@lru_cache(maxsize=65536)
def parse_principal(principal: str) -> Caller:
    """Read an ARN, a service principal or `*`.

    Raises
    ------
    ValueError
        For anything else, with what was expected.

    >>> parse_principal("arn:aws:sts::123456789012:assumed-role/WebOps/ana").name
    'WebOps'
    """
    if principal == "*":
        return Caller("anonymous", "*", keys={"aws:principaltype": "Anonymous"})
    parts = split_arn(principal)
    if parts is None:
        if ":" not in principal and "." in principal:
            return Caller(
                "service", principal, keys={"aws:principalisawsservice": "true", "aws:principalservicename": principal}
            )
        raise ValueError(
            f"expected the ARN of a user, role, session or account root, a service or `*`, got `{principal}`"
        )
    _, partition, service, _, account, rest = parts
    word, _, path = rest.partition("/")
    if (service, word) not in _KINDS:
        raise ValueError(f"expected the ARN of a user, role, session or account root, got `{principal}`")
    kind, principal_type = _KINDS[service, word]
    name = path.split("/")[0] if kind == "session" else path.rpartition("/")[2]
    own = f"arn:{partition}:iam::{account}:role/{name}" if kind == "session" else principal
    keys = {"aws:principalarn": own, "aws:principalaccount": account, "aws:principaltype": principal_type}
    return Caller(kind, principal, account, name, keys | ({"aws:username": name} if kind == "user" else {}))


SERVICE_IN_CHINA: Final = (
    "in China a service goes by `{0}` or `{0}.cn`; which of the two a call carries is not documented"
    " [AWS CDK, standardized service principals; user guides of Amazon Web Services in China]"
)


def name_service(service: str, partition: str) -> tuple[str, ...]:
    """The names by which policies of a partition may call a service.

    >>> name_service("ec2.amazonaws.com", "aws-cn")
    ('ec2.amazonaws.com', 'ec2.amazonaws.com.cn')
    """
    return (service, f"{service}.cn") if partition == "aws-cn" else (service,)


def read_service(service: str, partition: str) -> Value:
    """The same as the value of a condition key."""
    names = name_service(service, partition)
    return names[0] if len(names) == 1 else Ambiguous(names, SERVICE_IN_CHINA.format(service))


NOT_ALL_NAMED = (
    "`NotPrincipal` names the caller, but not also {}; AWS may then count the caller as not named"
    " [IAM User Guide, reference_policies_elements_notprincipal]"
)


def decide_principal(statement: Statement, caller: Caller) -> tuple[Verdict, str]:
    """Does Principal (or NotPrincipal) take in the caller, and as what does it name them: "user", "session", "role",
    "account", "service", "any"?
    """
    if not statement.principals:
        return YES, "any"
    found = {named for kind, text in statement.principals if (named := _named(kind, text, caller))}
    if not statement.not_principal:
        return (YES, min(found, key=_WIDTH.index)) if found else (NO, "any")
    if not found - {"account"}:
        return YES, "any"  # an account in NotPrincipal leaves out its root user, and nobody of the account
    missing = [] if found & {"any", "service"} else [kind for kind in _ALL_OF.get(caller.kind, ()) if kind not in found]
    return (Verdict(UNKNOWN, (NOT_ALL_NAMED.format(" and ".join(missing)),)) if missing else NO), "any"


_ALL_OF: Final = {  # what NotPrincipal must list to leave out a caller for certain
    "user": ("user", "account"),
    "role": ("role", "account"),
    "session": ("session", "role", "account"),
    "federated": ("session", "account"),
}


# the grant that the fewest caps bind comes first
_WIDTH: Final = ("session", "user", "service", "any", "role", "account")


def _named(kind: str, text: str, caller: Caller) -> str | None:
    if kind == "Service":
        return "service" if caller.kind == "service" and text in ("*", caller.arn) else None
    if kind == "AWS" and text == "*":
        return "any"
    if kind != "AWS" or not caller.account:
        return None
    if text == caller.arn:
        return {"federated": "session", "root": "user"}.get(caller.kind, caller.kind)
    parts = split_arn(text)
    if text == caller.account or (parts is not None and parts[4:] == (caller.account, "root")):
        return "user" if caller.kind == "root" else "account"
    is_role = parts is not None and parts[2] == "iam" and parts[4] == caller.account and parts[5].startswith("role/")
    return "role" if is_role and caller.kind in ("session", "role") and text.rpartition("/")[2] == caller.name else None
