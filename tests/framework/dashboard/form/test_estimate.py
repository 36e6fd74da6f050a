"""Run times from past runs: the same model first, the same cell and data set else."""

from __future__ import annotations

import pytest

from rnnlab.dashboard.form import PastRun, estimate, past_runs
from rnnlab.lab.lab import Lab

CONFIG = {
    "task.type": "naming",
    "dataset.type": "digits",
    "cell.type": "lstm",
    "stack.hidden_size": 96,
    "backend.type": "auto",
    "training.batch_size": 32,
    "training.device": "auto",
    "training.epochs": 4,
}


def past(steps: int, seconds: float, **changes: object) -> PastRun:
    return PastRun(CONFIG | {key.replace("__", "."): value for key, value in changes.items()}, steps, seconds)


def test_the_median_speed_of_the_same_model():
    runs = [past(100, 10), past(100, 2, training__epochs=9), past(100, 5), past(100, 1, stack__hidden_size=8)]
    found = estimate(CONFIG, 400, runs)
    assert (found.exact, found.runs, found.steps_per_second) == (True, 3, 20.0)
    assert found.seconds == pytest.approx(20.0)


def test_a_like_run_is_better_than_none():
    found = estimate(CONFIG, 100, [past(50, 1, stack__hidden_size=8), past(50, 9, cell__type="rnn")])
    assert (found.exact, found.runs, found.seconds) == (False, 1, 2.0)


def test_only_the_newest_are_taken():
    found = estimate(CONFIG, 100, [past(100, 1)] * 5 + [past(100, 50)] * 50)
    assert found.runs == 5 and found.seconds == 1.0


@pytest.mark.parametrize("runs", [[], [past(19, 1)], [past(100, 0)], [past(100, 1, dataset__type="stress")]])
def test_nothing_is_made_up(runs):
    assert estimate(CONFIG, 100, runs) is None


def test_what_the_lab_tells(tmp_path):
    lab = Lab(tmp_path)
    for number, (text, status) in enumerate(
        [
            ("cell: {type: lstm}\n", {"step": 200, "seconds": 4.0}),
            ("cell: [\n", {"step": 200, "seconds": 4.0}),
            ("cell: {type: rnn}\n", {}),
        ]
    ):
        run = lab.create_run(f"run{number}")
        run.config_path.write_text(text)
        run.write_status(**status)
    assert past_runs(lab) == [PastRun({"cell.type": "lstm"}, 200, 4.0)]
