"""The area of a chart below its legend: axes, ticks and curves as rows of characters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from rnnlab.dashboard.widgets.axes import log_ticks, round_ticks, tick_labels
from rnnlab.dashboard.widgets.curves import compose, smooth, trace, usual_gap
from rnnlab.dashboard.widgets.glyphs import Glyphs, fit, printable

NARROWEST, LOWEST = 8, 2
"""Columns and rows below which nothing can be drawn."""

LARGEST = 1e150
"""Values from here on are treated as infinite: the differences of larger ones overflow."""


@dataclass(frozen=True, eq=False)
class Curve:
    """Samples sorted by x, how they look, and the letter at their end ("": none)."""

    x: np.ndarray
    y: np.ndarray
    bright: Style
    dim: Style
    letter: str


@dataclass(frozen=True)
class Styles:
    """Of the ground, of the axes, and of the cursor's column (its background alone)."""

    base: Style
    axis: Style
    cursor: Style


class Plot:
    """Curves in `width` x `height` character cells, the axes among them.

    Attributes:
        problem: why there is nothing to draw, for the user; "" where there is.
        left: columns that the labels and the axis of y take.
        columns, rows: of the drawing itself.
        cell: how much of x one column spans.
    """

    def __init__(
        self,
        width: int,
        height: int,
        curves: Sequence[Curve],
        glyphs: Glyphs,
        styles: Styles,
        smoothing: float = 0.0,
        log_y: bool = False,
    ) -> None:
        self.width, self.height = width, height
        self.curves, self.glyphs, self.styles, self.log_y = list(curves), glyphs, styles, log_y
        raw = [np.where(np.abs(curve.y) < LARGEST, curve.y, np.nan) for curve in curves]
        self._layers = raw
        self._raw = 0
        if smoothing > 0:
            distance = usual_gap(curve.x for curve in curves)
            smoothed = [smooth(curve.x, curve.y, smoothing, distance) for curve in curves]
            self._layers, self._raw = raw + smoothed, len(raw)
        self.problem = self._set_ranges()
        self.rows = max(height - 1, 0)
        self.left = self.columns = 0
        self.cell = 1.0
        if not self.problem:
            self._set_ticks()

    def _set_ranges(self) -> str:
        if not any(np.isfinite(y).any() for y in self._layers):
            return "no data yet"
        if self.log_y:
            with np.errstate(divide="ignore", invalid="ignore"):
                self._layers = [np.where(y > 0, np.log10(y), np.nan) for y in self._layers]
        shown = np.concatenate(self._layers[self._raw :])
        shown = shown[np.isfinite(shown)]
        if not len(shown):
            return "nothing above 0 on the log axis"
        low, high = float(shown.min()), float(shown.max())
        if high - low <= max(abs(low), abs(high)) * 1e-12:
            low, high = low - (abs(low) * 0.1 or 0.5), high + (abs(high) * 0.1 or 0.5)
        margin = (high - low) * 0.03
        self.y_range = (low - margin, high + margin)
        xs = [curve.x for curve in self.curves if len(curve.x)]
        first, last = min(float(x[0]) for x in xs), max(float(x[-1]) for x in xs)
        self.x_range = (first, last if last > first else first + 1)
        if self.width < NARROWEST or self.height < LOWEST:
            return " "  # there is room for the legend alone
        return ""

    def _set_ticks(self) -> None:
        low, high = self.y_range
        most = max(2 if self.rows < 5 else 3, self.rows // 3)
        if self.log_y:
            ticks = log_ticks(10.0**low, 10.0**high, most)
            places = [float(np.log10(tick)) for tick in ticks]
        else:
            ticks = places = round_ticks(low, high, most)
        rows = [int((high - place) / (high - low) * (self.rows * 4 - 1) + 0.5) // 4 for place in places]
        labels = dict(zip(rows, tick_labels(ticks), strict=True))
        longest = max((len(label) for label in labels.values()), default=0)
        if longest > max(self.width // 3, 3):  # a curve says more than its ticks
            labels, longest = {}, 0
        self._y_labels = labels
        self.left = longest + 1
        self.columns = self.width - self.left
        self.cell = (self.x_range[1] - self.x_range[0]) / max(self.columns - 0.5, 1)

    def x_at(self, column: int) -> float:
        """The x in the middle of a column of the drawing."""
        dots = max(self.columns * 2 - 1, 1)
        return self.x_range[0] + (column * 2 + 0.5) / dots * (self.x_range[1] - self.x_range[0])

    def column_of(self, x: float) -> int:
        """The column of the drawing in which `x` lies."""
        low, high = self.x_range
        return int((x - low) / (high - low) * (self.columns * 2 - 1) + 0.5) // 2

    def strips(self, x_label: str, cursor: float | None) -> list[Strip]:
        """The rows, top first. Args: the name of x; where the cursor stands on x, if anywhere."""
        if self.problem:
            message = fit(self.problem, min(len(self.problem), self.width), self.glyphs)
            rows = [Strip.blank(self.width, self.styles.base) for _ in range(self.height)]
            if self.height > 0:
                at = (self.width - len(message)) // 2
                segments = [Segment(" " * at, self.styles.base), Segment(message, self.styles.axis)]
                rows[self.height // 2] = Strip(segments).adjust_cell_length(self.width, self.styles.base)
            return rows
        codes, kinds, looks = self._paint(cursor)
        changed = np.ones_like(kinds, dtype=bool)
        changed[:, 1:] = kinds[:, 1:] != kinds[:, :-1]
        strips = []
        for row in range(self.rows):
            label = self._y_labels.get(row, "")
            bar = self.glyphs.tick if label else self.glyphs.axis
            segments = [Segment(label.rjust(self.left - 1) + bar, self.styles.axis)]
            text = codes[row].tobytes().decode("utf-32-le")
            starts = np.flatnonzero(changed[row]).tolist()
            for start, end in zip(starts, [*starts[1:], self.columns], strict=True):
                segments.append(Segment(text[start:end], looks[kinds[row, start]]))
            strips.append(Strip(segments, self.width))
        strips.append(Strip([Segment(self._x_axis(x_label), self.styles.axis)], self.width))
        return strips

    def _paint(self, cursor: float | None) -> tuple[np.ndarray, np.ndarray, list[Style]]:
        """Characters and the index of their style, both [rows, columns], and the styles."""
        xs = [curve.x for curve in self.curves] * 2
        masks = [
            trace(x, y, self.x_range, self.y_range, self.columns * 2, self.rows * 4)
            for x, y in zip(xs, self._layers, strict=False)
        ]
        bits, kinds = compose(masks, self._raw)
        codes = np.array([ord(dot) for dot in self.glyphs.dots], dtype="<u4")[bits]
        looks = [curve.dim for curve in self.curves] if self._raw else []
        looks += [curve.bright for curve in self.curves]
        looks.append(self.styles.base)  # the last: cells of no curve, whose index is -1
        kinds[kinds < 0] = len(looks) - 1
        taken: set[tuple[int, int]] = set()
        for index, curve in enumerate(self.curves, start=self._raw):
            self._mark_end(curve, self._layers[index], index, codes, kinds, taken)
        if cursor is not None and self.x_range[0] <= cursor <= self.x_range[1]:
            column = self.column_of(cursor)
            codes[codes[:, column] == ord(" "), column] = ord(self.glyphs.cursor_line)
            kinds[:, column] += len(looks)
            looks = looks + [look + self.styles.cursor for look in looks]
        return codes, kinds, looks

    def _mark_end(
        self,
        curve: Curve,
        y: np.ndarray,
        index: int,
        codes: np.ndarray,
        kinds: np.ndarray,
        taken: set[tuple[int, int]],
    ) -> None:
        """Put a curve's letter at its last sample, or a point where it has but one."""
        there = np.flatnonzero(np.isfinite(y))
        glyph = curve.letter or (self.glyphs.point if len(there) == 1 else "")
        if not len(there) or not glyph:
            return
        low, high = self.y_range
        height = (high - float(y[there[-1]])) / (high - low) * (self.rows * 4 - 1)
        row, column = int(height + 0.5) // 4, self.column_of(float(curve.x[there[-1]]))
        free = [at for at in range(self.rows) if (at, column) not in taken]
        if not 0 <= row < self.rows or not free:
            return
        row = min(free, key=lambda at: abs(at - row))
        taken.add((row, column))
        codes[row, column], kinds[row, column] = ord(glyph), index

    def _x_axis(self, x_label: str) -> str:
        low, high = self.x_range
        whole = all(len(curve.x) == 0 or bool((curve.x == np.rint(curve.x)).all()) for curve in self.curves)
        axis = [" "] * self.width
        axis[self.left - 1] = self.glyphs.corner
        name = printable(x_label)
        end = self.width
        if name and len(name) + 2 <= self.columns // 3:
            end -= len(name) + 1
            axis[end + 1 :] = name
        ticks = round_ticks(low, high, max(3, self.columns // 12), whole)
        free = self.left
        for tick, label in zip(ticks, tick_labels(ticks), strict=True):
            at = self.left + self.column_of(tick) - len(label) // 2
            at = max(at, self.left)
            if at + len(label) > end and name == "":
                at = end - len(label)
            if at >= free and at + len(label) <= end:
                axis[at : at + len(label)] = label
                free = at + len(label) + 1
        return "".join(axis)
