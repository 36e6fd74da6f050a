"""A lab of three runs."""

import time

import pytest

from rnnlab.dashboard.app import Dashboard
from rnnlab.dashboard.widgets.glyphs import UNICODE


@pytest.fixture
def three(finished_run):
    """Runs by their names, the oldest first: a, b and c, with other cells and losses."""
    runs = {}
    for name, cell, loss in (("a", "lstm", 0.5), ("b", "rnn", 0.25), ("c", "lstm", 0.125)):
        run = runs[name] = finished_run(name, cell={"type": cell})
        written = run.events_path.read_text()
        run.events_path.write_text(written.replace('"val/loss":0.5', f'"val/loss":{loss}'))
        time.sleep(0.01)  # the file system's clock tells runs apart by their age
    return runs


@pytest.fixture
def runs_app(lab):
    return Dashboard(lab, glyphs=UNICODE)
