"""The table's rows and columns: what is said of each run in a few cells."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rnnlab.dashboard.feed.series import Series
from rnnlab.dashboard.feed.snapshot import RunSnapshot
from rnnlab.dashboard.screens.run_words import STATE_COLOURS, dot, short_name
from rnnlab.dashboard.widgets.axes import short
from rnnlab.dashboard.widgets.glyphs import Glyphs
from rnnlab.dashboard.widgets.ordering import Column, Row
from rnnlab.dashboard.widgets.sparkline import sparkline

TREND = 8
"""Cells of the small curve."""
NAME = 20
"""Cells of a name: with more, the score would not be seen at 80 columns."""
SCORE = 7
"""Cells of a score."""
STATES = ("running", "created", "crashed", "failed", "stopped", "finished")
"""In the order in which they are sorted: what wants to be looked at first."""


class RunRows:
    """Makes rows, and keeps each for as long as its run does not change.

    Attributes:
        columns: what there is of each, the most wanted first.
    """

    def __init__(self, glyphs: Glyphs) -> None:
        self._glyphs = glyphs
        self._kept: dict[str, tuple[RunSnapshot, Row]] = {}
        self.columns = self._make_columns()

    def of(self, runs: Sequence[RunSnapshot]) -> list[Row]:
        """A row for each run, the same object as before if the run is."""
        rows = []
        for run in runs:
            kept = self._kept.get(run.id)
            if kept is None or kept[0] is not run:
                kept = self._kept[run.id] = (run, self._row(run))
            rows.append(kept[1])
        if len(self._kept) > 2 * len(runs) + 1000:
            self._kept = {run.id: self._kept[run.id] for run in runs}
        return rows

    def _row(self, run: RunSnapshot) -> Row:
        config = run.config
        curve = trend(run)
        score = latest_score(run)
        values = {
            "run": short_name(run.id),
            "state": f"{dot(run, self._glyphs)} {run.state}",
            "cell": config.get("cell.type"),
            "data": config.get("dataset.type"),
            "hid": config.get("stack.hidden_size"),
            "val/loss": run.last.get("val/loss"),
            "trend": sparkline(curve.values, TREND, self._glyphs) if curve is not None else None,
            "score": score[1] if score else None,
            "metric": score[0] if score else None,
            "done": run.progress if run.total_steps else None,
            "tok/s": run.tokens_per_second,
            "age": run.created,
        }
        return Row(run.id, values)

    def _make_columns(self) -> tuple[Column, ...]:
        return (
            Column("run", text=lambda name: cut(name, self._glyphs)),
            Column("state", width=10, style=_state_colour, order=lambda text: STATES.index(text.split()[-1])),
            Column("cell"),
            Column("hid", right=True),
            Column("val/loss", width=9, right=True, text=short),
            Column("trend", width=TREND, sortable=False),
            Column("score", width=SCORE, right=True, text=compact),
            Column("data"),
            Column("metric"),
            Column("done", width=5, right=True, text=lambda share: f"{share:.0%}"),
            Column("tok/s", right=True, text=lambda speed: f"{speed:,.0f}"),
            Column("age", width=5, right=True, text=age, order=lambda created: -created),
        )


def latest_score(run: RunSnapshot) -> tuple[str, float] | None:
    """The score of a run, before its first checkpoint the monitored metric's latest value."""
    key = f"val/{run.monitor}"
    return run.score or ((key, run.last[key]) if key in run.last else None)


def compact(score: float) -> str:
    """A score in its cells: "0.9694", "2.8e-04"."""
    text = short(score)
    return text if len(text) <= SCORE else f"{score:.1e}"


def cut(name: str, glyphs: Glyphs) -> str:
    """A name in at most `NAME` cells: both its ends tell it from others, so its middle goes."""
    return name if len(name) <= NAME else f"{name[: NAME - 8]}{glyphs.ellipsis}{name[-7:]}"


def trend(run: RunSnapshot) -> Series | None:
    """The curve that stands for a run: its validation loss, before there are two points its training loss."""
    curves = [run.series.get(key) for key in ("val/loss", "train/loss")]
    return next((curve for curve in curves if curve is not None and len(curve) > 1), None)


def age(created: int) -> str:
    """Since a time in milliseconds: "5s", "12m", "3h", "41d"."""
    seconds = max(0.0, time.time() - created / 1000)
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f}{unit}"
    return f"{seconds:.0f}s"


def _state_colour(state: str) -> str:
    return STATE_COLOURS.get(state.split()[-1], "")
