"""The two EventBridge events of Run Command.

Sources: Systems Manager User Guide, "Amazon EventBridge event examples for Systems Manager"; which words `status` takes
is not listed there: the API's are used.
"""

from random import Random
from typing import Any, Final, Literal
from uuid import UUID

import pandas as pd

from ssmlab.commands.command import Command

OF_COMMAND: Final = "EC2 Command Status-change Notification"
OF_NODE: Final = "EC2 Command Invocation Status-change Notification"


def make_events(command: Command, random: Random) -> tuple[dict[str, Any], ...]:
    """An event for each status change of a command and its nodes, in time order."""
    columns = (command.history[name] for name in ("time", "node", "status"))
    return tuple(_make_event(command, random, *change) for change in zip(*columns, strict=True))


def _make_event(command: Command, random: Random, time: pd.Timestamp, node: str | None, status: str) -> dict[str, Any]:
    """The event of one status change, of the command (None) or of a node."""
    owner, name = command.document.split(":")[4], command.document.rpartition("/")[2]
    named = name if owner in ("", command.account) else command.document  # by its ARN where another account owns it
    detail: dict[str, Any] = {"command-id": command.command_id, "document-name": named}
    if node is None:
        detail["expire-after"] = say_time(command.expires, "milliseconds")
        detail["parameters"] = {name: list(values) for name, values in command.parameters.items()}
    else:
        detail["instance-id"] = node.rpartition("/")[2]
    return {
        "version": "0",
        "id": make_id(random),
        "detail-type": OF_COMMAND if node is None else OF_NODE,
        "source": "aws.ssm",
        "account": command.account,
        "time": say_time(time),
        "region": command.region,
        "resources": [*command.invocations["node"]] if node is None else [node],
        "detail": {**detail, "requested-date-time": say_time(command.requested, "milliseconds"), "status": status},
    }


def say_time(time: pd.Timestamp, unit: Literal["seconds", "milliseconds"] = "seconds") -> str:
    """A time as events hold it.

    Examples
    --------
    >>> say_time(pd.Timestamp("2016-07-10 21:51:30.049", tz="UTC"), "milliseconds")
    '2016-07-10T21:51:30.049Z'
    """
    return time.tz_convert(None).isoformat(timespec=unit) + "Z"


def make_id(random: Random) -> str:
    """An id that the seed decides."""
    return str(UUID(int=random.getrandbits(128), version=4))
