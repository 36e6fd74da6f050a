"""The end of a run's log, wrapped, following what is new."""

from __future__ import annotations

from textwrap import wrap
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from rnnlab.dashboard.screens.run_words import time_of_day
from rnnlab.dashboard.widgets.glyphs import printable
from rnnlab.lab.events import Message


class LogPane(ScrollView, can_focus=True):
    """Messages with their times; who has scrolled up stays there."""

    DEFAULT_CSS = """
    LogPane { overflow-x: hidden; }
    LogPane > .log-pane--time { color: $text-muted; }
    LogPane > .log-pane--warning { color: $text-warning; }
    LogPane > .log-pane--error { color: $text-error; text-style: bold; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"log-pane--time", "log-pane--warning", "log-pane--error"}

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.messages: tuple[Message, ...] = ()
        self._lines: list[tuple[str, str, str]] = []
        self._width = 0

    def set_messages(self, messages: tuple[Message, ...], follow: bool = False) -> None:
        """Show `messages`, oldest first; `follow` goes to the end even if the user had left it."""
        if self._same(messages) and not follow:
            return
        at_end = follow or self.is_vertical_scroll_end
        self.messages = messages
        self._wrap(at_end)

    def on_resize(self) -> None:
        if self.scrollable_content_region.width != self._width:
            self._wrap(self.is_vertical_scroll_end)

    def _same(self, messages: tuple[Message, ...]) -> bool:
        before = self.messages
        return len(messages) == len(before) and (not messages or messages[-1] is before[-1])

    def _wrap(self, to_end: bool) -> None:
        self._width = self.scrollable_content_region.width
        self._lines = []
        for message in self.messages:
            time = time_of_day(message.time) if message.time else ""
            # Continued lines stand below the text, not below the time.
            pieces = wrap(printable(message.text), max(10, self._width - 9)) or [""]
            self._lines += [
                (time if index == 0 else "", piece, message.level) for index, piece in enumerate(pieces)
            ]
        self.virtual_size = Size(self._width, len(self._lines))
        if to_end:
            self.scroll_end(animate=False, immediate=True, force=True)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        base, muted = self.rich_style, self.get_component_rich_style("log-pane--time")
        row = y + self.scroll_offset.y
        if not self._lines and y == 0:
            return Strip([Segment("nothing yet", muted)]).adjust_cell_length(width, base)
        if row >= len(self._lines):
            return Strip.blank(width, base)
        time, text, level = self._lines[row]
        segments = [Segment(f"{time:8} ", muted), Segment(text, self._style(level, base))]
        return Strip(segments).adjust_cell_length(width, base)

    def _style(self, level: str, base: Style) -> Style:
        if level in ("warning", "error"):
            return self.get_component_rich_style(f"log-pane--{level}")
        return base
