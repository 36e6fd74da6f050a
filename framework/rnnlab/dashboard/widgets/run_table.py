"""A table of very many runs: a row costs nothing until it is seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from rnnlab.dashboard.widgets import table_messages
from rnnlab.dashboard.widgets.glyphs import Glyphs, fit, glyphs_for
from rnnlab.dashboard.widgets.ordering import Column, Row, ordered
from rnnlab.dashboard.widgets.table_layout import GUTTER, Layout


def _key(keys: str, action: str, name: str, tooltip: str) -> Binding:
    return Binding(keys, action, name, False, id=f"table.{name.lower().replace(' ', '_')}", tooltip=tooltip)


class RunTable(ScrollView, can_focus=True):
    """Rows under a heading, with a cursor, marks, and sorting by a click on a heading or `<`, `>` and `o`.

    The cursor and the marks belong to runs, not to positions: they stay where they are when rows come, go
    or are sorted, and come back with rows that were filtered away. The first column stays when the others
    are moved with left and right.
    """

    DEFAULT_CSS = """
    RunTable { height: 1fr; overflow-x: auto; scrollbar-size-horizontal: 0; }
    RunTable > .run-table--header { text-style: bold; background: $panel; }
    RunTable > .run-table--cursor { background: $primary 25%; }
    RunTable:focus > .run-table--cursor { background: $primary 45%; text-style: bold; }
    RunTable > .run-table--mark { color: $text-accent; text-style: bold; }
    RunTable > .run-table--empty { color: $text-muted; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "run-table--header",
        "run-table--cursor",
        "run-table--mark",
        "run-table--empty",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        _key("down,j", "move(1)", "Down", "Next run"),
        _key("up,k", "move(-1)", "Up", "Previous run"),
        _key("pagedown,ctrl+d", "page(1)", "Page down", "A page down"),
        _key("pageup,ctrl+u", "page(-1)", "Page up", "A page up"),
        _key("home,g", "end(0)", "First", "First run"),
        _key("end,G", "end(-1)", "Last", "Last run"),
        _key("left", "pan(-1)", "Left", "Columns to the left"),
        _key("right", "pan(1)", "Right", "Columns to the right"),
        _key("enter", "select", "Open", "Open the run"),
        _key("space", "mark", "Mark", "Mark the run, and go to the next"),
        _key("less_than_sign", "sort_by(-1)", "Sort left", "Sort by the column to the left"),
        _key("greater_than_sign", "sort_by(1)", "Sort right", "Sort by the column to the right"),
        _key("o", "reverse", "Reverse", "Reverse the order"),
    ]

    empty: reactive[str] = reactive("no runs yet")
    """Said where there are no rows."""
    marks: reactive[frozenset[str]] = reactive[frozenset[str]](frozenset)
    """Keys of the marked rows, in view or not; to be watched."""

    Highlighted = table_messages.Highlighted
    Selected = table_messages.Selected
    Marked = table_messages.Marked
    SortChanged = table_messages.SortChanged

    def __init__(
        self,
        *,
        glyphs: Glyphs | None = None,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self.glyphs = glyphs or glyphs_for()
        self.columns: tuple[Column, ...] = ()
        self.rows: tuple[Row, ...] = ()
        """As shown, top first."""
        self.sort_column: str | None = None
        self.sort_reverse = False
        self._given: tuple[Row, ...] = ()
        self._positions: dict[str, int] = {}
        self._layout = Layout((), (), self.glyphs)
        self._cursor = 0
        self._sought: str | None = None  # where the user put the cursor, in view or filtered away

    # What it shows

    def set_rows(self, rows: Sequence[Row], columns: Sequence[Column] | None = None) -> None:
        """Show `rows` in the chosen order (without one, as given); the cursor follows its run.

        Args:
            rows: their keys must differ.
            columns: None keeps those there are.

        Raises:
            ValueError: two rows have one key.
        """
        if len({row.key for row in rows}) != len(rows):
            raise ValueError("the keys of rows must differ, two are equal")
        if columns is not None:
            self.columns = tuple(columns)
            if self.sort_column not in {column.key for column in self.columns}:
                self.sort_column = None
        self._given = tuple(rows)
        self._layout = Layout(self.columns, self._given, self.glyphs)
        self._arrange()

    def sort(self, column: str | None, reverse: bool = False) -> None:
        """Sort by the column of that key; None is the order in which rows are given.

        Raises:
            ValueError: there is no such column.
        """
        known = [one.key for one in self.columns]
        if column is not None and column not in known:
            raise ValueError(f"column must be one of {', '.join(known)}, got {column}")
        self.sort_column, self.sort_reverse = column, reverse
        self._arrange()

    def set_marks(self, keys: Iterable[str]) -> None:
        """Mark these rows and no others."""
        self.marks = frozenset(keys)

    @property
    def cursor_key(self) -> str | None:
        """The key of the row under the cursor; None where there are no rows."""
        return self.rows[self._cursor].key if self.rows else None

    def move_to(self, key: str) -> bool:
        """Put the cursor on the row `key`; False where it is not shown."""
        if key not in self._positions:
            return False
        self._move(self._positions[key])
        return True

    def _arrange(self) -> None:
        followed, was = self.cursor_key, self._cursor
        rows = self._given
        column = next((one for one in self.columns if one.key == self.sort_column), None)
        if column is not None:
            rows = tuple(rows[index] for index in ordered(rows, column, self.sort_reverse))
        self.rows = rows
        self._positions = {row.key: index for index, row in enumerate(rows)}
        near = min(was, max(len(rows) - 1, 0))
        at = (self._positions[key] for key in (self._sought, followed) if key in self._positions)
        self._cursor = next(at, near)
        self.virtual_size = Size(self._layout.width, len(rows) + 1)
        above = was - self.scroll_offset.y
        if self.scroll_offset.y > 0 and 0 <= above < self._page:  # the row under the eye stays where it is
            self.scroll_to(y=self._cursor - above, animate=False, immediate=True)
        self._show_cursor()
        self.refresh()
        if self.cursor_key != followed:
            self.post_message(self.Highlighted(self, self.cursor_key))

    # Keys and mouse

    @property
    def _page(self) -> int:
        return max(self.size.height - 1, 1)

    def _show_cursor(self) -> None:
        top = self.scroll_offset.y
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False, immediate=True)
        elif self._cursor >= top + self._page and self.size.height:
            self.scroll_to(y=self._cursor - self._page + 1, animate=False, immediate=True)

    def _move(self, index: int) -> None:
        index = min(max(index, 0), max(len(self.rows) - 1, 0))
        if index != self._cursor:
            self._cursor = index
            self.post_message(self.Highlighted(self, self.cursor_key))
        self._sought = self.cursor_key
        self._show_cursor()
        self.refresh()

    def on_resize(self) -> None:
        self._show_cursor()

    def action_move(self, by: int) -> None:
        self._move(self._cursor + by)

    def action_page(self, direction: int) -> None:
        self._move(self._cursor + direction * self._page)

    def action_end(self, index: int) -> None:
        self._move(index % max(len(self.rows), 1))

    def action_pan(self, direction: int) -> None:
        x = self._layout.next_pan(self.scroll_offset.x, direction)
        self.scroll_to(x=x, animate=False, immediate=True)

    def action_select(self) -> None:
        if self.rows:
            self.post_message(self.Selected(self, self.cursor_key))

    def action_mark(self) -> None:
        if self.cursor_key is not None:
            self.marks = self.marks ^ {self.cursor_key}
            self.post_message(self.Marked(self, self.cursor_key))
            self._move(self._cursor + 1)

    def action_sort_by(self, direction: int) -> None:
        """Sort by the next sortable column in that direction, and come round at the end."""
        keys = [column.key for column in self.columns if column.sortable]
        if keys:
            at = keys.index(self.sort_column) + direction if self.sort_column in keys else min(direction, 0)
            self._sort_for_user(keys[at % len(keys)], False)

    def action_reverse(self) -> None:
        if self.sort_column is not None:
            self._sort_for_user(self.sort_column, not self.sort_reverse)

    def _sort_for_user(self, column: str, reverse: bool) -> None:
        self.sort(column, reverse)
        x = self._layout.pan_to(column, self.scroll_offset.x, self.size.width)
        self.scroll_to(x=x, animate=False, immediate=True)
        self.post_message(self.SortChanged(self, column, reverse))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if offset.y == 0:
            column = self.column_at(offset.x)
            if column is not None and column.sortable:
                again = column.key == self.sort_column
                self._sort_for_user(column.key, again and not self.sort_reverse)
            return
        index = self.scroll_offset.y + offset.y - 1
        if index < len(self.rows):
            again = index == self._cursor
            if offset.x < GUTTER:
                self._move(index)
                self.action_mark()
                self._move(index)
            elif again:
                self.action_select()
            else:
                self._move(index)

    def column_at(self, x: int) -> Column | None:
        """The column whose heading or space covers `x` cells from the left edge."""
        return self._layout.column_at(x, self.scroll_offset.x, self.size.width)

    # Drawing

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        base = self.rich_style
        if y == 0:
            return self._header(width)
        index = self.scroll_offset.y + y - 1
        if index < len(self.rows):
            return self._row(index, base, width)
        if not self.rows and y == max(self.size.height // 2, 1):
            style = self.get_component_rich_style("run-table--empty")
            text = fit(self.empty, min(cell_len(self.empty), width), self.glyphs)
            padding = Segment(" " * ((width - cell_len(text)) // 2), base)
            return Strip([padding, Segment(text, style)]).adjust_cell_length(width, base)
        return Strip.blank(width, base)

    def _header(self, width: int) -> Strip:
        style = self.get_component_rich_style("run-table--header")
        arrow = self.glyphs.descending if self.sort_reverse else self.glyphs.ascending
        return self._layout.header(self.sort_column, arrow, style, width, self.scroll_offset.x)

    def _row(self, index: int, base: Style, width: int) -> Strip:
        row, here = self.rows[index], index == self._cursor
        if here:
            base = self.get_component_rich_style("run-table--cursor")
            if self.app.no_color:
                base += Style(bold=True)
        mark = Style(color=self.get_component_rich_style("run-table--mark").color, bold=True)
        signs = (self.glyphs.cursor if here else " ") + (self.glyphs.mark if row.key in self.marks else " ")
        gutter = Segment(f"{signs} ", base + mark)
        return self._layout.row(row, gutter, base, width, self.scroll_offset.x, self.app.theme_variables)
