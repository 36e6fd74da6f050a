"""Compare: the curves of several runs over each other, beside what differs between them."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.widgets import Static

from rnnlab.dashboard.catalogue import Catalogue
from rnnlab.dashboard.feed.snapshot import LabSnapshot, RunSnapshot
from rnnlab.dashboard.screens.compare_axes import Curves, available, curves
from rnnlab.dashboard.screens.compare_rows import rows
from rnnlab.dashboard.screens.compare_runs import RunList, what_to_do
from rnnlab.dashboard.screens.compare_table import LETTERS, CompareTable
from rnnlab.dashboard.screens.curve_groups import comparable
from rnnlab.dashboard.screens.lab_screen import LabScreen
from rnnlab.dashboard.screens.run_words import short_name
from rnnlab.dashboard.widgets.line_chart import LineChart
from rnnlab.dashboard.widgets.run_table import RunTable

MOST = len(LETTERS)
"""Runs: each has a letter of its own."""
SMOOTHINGS = (0.0, 0.6, 0.9, 0.97)
MANY, USUAL = 50, 0.6
"""Points from which a curve is smoothed unless the user says otherwise, and how much."""
NAMED = 3
"""The most runs that a legend names on a narrow screen."""
LISTED = 9
"""The most runs in view below the curves."""


def _key(keys: str, action: str, label: str, name: str, tooltip: str, show: bool = True) -> Binding:
    return Binding(keys, action, label, show, id=f"compare.{name}", tooltip=tooltip)


class CompareScreen(LabScreen):
    """The marked runs. A run has one letter and one colour in all parts of the screen."""

    CSS_PATH = "compare.tcss"
    AUTO_FOCUS = "#chart"
    ABOUT = (
        "The runs that are marked in Runs, side by side: their curves, their parameters, their scores.\n\n"
        "A run has one letter and one colour everywhere; after eight runs the colours come again. Arrows in "
        "the curves read out the values of all runs there; enter on a metric in the table draws it, on a run "
        "it opens Live. Tab goes from the curves to the list of runs and to the table. The best value of a "
        "metric has a mark.\n\n"
        "time    since the run began, without its pauses\n"
        "epoch   steps, in passes through the training data\n"
        "tokens  estimated from the speeds in the journal"
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        _key("m", "metric(1)", "Metric", "metric", "Draw the next metric"),
        _key("x", "axis(1)", "Axis", "axis", "Draw over steps, time, epochs or tokens"),
        _key("d", "differences", "Differences", "differences", "Only what differs, or everything"),
        _key("a", "choose", "Runs", "choose", "Add runs, or take some away"),
        _key("delete,minus", "remove", "Remove", "remove", "Take the run under the cursor away"),
        _key("p", "pane", "Pane", "pane", "The table or the list of runs below the curves"),
        _key("s", "smooth", "Smooth", "smooth", "Smooth more; after the most, not at all"),
        _key("l", "log_scale", "Log", "log", "Logarithmic scale"),
        _key("e", "export", "Export", "export", "Write the curves of these runs to a CSV file"),
        _key("M", "metric(-1)", "Metric back", "metric_back", "Draw the previous metric", False),
        _key("X", "axis(-1)", "Axis back", "axis_back", "Draw over what was there before", False),
        _key("escape", "app.mode('runs')", "Runs", "back", "Back to all runs", False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.runs: tuple[RunSnapshot, ...] = ()
        """Those that are drawn."""
        self.metric = ""
        self.axis = "step"
        self.only_differences = False
        self.smoothing: float | None = None
        """None leaves it to the number of points."""
        self._metrics: list[str] = []
        self._axes: list[str] = []
        self._curves = Curves((), "step")

    def body(self) -> ComposeResult:
        glyphs = self.dashboard.glyphs
        self.add_class(glyphs.name)
        yield Static(id="nothing")
        with Container(id="compared"):
            with Vertical(id="left"):
                yield Static(id="head", markup=False)
                chart = LineChart(x_label="step", glyphs=glyphs, id="chart")
                chart.letters = True
                yield chart
                yield RunList(glyphs=glyphs, id="runs")
            yield CompareTable(glyphs, id="table")

    def on_resize(self) -> None:
        """Width decides where names stand."""
        self.call_after_refresh(self._draw)

    def wanted(self) -> Collection[str]:
        return self.dashboard.marked

    # Drawing

    def show(self, snapshot: LabSnapshot) -> None:
        """Draw the marked runs as they are in `snapshot`."""
        found = [run for run in map(snapshot.find, self.dashboard.marked[:MOST]) if run is not None]
        same = len(found) == len(self.runs) and all(a is b for a, b in zip(found, self.runs, strict=True))
        if same and self._metrics:
            return
        if [run.id for run in found] != [run.id for run in self.runs]:
            self.query_one(LineChart).cursor = None
        self.runs = tuple(found)
        self._draw()

    def show_catalogue(self, catalogue: Catalogue) -> None:
        """Draw which values are best, as far as the tasks' metrics are known."""
        self._draw_table()

    def _draw(self) -> None:
        self.set_class(len(self.runs) < 2, "-empty")
        if len(self.runs) < 2:
            self._metrics = []
            self.query_one("#nothing", Static).update(
                what_to_do(len(self.dashboard.snapshot.runs), self.runs)
            )
            return
        self._metrics, self._axes = comparable(self.runs), available(self.runs)
        if self.metric not in self._metrics:
            wanted = ("val/loss", "train/loss", *self._metrics, "")
            self.metric = next(key for key in wanted if key in (*self._metrics, ""))
        if self.axis not in self._axes:
            self.axis = "step"
        chart = self.query_one(LineChart)
        # Where the runs are listed below, or are so many, their letters say enough.
        named = self.has_class("narrow") and len(self.runs) <= NAMED
        labels = [short_name(run.id) for run in self.runs] if named else []
        self._curves = curves(self.runs, self.metric, self.axis, labels)
        chart.x_label = self._curves.x_label
        chart.smoothing = self._smoothing()
        chart.set_series(self._curves.lines)
        self._draw_table()
        self._draw_values()
        self.query_one(RunList).styles.height = min(len(self.runs), LISTED) + 2  # its heading, its border
        if self.focused is None and self.is_current:
            chart.focus()  # there was nothing to be in focus before
        self.refresh_bindings()

    def _draw_table(self) -> None:
        if len(self.runs) > 1:
            table = rows(self.runs, self.dashboard.catalogue, self.only_differences)
            self.query_one(CompareTable).set_rows(table, len(self.runs))

    def _draw_values(self) -> None:
        """What hangs on the cursor."""
        values = self.query_one(LineChart).read_outs()
        if len(values) == len(self.runs):
            self.query_one(CompareTable).set_read_out(self.metric, values)
            self.query_one(RunList).set_runs(self.runs, self.metric, values)
            self.query_one("#head", Static).update(self._head())

    def _head(self) -> str:
        if not self._metrics:
            return "no curves yet"
        chart = self.query_one(LineChart)
        parts = [f"{self.metric} ({self._metrics.index(self.metric) + 1}/{len(self._metrics)})"]
        parts.append(f"over {self._curves.x_label}{' (estimated)' if self.axis == 'tokens' else ''}")
        parts.append(f"smoothed {chart.smoothing:g}" if chart.smoothing else "raw")
        if chart.log_y:
            parts.append("log")
        if self._curves.missing:
            letters = ", ".join(LETTERS[index] for index in self._curves.missing)
            parts.append(f"{self.axis} of {letters} not known")
        if unread := [LETTERS[index] for index, run in enumerate(self.runs) if not read(run)]:
            parts.append(f"reading {', '.join(unread)}")
        if len(self.dashboard.marked) > MOST:
            parts.append(f"the first {MOST} of {len(self.dashboard.marked)} runs")
        return f" {self.dashboard.glyphs.separator} ".join(parts)

    def _smoothing(self) -> float:
        if self.smoothing is not None:
            return self.smoothing
        return USUAL if max((len(line.x) for line in self._curves.lines), default=0) >= MANY else 0.0

    def on_line_chart_cursor_moved(self) -> None:
        """Read out the values there."""
        self._draw_values()

    def on_compare_table_chosen(self, event: CompareTable.Chosen) -> None:
        """Draw another metric, if there are curves of it."""
        if event.metric in self._metrics:
            self.metric = event.metric
            self._draw()
        else:
            self.notify(f"{event.metric} is one number: there is no curve of it", markup=False)

    def on_run_table_selected(self, event: RunTable.Selected) -> None:
        """Open Live."""
        if event.key is not None:
            self.dashboard.open_live(event.key)

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that would do nothing are not offered."""
        if action in ("metric", "axis", "differences", "smooth", "log_scale", "export"):
            return len(self.runs) > 1
        if action == "remove":
            return isinstance(self.focused, RunList)
        return len(self.runs) > 1 and self.has_class("narrow") if action == "pane" else True

    def action_metric(self, by: int) -> None:
        """Draw another metric."""
        if self._metrics:
            self.metric = self._metrics[(self._metrics.index(self.metric) + by) % len(self._metrics)]
            self._draw()

    def action_axis(self, by: int) -> None:
        """Draw over something else."""
        self.axis = self._axes[(self._axes.index(self.axis) + by) % len(self._axes)]
        self.query_one(LineChart).cursor = None  # it stands at an x of another kind
        self._draw()

    def action_smooth(self) -> None:
        """Smooth more."""
        now = self._smoothing()
        self.smoothing = next((each for each in SMOOTHINGS if each > now), SMOOTHINGS[0])
        self._draw()

    def action_log_scale(self) -> None:
        """A logarithmic scale, or a linear one again."""
        chart = self.query_one(LineChart)
        chart.log_y = not chart.log_y
        self._draw()

    def action_differences(self) -> None:
        """Only what differs, or everything."""
        self.only_differences = not self.only_differences
        self._draw_table()

    def action_pane(self) -> None:
        """Where there is room for one alone: the table, or the list of runs."""
        self.toggle_class("-runs")
        self.query_one(RunList if self.has_class("-runs") else CompareTable).focus()

    def action_choose(self) -> None:
        """Ask which runs to compare."""
        from rnnlab.dashboard.screens.compare_picker import RunPicker

        picker = RunPicker(self.dashboard.snapshot, self.dashboard.marked, MOST, self.dashboard.glyphs)
        self.app.push_screen(picker, self._mark)

    def action_remove(self) -> None:
        """Compare without the run under the cursor."""
        gone = self.query_one(RunList).cursor_key
        self._mark(tuple(run_id for run_id in self.dashboard.marked if run_id != gone))

    def _mark(self, run_ids: tuple[str, ...] | None) -> None:
        if run_ids is not None:
            self.dashboard.marked = run_ids
            self.dashboard.draw()

    def action_export(self) -> None:
        """Ask for a path, then write the curves there."""
        from rnnlab.dashboard.screens.launch_dialogs import PathDialog

        if unread := [run.id for run in self.runs if not read(run)]:
            self.notify(f"{unread[0]} is still being read; try again in a moment", severity="warning")
            return
        dialog = PathDialog("Write these runs' curves to a CSV file", "compare.csv", True, (".csv",))
        self.app.push_screen(dialog, self._export)

    def _export(self, path: Path | None) -> None:
        from rnnlab.dashboard.form.launch import Outcome
        from rnnlab.dashboard.screens.compare_export import write

        if path is None:
            return
        # The dialog has asked about a file that is there; one that comes after the answer is kept.
        writing = partial(write, path, self.runs, path.exists())

        def work() -> Outcome:
            count = writing()
            self.app.call_from_thread(self.notify, f"{count:,} values written to {path}", markup=False)
            return Outcome()

        self.dashboard.do(work)


def read(run: RunSnapshot) -> bool:
    """Whether all of its curves are known, as far as they are written."""
    return run.complete or run.state == "running"
