"""Live: one run while it trains."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from rnnlab.dashboard.feed.snapshot import LabSnapshot, RunSnapshot
from rnnlab.dashboard.screens.curve_groups import groups, in_plain_words, side_by_side
from rnnlab.dashboard.screens.gates_pane import GatesPane
from rnnlab.dashboard.screens.lab_screen import LabScreen
from rnnlab.dashboard.screens.log_pane import LogPane
from rnnlab.dashboard.screens.run_line import RunLine
from rnnlab.dashboard.screens.samples_pane import SamplesPane
from rnnlab.dashboard.screens.system_pane import SystemPane
from rnnlab.dashboard.widgets.line_chart import Line, LineChart

SMALL = 3
"""Small charts below the big one."""
PANES = ("gates", "samples", "log", "system")
SMOOTHINGS = (0.0, 0.6, 0.9, 0.97)
SPLIT_COLOURS = {"train": 0, "val": 1}
RESUMABLE = ("stopped", "failed", "crashed")


def _key(keys: str, action: str, label: str, name: str, tooltip: str, show: bool = False) -> Binding:
    return Binding(keys, action, label, show, id=f"live.{name}", tooltip=tooltip)


class LiveScreen(LabScreen):
    """A run's progress, curves, gates, answers, log and machine.

    Everything on it comes from one snapshot; while the view is paused, from the one it was paused at.
    """

    CSS_PATH = "live.tcss"
    ABOUT = (
        "One run while it trains: curves, what its gates do on one validation example, answers beside the "
        "truth (wrong parts underlined), its log and the machine. Pausing freezes the view, never the run."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        _key("space", "pause", "Pause", "pause", "Freeze the view; the run goes on", True),
        _key("m", "metric(1)", "Metric", "metric", "Next metric in the big chart", True),
        _key("M", "metric(-1)", "Metric back", "metric_back", "Previous metric in the big chart"),
        _key("p", "pane(1)", "Pane", "pane", "Next pane: gates, samples, log, system", True),
        _key("g", "gate(1)", "Gate", "gate", "Next gate or state", True),
        _key("G", "gate(-1)", "Gate back", "gate_back", "Previous gate or state"),
        _key("v", "layer(1)", "Layer", "layer", "Gates of the next layer or direction", True),
        _key("V", "layer(-1)", "Layer back", "layer_back", "Gates of the previous layer or direction"),
        _key("l", "log_scale", "Log", "log", "Logarithmic scale in the big chart", True),
        _key("s", "smooth", "Smooth", "smooth", "More smoothing; after the most, none", True),
        _key("left_square_bracket", "run(1)", "Older run", "older", "The run before this one"),
        _key("right_square_bracket", "run(-1)", "Newer run", "newer", "The run after this one"),
        _key("S", "stop", "Stop run", "stop", "Stop the run after its current step; it saves first", True),
        _key("R", "resume", "Resume", "resume", "Go on with a run that stopped, failed or crashed", True),
        _key("o", "tracking", "MLflow", "tracking", "The run's page in MLflow", True),
        _key("escape", "app.mode('runs')", "Runs", "back", "Back to all runs"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.run: RunSnapshot | None = None
        """The run that is drawn."""
        self.paused: LabSnapshot | None = None
        """What the view is frozen at."""
        self.metric = "loss"
        """Of the big chart, without its split."""
        self.pane = PANES[0]
        """The one below the chart where there is room for one alone."""

    def body(self) -> ComposeResult:
        glyphs = self.dashboard.glyphs
        yield RunLine(glyphs, id="run-line")
        with Horizontal(id="live-body"):
            with Vertical(id="live-charts"):
                yield LineChart("loss", x_label="step", glyphs=glyphs, id="big")
                with Horizontal(id="small-charts"):
                    for index in range(SMALL):
                        chart = LineChart(glyphs=glyphs, id=f"small-{index}", classes="small")
                        chart.can_focus = False
                        yield chart
            with Vertical(id="live-side", classes="panes"):
                yield GatesPane(glyphs, id="gates", classes="pane")
                yield SamplesPane(glyphs, id="samples", classes="pane")
        with Horizontal(id="live-foot", classes="panes"):
            yield LogPane(id="log", classes="pane")
            yield SystemPane(glyphs, id="system", classes="pane")

    def on_mount(self) -> None:
        self._arrange()
        self.query_one("#big", LineChart).focus()

    def wanted(self) -> Collection[str] | None:
        return (self.dashboard.current_run,) if self.dashboard.current_run else ()

    def told(self, run_ids: tuple[str, ...]) -> None:
        self.paused = None

    def show(self, snapshot: LabSnapshot) -> None:
        """Draw the current run as it is in `snapshot`, or as it was when the view was paused."""
        shown = self.paused or snapshot
        current = self.dashboard.current_run
        run = shown.find(current) if current else None
        if run is None and self.paused is not None:
            self.paused = None
            run, shown = (snapshot.find(current) if current else None), snapshot
        line = self.query_one(RunLine)
        line.paused_at = self._paused_at if self.paused is not None else None
        if run is not None:
            place = [one.id for one in reversed(shown.runs)].index(run.id) + 1
            line.position = f"run {place} of {len(shown.runs)}" if len(shown.runs) > 1 else ""
            self.query_one(SystemPane).set_system(shown.system, run)
        another = (run and run.id) != (self.run and self.run.id)
        if run is self.run and not another:
            return
        self.run = line.run = run
        self._draw_charts()
        self.query_one(GatesPane).set_gates(run.gates if run else None)
        if run is not None:
            self.query_one(SamplesPane).set_run(run)
        self.query_one(LogPane).set_messages(run.log if run else (), follow=another)
        self.refresh_bindings()

    # Charts

    def _draw_charts(self) -> None:
        run = self.run
        if run is None:
            for chart in self.query(LineChart):
                chart.set_series([])
            return
        found = groups(run)
        if found and self.metric not in found:
            self.metric = next(iter(found))
        big = self.query_one("#big", LineChart)
        big.title = in_plain_words(self.metric)
        big.set_series(self._lines(run, found.get(self.metric, []), with_metric=False))
        beside = side_by_side(list(found), run.monitor, self.metric, SMALL)
        for index in range(SMALL):
            chart = self.query_one(f"#small-{index}", LineChart)
            metric = beside[index] if index < len(beside) else ""
            chart.name_of_group = metric  # pyright: ignore[reportAttributeAccessIssue]
            chart.visible = bool(metric)
            chart.set_series(self._lines(run, found.get(metric, []), with_metric=True))

    def _lines(self, run: RunSnapshot, keys: list[str], with_metric: bool) -> list[Line]:
        lines = []
        for key in keys:
            split, _, metric = key.partition("/")
            series = run.series[key]
            label = split if split in SPLIT_COLOURS else in_plain_words(metric)
            if with_metric and split in SPLIT_COLOURS:
                label = in_plain_words(metric) if len(keys) == 1 else f"{split} {in_plain_words(metric)}"
            lines.append(Line(label, series.steps, series.values, marker=label[:1]))
        return lines
