"""Runs whose curves are known."""

import pytest

from rnnlab.lab.events import Metrics, RunEnded, RunStarted
from rnnlab.lab.journal import Journal


@pytest.fixture
def make(make_run):
    """A run that has ended, whose losses are `scale` / step and whose accuracy is `accuracy`."""

    def make(name, scale, accuracy=0.5, steps=40, **config):
        run = make_run(name, **config)
        journal = Journal(run.events_path)
        journal.write(RunStarted(pid=1, total_steps=steps, parameters=99, monitor="accuracy", better="max"))
        for step in range(1, steps + 1):
            journal.write(Metrics(step=step, values={"train/loss": scale / step}, epoch=step / 20))
            if step % 20 == 0:
                scores = {"val/loss": scale / step, "val/accuracy": accuracy, "best/accuracy": accuracy}
                journal.write(Metrics(step=step, values=scores))
        journal.write(RunEnded(step=steps, state="finished", seconds=3.0, scores={"test/accuracy": accuracy}))
        run.write_status(state="finished", step=steps, monitor="accuracy", scores={"test/accuracy": accuracy})
        return run

    return make


@pytest.fixture
def trio(make):
    """Three runs that differ in cell and size."""
    return [
        make("alpha", 1.0, 0.6, cell={"type": "lstm"}).id,
        make("beta", 2.0, 0.8, cell={"type": "rnn"}).id,
        make("gamma", 3.0, 0.7, steps=20, cell={"type": "rnn"}, stack={"hidden_size": 32}).id,
    ]
