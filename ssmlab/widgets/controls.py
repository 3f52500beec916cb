"""Controls that several explorers share. Each has a `value`, and options made from data with the text untouched."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import ipywidgets as w
import pandas as pd
import traitlets

from ssmlab.widgets.texts import write_alert
from ssmlab.words import say_count

ANY: Final = ""
UNTAGGED: Final = "\x00absent"
WIDE: Final = {"width": "100%"}  # no `Layout`, which widgets would share: hiding one would hide all
MFA: Final = "aws:MultiFactorAuthPresent"
_ABSENT: Final = "absent"
_KEYS: Final = {"aws:SourceIp": "Source IP", "aws:CurrentTime": "Time"}  # key -> label of its own control
_MFA_CHOICES: Final = (("not known", ANY), ("yes", "true"), ("no", "false"), ("key absent", _ABSENT))
_LINE: Final = re.compile(r'\s*("(?:[^"\\]|\\.)*"\s*|[^=\s][^=]*)=(.*)')
_RULE: Final = '<p><code>absent</code>: without the key. In quotation marks the text itself: <code>"absent"</code></p>'
_MOST_OFFERED: Final = 50
Context = dict[str, str | None]


def list_options(values: pd.Series[Any]) -> list[tuple[str, str]]:
    """Sorted, each once; long ones are cut in the middle, empty ones named."""
    texts = sorted({str(value) for value in values.dropna()})
    return [((text or "(empty)") if len(text) <= 60 else f"{text[:23]}…{text[-36:]}", text) for text in texts]


def dropdown(label: str, options: Sequence[tuple[str, Any]], value: Any) -> w.Dropdown:
    """A choice of one, which refuses a value that there is not."""
    expect_one(label, [option for _, option in options], value)
    return w.Dropdown(description=label, options=options, value=value, layout=WIDE)


def expect_one(label: str, known: Sequence[Any], value: Any) -> None:
    """Refuse a value that there is not."""
    if value not in known:
        raise ValueError(f"{label}: expected one of {', '.join(f'`{option}`' for option in known[:20])}, got `{value}`")


def below(control: w.Widget) -> w.Widget:
    """A control below its name, at full width; each is a line high."""
    control.layout = w.Layout(width="100%", flex_flow="wrap", margin="2px 2px 32px")
    control.style.description_width = "100%"
    return control


def entry(label: str, value: str, placeholder: str) -> w.Text:
    """A text that counts when it is left, or at Enter."""
    return w.Text(description=label, value=value, placeholder=placeholder, continuous_update=False, layout=WIDE)


def search(placeholder: str, value: str) -> w.Text:
    """A text that counts while one types."""
    return w.Text(description="Search", placeholder=placeholder, value=value, layout=WIDE)


def area(label: str, value: str, placeholder: str, rows: int = 3) -> w.Textarea:
    """Lines of text that count when they are left."""
    look = {"rows": rows, "placeholder": placeholder, "layout": WIDE}
    return w.Textarea(description=label, value=value, continuous_update=False, **look)


def fold(parts: Mapping[str, w.Widget]) -> w.Accordion:
    """Controls that are folded away, below their titles."""
    return w.Accordion([*parts.values()], titles=tuple(parts), selected_index=None)


def label_principals(principals: pd.DataFrame) -> dict[str, str]:
    """Principals as people read them, by ARN: kind and name, and the account where there are several."""
    kind, name, account = (principals[column].astype("str") for column in ("kind", "name", "account"))
    places = " (…" + account.str[-4:] + ")" if account.nunique() > 1 else ""
    return dict(zip(map(str, principals.index), kind + " " + name + places, strict=True))


def frame_editor(control: w.Widget) -> tuple[list[w.VBox], w.HTML]:
    """A control as an editor above the views, and where to say what is wrong with its text."""
    wrong = w.HTML().add_class("ssmlab-wrong")
    return [w.VBox([control, wrong]).add_class("ssmlab-editor")], wrong


class Finder(w.VBox):
    """A text that names contain, or just a name; while one types, the first that do are offered, and how many of what
    the names are of (by their index) it leaves.
    """

    value = traitlets.Unicode()

    def __init__(self, label: str, names: pd.Series[Any], value: str = ANY, placeholder: str = "any") -> None:
        self._names, self._what = names.dropna().astype("str"), label.lower()
        self._folded = self._names.str.lower()
        self._text = w.Combobox(description=label, placeholder=placeholder, layout=WIDE)
        self._count = w.HTML().add_class("ssmlab-hint")
        super().__init__([self._text, self._count], value=value)
        traitlets.link((self, "value"), (self._text, "value"))
        self.observe(lambda _: self._offer(), "value")
        self._offer()

    def _offer(self) -> None:
        text, own = self.value.lower(), self._folded
        found = self._names[own.str.contains(text, regex=False)] if text else self._names
        self._text.options = tuple(found.drop_duplicates().head(_MOST_OFFERED))
        same = own.index[own.index == self.value if text.startswith("arn:") else own == text].unique()
        count, how = (len(same), "of just this name") if len(same) else (found.index.nunique(), "with this in the name")
        self._count.value = f"{say_count(count, self._what)} {how}" if text else ""


class PrincipalPicker(w.VBox):
    """Principals to choose from, found as one types; none chosen: `nobody` says what that means."""

    value = traitlets.Tuple()

    def __init__(self, principals: pd.DataFrame, value: Sequence[str] = (), nobody: str = "Everyone") -> None:
        self._labels = label_principals(principals)
        self._find = w.Text(description="Find principal", placeholder="part of a name", layout=WIDE)
        self._list = w.SelectMultiple(description="Principals", layout=WIDE)
        self._clear = w.Button(description=nobody, tooltip=f"choose no principal: {nobody.lower()}", layout=WIDE)
        super().__init__([self._find, self._list, self._clear], value=tuple(value))
        self.add_class("ssmlab-picker")
        self._list.observe(self._choose, "value")
        self._offer()
        self._find.observe(lambda _: self._offer(), "value")
        self._clear.on_click(lambda _: self.set_trait("value", ()))
        self.observe(lambda _: self._offer(), "value")

    def _choose(self, change: Mapping[str, Any]) -> None:
        self.value = tuple(change["new"])

    def _offer(self) -> None:
        """Those that are chosen first, then those whose name holds the text."""
        text = self._find.value.lower()
        found = [(label, arn) for arn, label in self._labels.items() if text in label.lower()]
        options = tuple(dict.fromkeys([*((self._labels[arn], arn) for arn in self.value), *found]))
        self._list.unobserve(self._choose, "value")  # given options, it would choose by itself, and tell
        if self._list.options != options:
            self._list.options = options
        self._list.value = self.value
        self._list.observe(self._choose, "value")


class RequestControls(w.VBox):
    """The condition keys of the request: MFA, source IP, time, and any others. What is left empty is not known."""

    heading: Final = "Request: MFA, IP, time"  # above them, where they are folded
    value = traitlets.Dict()

    def __init__(self, value: Mapping[str, str | None]) -> None:
        self._lists = {key: texts for key, texts in value.items() if not isinstance(texts, str | None)}
        given = {key: _quote(text) for key, text in value.items() if key not in self._lists}
        has_choice = given.get(MFA) in [choice for _, choice in _MFA_CHOICES]
        self._own = {MFA: dropdown("MFA used", _MFA_CHOICES, given.pop(MFA) if has_choice else ANY)}
        self._own |= {key: entry(label, given.pop(key, ""), "not known") for key, label in _KEYS.items()}
        more = "\n".join(f"{_quote(key, '=')} = {text}" for key, text in given.items())
        self._more = area("More keys", more, "key = value, a line each", rows=2)
        self._wrong = w.HTML()
        controls = [*self._own.values(), self._more]
        told = "".join(f"<p>{html.escape(f'{key} = {texts}')}</p>" for key, texts in self._lists.items())
        super().__init__([*controls, w.HTML(_RULE + told).add_class("ssmlab-hint"), self._wrong], value=dict(value))
        for control in controls:
            control.observe(lambda _: self._read(), "value")

    def _read(self) -> None:
        texts = {key: control.value.strip() for key, control in self._own.items()}
        try:
            for line in filter(str.strip, self._more.value.splitlines()):
                if not (found := _LINE.fullmatch(line)):
                    raise ValueError(f"More keys: expected a line such as key = value, got `{line.strip()}`")
                key, text = _unquote(found[1].strip()), found[2].strip()
                if texts.get(key):
                    raise ValueError(f"More keys: `{key}` stands twice")
                texts[key] = text
            read = {key: None if text == _ABSENT else _unquote(text) for key, text in texts.items() if text}
            self.value, self._wrong.value = self._lists | read, ""
        except ValueError as error:
            self._wrong.value = write_alert(str(error))


def _quote(text: str | None, apart: str = "") -> str:
    """As one types it: in quotation marks, as JSON, where it would be read as something else."""
    if text is None:
        return _ABSENT
    is_plain = text.isprintable() and text == text.strip() and text not in ("", _ABSENT) and text[0] != '"'
    return text if is_plain and {*apart}.isdisjoint(text) else json.dumps(text)


def _unquote(text: str) -> Any:
    try:
        return json.loads(text) if text.startswith('"') else text
    except ValueError:
        raise ValueError(f'expected a text in quotation marks, as JSON, such as "{_ABSENT}", got `{text}`') from None
