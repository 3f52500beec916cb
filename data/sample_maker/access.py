"""Who may do what in the invented organisation: policies, principals, service control policies, as tables.

Every principal is a story; `data/README.md` tells it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from sample_maker.fleet import DEVELOPMENT, MANAGEMENT, PRODUCTION

Json = dict[str, Any]


def _statement(effect: str, action: str | list[str], resource: str | list[str], condition: Json | None = None) -> Json:
    made = {"Effect": effect, "Action": action, "Resource": resource}
    return made | ({"Condition": condition} if condition else {})


def _policy(*statements: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _tag(operator: str = "StringEquals", **tags: str | list[str]) -> Json:
    return {operator: {f"ssm:resourceTag/{key}": value for key, value in tags.items()}}


def _trust(*who: str, condition: Json | None = None) -> Json:
    """A trust policy for a service, or for users of the production account."""
    people = [f"arn:aws:iam::{PRODUCTION}:{name}" for name in who]
    principal = {"Service": who[0]} if who[0].endswith(".com") else {"AWS": people}
    made = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return _policy(made | ({"Condition": condition} if condition else {}))


def _actions(service: str, names: str) -> list[str]:
    return [f"{service}:{name}" for name in names.split()]


_allow: Final = partial(_statement, "Allow")
_send: Final = partial(_statement, "Allow", ["ssm:SendCommand"])
_never_send: Final = partial(_statement, "Deny", ["ssm:SendCommand"])
_like: Final = partial(_tag, "StringLike")

_DOCUMENTS, _SHELL_SCRIPT = "arn:aws:ssm:*:*:document/*", "arn:aws:ssm:*::document/AWS-RunShellScript"
_SHARED_DOCUMENT: Final = f"arn:aws:ssm:*:{PRODUCTION}:document/InstallMonitoring"
_WEB_1: Final = f"arn:aws:ec2:eu-west-1:{PRODUCTION}:instance/i-0123456789abcdef0"
_INSTANCES, _HYBRID = "arn:aws:ec2:*:*:instance/*", "arn:aws:ssm:*:*:managed-instance/*"
_NODES: Final = [_INSTANCES, _HYBRID]
_MFA: Final = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
# The last two statements of the second and third policy of the page "Setting up Run Command".
_PAGE_REST: Final = (
    _send(["arn:aws:ssm:us-west-1::document/AWS-*", "arn:aws:ssm:us-east-2::document/AWS-*"]),
    _allow(_actions("ssm", "UpdateInstanceInformation ListCommands ListCommandInvocations GetDocument"), "*"),
)

# Customer managed policies: account → name → document. The first three are the page's own, as they stand there.
CUSTOMER_MANAGED: Final[Mapping[str, Mapping[str, Json]]] = {
    PRODUCTION: {
        "Page-1-OneTag": _policy(_send([_DOCUMENTS]), _send([_INSTANCES], _like(Finance=["WebServers"]))),
        "Page-2-TwoTags": _policy(_send("*", _like(tag_key1=["tag_value1"], tag_key2=["tag_value2"])), *_PAGE_REST),
        "Page-3-EitherTag": _policy(
            _send("*", _like(tag_key1=["tag_value1"])), _send("*", _like(tag_key2=["tag_value2"])), *_PAGE_REST
        ),
        "Operator-Patching": _policy(
            _send([f"arn:aws:ssm:*::document/{name}" for name in ("AWS-RunPatchBaseline", "AWS-UpdateSSMAgent")]),
            _send(_NODES, _tag(Env="prod")),
            _allow("sts:AssumeRole", f"arn:aws:iam::{PRODUCTION}:role/WebOps"),
        ),
        "Web-Operations": _policy(
            _send(f"arn:aws:ssm:*:{PRODUCTION}:document/RestartWebServer"), _send(_NODES, _tag(Finance="WebServers"))
        ),
        "Team-Match": _policy(_send(_DOCUMENTS), _send(_NODES, _tag(Team="${aws:PrincipalTag/Team}"))),
    },
    DEVELOPMENT: {"Contractor-Boundary": _policy(_send(_DOCUMENTS), _send(_NODES, _tag(Env="dev")))},
}
# Those of AWS's own policies that are attached to somebody, by what follows `arn:aws:iam::aws:policy/`; but for the
# first they are shortened to what matters to Systems Manager.
AWS_MANAGED: Final[Mapping[str, Json]] = {
    "AdministratorAccess": _policy(_allow("*", "*")),
    "AmazonSSMManagedInstanceCore": _policy(
        _allow(_actions("ssm", "GetDocument ListAssociations PutInventory UpdateInstanceInformation"), "*"),
        _allow(
            [f"ssmmessages:{verb}{kind}Channel" for verb in ("Create", "Open") for kind in ("Control", "Data")], "*"
        ),
        _allow(_actions("ec2messages", "AcknowledgeMessage FailMessage GetEndpoint GetMessages SendReply"), "*"),
    ),
    "CloudWatchAgentServerPolicy": _policy(
        _allow(
            _actions("logs", "CreateLogGroup CreateLogStream DescribeLogGroups DescribeLogStreams PutLogEvents"), "*"
        )
    ),
    "ReadOnlyAccess": _policy(_allow([*_actions("ssm", "Describe* Get* List*"), "ec2:Describe*", "iam:Get*"], "*")),
    "aws-service-role/AmazonSSMServiceRolePolicy": _policy(
        _allow(_actions("ssm", "CancelCommand GetCommandInvocation ListCommands SendCommand"), "*")
    ),
}


@dataclass(frozen=True, slots=True)
class Principal:
    """A user, group or role; `attached` and `boundary` name managed policies, `inline` is one policy's statements."""

    account: str
    name: str
    attached: Sequence[str] = ()
    inline: Sequence[Json] = ()
    kind: str = "User"
    path: str = "/"
    tags: Mapping[str, str] = field(default_factory=dict)
    groups: Sequence[str] = ()
    boundary: str = ""
    trust: Json | None = None
    has_profile: bool = False


def _role(account: str, name: str, trust: Json, *attached: str, **more: Any) -> Principal:
    return Principal(account, name, attached, kind="Role", trust=trust, **more)


_prod: Final = partial(Principal, PRODUCTION)
_dev: Final = partial(Principal, DEVELOPMENT)
_EC2, _SSM = _trust("ec2.amazonaws.com"), _trust("ssm.amazonaws.com")
_CORE, _LINKED = "AmazonSSMManagedInstanceCore", "aws-service-role/AmazonSSMServiceRolePolicy"
_SHELL_ON_DEV: Final = [_send(_SHELL_SCRIPT), _send(_INSTANCES, _tag(Env="dev"))]
PRINCIPALS: Final = (
    _prod("web-ops", ["Page-1-OneTag"]),
    _prod("two-tags", ["Page-2-TwoTags"]),
    _prod("either-tag", ["Page-3-EitherTag"]),
    _prod("Operators", ["Operator-Patching"], kind="Group"),
    _prod("op-ana", groups=["Operators"]),
    _prod("op-ben", groups=["Operators"]),
    _prod("team-red", ["Team-Match"], tags={"Team": "red"}),
    _prod("team-blue", ["Team-Match"], tags={"Team": "blue"}),
    _prod("not-prod", inline=[_send("*"), _never_send("*", _tag(Env="prod"))]),
    _prod("anything-but-prod", inline=[_send(_DOCUMENTS), _send(_NODES, _tag("StringNotEquals", Env="prod"))]),
    _prod("admin-adele", ["AdministratorAccess"]),
    _prod("auditor", ["ReadOnlyAccess"]),
    _prod("documents-only", inline=[_send(_DOCUMENTS)]),
    _prod("office-only", inline=[_send("*", {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})]),
    _prod("hybrid-hands", inline=[_send("arn:aws:ssm:*::document/AWS-*"), _send(_HYBRID)]),
    _prod("legacy-lee", ["Legacy-Operations"]),  # a policy that is not among those collected
    _role(PRODUCTION, "WebOps", _trust("user/op-ana", "user/op-ben"), "Web-Operations"),
    _role(PRODUCTION, "OnCall", _trust("root"), inline=[_send("*", _MFA)]),
    _role(PRODUCTION, "TeamOps", _trust("user/team-blue"), "Team-Match", tags={"Team": "blue"}),
    _role(PRODUCTION, "OneInstance", _trust("root"), inline=[_send(_SHELL_SCRIPT), _send(_WEB_1)]),
    _role(PRODUCTION, "BreakGlass", _trust("user/admin-adele", condition=_MFA), "AdministratorAccess"),
    _role(PRODUCTION, "NodeRole", _EC2, _CORE, "CloudWatchAgentServerPolicy", has_profile=True),
    _role(PRODUCTION, "SSMServiceRole", _SSM, _CORE, path="/service-role/"),
    _dev("dev-dora", ["AdministratorAccess"]),
    _dev("contractor", inline=[_send("*")], boundary="Contractor-Boundary"),
    _dev("borrower", inline=[_send(_SHARED_DOCUMENT), _send(_NODES, _tag(Env="test"))]),
    _role(DEVELOPMENT, "EventBridgeRunCommand", _trust("events.amazonaws.com"), inline=_SHELL_ON_DEV),
    _role(DEVELOPMENT, "NodeRole", _EC2, _CORE, has_profile=True),
    _role(DEVELOPMENT, "SSMServiceRole", _SSM, _CORE, path="/service-role/"),
    _role(DEVELOPMENT, "AWSServiceRoleForAmazonSSM", _SSM, _LINKED, path="/aws-service-role/ssm.amazonaws.com/"),
)

ORGANIZATION_ID, ROOT_ID = "o-fenwickrow1", "r-fenw"
_WORKLOADS, _PRODUCTION_UNIT, _DEVELOPMENT_UNIT = "ou-fenw-workload", "ou-fenw-prodwork", "ou-fenw-devwork1"
# Root or organizational unit → name, units in it, accounts in it.
PARENTS: Final[Mapping[str, tuple[str, Sequence[str], Sequence[str]]]] = {
    ROOT_ID: ("Root", [_WORKLOADS], [MANAGEMENT]),
    _WORKLOADS: ("Workloads", [_PRODUCTION_UNIT, _DEVELOPMENT_UNIT], []),
    _PRODUCTION_UNIT: ("Production", [], [PRODUCTION]),
    _DEVELOPMENT_UNIT: ("Development", [], [DEVELOPMENT]),
}
ACCOUNT_NAMES: Final = {MANAGEMENT: "management", PRODUCTION: "production", DEVELOPMENT: "development"}
_GUARDRAIL: Final = _policy(
    {"Sid": "NoRemoteScripts"} | _never_send("arn:aws:ssm:*:*:document/AWS-RunRemoteScript"),
    {"Sid": "OnlyOurRegions"}
    | _never_send("*", {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "us-east-2"]}}),
)
_EVERYWHERE: Final = (*PARENTS, *ACCOUNT_NAMES)
_FULL, _RCP_FULL = _policy(_allow("*", "*")), _policy(_allow("*", "*") | {"Principal": "*"})
# Policy → type, name, document, what it is attached to.
ORGANIZATION_POLICIES: Final[Mapping[str, tuple[str, str, Json, Sequence[str]]]] = {
    "p-FullAWSAccess": ("SERVICE_CONTROL_POLICY", "FullAWSAccess", _FULL, _EVERYWHERE),
    "p-devguard1": ("SERVICE_CONTROL_POLICY", "DevelopmentGuardrail", _GUARDRAIL, [_DEVELOPMENT_UNIT]),
    "p-RCPFullAWSAccess": ("RESOURCE_CONTROL_POLICY", "RCPFullAWSAccess", _RCP_FULL, _EVERYWHERE),
}
