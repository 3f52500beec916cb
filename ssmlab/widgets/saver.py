"""The control that saves what is seen as a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import anywidget
import traitlets

_STATIC: Final = Path(__file__).parent / "static"


class Saver(anywidget.AnyWidget):
    """A choice of kinds and a button. The page makes SVG and PNG of the picture itself, the kernel the other kinds.

    Parameters
    ----------
    export
        Kind → name and content of a file.
    kinds
        What is offered; "SVG" and "PNG" are the picture as it is seen.
    """

    _esm = _STATIC / "saver.js"
    kinds = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init__(self, export: Callable[[str], tuple[str, bytes]], kinds: Sequence[str]) -> None:
        super().__init__(kinds=[*kinds])
        self._export = export
        self.on_msg(self._answer)

    def _answer(self, _: Any, content: Mapping[str, Any], __: Any) -> None:
        try:
            name, file = self._export(str(content.get("kind")))
        except (KeyError, ValueError) as error:
            self.send({"error": str(error)})
        else:
            self.send({"name": name}, [file])
