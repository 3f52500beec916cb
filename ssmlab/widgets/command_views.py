"""What the command explorer shows for a state of its controls: pure, without widgets, tested without a browser."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd

from ssmlab.commands import AccessDenied, Command, CommandError
from ssmlab.commands.notices import OF_COMMAND, OF_NODE
from ssmlab.commands.scenarios import SCENARIOS, first_command, play_scenario, read_object, read_rules
from ssmlab.explanation import last_part
from ssmlab.reachability import Reach, reach
from ssmlab.reachability.names import find_principal
from ssmlab.snapshots import Snapshot
from ssmlab.widgets.filters import Filters, choose_nodes
from ssmlab.widgets.targets import Target
from ssmlab.widgets.texts import show_controls, write_explanation, write_lines, write_list, write_text
from ssmlab.widgets.timeline import say_status
from ssmlab.widgets.views import first_principals
from ssmlab.words import say_count

TARGETS, IDS = "targets", "instance ids"
_LONGEST: Final = 200
_KINDS: Final = {OF_COMMAND: "command", OF_NODE: "node"}


@dataclass(frozen=True, slots=True)
class State:
    """What the controls say.

    Attributes
    ----------
    sender
        ARN of a principal.
    document
        Name.
    by
        How nodes are chosen: "targets" or "instance ids".
    targets
        As in `send_command`.
    instance_ids
        Ids, apart by commas, blanks or lines.
    groups
        `resource_groups` as in `send_command`, as JSON.
    region, max_concurrency, max_errors, context
        As in `send_command`; an empty Region is chosen by it.
    answers
        One of `SCENARIOS`.
    responses, parameters
        As in `send_command`, as JSON.
    rules
        A JSON list of rules.
    live
        Send at every change, not only by the button.
    """

    sender: str = ""
    document: str = ""
    by: str = TARGETS
    targets: tuple[Target, ...] = ()
    instance_ids: str = ""
    groups: str = ""
    region: str = ""
    max_concurrency: str = "50"
    max_errors: str = "0"
    answers: str = next(iter(SCENARIOS))
    responses: str = ""
    parameters: str = ""
    context: Mapping[str, str | None] = field(default_factory=dict)
    rules: str = ""
    live: bool = True


def begin_state(snapshot: Snapshot, given: Mapping[str, Any]) -> State:
    """A state of these fields; what is not given is chosen so that some nodes run the command and others do not."""
    known = reach(snapshot)
    if "sender" in given:
        sender = str(snapshot.principals.index[find_principal(snapshot, given["sender"])])
    else:
        sender = next(iter(first_principals(known)), "")
    first: dict[str, Any] = {"document": next(iter(snapshot.documents["name"].astype(str)), "")}
    first |= first_command(known, sender) if sender else {}
    if "instance_ids" in given:
        first.pop("targets", None)
    by = {"by": IDS} if given.get("instance_ids") else {}
    return State(**{**first, **by, **given, "sender": sender})


def send_first(snapshot: Snapshot) -> tuple[Command | None, str]:
    """A command worth looking at, which on some nodes fails; or None, and why none can be sent here."""
    try:
        state = begin_state(snapshot, {"answers": "every third fails", "max_errors": "100%"})
        return send_state(snapshot, state), ""
    except CommandError as error:
        why = error.message.partition("\n")[0]
    except (KeyError, ValueError) as error:
        why = str(error.args[0] if error.args else error)
    return None, f"no first command can be sent on this snapshot: {why}"


def tell_first(data: Any, found: Sized) -> str:
    """Why a snapshot gave no events and no output, where no command can be sent on it."""
    why = send_first(data)[1] if isinstance(data, Snapshot) and not len(found) else ""
    return show_controls(f"; {why}" if why else "")


def send_state(snapshot: Snapshot, state: State) -> Command:
    """Send the command that the controls describe.

    Raises
    ------
    AccessDenied, CommandError, KeyError, ValueError
        As in `send_command`; and for a text that is no JSON.
    """
    if not (state.sender and state.document):
        raise ValueError("choose a sender and a document")
    ids = state.instance_ids.replace(",", " ").split()
    return play_scenario(
        snapshot,
        state.answers,
        read_object("responses", state.responses),
        principal=state.sender,
        document=state.document,
        instance_ids=ids if state.by == IDS else None,
        targets=state.targets if state.by == TARGETS else None,
        resource_groups=read_object("resource groups", state.groups),
        region=state.region or None,
        parameters=read_object("parameters", state.parameters),
        max_concurrency=state.max_concurrency.strip(),
        max_errors=state.max_errors.strip(),
        context=state.context,
        rules=read_rules(state.rules),
    )


def list_invocations(command: Command, names: pd.Series[Any]) -> pd.DataFrame:
    """The nodes as people read them."""
    rows = command.invocations
    output = zip(rows["output"], rows["reason"], strict=True)
    shown = {
        "node": [_label(arn, names) for arn in rows["node"]],
        "status": rows["status"],
        "details": rows["status_details"],
        "code": ["not run" if code < 0 else str(code) for code in rows["response_code"]],
        "output, or why there is none": [shorten(text or why, 60) for text, why in output],
    }
    return pd.DataFrame(shown)


def name_nodes(data: Any) -> dict[str, str]:
    """The names of nodes by id, where a snapshot or the command's knows them."""
    snapshot = data.reach.snapshot if isinstance(data, Command) else data
    named = snapshot.nodes[["node_id", "name"]].dropna() if isinstance(snapshot, Snapshot) else pd.DataFrame()
    return dict(named.itertuples(index=False, name=None))


def list_events(events: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> pd.DataFrame:
    """Events as people read them, with the names of nodes by id; what is missing is empty."""
    details = [_get_detail(event) for event in events]
    return pd.DataFrame(
        {
            "time": [shorten(str(event.get("time", ""))).partition("T")[2] for event in events],
            "of": [_KINDS.get(kind := str(event.get("detail-type", "")), shorten(kind)) for event in events],
            "who": [
                shorten(names.get(node := str(d.get("instance-id") or "")) or node, 30)
                or shorten(str(d.get("command-id") or ""), 8)
                for d in details
            ],
            "status": [shorten(str(detail.get("status", ""))) for detail in details],
            "document": [shorten(str(detail.get("document-name", ""))) for detail in details],
        },
        dtype="str",
    )


def _get_detail(event: Mapping[str, Any]) -> Mapping[str, Any]:
    detail = event.get("detail")
    return detail if isinstance(detail, Mapping) else {}


def list_outputs(command: Command, names: pd.Series[Any]) -> pd.DataFrame:
    """What was written to CloudWatch Logs."""
    rows, nodes = command.log_events, command.invocations.set_index("node_id")["node"]
    streams = rows["log_stream"].astype(str).str.split("/")
    shown = {
        "time": rows["timestamp"].dt.strftime("%H:%M:%S.%f").str[:-3],
        "node": [_label(nodes[node_id], names) for node_id in streams.str[1]],
        "stream": streams.str[-1],
        "characters": rows["message"].str.len(),
        "message": [shorten(text) for text in rows["message"]],
    }
    return pd.DataFrame(shown)


def shorten(text: str, most: int = _LONGEST) -> str:
    """The begin of a text, on one line, control characters visible."""
    return show_controls(text[:most]) + "…" * (len(text) > most)


def explain_command(command: Command, names: pd.Series[Any]) -> str:
    """HTML of what one should know of it."""
    lacking = command.findings.groupby("why", sort=False)["node"]
    finds = [f"{', '.join(_name(node, names) for node in nodes)}: {why}" for why, nodes in lacking]
    started = [f"{c.document.rpartition('/')[2]}: {say_status(c)}, {c.reason}" for c in command.started]
    idle = command.rules[command.rules["command"].isna()].drop_duplicates(["rule", "reason"])
    refused = [f"rule {rule}: {reason}" for rule, reason in zip(idle["rule"], idle["reason"], strict=True)]
    parts = {
        "Output that is not written": finds,
        "Started by rules": started,
        "Rules that started nothing": refused,
        "Note": [*command.notes],
        "Doubt": [*command.doubts],
    }
    lists = [f"<b>{head}</b>{write_list(lines, 8)}" for head, lines in parts.items() if lines]
    return "".join(lists) + write_lines("Choose a row of Invocations to read why a node ended so.")


def explain_invocation(command: Command, row: int, names: pd.Series[Any]) -> str:
    """HTML of a node: how it ended and what it wrote; last why it may be reached, folded where that did not end it."""
    found = command.invocations.iloc[row]
    head = f"{_name(found['node'], names)}: {found['status_details']}, {found['reason']}."
    cut = "" if "Output truncated" not in found["output"] else "The API cuts it after 2,500 characters."
    output = write_text(found["output"]) if found["output"] else write_lines("No output.")
    why = command.explain(found["node"])
    is_refused, may = found["status_details"] == "AccessDenied", "may" if why.outcome == "allowed" else "may not"
    access = f"<summary><b>Why it {may} run there</b></summary>{write_explanation(why)}"
    return write_lines(head) + output + write_lines(cut) + f"<details{' open' * is_refused}>{access}</details>"


def explain_output(command: Command, row: int) -> str:
    """HTML of a log event, whole."""
    found = command.log_events.iloc[row]
    place = write_lines(f"Log group {found['log_group']}", f"Log stream {found['log_stream']}")
    return place + write_text(found["message"])


def tell_outputs(command: Command) -> str:
    """What was written where, in words; or why nothing was."""
    events = command.log_events
    if len(events):
        streams = say_count(events["log_stream"].nunique(), "stream")
        return f"{streams} in log group {events['log_group'].iloc[0]}"
    if len(command.findings):
        return "Nothing is in CloudWatch Logs: the nodes' roles may not write there, see Why."
    return "Nothing is in CloudWatch Logs: no node wrote anything."


def explain_refusal(known: Reach, state: State, error: CommandError) -> str:
    """HTML of why AWS refuses the whole call; for a refused access by the policies, on the node that was asked for."""
    words, _, told = error.message.partition("\n")
    own = f"<details><summary>AWS's own words</summary>{write_lines(told)}</details>" if told else ""
    said = f"<p role='alert'><b>{html.escape(error.name)}</b></p>{write_lines(words)}{own}"
    if not isinstance(error, AccessDenied):
        return said
    nodes = known.snapshot.nodes
    here = nodes.index[choose_nodes(nodes, Filters(account=state.sender.split(":")[4], region=state.region))]
    node = error.resource if error.resource in nodes.index else next(iter(here), None)
    return said + (write_explanation(known.explain(state.sender, node, state.document)) if node else "")


def _label(arn: str, names: pd.Series[Any]) -> str:
    return show_controls(str(names.get(arn, "")) or last_part(arn))


def _name(arn: str, names: pd.Series[Any]) -> str:
    name = str(names.get(arn, ""))
    return f"{name} ({last_part(arn)})" if name else last_part(arn)
