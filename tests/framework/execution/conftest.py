"""Real labs, real worker processes."""

import time

import pytest

from rnnlab.config.build import load
from rnnlab.execution.launch import start
from rnnlab.lab.lab import Lab
from rnnlab.plugins.registry import Registry

PATIENCE = 120.0
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


@pytest.fixture(scope="session")
def wait():
    """Wait for a worker; returns its exit code."""

    def until_it_ends(executor, handle):
        deadline = time.monotonic() + PATIENCE
        while (code := executor.poll(handle)) is None:
            assert time.monotonic() < deadline, handle.run_dir.joinpath("log.txt").read_text()
            time.sleep(0.02)
        return code

    return until_it_ends


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
