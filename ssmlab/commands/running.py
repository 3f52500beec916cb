"""`send_command`: SendCommand on a snapshot, and what becomes of it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import Any, Final, Literal

import pandas as pd

from ssmlab.commands.answers import Responses, read_responses
from ssmlab.commands.calls import read_call
from ssmlab.commands.command import Command
from ssmlab.commands.contents import Content, read_content
from ssmlab.commands.following import follow_rules
from ssmlab.commands.plans import Settings
from ssmlab.commands.rights import Context
from ssmlab.commands.sending import send_call
from ssmlab.commands.statuses import Readings, choose_readings
from ssmlab.commands.targets import Groups
from ssmlab.events import Rule, Rules
from ssmlab.reachability.names import find_principal
from ssmlab.snapshots import Snapshot

_START: Final = "2026-01-05T09:00:00Z"
_SESSION: Final = re.compile(r"arn:[^:]+:sts::(\d+):assumed-role/([^/]+)/.*")


def send_command(
    snapshot: Snapshot,
    principal: str,
    document: str,
    instance_ids: Iterable[str] | str | None = None,
    targets: Sequence[Mapping[str, Any]] | None = None,
    region: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    max_concurrency: str | int = "50",
    max_errors: str | int = "0",
    timeout_seconds: int | None = None,
    responses: Responses = None,
    context: Context | None = None,
    *,
    cloudwatch_log_group: str | bool | None = True,
    content: Mapping[str, Any] | str | None = None,
    resource_groups: Groups | None = None,
    unknown: Literal["refuse", "allow"] = "refuse",
    readings: Readings | None = None,
    cancel_after: float | None = None,
    alarm_after: float | None = None,
    pending_limit: int | None = None,
    start: str | pd.Timestamp = _START,
    seed: int = 0,
    rules: Iterable[Rule] | Rules = (),
) -> Command:
    """Send a command as AWS would, and follow it to its end.

    Parameters
    ----------
    snapshot
        From `ssmlab.load`.
    principal
        Who sends it: ARN or name; a session of a role is that role.
    document
        Name; ARN for one that another account shares.
    instance_ids, targets
        One of the two, as in AWS: ids (or ARNs) of nodes, or up to five `{"Key": …, "Values": […]}`.
    region
        Default: that of the document's ARN, or the only one in which the account has such nodes.
    parameters
        Of the document, by name; checked if its content is known. None: not looked at.
    max_concurrency, max_errors
        A number or a percentage of the nodes.
    timeout_seconds
        How long a node may take to get the command; default 3,600 (the console gives 600). With the time-out of the
        document's steps, after so long all ends.
    responses
        How nodes answer: a mapping with `exit_code`, `output`, `error`, `seconds`, or a tuple of exit code, output and
        seconds, for all; or one such a node by ARN, id or name; or a function of the node's ARN. What is not said: exit
        code 0, no output, 1 to 3 seconds.
    context
        Keys of the request, as in `ssmlab.reach`; None: known to be absent.
    cloudwatch_log_group
        True: `/aws/ssm/DOCUMENT`, which the nodes may have to make; a name of one that is there; None: output is not
        sent to CloudWatch Logs.
    content
        The document's content, if the snapshot has not loaded it: an object, or JSON or YAML.
    resource_groups
        What the account's groups hold, by name: ARNs or ids of nodes.
    unknown
        A resource whose answer hangs on a key of the request that `context` does not give: refused, or allowed.
    readings
        Where AWS's documentation says two things, the other one: see `ssmlab.commands.READINGS`.
    cancel_after
        Seconds after which CancelCommand is called.
    alarm_after
        Seconds after which the command's CloudWatch alarm (AlarmConfiguration) goes off, which is OK when it is sent: a
        call whose alarm is off already, or not there, AWS was seen to refuse, but not how, so that is not simulated.
    pending_limit
        Nodes that an account may have pending; AWS's figure is not published.
    start, seed
        When it is sent; what decides the ids and the moments at which nodes answer.
    rules
        Of the event bus, with targets: those that are documents start commands, which rules hear of in turn. The role
        of the target decides what they reach.

    Returns
    -------
    Command

    Raises
    ------
    AccessDenied
        The caller may not use the document, or one of the nodes of `instance_ids`.
    CommandError
        With AWS's `name`: "ValidationException", "InvalidInstanceId", "InvalidDocument", "InvalidParameters", …
    KeyError
        For a principal, or a node of `responses`, that is not known.
    ValueError
        For what is wrong with the other arguments, which AWS does not know.

    Examples
    --------
    >>> import ssmlab
    >>> snapshot = ssmlab.load("data/sample")
    >>> team = [{"Key": "tag:Team", "Values": ["blue"]}]
    >>> command = ssmlab.commands.send_command(snapshot, "web-ops", "AWS-RunShellScript", None, team, "us-east-2")
    >>> command.status, command.invocations["status_details"].value_counts().to_dict()
    ('Success', {'Success': 2, 'AccessDenied': 1, 'Undeliverable': 1})
    >>> command.reason
    '2 of 4 nodes ended in Success; 1 refused, 1 stopped or not managed, which is no error'
    """
    if unknown not in ("refuse", "allow"):
        raise ValueError(f"expected `unknown` as `refuse` or `allow`, got `{unknown}`")
    for name, after in (("cancel_after", cancel_after), ("alarm_after", alarm_after)):
        if after is not None and not (isinstance(after, int | float) and after >= 0):
            raise ValueError(f"expected `{name}` as seconds from 0, got `{after}`")
    asked = document, instance_ids, targets, region, parameters, _read_time(start)
    call = read_call(*asked, max_concurrency, max_errors, timeout_seconds, cancel_after, alarm_after)
    settings = Settings(
        snapshot,
        read_responses(responses, snapshot.nodes),
        dict(context or {}),
        resource_groups or {},
        unknown == "allow",
        choose_readings(readings),
        cloudwatch_log_group,
        lambda arn: _find_content(snapshot, arn, content if _name(arn) == _name(document) else None),
        pending_limit,
        Random(seed),
    )
    return follow_rules(settings, send_call(settings, call, _find_sender(snapshot, principal)), rules)


def _find_sender(snapshot: Snapshot, name: str) -> str:
    """The ARN of a principal by ARN or name; of a role by that of a session."""
    if session := _SESSION.fullmatch(name):
        roles = re.compile(rf"arn:[^:]+:iam::{session[1]}:role/(.*/)?{re.escape(session[2])}")
        name = next(filter(roles.fullmatch, snapshot.principals.index), name)
    return str(snapshot.principals.index[find_principal(snapshot, name)])


def _find_content(snapshot: Snapshot, arn: str, given: Mapping[str, Any] | str | None) -> Content:
    name, loaded = _name(arn), snapshot.documents.get("content")
    if given is None and loaded is not None and isinstance(loaded[arn], str):
        given = str(loaded[arn])
    return read_content(name, given)


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]


def _read_time(start: str | pd.Timestamp) -> pd.Timestamp:
    time = pd.Timestamp(start)
    return (time.tz_localize("UTC") if time.tz is None else time.tz_convert("UTC")).as_unit("ms")
