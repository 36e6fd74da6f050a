"""A matrix as colours, two rows of it in each row of characters."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import ClassVar

import numpy as np
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from rnnlab.dashboard.widgets import palette
from rnnlab.dashboard.widgets.axes import short
from rnnlab.dashboard.widgets.glyphs import Glyphs, fit, glyphs_for, printable
from rnnlab.dashboard.widgets.matrix import column_labels, resample, row_labels, shares

SCALE = 8
"""Characters of the scale in the first line."""


@lru_cache(maxsize=4 * palette.LEVELS**2)
def _look(base: Style, colour: str, ground: str | None) -> Style:
    return base + Style(color=colour, bgcolor=ground)


class Heatmap(Widget, can_focus=True):
    """Values as at most 32 colours, with a scale, ticks and a cursor that reads values out.

    Ranges with 0 inside them take a diverging palette, others one whose lightness grows; without colours
    it is greys, and where there are no half blocks, shades of ASCII characters.
    """

    DEFAULT_CSS = """
    Heatmap { width: 1fr; height: 1fr; min-height: 1; }
    Heatmap > .heatmap--axis { color: $text-muted; }
    Heatmap > .heatmap--title { text-style: bold; }
    Heatmap:focus > .heatmap--title { text-style: bold reverse; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"heatmap--axis", "heatmap--title"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "cursor(0,-1)", "Left", False, id="heatmap.left", tooltip="Read out values"),
        Binding("right", "cursor(0,1)", "Right", False, id="heatmap.right", tooltip="Read out values"),
        Binding("up", "cursor(-1,0)", "Up", False, id="heatmap.up", tooltip="Read out values"),
        Binding("down", "cursor(1,0)", "Down", False, id="heatmap.down", tooltip="Read out values"),
        Binding(
            "escape", "clear_cursor", "No cursor", False, id="heatmap.clear", tooltip="Put the cursor away"
        ),
    ]

    title: reactive[str] = reactive("")
    cursor: reactive[tuple[int, int] | None] = reactive(None)
    """Row and column of the drawing (a row is half a character high) whose value is read out."""

    def __init__(
        self,
        title: str = "",
        *,
        glyphs: Glyphs | None = None,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self.glyphs = glyphs or glyphs_for()
        self.empty = "no data yet"
        """Said while there are no values."""
        self.values = np.empty((0, 0))
        self.low, self.high = 0.0, 1.0
        self.row_label, self.column_label = "row", "column"
        self.row_names: tuple[str, ...] = ()
        self.column_names: tuple[str, ...] = ()
        self._strips: list[Strip] = []
        self.set_reactive(Heatmap.title, title)

    def set_values(
        self,
        values: np.ndarray,
        low: float,
        high: float,
        row_label: str = "row",
        column_label: str = "column",
        row_names: Sequence[str] = (),
        column_names: Sequence[str] = (),
    ) -> None:
        """Show `values`.

        Args:
            values: [rows, columns], row 0 at the top; NaN is left blank.
            low, high: the values of the first and the last colour; others are given the nearest.
            row_label, column_label: what a row and a column are, for the read-out.
            row_names, column_names: of each row and column, in place of its index; may be empty.

        Raises:
            ValueError: `values` is not a matrix, or `low` is not below `high`.
        """
        values = np.asarray(values, float)
        if values.ndim != 2:
            raise ValueError(f"values must be [rows, columns], got {values.ndim} dimensions")
        if not low < high:
            raise ValueError(f"low must be below high, got {low:g} and {high:g}")
        self.values, self.low, self.high = values, float(low), float(high)
        self.row_label, self.column_label = row_label, column_label
        self.row_names, self.column_names = tuple(row_names), tuple(column_names)
        self._redraw()

    def _redraw(self) -> None:
        self._strips = []
        self.refresh()

    def watch_title(self) -> None:
        self._redraw()

    watch_cursor = watch_title

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._redraw()

    def on_resize(self) -> None:
        self._redraw()

    # The cursor

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the drawing; (0, 0) where there is no room or nothing to show."""
        width, height = self.size
        rows, columns = max(height - 2, 0), max(width - self._left, 0)
        if not (rows and columns and self.values.size):
            return 0, 0
        return rows * (2 if self.glyphs.upper else 1), columns

    @property
    def _left(self) -> int:
        longest = max((cell_len(self._index_text(0, row)) for row in range(len(self.values))), default=0)
        return longest + 1 if self.size.width >= 4 * longest else 1

    def action_cursor(self, down: int, right: int) -> None:
        """Move by one cell of the drawing; starts at the top left."""
        rows, columns = self.grid
        if rows:
            row, column = self.cursor or (-down, -right)
            self.cursor = (min(max(row + down, 0), rows - 1), min(max(column + right, 0), columns - 1))

    def action_clear_cursor(self) -> None:
        self.cursor = None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # Without a cursor, escape is the screen's.
        return self.cursor is not None if action == "clear_cursor" else True

    def on_mouse_move(self, event: events.MouseMove) -> None:
        offset, (rows, columns) = event.get_content_offset(self), self.grid
        if offset is None or not rows:
            return
        row, column = (offset.y - 1) * (2 if self.glyphs.upper else 1), offset.x - self._left
        if 0 <= row < rows and 0 <= column < columns:
            self.cursor = (row, column)

    def on_leave(self) -> None:
        if not self.has_focus:
            self.cursor = None

    def _index_text(self, axis: int, index: int) -> str:
        names = (self.row_names, self.column_names)[axis]
        return printable(names[index]) if index < len(names) else str(index)

    def _read_out(self, shown: np.ndarray, row: int, column: int) -> str:
        parts = []
        for axis, (at, label) in enumerate(((row, self.row_label), (column, self.column_label))):
            starts = np.append(shares(self.values.shape[axis], shown.shape[axis]), self.values.shape[axis])
            first, last = int(starts[at]), max(int(starts[at + 1]) - 1, int(starts[at]))
            name = self._index_text(axis, first) + (
                f"-{self._index_text(axis, last)}" if last > first else ""
            )
            parts.append(f"{label} {name}")
        parts.append(short(float(shown[row, column])))
        return f" {self.glyphs.separator} ".join(parts)

    # Drawing

    def render_line(self, y: int) -> Strip:
        if not self._strips:
            self._strips = self._draw()
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.rich_style)

    @property
    def _colours(self) -> tuple[str, ...]:
        if self.app.no_color:
            return palette.ramp("grey")
        if self.low < 0 < self.high:
            return palette.ramp("diverging", palette.LEVELS - 1)  # an odd count: the middle has a colour
        return palette.ramp("sequential")

    def _draw(self) -> list[Strip]:
        base, axis = self.rich_style, self.get_component_rich_style("heatmap--axis")
        rows, columns = self.grid
        if not rows:
            return self._empty(base, axis)
        shown = resample(self.values, rows, columns)
        if self.cursor is not None and (self.cursor[0] >= rows or self.cursor[1] >= columns):
            self.set_reactive(Heatmap.cursor, None)
        colours = self._colours if self.glyphs.upper else tuple(self.glyphs.shades)
        share = (shown - self.low) / (self.high - self.low) * len(colours)
        levels = np.clip(np.where(np.isfinite(shown), share, 0.0), 0, len(colours) - 1).astype(int)
        levels[~np.isfinite(shown)] = -1
        if self.glyphs.upper:
            body = [self._blocks(levels[at], levels[at + 1], colours, base) for at in range(0, rows, 2)]
        else:
            body = [[Segment("".join(colours[at] if at >= 0 else "?" for at in row), base)] for row in levels]
        per_line = rows // len(body)
        labels = row_labels([self._index_text(0, row) for row in range(len(self.values))], rows, per_line)
        strips = [self._first_line(shown, colours, base, axis)]
        for line, segments in enumerate(body):
            here = self.cursor is not None and self.cursor[0] // per_line == line
            bar = self.glyphs.cursor if here else self.glyphs.axis
            label = fit(labels.get(line, ""), self._left - 1, self.glyphs, right=True)
            strips.append(Strip([Segment(label + bar, axis), *segments], self.size.width))
        strips.append(
            Strip([Segment(self._column_axis(columns), axis)]).adjust_cell_length(self.size.width, base)
        )
        return strips

    def _empty(self, base: Style, axis: Style) -> list[Strip]:
        width, height = self.size
        lines = [Strip.blank(width, base) for _ in range(height)]
        title = Segment(fit(self.title, width, self.glyphs), self.get_component_rich_style("heatmap--title"))
        lines[:1] = [Strip([title]).adjust_cell_length(width, base)]
        if height > 1 and not self.values.size:
            text = Segment(fit(self.empty, min(cell_len(self.empty), width), self.glyphs).center(width), axis)
            lines[height // 2] = Strip([text]).adjust_cell_length(width, base)
        return lines

    def _blocks(
        self, upper: np.ndarray, lower: np.ndarray, colours: tuple[str, ...], base: Style
    ) -> list[Segment]:
        """One line of half blocks: a segment for each run of equal pairs."""
        pairs = upper * 64 + lower
        starts = np.flatnonzero(np.append(True, pairs[1:] != pairs[:-1])).tolist()
        segments = []
        for start, end in zip(starts, [*starts[1:], len(pairs)], strict=True):
            above, below = int(upper[start]), int(lower[start])
            glyph, style = " ", base
            if above >= 0:
                ground = colours[below] if below >= 0 else None
                glyph, style = self.glyphs.upper, _look(base, colours[above], ground)
            elif below >= 0:
                glyph, style = self.glyphs.lower, _look(base, colours[below], None)
            segments.append(Segment(glyph * (end - start), style))
        return segments

    def _first_line(self, shown: np.ndarray, colours: tuple[str, ...], base: Style, axis: Style) -> Strip:
        """The title, or what is under the cursor; the scale stands at the right."""
        width = self.size.width
        low, high = short(self.low), short(self.high)
        scale = [Segment(f"{low} ", axis)]
        if self.glyphs.upper:
            picked = [colours[at * (len(colours) - 1) // (SCALE - 1)] for at in range(SCALE)]
            scale += [Segment(self.glyphs.levels[-1], base + Style(color=colour)) for colour in picked]
        else:
            scale.append(Segment("".join(colours), base))
        scale.append(Segment(f" {high}", axis))
        taken = sum(len(segment.text) for segment in scale)
        if self.cursor is not None:
            text, style = self._read_out(shown, *self.cursor), base
        else:
            text, style = self.title, self.get_component_rich_style("heatmap--title")
        if cell_len(text) + 2 + taken > width:
            return Strip([Segment(fit(text, width, self.glyphs), style)], width)
        text = printable(text)
        gap = Segment(" " * (width - cell_len(text) - taken), base)
        return Strip([Segment(text, style), gap, *scale], width)

    def _column_axis(self, columns: int) -> str:
        """The last line: names of columns, what a column is, and a mark below the cursor."""
        names = [self._index_text(1, column) for column in range(self.values.shape[1])]
        cells = column_labels(names, columns, printable(self.column_label))
        if self.cursor is not None:
            at = self.cursor[1]
            cells = cells[:at] + self.glyphs.ascending + cells[at + 1 :]
        return " " * (self._left - 1) + self.glyphs.corner + cells
