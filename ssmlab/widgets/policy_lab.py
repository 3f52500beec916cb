"""`PolicyLab`: write a policy and try it. Reads the editor, asks the layers above, shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

import ipywidgets as w
import pandas as pd

from ssmlab.explanation import last_part
from ssmlab.findings import check_policies
from ssmlab.policies import check_text, find_lines, line_of, read_examples
from ssmlab.reachability import Reach, reach
from ssmlab.snapshots import Snapshot
from ssmlab.snapshots.changes import describe_unknown
from ssmlab.snapshots.memory import Memory
from ssmlab.snapshots.trials import detach, list_holders, narrow, new_user, write_policy
from ssmlab.widgets.controls import WIDE, PrincipalPicker, RequestControls, dropdown, fold
from ssmlab.widgets.texts import list_problems, number_lines, write_lines
from ssmlab.widgets.whatif import WhatIf, dim
from ssmlab.words import say_count

_SEND: Final = "ssm:SendCommand"
_MOST_NAMED: Final = 3
_NOT_STORED: Final = "Not stored: AWS would refuse this version. Nothing changes in AWS."
_BELOW: Final = "Below is the last version that it would store."
FINDINGS: Final = 3
_TOLD: Final = ["what", "why", "mend", "source"]  # of a finding that is selected
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
    without
        ARNs of holders that it is taken from: what they gain and lose by that is told.
    context
        Keys of the request; None: known to be absent.
    """

    policy: str = ""
    text: str | None = None
    saved: str | None = None
    principals: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    context: Mapping[str, str | None] = field(default_factory=dict)


class PolicyLab(WhatIf):
    """Write one policy; see at once what it reaches, what is wrong with it, and who gains and loses by it.

    A policy of the snapshot stays attached where it is, with the text that is written here; a starting point is
    attached to a new user. Other principals can be given it, too, and holders can lose it. Of a text that AWS would
    refuse there is no result: that of the last version that it would store is shown, dimmed. What is written in one
    policy is kept while others are loaded.

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
        state = PolicyState(**given)
        self._memory, self._storable = Memory(), ""
        self._drafts: dict[str, PolicyState] = {}
        if state.policy not in (known := ["", *read_examples(), *self.snapshot.policies.index]):
            raise ValueError(describe_unknown("policy", state.policy, known))
        state = replace(state, policy=state.policy or _first_policy(self.snapshot))
        allowed = ((state.principals, self.snapshot.principals.index), (state.without, self._own_holders(state.policy)))
        if unknown := [arn for arns, known in allowed for arn in arns if arn not in known]:
            raise ValueError(f"expected ARNs of principals, `without`: of holders of the policy, got `{unknown[0]}`")
        self._loaded = state.policy
        return state

    def make_controls(self) -> dict[str, w.Widget]:
        """The policy, the editor, to whom it is attached, and the request."""
        layers = self.snapshot.policies["layer"][self.snapshot.policies["document"].notna()]
        own = [(_LABELS.get(layer, "") + last_part(str(policy)), str(policy)) for policy, layer in layers.items()]
        examples = [(f"start from: {name}", name) for name in read_examples()]
        self.editor = w.Textarea(description="Policy", value=self._text(self.state.text), rows=17, layout=WIDE)
        self._field = f"ssmlab-lines-{self.editor.model_id}"
        self.editor.add_class("ssmlab-editor").add_class(self._field)
        without = w.SelectMultiple(description="Take it from", rows=3, layout=WIDE)
        without.options, without.value = _call(self._own_holders(self.state.policy)), self.state.without
        return {
            "policy": dropdown("Load", [*examples, *own], self.state.policy),
            "text": self.editor,
            "principals": PrincipalPicker(self.snapshot.principals, self.state.principals, nobody="Only its holders"),
            "without": without,
            "context": RequestControls(self.state.context),
        }

    def arrange(self) -> list[w.Widget]:
        """The editor with what is wrong in it; the rest can be folded."""
        self._lines = w.HTML(layout={"display": "none"})
        self._wrong, self._held = (w.HTML().add_class("ssmlab-words") for _ in range(2))
        self._save = self.build_button(
            "Save this version", lambda: self._keep(self.editor.value), "changes are told against it"
        )
        self._discard = self.build_button("Discard", self._undo, "back to the text as it was loaded")
        holders = w.VBox([self.controls[name] for name in ("principals", "without")])
        folded = fold({"Who holds it": holders, RequestControls.heading: self.controls["context"]})
        below = [self._wrong, w.HBox([self._save, self._discard]), folded, self._lines]
        return [self.controls["policy"], self._held, self.editor, *below]

    def make_views(self) -> dict[str, w.Widget]:
        """Those of a change, and the findings."""
        self.findings = self.build_table(lambda row: write_lines(*self._found.loc[row, _TOLD]))
        return {**super().make_views(), "Findings": self.findings}

    def react(self, field: str) -> None:
        """Another policy brings its own text, or its draft; that of the former is kept."""
        if field == "policy":
            self._drafts[self._loaded] = replace(self.state, policy=self._loaded)
            self._restore(self._drafts.get(self.state.policy, PolicyState()))

    def show(self) -> None:
        """What is wrong with the text beside it, then as for every change."""
        text, saved = self.editor.value, self._text(self.state.saved)
        self.state = replace(self.state, text=None if text == self._text(None) else text)
        self._problems, findings = check_text(text, self._layer), self.seen == FINDINGS
        self.is_refused = bool(self._problems) and text != saved
        stored = "<p role='status'>AWS would store this policy.</p>"
        self._wrong.value = list_problems(self._problems, text) if self._problems else stored
        self._lines.value = number_lines(self._field, text, {problem.line for problem in self._problems})
        is_old = self.is_refused and not findings
        self.notice.value = write_lines(_NOT_STORED, _BELOW) if is_old else ""
        dim(self.tabs, is_old)
        super().show()
        self._held.value = write_lines(*self._say_holders())
        self._save.disabled, self._discard.disabled = self.is_refused or text == saved, not _is_draft(self.state)
        if self.is_refused:
            self.say("")

    def show_more(self) -> list[Any]:
        """The findings."""
        return [self._show_findings]

    def to_frame(self) -> pd.DataFrame:
        """The findings where they are seen."""
        return self._find() if self.seen == FINDINGS else super().to_frame()

    def decide(self) -> tuple[Reach, Reach, Sequence[str]]:
        """The reach of those concerned under the saved text and under the present one, or the last AWS would store."""
        saved = self._text(self.state.saved)
        self._storable = self._storable or saved if self._problems else self.editor.value
        before = self._reach("saved", saved)
        is_changed = self._storable != saved or self.state.without
        after = self._reach("present", self._storable, self.state.without) if is_changed else before
        return before, after, self.state.principals or tuple(after.snapshot.principals.index)

    # --- Inside ---

    @property
    def _layer(self) -> str:
        return str(self.snapshot.policies["layer"].get(self.state.policy, "identity"))

    def _text(self, text: str | None) -> str:
        own = read_examples().get(self.state.policy)
        return text if text is not None else own or write_policy(self.snapshot, self.state.policy)

    def _restore(self, draft: PolicyState) -> None:
        """The text and the holders of a draft of this policy."""
        self._loaded, self._storable = self.state.policy, ""
        self.state = replace(self.state, saved=draft.saved)
        self.set_control("without", draft.without, _call(self._own_holders(self._loaded)))
        self.set_control("text", self._text(draft.text))
        self.state = replace(self.state, text=draft.text)

    def _holders(self, policy: str) -> list[str]:
        return self._memory.recall("holders", (policy,), lambda: list_holders(self.snapshot, policy))

    def _own_holders(self, policy: str) -> list[str]:
        """Those who can lose the policy: not those whom one of the organization binds."""
        is_own = self.snapshot.policies["layer"].get(policy) in ("identity", "boundary")
        return self._holders(policy) if is_own else []

    def _say_holders(self) -> list[str]:
        without, drafts = self.state.without, (name for name in self._drafts if name != self._loaded)
        said = {"Attached to": [arn for arn in self.whom if arn not in without], "Taken from": without}
        kept = [last_part(name) for name in drafts if _is_draft(self._drafts[name])]
        told = [f"{words} {_name_some(arns)}" for words, arns in said.items() if arns]
        return [*(told or ["Attached to nobody"]), *([f"Drafts are kept of {', '.join(kept)}"] if kept else [])]

    def _reach(self, kind: str, text: str, without: Sequence[str] = ()) -> Reach:
        """The reach of those concerned, with this text in the policy."""
        state, layer = self.state, self._layer

        def choose() -> tuple[Snapshot, list[str]]:
            holders = self._holders(state.policy)
            concerned = [*dict.fromkeys([*holders, *state.principals])] or [new_user(self.snapshot)]
            return narrow(self.snapshot, concerned), [arn for arn in concerned if arn not in holders]

        chosen = (state.policy, frozenset(state.principals))
        small, more = self._memory.recall("concerned", chosen, choose)
        small = detach(small, state.policy, without) if without else small
        given = more if layer == "identity" else ()
        with_text = partial(small.with_policy, text, name=state.policy, principal=given, layer=layer)
        made_from = (*chosen, text, frozenset(without), repr(state.context))
        return self._memory.recall(kind, made_from, lambda: reach(with_text(), context=state.context))

    def _keep(self, text: str | None) -> None:
        self.state = replace(self.state, saved=text)
        self.update()

    def _undo(self) -> None:
        self._restore(PolicyState())
        self._keep(None)

    def _find(self) -> pd.DataFrame:
        """What AWS would refuse; else the findings."""
        if self.is_refused:
            rows = [(problem.line, "refused", problem.what, "", "", "") for problem in self._problems]
            return pd.DataFrame(rows, columns=["line", "severity", "what", "mend", "why", "source"])
        found, lines = check_policies(self.after.snapshot), find_lines(self._storable)
        own: pd.DataFrame = found.loc[found["policy"] == self.state.policy]
        places = [line_of(lines, f"$.Statement[{index}]") for index in own["index"]]
        return own.reset_index(drop=True).assign(line=places)

    def _show_findings(self) -> None:
        self._found = self._find()
        frame = self._found[["line", "severity", "what", "mend"]].rename(columns={"mend": "how to mend it"})
        count = say_count(len(frame), "finding") if len(frame) else "Nothing is found wrong with this policy."
        self.findings.show(frame, _NOT_STORED if self.is_refused else count)


def _first_policy(snapshot: Snapshot) -> str:
    """A policy that allows Run Command on a condition, somebody holds, and is not AWS's; else a starting point."""
    policies = snapshot.policies
    own = policies[(policies["layer"] == "identity") & ~policies.index.str.contains(":iam::aws:")]
    for policy, targets in own["attached_to"].items():
        statements = snapshot.compiled[str(policy)].statements
        if targets and any(s.effect == "Allow" and s.conditions and s.covers_action(_SEND) for s in statements):
            return str(policy)
    return next(iter(read_examples()))


def _is_draft(state: PolicyState) -> bool:
    return (state.text, state.saved, state.without) != (None, None, ())


def _call(arns: Sequence[str]) -> list[tuple[str, str]]:
    return [(last_part(arn), arn) for arn in arns]


def _name_some(arns: Sequence[str]) -> str:
    more = len(arns) - _MOST_NAMED
    return ", ".join(map(last_part, arns[:_MOST_NAMED])) + (f" and {more} more" if more > 0 else "")
