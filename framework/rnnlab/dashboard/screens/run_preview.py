"""A run beside the table: its loss and its key facts."""

from __future__ import annotations

from collections.abc import Sequence

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
LOSSES = ("train/loss", "val/loss")
OPTIONS = (
    ("task", "task.type"),
    ("data", "dataset.type"),
    ("optimizer", "training.optimizer"),
    ("learning rate", "training.learning_rate"),
    ("batch size", "training.batch_size"),
    ("epochs", "training.epochs"),
)


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
                [line for each in marked for line in _curves(each, ("val/loss",), short_name(each.id))]
            )
        else:
            chart.title = short_name(run.id) if run is not None else ""
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
        lines.append(Content(model(run, self._glyphs)))
        scores = run.best or {key: value for key, value in run.last.items() if key.startswith("val/")}
        tests = {key: value for key, value in run.last.items() if key.startswith("test/")}
        for title, found in (("best", scores), ("test", tests)):
            if found:
                words = "  ".join(
                    f"{key.partition('/')[2]} {short(value)}" for key, value in sorted(found.items())
                )
                lines.append(_fact(title, words))
        known = [(name, str(run.config[key])) for name, key in OPTIONS if run.config.get(key) is not None]
        if run.parameters:
            known.append(("parameters", f"{run.parameters:,}"))
        lines += [_fact(name, value) for name, value in known]
        return Content("\n").join(lines)


def how_far(run: RunSnapshot) -> str:
    """Steps, and the time left or taken."""
    parts = [f"step {run.step:,}/{run.total_steps:,}" if run.total_steps else f"step {run.step:,}"]
    if run.eta_seconds is not None:
        parts.append(f"ETA {clock(run.eta_seconds)}")
    elif run.seconds is not None:
        parts.append(f"took {clock(run.seconds)}")
    return "  ".join(parts)


def _fact(name: str, value: str) -> Content:
    return Content.assemble((f"{name:<14}", "$text-muted"), value)


def _curves(run: RunSnapshot, keys: Sequence[str], label: str = "") -> list[Line]:
    found = [(key, run.series[key]) for key in keys if key in run.series]
    return [Line(label or key, curve.steps, curve.values) for key, curve in found]
