"""What a node writes: as the API cuts it, and whole as CloudWatch Logs gets it, if the node's role may write there.

Sources: API reference, `GetCommandInvocation` and `CommandPlugin`; Systems Manager User Guide, "Configuring Amazon
CloudWatch Logs for Run Command"; recordings of AWS, September 2026, for marks and stream names.
"""

from collections import defaultdict
from typing import Final

from ssmlab.commands.answers import Answer
from ssmlab.commands.rights import decide_right, find_node_roles
from ssmlab.evaluation import Outcome
from ssmlab.snapshots import Snapshot

MOST_OUTPUT, MOST_CONTENT, MOST_ERROR_CONTENT = 2_500, 24_000, 8_000  # characters
_CUT: Final = "\n---Output truncated---"
_ERROR: Final = "\n----------ERROR-------\n"
_NEEDED: Final = ("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents")
_NO_ROLE: Final = "the role of some nodes is not known; taken is that it may write to CloudWatch Logs"


def cut(text: str, most: int) -> str:
    r"""The text as the API shows it, at most so many characters, the mark included.

    Examples
    --------
    >>> cut("a" * 40, 30)
    'aaaaaaa\n---Output truncated---'
    """
    return text if len(text) <= most else text[: most - len(_CUT)] + _CUT


def standard_output_content(text: str) -> str:
    """Standard output as GetCommandInvocation shows it: at most 24,000 characters."""
    return cut(text, MOST_CONTENT)


def standard_error_content(text: str) -> str:
    """Standard error as GetCommandInvocation shows it: at most 8,000 characters."""
    return cut(text, MOST_ERROR_CONTENT)


def join_output(output: str, error: str) -> str:
    """Both streams as ListCommandInvocations shows them: at most 2,500 characters."""
    return cut(output + (_ERROR + error if error else ""), MOST_OUTPUT)


def read_streams(answer: Answer) -> dict[str, str]:
    """What a node that ran the command wrote, by stream; an exit code that is not 0 is told on standard error."""
    told = f"failed to run commands: exit status {answer.exit_code}" if answer.exit_code else ""
    gap = "\n" if answer.error and told and not answer.error.endswith("\n") else ""
    return {"stdout": answer.output, "stderr": answer.error + gap + told}


def name_log_group(given: str | bool | None, document: str) -> str:
    """The log group of a command: given, by the document's name, or "", none."""
    return f"/aws/ssm/{document}" if given is True else given or ""


def name_stream(command_id: str, node_id: str, plugin: str, stream: str) -> str:
    """The log stream of a node's output: a stream's name holds no colon.

    Examples
    --------
    >>> name_stream("08b7ceaf", "i-1", "aws:runShellScript", "stdout")
    '08b7ceaf/i-1/aws-runShellScript/stdout'
    """
    return f"{command_id}/{node_id}/{plugin.replace(':', '-')}/{stream}"


def check_writing(
    snapshot: Snapshot, nodes: list[str], region: str, group: str, *, exists: bool
) -> tuple[list[tuple[str, str, str, str]], list[str]]:
    """Nodes (ARNs) whose role may not write to a log group, with finding, why and mend; and what is doubtful."""
    by_role, findings, doubts = defaultdict[str | None, list[str]](list), list[tuple[str, str, str, str]](), list[str]()
    for node, role in find_node_roles(snapshot, snapshot.nodes.loc[nodes]).items():
        by_role[role].append(node)
    for role, members in by_role.items():
        missing = _find_missing(snapshot, role, region, group, exists=exists) if role else {}
        refused = ", ".join(name for name, outcome in missing.items() if outcome is not Outcome.CONDITIONAL)
        if role is None:
            doubts.append(_NO_ROLE)
        elif refused:
            name = role.rpartition("/")[2]
            why = f"its role {name} may not {refused} for log group `{group}`"
            mend = f"allow {name} {refused} on `log-group:{group}:*`, logs:DescribeLogGroups on `*`"
            findings += [(node, "log-group-not-writable", why, mend) for node in members]
        elif missing:
            opened = f"{', '.join(missing)} for log group `{group}`"
            doubts.append(f"whether {role} may {opened} hangs on keys that are not known")
    return findings, doubts


def _find_missing(snapshot: Snapshot, role: str, region: str, group: str, *, exists: bool) -> dict[str, Outcome]:
    """What a node's role may not, or not for certain, do to write to a log group."""
    start = f"arn:{role.split(':')[1]}:logs:{region}:{role.split(':')[4]}:log-group:"
    needed = dict.fromkeys(_NEEDED, f"{start}{group}:log-stream:x")
    needed |= {} if exists else {"logs:CreateLogGroup": f"{start}{group}:log-stream:"}
    needed["logs:DescribeLogGroups"] = f"{start}:log-stream:"  # of all groups: only a policy on `*` fits
    context = {"aws:RequestedRegion": region}
    found = {name: decide_right(snapshot, role, name, arn, context).outcome for name, arn in needed.items()}
    return {name: outcome for name, outcome in found.items() if outcome is not Outcome.ALLOWED}
