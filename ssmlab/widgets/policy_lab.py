"""`PolicyLab`: write a policy and try it. Reads the editor, asks the layers above, shows."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

import ipywidgets as w
import pandas as pd

from ssmlab.explanation import last_part
from ssmlab.findings import check_policies
from ssmlab.policies import PolicyError, TextProblem, check_text, find_lines, line_of, parse_policy, read_examples
from ssmlab.reachability import Reach, reach
from ssmlab.snapshots import Snapshot
from ssmlab.snapshots.changes import describe_unknown
from ssmlab.snapshots.memory import Memory
from ssmlab.snapshots.trials import list_holders, narrow, new_user, write_policy
from ssmlab.widgets.controls import WIDE, PrincipalPicker, RequestControls, dropdown
from ssmlab.widgets.tables import TableView
from ssmlab.widgets.texts import write_lines
from ssmlab.widgets.whatif import WhatIf

_SEND: Final = "ssm:SendCommand"
_MOST_NAMED: Final = 3
_LABELS: Final = {"scp": "SCP ", "rcp": "RCP ", "boundary": "boundary "}


@dataclass(frozen=True, slots=True)
class PolicyState:
    """What the controls say.

    Attributes
    ----------
    policy
        A policy of the snapshot by its id, or a starting point by its name. Empty: one that allows Run Command.
    text, saved
        The text as it is and as it was saved; None: as the policy is in the snapshot.
    principals
        ARNs to attach it to, too, and to draw; none: those that hold it, or a new user.
    context
        Keys of the request; None: known to be absent.
    """

    policy: str = ""
    text: str | None = None
    saved: str | None = None
    principals: tuple[str, ...] = ()
    context: Mapping[str, str | None] = field(default_factory=dict)


class PolicyLab(WhatIf):
    """Write one policy; see at once what it reaches, what is wrong with it, and who gains and loses by it.

    A policy of the snapshot stays attached where it is, with the text that is written here; a starting point is
    attached to a new user. Other principals can be given it, too.

    Parameters
    ----------
    snapshot
        From `ssmlab.load`.
    state
        Fields of `PolicyState` to start from, such as `policy="page 1: one tag"`.

    Examples
    --------
    >>> import ssmlab
    >>> lab = PolicyLab(ssmlab.load("data/sample"), policy="page 1: one tag")
    >>> lab.graph.caption
    'user/new-user reaches 6 of 53 managed nodes. 2 more are not managed: no command reaches them yet.'
    """

    title = "Write a policy and try it"
    state_type = PolicyState

    def begin(self, given: Mapping[str, Any]) -> PolicyState:
        """Without a policy, one of the snapshot that allows Run Command."""
        state = PolicyState(**{**given, "principals": tuple(given.get("principals", ()))})
        self._memory, self._readable = Memory(), ""
        people = self.snapshot.principals.index
        if unknown := [arn for arn in state.principals if arn not in people]:
            raise ValueError(f"expected ARNs of principals, got `{unknown[0]}`")
        if state.policy not in (known := ["", *read_examples(), *self.snapshot.policies.index]):
            raise ValueError(describe_unknown("policy", state.policy, known))
        return state if state.policy else replace(state, policy=_first_policy(self.snapshot))

    def make_controls(self) -> dict[str, w.Widget]:
        """The policy, the editor, to whom it is attached, and the request."""
        policies, known = self.snapshot.policies, self.snapshot.policies["document"].notna()
        own = [
            (_LABELS.get(layer, "") + last_part(str(policy)), str(policy))
            for policy, layer in policies["layer"][known].items()
        ]
        examples = [(f"start from: {name}", name) for name in read_examples()]
        self.editor = w.Textarea(
            description="Policy", value=self._text(self.state.text), continuous_update=True, rows=17, layout=WIDE
        )
        self.editor.add_class("ssmlab-editor")
        return {
            "policy": dropdown("Load", [*examples, *own], self.state.policy),
            "text": self.editor,
            "principals": PrincipalPicker(self.snapshot.principals, self.state.principals, nobody="Only its holders"),
            "context": RequestControls(self.state.context),
        }

    def arrange(self) -> list[w.Widget]:
        """The editor with what is wrong in it; the rest can be folded."""
        self._wrong, self._held = w.HTML(), w.HTML()
        for words in (self._wrong, self._held):
            words.add_class("ssmlab-words")
        self._save = w.Button(description="Save this version", tooltip="changes are told against it", layout=WIDE)
        self._save.on_click(lambda _: self._keep())
        inner = [self.controls["principals"], self.controls["context"]]
        folded = w.Accordion(inner, titles=("Attach it to others", "Request: MFA, IP, time"), selected_index=None)
        return [self.controls["policy"], self._held, self.editor, self._wrong, self._save, folded]

    def make_views(self) -> dict[str, w.Widget]:
        """Those of a change, and the findings."""
        self.findings = TableView(selected=self._explain_finding)
        return {**super().make_views(), "Findings": self.findings}

    def react(self, field: str) -> None:
        """Another policy brings its own text."""
        if field == "policy":
            self.state = replace(self.state, saved=None)
            self.set_control("text", self._text(None))
            self.state = replace(self.state, text=None)

    def show(self) -> None:
        """What is wrong with the text beside it, then as for every change."""
        self._problems = check_text(self.editor.value, self._layer)
        self._wrong.value = _list_problems(self._problems, self.editor.value)
        super().show()
        holders, more = self.whom[:_MOST_NAMED], len(self.whom) - _MOST_NAMED
        held = ", ".join(map(last_part, holders)) + (f" and {more} more" if more > 0 else "")
        self._held.value = write_lines(f"Attached to {held}" if held else "Attached to nobody")
        self._save.disabled = self.editor.value == self._text(self.state.saved)

    def show_more(self) -> list[Any]:
        """The findings."""
        return [self._show_findings]

    def to_frame(self) -> pd.DataFrame:
        """The findings where they are seen."""
        return self._find() if self.tabs.selected_index == 3 else super().to_frame()

    def decide(self) -> tuple[Reach, Reach, Sequence[str]]:
        """The reach of those concerned under the saved text and under the present one, or the last that was JSON."""
        try:
            parse_policy(self.editor.value)
            self._readable = self.editor.value
        except PolicyError:
            self._readable = self._readable or self._text(self.state.saved)
        before = self._reach("saved", self._text(self.state.saved))
        after = self._reach("present", self._readable) if self._readable != self._text(self.state.saved) else before
        return before, after, self.state.principals or tuple(after.snapshot.principals.index)

    # --- Inside ---

    @property
    def _layer(self) -> str:
        policies = self.snapshot.policies
        return str(policies["layer"].get(self.state.policy, "identity"))

    def _text(self, text: str | None) -> str:
        if text is not None:
            return text
        return read_examples().get(self.state.policy) or write_policy(self.snapshot, self.state.policy)

    def _reach(self, kind: str, text: str) -> Reach:
        """The reach of those concerned, with this text in the policy."""
        state, layer = self.state, self._layer

        def choose() -> tuple[Snapshot, list[str]]:
            holders = list_holders(self.snapshot, state.policy)
            concerned = [*dict.fromkeys([*holders, *state.principals])] or [new_user(self.snapshot)]
            return narrow(self.snapshot, concerned), [arn for arn in concerned if arn not in holders]

        chosen = (state.policy, frozenset(state.principals))
        small, more = self._memory.recall("concerned", chosen, choose)
        given = more if layer == "identity" else ()
        with_text = partial(small.with_policy, text, name=state.policy, principal=given, layer=layer)
        return self._memory.recall(
            kind, (*chosen, text, frozenset(state.context.items())), lambda: reach(with_text(), context=state.context)
        )

    def _keep(self) -> None:
        self.state = replace(self.state, saved=self.editor.value)
        self.update()

    def _find(self) -> pd.DataFrame:
        found = check_policies(self.after.snapshot)
        own: pd.DataFrame = found.loc[found["policy"] == self.state.policy]
        return own.reset_index(drop=True)

    def _show_findings(self) -> None:
        self._found, lines = self._find(), find_lines(self._readable)
        places = [line_of(lines, f"$.Statement[{index}]") for index in self._found["index"]]
        frame = self._found[["severity", "what", "mend"]].rename(columns={"mend": "how to mend it"}).assign(line=places)
        count = (
            f"{len(frame)} finding{'s' if len(frame) != 1 else ''}"
            if len(frame)
            else "Nothing is found wrong with this policy."
        )
        self.findings.show(frame[["line", "severity", "what", "how to mend it"]], count)

    def _explain_finding(self, row: int) -> None:
        if row < len(self._found):
            found = self._found.iloc[row]
            self.why.value = write_lines(found["what"], found["why"], found["mend"], found["source"])


def _first_policy(snapshot: Snapshot) -> str:
    """A policy that allows Run Command on a condition, somebody holds, and is not AWS's; else a starting point."""
    policies = snapshot.policies
    own = policies[(policies["layer"] == "identity") & ~policies.index.str.contains(":iam::aws:")]
    for policy, targets in own["attached_to"].items():
        statements = snapshot.compiled[str(policy)].statements
        if targets and any(s.effect == "Allow" and s.conditions and s.covers_action(_SEND) for s in statements):
            return str(policy)
    return next(iter(read_examples()))


def _list_problems(problems: Sequence[TextProblem], text: str) -> str:
    """What AWS would refuse, as HTML: line, rule, and the line itself."""
    if not problems:
        return "<p role='status'>AWS would store this policy.</p>"
    lines = text.splitlines() or [""]
    rows = []
    for problem in problems:
        place = f"line {problem.line}" + (f", column {problem.column}" if problem.column else "")
        code = lines[min(problem.line, len(lines)) - 1].strip()
        rows.append(f"<li><b>{place}</b> <code>{html.escape(code[:80])}</code><br>{html.escape(problem.what)}</li>")
    return f"<div role='status'>AWS would refuse this version:<ul>{''.join(rows)}</ul></div>"
