"""Real labs, real worker processes."""

import pytest

from rnnlab.config.build import load
from rnnlab.execution.launch import start
from rnnlab.lab.lab import Lab
from rnnlab.plugins.registry import Registry

SMALL = (
    "dataset.limit=256",
    "stack.hidden_size=16",
    "training.log_every=1",
    "training.eval_every=8",
    "training.samples=2",
    "tracking.enabled=false",
)


@pytest.fixture
def lab(tmp_path):
    return Lab(tmp_path / "runs")


@pytest.fixture(scope="session")
def registry():
    return Registry.discover()


@pytest.fixture
def launch(lab, registry):
    """Start a small run of a preset with further overrides; returns run, executor and handle."""
    started = []

    def go(preset, *overrides):
        entry = start(lab, load(preset, (*SMALL, *overrides), registry), registry)
        started.append(entry)
        return entry

    yield go
    for run, executor, handle in started:
        if run.pid:
            executor.cancel(handle)
