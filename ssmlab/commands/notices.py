"""The two EventBridge events of Run Command.

Sources: Systems Manager User Guide, "Amazon EventBridge event examples for Systems Manager"; which words `status` takes
is not listed there: the API's are used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final, Literal
from uuid import UUID

import pandas as pd

OF_COMMAND: Final = "EC2 Command Status-change Notification"
OF_NODE: Final = "EC2 Command Invocation Status-change Notification"


@dataclass(frozen=True, slots=True)
class Sender:
    """What all events of a command share."""

    command_id: str
    document: str
    account: str
    region: str
    requested: pd.Timestamp
    expires: pd.Timestamp
    parameters: Mapping[str, Sequence[str]]


def make_event(
    sender: Sender, time: pd.Timestamp, node: str | None, nodes: Sequence[str], status: str, random: Random
) -> dict[str, Any]:
    """The event of one status change, of the command (None) or of a node, given by its ARN."""
    detail: dict[str, Any] = {"command-id": sender.command_id, "document-name": sender.document}
    if node is None:
        detail["expire-after"] = say_time(sender.expires, "milliseconds")
        detail["parameters"] = {name: list(values) for name, values in sender.parameters.items()}
    else:
        detail["instance-id"] = node.rpartition("/")[2]
    return {
        "version": "0",
        "id": make_id(random),
        "detail-type": OF_COMMAND if node is None else OF_NODE,
        "source": "aws.ssm",
        "account": sender.account,
        "time": say_time(time),
        "region": sender.region,
        "resources": [*nodes] if node is None else [node],
        "detail": {**detail, "requested-date-time": say_time(sender.requested, "milliseconds"), "status": status},
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
