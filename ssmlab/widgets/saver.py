"""The control that saves what is seen as a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets

Export = Callable[[str], tuple[str, bytes]]


class Saver(anywidget.AnyWidget):
    """A choice of kinds and a button. The page makes SVG and PNG of the picture itself, the kernel the other kinds.

    Parameters
    ----------
    export
        Kind → name and content of a file.
    kinds
        What is offered; "SVG" and "PNG" are the picture as it is seen.
    tell
        Is given, in words, what was saved, or why not.
    """

    _esm = Path(__file__).parent / "static" / "saver.js"
    kinds = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init__(self, export: Export, kinds: Sequence[str], tell: Callable[[str], None]) -> None:
        super().__init__(kinds=[*kinds])
        self._export, self._tell = export, tell
        self.on_msg(self._answer)

    def _answer(self, _: Any, content: Mapping[str, Any], __: Any) -> None:
        if "told" in content:  # by the page, which has saved a file, or could not
            self._tell(str(content["told"]))
            return
        try:
            name, file = self._export(str(content.get("kind")))
        except (KeyError, ValueError) as error:
            self._tell(f"Not saved: {error}")
        else:
            self.send({"name": name}, [file])
