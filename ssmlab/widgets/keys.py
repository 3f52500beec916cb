"""The keyboard in a panel."""

from __future__ import annotations

from pathlib import Path

import anywidget


class Keys(anywidget.AnyWidget):
    """Nothing to see: lets the panel in which it stands be used with the keyboard alone.

    Headers that fold are reached with Tab and opened with Enter or Space; rows of tables are walked with the arrow keys
    and chosen with Enter or Space; JupyterLab's own keys rest while the panel has the focus.
    """

    _esm = Path(__file__).parent / "static" / "keys.js"
