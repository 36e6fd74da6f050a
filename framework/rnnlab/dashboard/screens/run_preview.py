"""A run beside the table: its loss and its key facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from rnnlab.dashboard.feed.snapshot import RunSnapshot
from rnnlab.dashboard.screens.run_words import STATE_COLOURS, clock, model, short_name
from rnnlab.dashboard.widgets.axes import short
from rnnlab.dashboard.widgets.glyphs import Glyphs
from rnnlab.dashboard.widgets.line_chart import Line, LineChart

MANY = 50
"""Points from which a curve is smoothed."""
LOSSES = {"train/loss": "train", "val/loss": "val"}
METRICS = 8
"""At most so many lines of scores."""


class RunPreview(Vertical):
    """Draws when it is told to."""

    DEFAULT_CSS = """
    RunPreview LineChart { height: 1fr; min-height: 8; }
    RunPreview #facts { height: auto; max-height: 16; border-top: solid $panel; padding: 0 1; }
    RunPreview.ascii #facts { border-top: ascii $panel; }
    """

    def __init__(self, glyphs: Glyphs, id: str) -> None:
        super().__init__(id=id, classes=glyphs.name)
        self._glyphs = glyphs
        self._drawn: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        chart = LineChart(x_label="step", glyphs=self._glyphs, id="curves")
        chart.can_focus = False
        yield chart
        yield Static(id="facts")

    def show(self, run: RunSnapshot | None, marked: Sequence[RunSnapshot]) -> None:
        """Draw `run`'s losses and facts; with two runs marked or more, their validation losses instead."""
        drawn = (run, *marked)
        if len(drawn) == len(self._drawn) and all(a is b for a, b in zip(drawn, self._drawn, strict=True)):
            return
        self._drawn = drawn
        chart = self.query_one(LineChart)
        if len(marked) > 1:
            chart.title = f"val/loss, {len(marked)} marked"
            chart.smoothing = 0.0
            chart.set_series(
                [line for each in marked for line in _curves(each, {"val/loss": short_name(each.id)})]
            )
        else:
            chart.title = "loss"
            lines = _curves(run, LOSSES) if run is not None else []
            chart.smoothing = 0.8 if max((len(line.x) for line in lines), default=0) >= MANY else 0.0
            chart.set_series(lines)
        self.query_one("#facts", Static).update(self._facts(run) if run is not None else "")

    def _facts(self, run: RunSnapshot) -> Content:
        lines = [Content.styled(run.id, "bold")]
        colour = STATE_COLOURS.get(run.state, "")
        lines.append(Content.assemble((run.state, f"bold {colour}".strip()), f"  {how_far(run)}"))
        if run.reason or run.problem:
            lines.append(Content(run.problem or run.reason))
        lines += [Content(model(run, self._glyphs)), Content(recipe(run, self._glyphs))]
        if run.parameters:
            lines.append(Content(f"{run.parameters:,} parameters"))
        lines += _scores(run)
        return Content("\n").join(line for line in lines if line.plain)


def recipe(run: RunSnapshot, glyphs: Glyphs) -> str:
    """How it is trained: "adam · lr 0.003 · batch 64 · epochs 3"."""
    names = {"optimizer": "", "learning_rate": "lr ", "batch_size": "batch ", "epochs": "epochs "}
    values = {key: run.config.get(f"training.{key}") for key in names}
    parts = [f"{names[key]}{value}" for key, value in values.items() if value is not None]
    return f" {glyphs.separator} ".join(parts)


def how_far(run: RunSnapshot) -> str:
    """Steps, and the time left or taken."""
    parts = [f"step {run.step:,}/{run.total_steps:,}" if run.total_steps else f"step {run.step:,}"]
    if run.eta_seconds is not None:
        parts.append(f"ETA {clock(run.eta_seconds)}")
    elif run.seconds is not None:
        parts.append(f"took {clock(run.seconds)}")
    return "  ".join(parts)


def _scores(run: RunSnapshot) -> list[Content]:
    """Each metric on validation (of the best checkpoint; before there is one, the latest) and on test."""
    title, val = ("best val", run.best) if run.best else ("val", run.last)
    tests = [key for key in run.last if key.startswith("test/")]
    names = {key.partition("/")[2] for key in (*val, *tests) if key.startswith(("val/", "test/"))}
    order = sorted(names, key=lambda name: (name != run.monitor, name))[:METRICS]
    if not order:
        return []
    lines = [Content.styled(f"{'':<16}{title:>10}{'test':>10}", "dim")]
    for name in order:
        values = (val.get(f"val/{name}"), run.last.get(f"test/{name}"))
        cells = "".join(f"{'-' if value is None else short(value):>10}" for value in values)
        lines.append(Content.assemble((f"{name:<16}", "dim"), cells))
    return lines


def _curves(run: RunSnapshot, labels: Mapping[str, str]) -> list[Line]:
    """Those there are of the curves whose labels are given."""
    found = ((label, run.series.get(key)) for key, label in labels.items())
    return [Line(label, curve.steps, curve.values) for label, curve in found if curve is not None]
