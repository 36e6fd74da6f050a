"""The table of Compare: one column for each run, under its letter."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from rnnlab.dashboard.screens.compare_rows import TableRow
from rnnlab.dashboard.widgets import palette
from rnnlab.dashboard.widgets.glyphs import Glyphs, fit, printable

LETTERS = string.ascii_lowercase
HEAD = 2
"""Lines that stay: the letters, and the values at the chart's cursor."""
LABEL, CELL = 28, 23
"""The most cells of a label and of a value."""


def _key(keys: str, action: str, label: str, name: str, tooltip: str) -> Binding:
    return Binding(keys, action, label, False, id=f"compare.table_{name}", tooltip=tooltip)


class CompareTable(ScrollView, can_focus=True):
    """Rows under titles, with a cursor. The labels stay when runs are moved into view with left and right."""

    DEFAULT_CSS = """
    CompareTable { width: 1fr; height: 1fr; scrollbar-size-vertical: 1; overflow-x: hidden; }
    CompareTable > .compare-table--head { background: $panel; text-style: bold; }
    CompareTable > .compare-table--title { color: $text-accent; text-style: bold; }
    CompareTable > .compare-table--same { color: $text-muted; }
    CompareTable > .compare-table--best { color: $text-success; text-style: bold; }
    CompareTable:focus > .compare-table--cursor { background: $primary 45%; text-style: bold; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"compare-table--{part}" for part in ("head", "title", "same", "best", "cursor")
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        _key("down,j", "move(1)", "Down", "down", "Next row"),
        _key("up,k", "move(-1)", "Up", "up", "Previous row"),
        _key("pagedown,ctrl+d", "page(1)", "Page down", "page_down", "A page down"),
        _key("pageup,ctrl+u", "page(-1)", "Page up", "page_up", "A page up"),
        _key("home,g", "end(0)", "First", "first", "First row"),
        _key("end,G", "end(-1)", "Last", "last", "Last row"),
        _key("left", "pan(-1)", "Left", "left", "Runs to the left"),
        _key("right", "pan(1)", "Right", "right", "Runs to the right"),
        _key("enter", "choose", "Draw", "draw", "Draw the curves of this row's metric"),
    ]
    first: reactive[int] = reactive(0)
    """The run that is shown first."""

    class Chosen(Message):
        """The curves of `metric` are to be drawn."""

        def __init__(self, metric: str) -> None:
            super().__init__()
            self.metric = metric

    def __init__(self, glyphs: Glyphs, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._glyphs = glyphs
        self.rows: tuple[TableRow, ...] = ()
        self._count = 0
        self._read_out: tuple[str, tuple[str, ...]] = ("", ())
        self._cursor = 0
        self._fitting: tuple[tuple[int, int], list[tuple[int, int]]] | None = None

    def set_rows(self, rows: Sequence[TableRow], count: int) -> None:
        """Show `rows` of `count` runs; the cursor stays on its row if there still is one of that label."""
        here = self.rows[self._cursor].label if self.rows else ""
        self.rows, self._count = tuple(rows), count
        labels = [row.label for row in rows]
        last = max(len(rows) - 1, 0)
        self._cursor = labels.index(here) if here in labels else min(self._cursor, last)
        self.first = min(self.first, max(count - 1, 0))
        self.virtual_size = Size(self.size.width, len(rows) + HEAD)
        self._fitting = None
        self.refresh()

    def set_read_out(self, label: str, values: Sequence[str]) -> None:
        """Show a value of each run below the letters."""
        self._read_out = label, tuple(values)
        self._fitting = None
        self.refresh()

    # Keys and mouse

    def action_move(self, by: int) -> None:
        self._move(self._cursor + by)

    def action_page(self, direction: int) -> None:
        self._move(self._cursor + direction * max(self.size.height - HEAD, 1))

    def action_end(self, index: int) -> None:
        self._move(index % max(len(self.rows), 1))

    def action_pan(self, direction: int) -> None:
        hidden = self.first + len(self._shown()) < self._count
        if direction < 0 or hidden:
            self.first = max(self.first + direction, 0)

    def action_choose(self) -> None:
        if self.rows and self.rows[self._cursor].metric:
            self.post_message(self.Chosen(self.rows[self._cursor].metric))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        index = offset.y - HEAD + self.scroll_offset.y if offset is not None and offset.y >= HEAD else -1
        if 0 <= index < len(self.rows):
            again = index == self._cursor
            self._move(index)
            if again:
                self.action_choose()

    def on_resize(self) -> None:
        self.virtual_size = Size(self.size.width, len(self.rows) + HEAD)

    def _move(self, index: int) -> None:
        self._cursor = min(max(index, 0), max(len(self.rows) - 1, 0))
        page, top = max(self.size.height - HEAD, 1), self.scroll_offset.y
        # With the first row its title comes into view.
        if self._cursor <= 1 or self._cursor < top:
            self.scroll_to(y=0 if self._cursor <= 1 else self._cursor, animate=False, immediate=True)
        elif self._cursor >= top + page:
            self.scroll_to(y=self._cursor - page + 1, animate=False, immediate=True)
        self.refresh()

    # Drawing

    def _label_width(self) -> int:
        longest = max((cell_len(row.label) for row in self.rows if row.cells), default=0)
        longest = max(longest, cell_len(self._read_out[0]))
        return min(longest, LABEL, max(self.size.width // 2 - 2, 4))

    def _shown(self) -> list[tuple[int, int]]:
        """Index and width of the runs there is room for, the first of them at least.

        A column is shown whole or not at all: half a number reads as another one."""
        asked = self.first, self.size.width
        if self._fitting is None or self._fitting[0] != asked:
            self._fitting = asked, self._fit()
        return self._fitting[1]

    def _fit(self) -> list[tuple[int, int]]:
        room = self.size.width - self._label_width() - 1
        shown = []
        for index in range(self.first, self._count):
            texts = [row.cells[index].text for row in self.rows if len(row.cells) == self._count]
            texts += self._read_out[1][index : index + 1]
            width = min(max((cell_len(printable(text)) for text in texts), default=1), CELL)
            room -= width + 2
            if room < 0 and shown:
                break
            shown.append((index, width))
        return shown

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y == 0:
            return self._letters(width)
        if y == 1:
            label, values = self._read_out
            cells = [(value, self._colour(index)) for index, value in enumerate(values)]
            return self._line(label, cells, self.get_component_rich_style("compare-table--head"), width)
        index = y - HEAD + self.scroll_offset.y
        if index >= len(self.rows):
            return Strip.blank(width, self.rich_style)
        return self._row(index, width)

    def _row(self, index: int, width: int) -> Strip:
        row, base = self.rows[index], self.rich_style
        if index == self._cursor and self.has_focus:
            base = self.get_component_rich_style("compare-table--cursor")
            if self.app.no_color:
                base += Style(reverse=True)
        if not row.cells:
            look = self._look("title")
            return Strip([Segment(fit(row.label, width, self._glyphs), base + look)], width)
        plain = Style() if row.differs else self._look("same")
        if len(row.cells) < self._count:
            label = fit(row.label, self._label_width(), self._glyphs)
            text = fit(f"{label}  {row.cells[0].text}", width, self._glyphs)
            return Strip([Segment(text, base + plain)], width)
        cells = [
            (
                f"{cell.text}{self._glyphs.mark if cell.best else ' '}",
                self._look("best") if cell.best else plain,
            )
            for cell in row.cells
        ]
        return self._line(row.label, cells, base, width, plain)

    def _letters(self, width: int) -> Strip:
        style = self.get_component_rich_style("compare-table--head")
        cells = [(f"{LETTERS[index % 26]} ", self._colour(index)) for index in range(self._count)]
        strip = self._line("", cells, style, width)
        left, right = self.first > 0, self.first + len(self._shown()) < self._count
        if left or right:
            words = f"run {self.first + 1} of {self._count} {'<' if left else ''}{'>' if right else ''}"
            room = self._label_width()
            if cell_len(words) <= room:
                return Strip.join(
                    [Strip([Segment(fit(words, room, self._glyphs), style)], room), strip.crop(room)]
                )
        return strip

    def _line(
        self,
        label: str,
        cells: Sequence[tuple[str, Style]],
        base: Style,
        width: int,
        look: Style | None = None,
    ) -> Strip:
        segments = [Segment(fit(label, self._label_width(), self._glyphs), base + (look or Style()))]
        for index, room in self._shown():
            text, style = cells[index] if index < len(cells) else ("", Style())
            if not text.endswith((" ", self._glyphs.mark)):
                text += " "
            shown = fit(text[:-1], room, self._glyphs, right=True) + text[-1]
            segments += [Segment(" ", base), Segment(shown, base + style)]
        return Strip(segments).adjust_cell_length(width, base)

    def _look(self, part: str) -> Style:
        style = self.get_component_rich_style(f"compare-table--{part}")
        return Style(color=style.color, bold=style.bold)

    def _colour(self, index: int) -> Style:
        return run_style(self, index)


def run_style(widget: ScrollView, index: int) -> Style:
    """The look of a run's letter: the colour of its curve."""
    colour = palette.line_colour("", index, widget.app.current_theme.dark, widget.app.theme_variables)
    return Style(color=colour.rich_color, bold=True)
