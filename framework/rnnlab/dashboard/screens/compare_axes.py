"""What curves of several runs are drawn over: steps, time, epochs or tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from rnnlab.dashboard.feed.snapshot import RunSnapshot, Series
from rnnlab.dashboard.widgets.line_chart import Line

AXES = ("step", "time", "epoch", "tokens")
SPEED = "train/tokens_per_second"
UNITS = (("hours", 3600.0, 3 * 3600.0), ("minutes", 60.0, 300.0), ("seconds", 1.0, 0.0))
"""Of time: its name, its seconds, and the length from which it is taken."""
OUTLIER = 2.0
"""A window of more tokens per step than this many times the median held a pause."""


@dataclass(frozen=True)
class Curves:
    """One metric of several runs.

    Attributes:
        lines: one for each run, in their order; empty where the run has none.
        x_label: what x is, in its unit.
        missing: indices of the runs that have the metric, but nothing is known of their x.
    """

    lines: tuple[Line, ...]
    x_label: str
    missing: tuple[int, ...] = ()


def curves(runs: Sequence[RunSnapshot], metric: str, axis: str, labels: Sequence[str] = ()) -> Curves:
    """`metric` of each of `runs` over `axis`, one of AXES. Args: labels: names for a legend, if any."""
    found, missing = [], []
    for index, run in enumerate(runs):
        series = run.series.get(metric)
        x = along(axis, run, series) if series is not None else None
        if series is not None and x is None:
            missing.append(index)
        values = series.values if series is not None and x is not None else np.empty(0)
        found.append((x if x is not None else np.empty(0), values))
    label, scale = axis, 1.0
    if axis == "time":
        longest = max((float(x.max()) for x, _ in found if len(x)), default=0.0)
        label, scale = next((name, length) for name, length, least in UNITS if longest >= least)
    names = labels or [""] * len(runs)
    lines = [Line(name, x / scale, y) for name, (x, y) in zip(names, found, strict=True)]
    return Curves(tuple(lines), label, tuple(missing))


def available(runs: Sequence[RunSnapshot]) -> list[str]:
    """Those of AXES on which at least one of `runs` can be placed."""
    here = [run for run in runs if run.series]
    known = {"step": True, "time": True}
    known["epoch"] = any(epochs_per_step(run) is not None for run in here)
    known["tokens"] = any(tokens_per_step(run) is not None for run in here)
    return [axis for axis in AXES if known[axis]]


def along(axis: str, run: RunSnapshot, series: Series) -> np.ndarray | None:
    """Where the samples of `series` lie on `axis`, float64 [n]; seconds for time. None if it is not known."""
    if axis == "time":
        return seconds(run, series.times)
    if axis == "step":
        return series.steps.astype(float)
    per_step = epochs_per_step(run) if axis == "epoch" else tokens_per_step(run)
    return series.steps * per_step if per_step is not None else None


def seconds(run: RunSnapshot, times: np.ndarray) -> np.ndarray:
    """Since the run began, without the time it lay still before it was resumed.

    A pause is the time between a later start and the last sample before it.

    Args:
        times: milliseconds since the epoch, int64 [n].
    """
    if not len(times):
        return np.empty(0)
    samples = np.concatenate([series.times for series in run.series.values()] or [times])
    starts = run.starts or (int(samples.min()),)
    passed = times - starts[0]
    for before, start in pairwise(starts):
        last = samples[samples < start].max(initial=before)
        passed = passed - np.where(times >= start, start - last, 0)
    return passed / 1000


def epochs_per_step(run: RunSnapshot) -> float | None:
    """Epochs that one optimizer step is."""
    return run.epoch / run.step if run.step and run.epoch else None


def tokens_per_step(run: RunSnapshot) -> float | None:
    """Source tokens of an optimizer step, on average; None if that cannot be told.

    The journal holds speeds, not counts. Speed times length gives the tokens of each window between two
    samples in which nothing but training took place: none that follows an evaluation or a resume.
    """
    speed = run.series.get(SPEED)
    if speed is None or len(speed) < 2:
        return None
    start, end = speed.steps[:-1], speed.steps[1:]
    clean = np.isfinite(speed.values[1:])
    for key, series in run.series.items():
        if key.startswith("val/"):
            clean &= ~np.isin(start, series.steps)
    if run.started is not None and run.started.resumed_from is not None:
        clean &= ~((start <= run.started.resumed_from) & (run.started.resumed_from < end))
    tokens = (speed.values[1:] * np.diff(speed.times) / 1000)[clean]
    steps = (end - start)[clean]
    if not len(steps):
        return None
    usual = tokens / steps <= OUTLIER * np.median(tokens / steps)
    total = float(tokens[usual].sum() / steps[usual].sum())
    return total if total > 0 else None
