"""`CommandExplorer`: what becomes of a command. Reads the controls, asks the layers above, shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

import ipywidgets as w
import pandas as pd

from ssmlab.commands import Command, CommandError
from ssmlab.commands.scenarios import SCENARIOS
from ssmlab.reachability import reach
from ssmlab.widgets import command_views as views
from ssmlab.widgets.command_views import IDS, TARGETS, State
from ssmlab.widgets.controls import WIDE, RequestControls, area, dropdown, entry, fold, label_principals, list_options
from ssmlab.widgets.explorer import Explorer
from ssmlab.widgets.tables import scroll
from ssmlab.widgets.targets import TargetPicker
from ssmlab.widgets.texts import write_error, write_json
from ssmlab.widgets.timeline import count_endings, draw_timeline, say_end
from ssmlab.words import say_count

TIMELINE, INVOCATIONS, EVENTS, OUTPUT = range(4)
_MOST_ROWS: Final = 200
_NONE: Final = [("none", "")]
_EXAMPLE: Final = '{"web-1": {"exit_code": 1, "error": "no such file", "seconds": 4}}'
_RULE: Final = '[{"name": "again", "pattern": {"source": ["aws.ssm"]}, "targets": [{"Arn": …, "RoleArn": …}]}]'


class CommandExplorer(Explorer):
    """Choose sender, document, targets and how nodes answer; see what becomes of the command; select to read why.

    Parameters
    ----------
    snapshot
        From `ssmlab.load`.
    state
        Fields of `command_views.State` to start from, such as `sender="web-ops"`, `targets=[{"Key": "tag:Team",
        "Values": ["blue"]}]`. What is not given is chosen so that some nodes run the command and others do not.

    Examples
    --------
    >>> import ssmlab
    >>> CommandExplorer(ssmlab.load("data/sample"), sender="web-ops", region="us-east-2").command.reason
    '2 of 4 nodes ended in Success; 1 refused, 1 stopped or not managed, which is no error'
    """

    title = "What becomes of a command"
    state_type = State
    chosen = ("document", "by", "targets", "region")
    formats = ("CSV", "Parquet", "Picture")
    command: Command | None = None
    _sent: State | None = None  # the state of `command`
    _refused = ""

    def begin(self, given: Mapping[str, Any]) -> State:
        """A sender and a command worth looking at; the sender by name or ARN."""
        self._names = self.snapshot.nodes["name"].astype("object").fillna("")
        self._ids = views.name_nodes(self.snapshot)
        return views.begin_state(self.snapshot, given)

    def make_controls(self) -> dict[str, w.Widget]:
        """A control for each field."""
        state, snapshot = self.state, self.snapshot
        senders = [(label, arn) for arn, label in label_principals(snapshot.principals).items()]
        documents = list_options(snapshot.documents["name"])
        regions = [("that of the nodes", ""), *list_options(snapshot.nodes["region"])]
        return {
            "sender": dropdown("Sender", senders or _NONE, state.sender),
            "document": dropdown("Document", documents or _NONE, state.document),
            "by": dropdown("Send to", [(name, name) for name in (TARGETS, IDS)], state.by),
            "targets": TargetPicker(snapshot.nodes, state.targets),
            "instance_ids": area("Ids", state.instance_ids, "i-…, mi-…: at most 50"),
            "region": dropdown("Region", regions, state.region),
            "answers": dropdown("Nodes", [(name, name) for name in SCENARIOS], state.answers),
            "max_errors": entry("Max errors", state.max_errors, "0 or 10%"),
            "max_concurrency": entry("At once", state.max_concurrency, "50 or 10%"),
            "responses": area("Responses by node, as JSON", state.responses, _EXAMPLE),
            "parameters": area("Parameters of the document, as JSON", state.parameters, '{"commands": ["uptime"]}'),
            "context": RequestControls(state.context),
            "groups": area("Resource groups, as JSON", state.groups, '{"web": ["i-…", "mi-…"]}'),
            "rules": area("EventBridge rules, as JSON", state.rules, _RULE),
            "live": w.Checkbox(description="simulate at every change", value=state.live, indent=False, layout=WIDE),
        }

    def arrange(self) -> list[w.Widget]:
        """What is sent to which nodes, always; all else can be folded."""
        folds = {
            "Nodes say, parameters": ("responses", "parameters"),
            RequestControls.heading: ("context",),
            "Rules, resource groups": ("rules", "groups"),
        }
        inner = {title: w.VBox([self.controls[name] for name in names]) for title, names in folds.items()}
        hidden = {name for names in folds.values() for name in names} | {"live"}
        send = self.build_button("Simulate", self._send_now, "nothing is sent to AWS", layout=WIDE)
        above = [control for name, control in self.controls.items() if name not in hidden]
        words = w.HTML("<p>Nothing leaves this machine.</p>")
        return [w.HTML("<b>Ask</b>"), *above, fold(inner), self.controls["live"], send, words]

    def make_views(self) -> dict[str, w.Widget]:
        """Timeline, invocations, events and output."""
        self._picture = w.HTML(layout=WIDE)
        shown = (INVOCATIONS, EVENTS, OUTPUT)
        tables = self._tables = {view: self.build_table(partial(self._explain, view), height=370) for view in shown}
        named = {"Invocations": tables[INVOCATIONS], "Events": tables[EVENTS], "Output": tables[OUTPUT]}
        return {"Timeline": scroll(self._picture, 390, tabbable=True), **named}

    def to_picture(self) -> str | None:
        """The timeline."""
        return draw_timeline(self.command, self._names) if self.command else None

    def to_frame(self) -> pd.DataFrame:
        """What is seen, as a table, complete: the history, the invocations, the events or what was written."""
        if not self.command:
            return pd.DataFrame()
        command, seen = self.command, self.seen
        if seen == EVENTS:
            return pd.json_normalize([dict(event) for event in command.events]).astype("str")
        return {TIMELINE: command.history, INVOCATIONS: command.invocations, OUTPUT: command.log_events}[seen]

    # --- State to views ---

    def show(self) -> None:
        """Send, if something has changed and changes are sent; then draw what is seen."""
        for name, by in (("targets", TARGETS), ("instance_ids", IDS)):
            self.controls[name].layout.display = None if by == self.state.by else "none"
        asked = replace(self.state, live=True)
        if self._sent is None or (self.state.live and self._sent != asked):
            self._ask(asked)
        self._draw()
        if self._sent != asked:
            self.say("The controls have changed: press Simulate.")

    def _send_now(self) -> None:
        self._sent = None
        self.update()

    def _ask(self, state: State) -> None:
        self.command, self._sent, self._refused = None, state, ""
        try:
            self.command = views.send_state(self.snapshot, state)
        except CommandError as error:
            self._refused = views.explain_refusal(reach(self.snapshot, context=state.context), state, error)
        except (KeyError, ValueError) as error:
            self._refused = write_error(error)

    def _draw(self) -> None:
        if self.command is None:
            self._picture.value, self.why.value = "", self._refused
            for table in self._tables.values():
                table.show(pd.DataFrame({"": []}), "")
            self.say("No command was made: Why says what is refused.")
            return
        self.why.value = views.explain_command(self.command, self._names)
        self.say(say_end(self.command))
        seen = self.seen
        if seen == TIMELINE:
            self._picture.value = draw_timeline(self.command, self._names)
        else:
            frame, words = self._list(seen, self.command)
            cut = f"first {_MOST_ROWS} of " if len(frame) > _MOST_ROWS else ""
            self._tables[seen].show(frame.head(_MOST_ROWS), cut + words)

    def _list(self, seen: int, command: Command) -> tuple[pd.DataFrame, str]:
        if seen == INVOCATIONS:
            return views.list_invocations(command, self._names), count_endings(command).rstrip(".")
        if seen == EVENTS:
            events = command.events
            return views.list_events(events, self._ids), f"{say_count(len(events), 'event')}, in time order"
        return views.list_outputs(command, self._names), views.tell_outputs(command)

    def _explain(self, view: int, row: int) -> str:
        command = self.command
        if command is None:
            return self._refused
        if view == INVOCATIONS:
            return views.explain_invocation(command, row, self._names)
        return write_json(command.events[row]) if view == EVENTS else views.explain_output(command, row)
