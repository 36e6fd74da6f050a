"""The lines of a table: the widths of its columns, and a heading or a row as a strip."""

from __future__ import annotations

import bisect
import itertools
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
    """Where columns stand. The first one stays when the others are moved by up to `pan` cells.

    Attributes:
        width: of a whole row, in cells.
    """

    def __init__(self, columns: Sequence[Column], rows: Sequence[Row], glyphs: Glyphs) -> None:
        sample = rows[:: max(1, len(rows) // SAMPLE)]
        self.columns = columns
        self.glyphs = glyphs
        self._widths = [column.width or _widest(column, sample) for column in columns]
        self.width = GUTTER + sum(self._widths) + GAP * max(len(self._widths) - 1, 0)

    def next_pan(self, pan: int, direction: int) -> int:
        """The `pan` by which the next column in that direction comes first after the one that stays."""
        at = self._first(pan) + direction
        starts = self._starts()
        return starts[min(max(at, 0), len(starts) - 1)] if starts else 0

    def pan_to(self, key: str, pan: int, width: int) -> int:
        """The `pan` nearest to the one given at which the column `key` is shown."""
        shown = [
            start
            for start in (pan, *self._starts())
            if any(self.columns[index].key == key for index, _, _ in self._places(start, width))
        ]
        return min(shown, key=lambda start: abs(start - pan), default=pan)

    def column_at(self, x: int, pan: int, width: int) -> Column | None:
        """The column that covers `x` cells from the left edge, with the space after it."""
        for index, start, room in self._places(pan, width):
            if start <= x < start + room + GAP:
                return self.columns[index]
        return None

    def header(self, sorted_by: str | None, arrow: str, style: Style, width: int, pan: int) -> Strip:
        """The headings, `arrow` after that of the column `sorted_by`."""
        segments = [Segment(" " * GUTTER, style)]
        places = self._places(pan, width)
        for index, _, room in places:
            column, heading = self.columns[index], self.columns[index].heading
            if column.key == sorted_by:
                heading = fit(heading, min(cell_len(heading), room - 1), self.glyphs) + arrow
            segments.append(Segment(fit(heading, room, self.glyphs, column.right) + " " * GAP, style))
        strip = Strip(segments).adjust_cell_length(width, style)
        if places and places[-1][0] < len(self.columns) - 1:
            return Strip.join([strip.crop(0, width - 1), Strip([Segment(self.glyphs.more, style)], 1)])
        return strip

    def row(
        self, row: Row, gutter: Segment, base: Style, width: int, pan: int, variables: Mapping[str, str]
    ) -> Strip:
        """A row after its `gutter`; `variables` are the theme's."""
        segments = [gutter]
        for index, _, room in self._places(pan, width):
            column = self.columns[index]
            text = fit(column.written(row), room, self.glyphs, column.right) + " " * GAP
            value = row.values.get(column.key)
            look = column.style(value) if column.style and value is not None else ""
            segments.append(Segment(text, base + _style(look, variables) if look else base))
        return Strip(segments).adjust_cell_length(width, base)

    def _starts(self) -> list[int]:
        """Where each column but the first begins, counted from the second."""
        return [0, *itertools.accumulate(width + GAP for width in self._widths[1:-1])][
            : len(self._widths) - 1
        ]

    def _first(self, pan: int) -> int:
        """Which of `_starts` is shown first."""
        starts = self._starts()
        return min(bisect.bisect_left(starts, pan), max(len(starts) - 1, 0))

    def _places(self, pan: int, width: int) -> list[tuple[int, int, int]]:
        """Index, left edge and room of the columns that are shown.

        A column is shown whole or not at all, since half a number reads as another one; alone the first two
        are cut where the screen is narrower than they are.
        """
        places = []
        x = GUTTER
        order = [0, *range(1 + self._first(pan), len(self._widths))] if self._widths else []
        for count, index in enumerate(order):
            room = self._widths[index]
            if x + room > width and (count > 1 or x >= width):
                break
            places.append((index, x, min(room, width - x)))
            x += room + GAP
        return places


def _widest(column: Column, rows: Sequence[Row]) -> int:
    """Of the heading, with room for the arrow of sorting, and the texts."""
    return max([cell_len(column.heading) + 1, *(cell_len(printable(column.written(row))) for row in rows)])


def _style(look: str, variables: Mapping[str, str]) -> Style:
    if look.startswith("$"):
        return Style(color=Color.parse(variables[look[1:]]).rich_color)
    return Style.parse(look)
