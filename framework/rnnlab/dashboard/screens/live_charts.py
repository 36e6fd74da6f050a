"""The curves of a run: one metric big, those that most wish to see beside it small."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message

from rnnlab.dashboard.feed.snapshot import RunSnapshot
from rnnlab.dashboard.screens.curve_groups import groups, in_plain_words, side_by_side
from rnnlab.dashboard.widgets import palette
from rnnlab.dashboard.widgets.glyphs import Glyphs
from rnnlab.dashboard.widgets.line_chart import Line, LineChart

SMALL = 3
"""Small charts below the big one."""
SMOOTHINGS = (0.0, 0.6, 0.9, 0.97)
MANY, USUAL = 50, 0.6
"""Points from which a curve is smoothed, and how much, unless the user chose."""
SPLIT_COLOURS = {"train": 0, "val": 1}
"""Places in the palette: a split looks the same in every chart."""


class SmallChart(LineChart, can_focus=False):
    """A chart that becomes the big one when it is clicked."""

    metric = ""
    """Without its split; "" where there is nothing to show."""

    class Chosen(Message):
        """It was clicked."""

        def __init__(self, metric: str) -> None:
            super().__init__()
            self.metric = metric

    def on_click(self, event: events.Click) -> None:
        if self.metric:
            self.post_message(self.Chosen(self.metric))


class LiveCharts(Vertical):
    """Draws when it is given a run, and when the user chooses something else to see of it."""

    def __init__(self, glyphs: Glyphs, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._glyphs = glyphs
        self._run: RunSnapshot | None = None
        self._smoothing: float | None = None
        self.metric = "loss"
        """Of the big chart, without its split."""

    def compose(self) -> ComposeResult:
        yield LineChart("loss", x_label="step", glyphs=self._glyphs, id="big")
        with Horizontal(id="small-charts"):
            for _ in range(SMALL):
                yield SmallChart(glyphs=self._glyphs, classes="small")

    def on_mount(self) -> None:
        # The lines' colours are picked for a dark or a light ground.
        self.app.theme_changed_signal.subscribe(self, lambda theme: self._draw())

    @property
    def big(self) -> LineChart:
        """The big chart."""
        return self.query_one("#big", LineChart)

    @property
    def metrics(self) -> list[str]:
        """What the big chart can show, the most looked at first."""
        return list(groups(self._run)) if self._run is not None else []

    def set_run(self, run: RunSnapshot | None) -> None:
        """Show its curves; the metric stays what it was if the run has it."""
        if run is None or self._run is None or run.id != self._run.id:
            self.big.cursor = None
        self._run = run
        self._draw()

    def next_metric(self, by: int) -> None:
        """Show another metric in the big chart."""
        if metrics := self.metrics:
            at = metrics.index(self.metric) if self.metric in metrics else 0
            self.show_metric(metrics[(at + by) % len(metrics)])

    def show_metric(self, metric: str) -> None:
        """Show `metric` in the big chart."""
        self.metric = metric
        self.big.cursor = None
        self._draw()

    def switch_log_scale(self) -> None:
        """Logarithmic y of the big chart, or linear again."""
        self.big.log_y = not self.big.log_y

    def smooth_more(self) -> None:
        """The next strength for the big chart; none after the last."""
        at = SMOOTHINGS.index(self.big.smoothing) + 1
        self._smoothing = SMOOTHINGS[at % len(SMOOTHINGS)]
        self._draw()

    def on_small_chart_chosen(self, event: SmallChart.Chosen) -> None:
        """A small chart was clicked."""
        self.show_metric(event.metric)

    def _draw(self) -> None:
        run = self._run
        found = groups(run) if run is not None else {}
        # A run that has written nothing yet does not take the user's choice away.
        metric = self.metric if self.metric in found or not found else next(iter(found))
        big, lines = self.big, self._lines(found.get(metric, []), small=False)
        usual = USUAL if max((len(line.x) for line in lines), default=0) >= MANY else 0.0
        big.smoothing = usual if self._smoothing is None else self._smoothing
        smoothed = f", smoothed {big.smoothing:g}" if big.smoothing else ""
        big.title = in_plain_words(metric) + smoothed
        big.set_series(lines)
        beside = side_by_side(list(found), run.monitor if run else "", metric, SMALL)
        for index, chart in enumerate(self.query(SmallChart)):
            chart.metric = beside[index] if index < len(beside) else ""
            chart.set_series(self._lines(found.get(chart.metric, []), small=True))
            chart.visible = bool(chart.metric)

    def _lines(self, keys: list[str], small: bool) -> list[Line]:
        """The big chart's title names the metric; in a small one the lines must."""
        assert self._run is not None or not keys
        dark = self.app.current_theme.dark
        lines = []
        for key in keys:
            assert self._run is not None
            series = self._run.series[key]
            split, _, metric = key.partition("/")
            name, of_split = in_plain_words(metric), split in SPLIT_COLOURS
            label = f"{split} {name}" if small and len(keys) > 1 else split
            if not of_split or (small and len(keys) == 1):
                label = name if of_split or small else in_plain_words(key)
            colour = palette.line_colour("", SPLIT_COLOURS.get(split, 0), dark, {}).hex
            lines.append(Line(label, series.steps, series.values, colour, split[:1]))
        return lines
