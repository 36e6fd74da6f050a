"""Textual's own widgets on a terminal that shows ASCII alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual.scrollbar import ScrollBar, ScrollBarRender

if TYPE_CHECKING:
    from textual.app import App

CLASS = "ascii"
CSS = """
.ascii Toast { border-left: ascii $primary; }
.ascii HelpPanel > VerticalScroll { border-left: ascii $primary; }
"""


class PlainBar(ScrollBarRender):
    """A scrollbar whose ends are not drawn finer than a cell."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * 8
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "] * 8


def use(app: App[Any]) -> None:
    """Draw `app` with ASCII alone. For the whole process, as Textual's scrollbars have one renderer."""
    ScrollBar.renderer = PlainBar
    app.add_class(CLASS)
    app.use_command_palette = False  # its borders and signs are not to be had in ASCII
