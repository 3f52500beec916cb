"""A control for the targets of a command: added one value at a time, each key a button that takes it away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import ipywidgets as w
import pandas as pd
import traitlets

from ssmlab.snapshots.schema import TAG
from ssmlab.widgets.controls import WIDE
from ssmlab.widgets.filters import list_tag_keys
from ssmlab.widgets.texts import show_controls, write_alert

Target = Mapping[str, Any]
_MOST_OFFERED: Final = 200  # values of a tag; others can be typed
_IS: Final = " = "


class TargetPicker(w.VBox):
    """Targets as `send_command` takes them: all keys must hold, of the values of a key one.

    Examples
    --------
    >>> import ssmlab
    >>> picker = TargetPicker(ssmlab.load("data/sample").nodes, [{"Key": "tag:Team", "Values": ["blue"]}])
    >>> picker.add("tag:Team = red")
    >>> picker.add("tag:Env = prod")
    >>> [button.description for button in picker.children[0].children]
    ['tag:Team = blue or red ✕', 'and tag:Env = prod ✕']
    """

    value = traitlets.Tuple()

    def __init__(self, nodes: pd.DataFrame, value: Sequence[Target] = ()) -> None:
        if not all(isinstance(t.get("Key"), str) and isinstance(t.get("Values"), list | tuple) for t in value):
            raise TypeError(f'targets: expected {{"Key": "tag:Env", "Values": ["dev"]}} each, got `{[*value]!r:.80}`')
        known = {TAG + key: sorted(nodes[TAG + key].dropna().unique())[:_MOST_OFFERED] for key in list_tag_keys(nodes)}
        pairs = [(column, str(text)) for column, texts in known.items() for text in texts]
        self._offered = {show_controls(column + _IS + text): (column, text) for column, text in pairs}
        look = {"description": "Add target", "placeholder": "tag:Env = prod", "layout": WIDE}
        self._add = w.Combobox(options=tuple(self._offered), continuous_update=False, **look)
        self._chosen, self._wrong = w.VBox(), w.HTML()
        super().__init__([self._chosen, self._add, self._wrong], value=tuple(value), layout={"width": "100%"})
        self._add.observe(lambda change: self.add(change["new"]), "value")
        self.observe(lambda _: self._list(), "value")
        self._list()

    def add(self, text: str) -> None:
        """One more value, as `key = value`: of a key that is there, or of a new one."""
        if not text.strip():
            return
        key, sign, wanted = text.partition(_IS)
        key, wanted = self._offered.get(text, (key.strip(), wanted.strip()))
        self._wrong.value = "" if sign else write_alert("Expected a target such as tag:Env = prod")
        if sign:
            by_key = {target["Key"]: target["Values"] for target in self.value}
            by_key[key] = [*dict.fromkeys([*by_key.get(key, ()), wanted])]
            self._add.value = ""
            self.value = tuple({"Key": key, "Values": values} for key, values in by_key.items())

    def _list(self) -> None:
        self._chosen.children = [self._make_button(number, target) for number, target in enumerate(self.value)]

    def _make_button(self, number: int, target: Target) -> w.Button:
        said = show_controls(f"{'and ' * (number > 0)}{target['Key']}{_IS}{' or '.join(map(str, target['Values']))} ✕")
        button = w.Button(description=said, tooltip=f"take away: {said}", layout=WIDE)
        button.on_click(lambda _: self._take_away(number))
        return button

    def _take_away(self, number: int) -> None:
        self.value = self.value[:number] + self.value[number + 1 :]
        self._add.focus()
