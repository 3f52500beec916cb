"""`TagLab`: what if nodes had other tags. Reads the controls, asks the layers above, shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

import ipywidgets as w
import networkx as nx
import numpy as np
import pandas as pd

from ssmlab.explanation import last_part
from ssmlab.graphs import to_networkx
from ssmlab.paths import who_may_tag
from ssmlab.reachability import Reach, reach
from ssmlab.reachability.columns import Codes
from ssmlab.reachability.fleets import CONDITIONAL
from ssmlab.snapshots import LoadError, Snapshot
from ssmlab.snapshots.memory import Memory
from ssmlab.snapshots.tag_files import read_tag_file
from ssmlab.widgets.controls import ANY, WIDE, RequestControls
from ssmlab.widgets.edits import FILTERS, Edit, apply_edits, check_edit, find_nodes, say_edit, suggest_edit
from ssmlab.widgets.filters import Filters, choose_nodes, fold_filters, list_tag_keys, list_tag_values, make_filters
from ssmlab.widgets.texts import write_alert, write_lines, write_problems
from ssmlab.widgets.whatif import MOST_DRAWN, WhatIf
from ssmlab.words import say_count, say_some

RIGHTS: Final = 3
_MOST_LISTED: Final = 100  # nodes to choose from
_MOST_ASKED: Final = 20  # edits of which it is told who may make them


@dataclass(frozen=True, slots=True)
class TagState(Filters):
    """What the controls say, with filters on nodes. Empty: any.

    Attributes
    ----------
    nodes
        Those chosen from what the filters leave, by ARN, id or name; none: all of them.
    edits
        A mapping each: `key`, `value` (None: the tag is removed), and `nodes` (ARNs or ids) or `where` (the filters
        above, read on the tags as they were loaded).
    context
        Keys of the request; None: known to be absent.
    """

    nodes: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = ()
    context: Mapping[str, str | None] = field(default_factory=dict)


class TagLab(WhatIf):
    """Give nodes other tags; see at once who gains and loses reach, and who may make this very change in AWS.

    Parameters
    ----------
    snapshot
        From `ssmlab.load`.
    state
        Fields of `TagState` to start from. Without any, an edit is suggested.

    Examples
    --------
    >>> import ssmlab
    >>> edit = {"key": "Finance", "value": "Ledger", "nodes": ["i-0123456789abcdef0"]}
    >>> TagLab(ssmlab.load("data/sample"), edits=[edit]).words
    'user/web-ops loses 1 node. role/WebOps loses 1 node.'
    """

    title = "What if nodes had other tags"
    state_type = TagState
    chosen = ("edits",)

    def begin(self, given: Mapping[str, Any]) -> TagState:
        """Without anything an edit worth looking at."""
        self._memory = Memory()
        state = TagState(**given)
        for edit in state.edits:
            check_edit(self.snapshot.nodes, edit)
        before = self._reach("before", self.snapshot, state.context)
        nodes = tuple(self.snapshot.nodes.index[before.rows("nodes", [*state.nodes])])
        return replace(state, nodes=nodes, edits=state.edits if given else tuple(suggest_edit(before)))

    def make_controls(self) -> dict[str, w.Widget]:
        """The filters, the nodes that they leave, and the request."""
        state, filters = self.state, make_filters(self.snapshot.nodes, self.state)
        near = self._offer(state.nodes)
        return {
            **filters,
            "nodes": w.SelectMultiple(description="Nodes", options=near, value=state.nodes, rows=4, layout=WIDE),
            "context": RequestControls(state.context),
        }

    def arrange(self) -> list[w.Widget]:
        """Which nodes, which tag, and the edits so far."""
        controls = self.controls
        self._chosen, self._wrong = (w.HTML().add_class("ssmlab-words") for _ in range(2))
        keys = list_tag_keys(self.snapshot.nodes)
        self._key = w.Combobox(description="Key", options=keys, value=self.state.tag_key, layout=WIDE)
        self._value = w.Text(description="New value", layout=WIDE)
        self._edits = w.SelectMultiple(description="Edits", rows=3, layout=WIDE)
        self._upload = w.FileUpload(accept=".csv", description="Edited CSV", tooltip="an inventory: its tags are taken")
        self._upload.observe(lambda change: self._guard(lambda: self._read(change["new"])), "value")
        set_tag = self.build_button("Set tag", lambda: self._add(self._value.value))
        remove = self.build_button("Remove tag", lambda: self._add(None))
        undo = self.build_button("Undo", self._undo)
        which = [controls[name] for name in ("node", "tag_key", "tag_value", "nodes")]
        first = [w.HTML("<b>Choose nodes</b>"), *which, self._chosen, fold_filters(controls)]
        then = [w.HTML("<b>Change a tag</b>"), self._key, self._value, w.HBox([set_tag, remove])]
        return [*first, *then, self._wrong, self._edits, w.HBox([undo, self._upload])]

    def make_views(self) -> dict[str, w.Widget]:
        """Those of a change, and who may make it."""
        self.rights = self.build_table(self._explain_right)
        return {**super().make_views(), "Who may do this": self.rights}

    def react(self, field: str) -> None:
        """Another tag key has other values; other filters leave other nodes."""
        if field == "tag_key":
            self.set_control("tag_value", ANY, list_tag_values(self.snapshot.nodes, self.state.tag_key))
            self._key.value = self.state.tag_key or self._key.value
        if field in FILTERS:
            self.set_control("nodes", (), self._offer())

    def show(self) -> None:
        """The nodes and edits beside the controls, then as for every change."""
        frame, chosen = self.snapshot.nodes, len(self.state.nodes)
        count = chosen or len(self._rows_left())
        how = "chosen" if chosen else "left by the filters"
        self._chosen.value = write_lines(f"{count:,} of {say_count(len(frame), 'node')}, {how}")
        self._edits.options = [(say_edit(frame, edit), place) for place, edit in enumerate(self.state.edits)]
        super().show()

    def show_more(self) -> list[Any]:
        """Who may make the change."""
        return [self._show_rights]

    def draw_unchanged(self) -> nx.DiGraph[str]:
        """Who reaches the nodes that are chosen."""
        rows = self.after.rows("nodes", [*self.state.nodes]) if self.state.nodes else self._rows_left()
        reaches = self.after.joint_nodes >= CONDITIONAL  # principals x groups
        counts = reaches @ np.bincount(self.after.node_group_codes[rows], minlength=reaches.shape[1])
        first = np.argsort(-counts, kind="stable")[: min(MOST_DRAWN, np.count_nonzero(counts))]
        graph = to_networkx(self.after, first, rows)
        reaching, every = int(np.count_nonzero(counts)), len(self.snapshot.principals)
        words = say_some(reaching, every, "principal", "reaches", "reach")
        told = {0: "No node matches the filters.", 1: f"{words} this node."}
        graph.graph["caption"] = told.get(len(rows), f"{words} some of these {len(rows):,} nodes.")
        if reaching > len(first):
            graph.graph["folded"] = f"the {len(first)} that reach most of them are drawn"
        return graph

    def decide(self) -> tuple[Reach, Reach, Sequence[str]]:
        """The reach on the tags as they were loaded, and as they are edited."""
        edits, context = self.state.edits, self.state.context
        changed = self._memory.recall("edited", (repr(edits),), partial(apply_edits, self.snapshot, edits))
        before = self._reach("before", self.snapshot, context)
        return before, self._reach("after", changed, context) if edits else before, ()

    def to_frame(self) -> pd.DataFrame:
        """Who may make the change, where that is seen."""
        return self._find_rights() if self.seen == RIGHTS else super().to_frame()

    # --- Inside ---

    def _reach(self, kind: str, snapshot: Snapshot, context: Mapping[str, str | None]) -> Reach:
        return self._memory.recall(kind, (snapshot, repr(context)), lambda: reach(snapshot, context=context))

    def _rows_left(self) -> Codes:
        return choose_nodes(self.snapshot.nodes, self.state)

    def _offer(self, chosen: Sequence[str] = ()) -> list[tuple[str, str]]:
        """The first of the nodes that the filters leave, those that are chosen before them."""
        frame = self.snapshot.nodes
        near = frame.iloc[self._rows_left()[:_MOST_LISTED]]
        near = pd.concat([frame.loc[[*chosen]], near.drop(index=[*chosen], errors="ignore")])
        names = near["name"].astype("str").where(near["name"].notna(), near["node_id"])
        return [*zip(names + " · " + near["region"].astype("str"), near.index, strict=True)]

    def _add(self, value: str | None) -> None:
        key = self._key.value.strip()
        filters = {name: getattr(self.state, name) for name in FILTERS if getattr(self.state, name)}
        whom = {"nodes": [*self.state.nodes]} if self.state.nodes else {"where": filters}
        faults = {
            "Write a key first: which tag?": not key,
            "AWS keeps keys that begin with aws: for itself.": key.startswith("aws:"),
            "The filters leave no node.": not len(find_nodes(self.snapshot.nodes, whom)),
        }
        if wrong := [words for words, is_so in faults.items() if is_so]:
            self._wrong.value = write_alert(wrong[0])
        else:
            self._set_edits((*self.state.edits, {"key": key, "value": value, **whom}))

    def _undo(self) -> None:
        """Take back the chosen edits, else the last."""
        gone = self._edits.value or (len(self.state.edits) - 1,)
        self._set_edits(tuple(edit for place, edit in enumerate(self.state.edits) if place not in gone))

    def _set_edits(self, edits: tuple[Edit, ...]) -> None:
        self.state, self._wrong.value, self.notice.value = replace(self.state, edits=edits), "", ""
        self.update()

    def _read(self, files: Sequence[Mapping[str, Any]]) -> None:
        """The tags of an uploaded inventory as edits; what is wrong in it by file and line. The button counts none."""
        self._upload.value = ()
        for file in files:
            try:
                changes, problems = read_tag_file(file["name"], bytes(file["content"]), self.snapshot.nodes)
            except LoadError as error:
                self.notice.value = write_alert(f"Nothing was read. {error}")
                return
            read = ({"key": c.key, "value": c.value, "nodes": c.nodes} for c in changes)
            self._set_edits((*self.state.edits, *read))
            self.notice.value = f"<div role='alert'>{write_problems(problems)}</div>" if len(problems) else ""

    def _find_rights(self) -> pd.DataFrame:
        """Who may make each of the edits."""
        found = []
        for edit in self.state.edits[:_MOST_ASKED]:
            rows = find_nodes(self.snapshot.nodes, edit)
            rights = who_may_tag(self.snapshot, rows, edit["key"], edit["value"], self.state.context)
            rights.insert(0, "edit", say_edit(self.snapshot.nodes, edit))
            found.append(rights)
        return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=["edit", "principal", "action"])

    def _show_rights(self) -> None:
        self._allowed = found = self._find_rights()
        if found.empty:
            why = "No policy allows anybody to make this change." if self.state.edits else "There is no edit yet."
            self.rights.show(pd.DataFrame({"principal": pd.Series([], dtype="str")}), why)
            return
        counts = found[["allowed", "conditional", "nodes"]].itertuples(index=False)
        frame = found[["edit", "principal", "action"]].assign(principal=found["principal"].map(last_part))
        frame["nodes it may tag"] = [f"{a:,} of {n:,}" + (f", {c:,} conditional" if c else "") for a, c, n in counts]
        words = f"{say_count(found['principal'].nunique(), 'principal')} may make this change on some nodes"
        self.rights.show(frame if len(self.state.edits) > 1 else frame.drop(columns="edit"), words)

    def _explain_right(self, row: int) -> str:
        found = self._allowed.iloc[row]
        who, count = last_part(found["principal"]), f"{found['allowed']:,} of {say_count(found['nodes'], 'node')}"
        sure = f"{who} may call {found['action']} on {count}, for: {found['edit']}."
        rest = f"On {found['conditional']:,} more it depends: {found['depends_on']}." if found["conditional"] else ""
        return write_lines(sure, rest, found["principal"])
