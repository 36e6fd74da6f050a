"""Where samples lie on time, epochs and tokens, against figures worked out by hand."""

from pathlib import Path

import numpy as np
import pytest

from rnnlab.dashboard.feed.snapshot import RunSnapshot, Series
from rnnlab.dashboard.screens.compare_axes import along, available, curves, tokens_per_step
from rnnlab.lab.events import RunStarted

SPEED = "train/tokens_per_second"


def series(*points):
    """Of (step, milliseconds, value)."""
    steps, times, values = zip(*points, strict=True)
    return Series(np.array(steps), np.array(values, float), np.array(times))


START = RunStarted(pid=1, time=1_000)


def run(name="r", started=START, **fields):
    return RunSnapshot(id=name, path=Path(name), state="finished", started=started, **fields)


def places(axis, of, series):
    found = along(axis, of, series)
    assert found is not None
    return found.tolist()


def test_time_counts_seconds_from_the_start():
    loss = series((10, 3_000, 1.0), (20, 4_500, 0.5))
    assert places("time", run(starts=(1_000,), series={"train/loss": loss}), loss) == [2.0, 3.5]
    assert places("time", run(started=None, series={"train/loss": loss}), loss) == [0.0, 1.5]


def test_time_leaves_out_every_pause_before_a_resume():
    loss = series((10, 3_000, 1.0), (20, 4_000, 0.5), (30, 100_700, 0.3), (40, 900_500, 0.2))
    score = series((20, 5_000, 0.6))
    starts = (1_000, 100_000, 300_000, 900_000)
    whole = run(starts=starts, series={"train/loss": loss, "val/loss": score})
    # Left out: from 5.0 s to 100 s, from 100.7 s to 300 s, and, as the third start wrote nothing, to 900 s.
    assert places("time", whole, loss) == pytest.approx([2.0, 3.0, 4.7, 5.2])
    assert places("time", whole, score) == [4.0]


@pytest.mark.parametrize(
    ("last", "label", "x"), [(61, "seconds", 61.0), (600, "minutes", 10.0), (36_000, "hours", 10.0)]
)
def test_time_has_a_unit_that_suits_the_longest_run(last, label, x):
    short = run("a", starts=(1_000,), series={"val/loss": series((1, 2_000, 1.0))})
    long = run("b", starts=(1_000,), series={"val/loss": series((1, 1_000 + last * 1000, 1.0))})
    drawn = curves((short, long), "val/loss", "time")
    assert drawn.x_label == label
    assert drawn.lines[1].x.tolist() == [x]
    assert drawn.lines[0].x.tolist() == [pytest.approx(x / last)]


def test_epochs_are_steps_in_passes_through_the_data():
    loss = series((20, 0, 1.0), (60, 0, 0.5))
    assert places("epoch", run(step=80, epoch=2.0, series={"train/loss": loss}), loss) == [0.5, 1.5]
    assert along("epoch", run(series={"train/loss": loss}), loss) is None


def test_tokens_come_from_speed_and_time_of_windows_of_training_alone():
    # 10 steps of 50 tokens each take 100 ms; an evaluation of 3 s follows step 20.
    speed = series((10, 100, 5e3), (20, 200, 5e3), (30, 3_300, 5e3), (40, 3_400, 5e3))
    score = series((20, 3_200, 0.5))
    whole = run(series={SPEED: speed, "val/loss": score})
    assert tokens_per_step(whole) == 50.0
    assert places("tokens", whole, score) == [1000.0]


def test_tokens_leave_out_a_window_with_a_pause_in_it():
    speed = series((10, 100, 5e3), (20, 200, 5e3), (30, 90_000, 5e3), (40, 90_100, 5e3))
    resumed = RunStarted(pid=2, time=89_000, resumed_from=25)
    assert tokens_per_step(run(started=resumed, series={SPEED: speed})) == 50.0
    assert tokens_per_step(run(series={SPEED: speed})) == 50.0  # an earlier pause, of which nothing is known


@pytest.mark.parametrize(
    "found",
    [
        {},
        {SPEED: series((10, 100, 5e3))},
        {SPEED: series((10, 100, 5e3), (20, 900, 5e3)), "val/loss": series((10, 800, 1.0))},
        {SPEED: series((10, 100, 5e3), (20, 200, np.nan))},
    ],
    ids=["no speed", "one window", "evaluated before each", "no number"],
)
def test_tokens_are_not_known_without_such_a_window(found):
    assert tokens_per_step(run(series=found)) is None


def test_a_run_without_a_place_on_the_axis_is_named_and_keeps_its_line():
    speed = series((10, 100, 5e3), (20, 200, 5e3))
    known = run("a", series={SPEED: speed, "train/loss": speed})
    unknown = run("b", series={"train/loss": speed})
    without = run("c", series={"val/loss": speed})
    drawn = curves((known, unknown, without), "train/loss", "tokens", ("A", "B", "C"))
    assert drawn.missing == (1,)
    assert [(line.label, line.x.tolist()) for line in drawn.lines] == [
        ("A", [500, 1000]),
        ("B", []),
        ("C", []),
    ]
    assert available((known, unknown)) == ["step", "time", "tokens"]
    assert available((unknown, without)) == ["step", "time"]
