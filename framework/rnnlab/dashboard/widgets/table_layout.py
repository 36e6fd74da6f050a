"""The lines of a table: the widths of its columns, and a heading or a row as a strip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip

from rnnlab.dashboard.widgets.glyphs import Glyphs, fit, printable
from rnnlab.dashboard.widgets.ordering import Column, Row

SAMPLE = 200
"""Rows that are measured for the width of a column."""

GUTTER = 3
"""Cells before the first column: the cursor, the mark, a space."""

GAP = 2
"""Cells after each column."""


class Layout:
    """Where columns stand. The first one stays when the others are moved by `pan` cells.

    Attributes:
        width: of a whole row, in cells.
    """

    def __init__(self, columns: Sequence[Column], rows: Sequence[Row], glyphs: Glyphs) -> None:
        sample = rows[:: max(1, len(rows) // SAMPLE)]
        self.columns = columns
        self.glyphs = glyphs
        self._widths = [column.width or _widest(column, sample) for column in columns]
        self.width = GUTTER + sum(self._widths) + GAP * len(self._widths)

    def column_at(self, x: int, pan: int) -> Column | None:
        """The column that covers `x` cells from the left edge, with the space after it."""
        start = GUTTER
        for index, (column, width) in enumerate(zip(self.columns, self._widths, strict=True)):
            if index == 1:
                x += pan
            if start <= x < start + width + GAP:
                return column
            start += width + GAP
        return None

    def header(self, sorted_by: str | None, arrow: str, style: Style, width: int, pan: int) -> Strip:
        """The headings, `arrow` after that of the column `sorted_by`."""
        cells = []
        for column, room in zip(self.columns, self._widths, strict=True):
            heading = column.heading
            if column.key == sorted_by:
                heading = fit(heading, min(cell_len(heading), room - 1), self.glyphs) + arrow
            cells.append(Segment(fit(heading, room, self.glyphs, column.right) + " " * GAP, style))
        strip = self._panned(Segment(" " * GUTTER, style), cells, style, width, pan)
        if self.width - GAP - pan > width:
            return Strip.join([strip.crop(0, width - 1), Strip([Segment(self.glyphs.more, style)], 1)])
        return strip

    def row(
        self, row: Row, gutter: Segment, base: Style, width: int, pan: int, variables: Mapping[str, str]
    ) -> Strip:
        """A row after its `gutter`; `variables` are the theme's."""
        cells = []
        for column, room in zip(self.columns, self._widths, strict=True):
            text = fit(column.written(row), room, self.glyphs, column.right) + " " * GAP
            value = row.values.get(column.key)
            look = column.style(value) if column.style and value is not None else ""
            cells.append(Segment(text, base + _style(look, variables) if look else base))
        return self._panned(gutter, cells, base, width, pan)

    def _panned(self, gutter: Segment, cells: list[Segment], style: Style, width: int, pan: int) -> Strip:
        fixed, rest = Strip([gutter, *cells[:1]]), Strip(cells[1:])
        seen = rest.crop(pan, max(pan, pan + width - fixed.cell_length))
        return Strip.join([fixed, seen]).adjust_cell_length(width, style)


def _widest(column: Column, rows: Sequence[Row]) -> int:
    """Of the heading, with room for the arrow of sorting, and the texts."""
    return max([cell_len(column.heading) + 1, *(cell_len(printable(column.written(row))) for row in rows)])


def _style(look: str, variables: Mapping[str, str]) -> Style:
    if look.startswith("$"):
        return Style(color=Color.parse(variables[look[1:]]).rich_color)
    return Style.parse(look)
