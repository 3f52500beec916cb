"""SVG of pictures that the kernel draws: elements, texts and shapes; everything from the data is escaped."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterable, Sequence
from typing import Final

from ssmlab.widgets.texts import show_controls

LETTER: Final = 6.9  # px of a letter, about
WIDTH: Final = 660
LINE: Final = 16


def element(name: str, *inside: str, **attributes: object) -> str:
    """An element; `_` in a name stands for `-`, and a last one is dropped.

    >>> element("text", "a", x=1, text_anchor="end", class_='"')
    '<text x="1" text-anchor="end" class="&quot;">a</text>'
    """
    named = ((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    told = "".join(f' {key}="{html.escape(_say(value))}"' for key, value in named)
    return f"<{name}{told}>{''.join(inside)}</{name}>"


def _say(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)


def write(x: float, y: float, words: str, most: int = 1000, **attributes: object) -> str:
    """A text, cut after so many letters; what is cut shows where the mouse rests."""
    shown = show_controls(words)
    cut = shown if len(shown) <= most else f"{shown[: most - 1]}…"
    more = element("title", html.escape(shown)) if cut != shown else ""
    return element("text", more + html.escape(cut), x=x, y=y, **attributes)


SHAPES: Final = {
    "circle": "M-6.5 0a6.5 6.5 0 1 0 13 0a6.5 6.5 0 1 0 -13 0z",
    "square": "M-6 -6h12v12h-12z",
    "diamond": "M0 -8l8 8l-8 8l-8 -8z",
    "triangle": "M0 -8l8 14h-16z",
    "house": "M-6 -1l6 -7l6 7v7h-12z",
}


def mark(x: float, y: float, shape: str, colour: str, letter: str) -> str:
    """A shape with a letter in it."""
    path = element("path", d=SHAPES[shape], fill=colour, stroke="currentColor", stroke_width=0.7)
    return element("g", path, write_letter(letter, y=3.5), transform=f"translate({_say(x)} {_say(y)})")


def write_letter(letter: str, **place: float) -> str:
    """The letter in a shape."""
    return element("text", letter, **place, fill="#000", font_size=9.5, font_weight="bold", text_anchor="middle")


def bar(x: float, y: float, end: float, look: tuple[str, int, str]) -> str:
    """A line along the time: colour, width and dashes."""
    colour, width, dashes = look
    return element("line", x1=x, y1=y, x2=max(end, x), y2=y, stroke=colour, stroke_width=width, stroke_dasharray=dashes)


def place_legend(entries: Iterable[tuple[str, str]], y: float) -> tuple[str, float]:
    """Entries (a drawing around 0 0, its word) in as many rows as they take, and where the next thing may stand."""
    x, drawn = 8.0, list[str]()
    for drawing, word in entries:
        width = 34 + len(word) * LETTER
        if x + width > WIDTH and x > 8:
            x, y = 8.0, y + LINE + 2
        moved = element("g", drawing, transform=f"translate({_say(x + 8)} {_say(y)})")
        drawn += [moved, write(x + 21, y + 4, word)]
        x += width
    return "".join(drawn), y + LINE + 6


def make_picture(title: str, caption: str, drawing: Sequence[str], height: float, heard: str = "") -> str:
    """A whole picture: title above, caption below; both, and what stands beside it, also for those who hear it."""
    lines = textwrap.wrap(show_controls(caption), int(WIDTH / LETTER) - 2)
    below = [write(8, height + LINE * (number + 1), line) for number, line in enumerate(lines)]
    bottom = height + LINE * (len(lines) + 0.7)
    return element(
        "svg",
        write(8, 15, title, most=int(WIDTH / LETTER) - 8, font_weight="bold"),
        *drawing,
        *below,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {_say(bottom)}",
        width="100%",
        role="img",
        aria_label=show_controls(f"{title}. {caption}{heard and ' '}{heard}"),
        fill="currentColor",
        font_family="sans-serif",
        font_size=12,
        style=f"max-width: {WIDTH * 1.35:.0f}px",
    )
