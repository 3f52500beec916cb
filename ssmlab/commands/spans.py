"""The statuses of a command over time, for a picture: from when to when who was in which."""

from typing import Final

import pandas as pd

from ssmlab.commands.command import Command

MOST_NODES: Final = 40


def list_spans(command: Command) -> pd.DataFrame:
    """From when to when the command and its nodes were in which status.

    Returns
    -------
    DataFrame
        A row a status change: `node` (ARN; None: the command), `status_details`, `reason`, `begin` and `end` in seconds
        since the request; what has ended ends where it begins.

    Examples
    --------
    >>> import ssmlab
    >>> snapshot = ssmlab.load("data/sample")
    >>> call = {"instance_ids": "i-0123456789abcdef0", "responses": {"seconds": 2}}
    >>> command = ssmlab.commands.send_command(snapshot, "web-ops", "AWS-RunShellScript", **call)
    >>> spans = list_spans(command)
    >>> spans[spans["node"].notna()][["status_details", "begin", "end"]].values.tolist()
    [['Pending', 0.0, 0.204], ['InProgress', 0.204, 2.509], ['Success', 2.509, 2.509]]
    """
    spans = command.history[["node", "status_details", "reason"]].copy()
    spans["begin"] = (command.history["time"] - command.requested).dt.total_seconds()
    spans["end"] = spans.groupby("node", dropna=False)["begin"].shift(-1).fillna(spans["begin"])
    return spans


def fold_nodes(invocations: pd.DataFrame, most: int = MOST_NODES) -> tuple[list[str], dict[str, int]]:
    """The nodes to draw, in their order and of every ending some; how many more ended how.

    Examples
    --------
    >>> ends = pd.DataFrame({"node": [*"abcd"], "status_details": ["Success", "Success", "Success", "Failed"]})
    >>> fold_nodes(ends, most=2)
    (['a', 'd'], {'Success': 2})
    """
    turn = invocations.groupby("status_details").cumcount()
    shown = invocations.index.isin(turn.sort_values(kind="stable").index[:most])
    rest = invocations.loc[~shown, "status_details"].value_counts(sort=False)
    return [*invocations.loc[shown, "node"]], {str(details): int(count) for details, count in rest.items()}
