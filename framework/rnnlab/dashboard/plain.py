"""Textual's own widgets, and text from anywhere, on a terminal that shows ASCII alone."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.filter import LineFilter
from textual.scrollbar import ScrollBar, ScrollBarRender

if TYPE_CHECKING:
    from textual.app import App
    from textual.color import Color

CLASS = "ascii"
CSS = """
.ascii Toast { border-left: ascii $primary; }
.ascii HelpPanel > VerticalScroll { border-left: ascii $primary; }
.ascii CommandPalette #--input, .ascii CommandPalette #--input.--list-visible { border: ascii $primary; }
.ascii CommandPalette SearchIcon, .ascii CommandPalette LoadingIndicator { display: none; }
.ascii CommandPalette CommandList { border: none; }
"""


class PlainBar(ScrollBarRender):
    """A scrollbar whose ends are not drawn finer than a cell."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * 8
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "] * 8


class PlainText(LineFilter):
    """The last thing before the terminal: an é becomes an e, a 词 two question marks."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments in ASCII, as wide as before."""
        return [
            segment if segment.text.isascii() else Segment(in_ascii(segment.text), segment.style)
            for segment in segments
        ]


def in_ascii(text: str) -> str:
    """`text` in ASCII, in as many cells."""
    return "".join(map(_in_ascii, text))


@lru_cache(maxsize=4096)
def _in_ascii(character: str) -> str:
    width = cell_len(character)
    base = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return base[:width].ljust(width) if base else "?" * width


def use(app: App[Any]) -> None:
    """Draw `app` with ASCII alone. For the whole process, as Textual's scrollbars have one renderer."""
    ScrollBar.renderer = PlainBar
    app.add_class(CLASS)
