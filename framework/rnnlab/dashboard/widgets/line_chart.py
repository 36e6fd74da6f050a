"""Curves over steps or time, in braille."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from rnnlab.dashboard.widgets import palette
from rnnlab.dashboard.widgets.axes import position_text, short
from rnnlab.dashboard.widgets.glyphs import Glyphs, glyphs_for
from rnnlab.dashboard.widgets.legend import Entry, legend
from rnnlab.dashboard.widgets.plot import Curve, Plot, Styles


@dataclass(frozen=True, eq=False)
class Line:
    """One curve.

    Attributes:
        label: in the legend.
        x, y: float [n] each; need not be sorted or finite.
        colour: "" takes the palette's next; or a name, "#rrggbb", or "$name" of a theme's colour.
        marker: the letter at its end where there are no colours; "" takes the next of the alphabet.
    """

    label: str
    x: np.ndarray
    y: np.ndarray
    colour: str = ""
    marker: str = ""

    def sorted(self) -> Line:
        """Itself with float arrays, sorted by x, without samples whose x is not finite.

        Raises:
            ValueError: `x` and `y` differ in length.
        """
        x, y = np.asarray(self.x, float).ravel(), np.asarray(self.y, float).ravel()
        if len(x) != len(y):
            raise ValueError(f"{self.label}: x and y must be of one length, got {len(x)} and {len(y)}")
        if not np.isfinite(x).all():
            x, y = x[np.isfinite(x)], y[np.isfinite(x)]
        if (np.diff(x) < 0).any():
            order = np.argsort(x, kind="stable")
            x, y = x[order], y[order]
        return replace(self, x=x, y=y)


class LineChart(Widget, can_focus=True):
    """Lines with a legend, round ticks and a cursor that reads values out.

    It draws when it is asked to: call `set_series` as often as you like, but no eye needs more than four
    times a second. Smoothed curves are bright and set the range of y; their raw samples are dim.
    """

    DEFAULT_CSS = """
    LineChart { width: 1fr; height: 1fr; min-height: 1; }
    LineChart > .line-chart--axis { color: $text-muted; }
    LineChart > .line-chart--title { text-style: bold; }
    LineChart > .line-chart--cursor { background: $panel-lighten-2; }
    LineChart:focus > .line-chart--title { text-style: bold reverse; }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"line-chart--axis", "line-chart--title", "line-chart--cursor"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "cursor(-1)", "Cursor left", False, id="chart.left", tooltip="Read out values"),
        Binding("right", "cursor(1)", "Cursor right", False, id="chart.right", tooltip="Read out values"),
        Binding(
            "home", "cursor_end(0)", "First", False, id="chart.first", tooltip="Cursor to the first sample"
        ),
        Binding("end", "cursor_end(-1)", "Last", False, id="chart.last", tooltip="Cursor to the last sample"),
        Binding(
            "escape", "clear_cursor", "No cursor", False, id="chart.clear", tooltip="Put the cursor away"
        ),
    ]

    title: reactive[str] = reactive("")
    x_label: reactive[str] = reactive("")
    log_y: reactive[bool] = reactive(False)
    smoothing: reactive[float] = reactive(0.0)
    """Weight of the moving average, 0 (raw) to 1; see `curves.smooth`."""
    cursor: reactive[float | None] = reactive(None)
    """Where values are read out, in units of x; None shows each line's last value."""
    letters: reactive[bool | None] = reactive(None)
    """Letters at the ends of lines; None: where the app has no colours."""

    class CursorMoved(Message):
        """The user moved the cursor to `x` (None: put it away)."""

        def __init__(self, chart: LineChart, x: float | None) -> None:
            super().__init__()
            self.chart = chart
            self.x = x

        @property
        def control(self) -> LineChart:
            return self.chart

    def __init__(
        self,
        title: str = "",
        *,
        x_label: str = "",
        glyphs: Glyphs | None = None,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
        disabled: bool = False,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self.glyphs = glyphs or glyphs_for()
        self.lines: tuple[Line, ...] = ()
        self._plot: Plot | None = None
        self._strips: list[Strip] = []
        self._xs: np.ndarray | None = None
        self.set_reactive(LineChart.title, title)
        self.set_reactive(LineChart.x_label, x_label)

    def set_series(self, lines: Sequence[Line]) -> None:
        """Show `lines` in place of what was shown; the cursor stays at its x.

        Raises:
            ValueError: a line's `x` and `y` differ in length.
        """
        self.lines = tuple(line.sorted() for line in lines)
        self._xs = None
        self._redraw()

    def read_outs(self) -> list[str]:
        """Each line's value at the cursor, or its last one, as the legend has it."""
        return [self._read_out(line) for line in self.lines]

    def validate_smoothing(self, smoothing: float) -> float:
        return min(max(float(smoothing), 0.0), 0.999)

    def watch_title(self) -> None:
        self._redraw()

    watch_x_label = watch_log_y = watch_smoothing = watch_cursor = watch_letters = watch_title

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._redraw()

    def on_resize(self) -> None:
        self._redraw()

    def on_focus(self) -> None:
        self._redraw()

    on_blur = on_focus

    def _redraw(self) -> None:
        self._strips = []
        self.refresh()

    # The cursor

    def action_cursor(self, direction: int) -> None:
        """Move one character, or to the next sample where none is so near; starts at the last sample."""
        xs = self._samples()
        if not len(xs) or self._plot is None:
            return
        if self.cursor is None:
            self._move_cursor(float(xs[-1]))
        elif direction > 0:
            at = np.searchsorted(xs, self.cursor + self._plot.cell * (1 - 1e-9), "left")
            self._move_cursor(float(xs[min(at, len(xs) - 1)]))
        else:
            at = np.searchsorted(xs, self.cursor - self._plot.cell * (1 - 1e-9), "right") - 1
            self._move_cursor(float(xs[max(at, 0)]))

    def action_cursor_end(self, index: int) -> None:
        xs = self._samples()
        if len(xs):
            self._move_cursor(float(xs[index]))

    def action_clear_cursor(self) -> None:
        self._move_cursor(None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # Without a cursor, escape is the screen's.
        return self.cursor is not None if action == "clear_cursor" else True

    def on_mouse_move(self, event: events.MouseMove) -> None:
        offset = event.get_content_offset(self)
        if offset is not None:
            self._point_at(offset.x)

    def on_click(self, event: events.Click) -> None:
        self.on_mouse_move(event)  # pyright: ignore[reportArgumentType]

    def on_leave(self) -> None:
        if not self.has_focus:
            self._move_cursor(None)

    def _point_at(self, column: int) -> None:
        xs = self._samples()
        if self._plot is not None and len(xs) and 0 <= column - self._plot.left < self._plot.columns:
            x = self._plot.x_at(column - self._plot.left)
            self._move_cursor(float(xs[np.abs(xs - x).argmin()]))

    def _samples(self) -> np.ndarray:
        """Every x at which some line has a sample, rising."""
        if self._xs is None:
            self._xs = np.unique(np.concatenate([line.x for line in self.lines] or [np.empty(0)]))
        return self._xs

    def _move_cursor(self, x: float | None) -> None:
        if x != self.cursor:
            self.cursor = x
            self.post_message(self.CursorMoved(self, x))

    # Drawing

    def render_line(self, y: int) -> Strip:
        if not self._strips:
            self._strips = self._draw(*self.size)
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.rich_style)

    def _draw(self, width: int, height: int) -> list[Strip]:
        base = self.rich_style
        dim = self.get_component_rich_style("line-chart--axis")
        bold = self.get_component_rich_style("line-chart--title")
        mark = Style(bgcolor=self.get_component_rich_style("line-chart--cursor").bgcolor)
        dark, variables, ground = (
            self.app.current_theme.dark,
            self.app.theme_variables,
            self.background_colors[1],
        )
        letters = self.app.no_color if self.letters is None else self.letters
        curves, entries = [], []
        for index, line in enumerate(self.lines):
            colour = palette.line_colour(line.colour, index, dark, variables)
            bright, faint = palette.bright_and_dim(colour, ground)
            letter = (line.marker or string.ascii_lowercase[index % 26])[:1]
            curves.append(Curve(line.x, line.y, base + bright, base + faint, letter if letters else ""))
            key = letter if letters else self.glyphs.swatch * 2
            entries.append(Entry(key, line.label, self._read_out(line), base + bright))
        note = "log" if self.log_y else ""
        if self.cursor is not None:
            note = f"{self.x_label or 'x'} {position_text(self.cursor)}"
        strips = [legend(self.title, note, entries, width, self.glyphs, base, bold, dim)]
        styles = Styles(base, dim, mark)
        plot = Plot(width, height - 1, curves, self.glyphs, styles, self.smoothing, self.log_y)
        self._plot = plot if plot.problem == "" else None
        strips += plot.strips(self.x_label, self.cursor)
        return strips[:height]

    def _read_out(self, line: Line) -> str:
        there = np.flatnonzero(np.isfinite(line.y))
        if not len(there):
            return "-"
        if self.cursor is None:
            return short(float(line.y[there[-1]]))
        x = line.x[there]
        slack = self._plot.cell if self._plot is not None else 0.0
        if not x[0] - slack <= self.cursor <= x[-1] + slack:
            return "-"
        return short(float(line.y[there[np.abs(x - self.cursor).argmin()]]))
