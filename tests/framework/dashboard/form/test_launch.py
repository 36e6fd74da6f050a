"""Real runs, started from a form and left to themselves."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rnnlab.dashboard.form import Command, Form, Launcher
from rnnlab.lab import liveness
from rnnlab.lab.lab import Lab
from rnnlab.lab.run import Run

PATIENCE = 120.0
SMALL = {
    "dataset.limit": "256",
    "stack.hidden_size": "16",
    "training.log_every": "1",
    "tracking.enabled": "false",
}


@pytest.fixture
def launcher(tmp_path: Path, installation, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    launcher = Launcher(Lab(tmp_path / "my runs"), installation)
    yield launcher
    for run in launcher.lab.runs():
        if run.pid:
            os.kill(run.pid, signal.SIGKILL)


@pytest.fixture
def form(catalogue) -> Form:
    form = Form.from_preset(catalogue, "digits-rows")
    for key, text in SMALL.items():
        assert form.set(key, text) == ""
    return form


def until(condition: Callable[[], object], run: Run) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, run.log_path.read_text()
        time.sleep(0.02)


def finished(lab: Lab) -> Run:
    """A run that ended, without a worker."""
    run = lab.create_run("over")
    run.config_path.write_text("cell: {type: lstm}\n")
    run.write_status(state="finished", created=0.0)
    (run.checkpoints / "step-1").mkdir()
    (run.checkpoints / "last").symlink_to("step-1")
    return run


@pytest.mark.slow
def test_a_run_of_a_third_partys_cell_is_started_and_finishes(launcher, form):
    form.choose("cell", "leaky")
    form.set("cell.note", "3")
    form.set("training.max_steps", "5")
    outcome = launcher.start(form.plan())
    assert outcome.ok, outcome.error
    run = launcher.lab.find(outcome.run)
    until(lambda: run.state == "finished", run)
    assert (run.config["cell"]["type"], run.config["cell"]["note"], run.status["step"]) == ("leaky", "3", 5)


@pytest.mark.slow
def test_stop_resume_crash_and_delete(launcher, form):
    form.set("training.epochs", "100000")
    run = launcher.lab.find(launcher.start(form.plan()).run)
    until(lambda: run.status.get("step", 0) >= 1, run)
    assert os.getsid(run.pid) != os.getsid(0)  # what ends this terminal does not end it
    assert launcher.delete(run).error == f"run {run.id} is running (process {run.pid}); stop it first"
    assert launcher.resume(run).error == f"run {run.id} is running (process {run.pid}); nothing to resume"
    assert launcher.stop(run).ok
    assert run.state == "stopped"
    step = run.status["step"]
    assert launcher.stop(run).error == f"run {run.id} is stopped, not running; nothing to stop"
    assert launcher.resume(run).run == run.id
    until(lambda: run.status.get("step", 0) > step and run.pid, run)
    os.kill(run.pid, signal.SIGKILL)
    until(lambda: run.state == "crashed", run)
    assert launcher.delete(run).ok
    assert not run.path.exists() and launcher.lab.runs() == []


@pytest.mark.slow
def test_a_form_that_started_from_nothing(launcher, catalogue):
    form = Form.blank(catalogue)
    for key, text in SMALL.items():
        assert form.set(key, text) == ""
    form.set("training.max_steps", "2")
    outcome = launcher.start(form.plan())
    assert outcome.ok, outcome.error
    run = launcher.lab.find(outcome.run)
    until(lambda: run.state == "finished", run)
    assert run.status["step"] == 2


def test_what_is_wrong_is_one_line_and_starts_nothing(launcher, form):
    form.set("stack.hidden_size", "0")
    outcome = launcher.start(form.plan())
    assert outcome.error == "stack.hidden_size: expected an integer >= 1 and <= 16384, got 0"
    form.set("cell.forget_bias", "x")
    assert launcher.start(form.plan()).error == f"{outcome.error} (and 1 more)"
    assert outcome.run == "" and launcher.lab.runs() == []
    assert launcher.start_command(Command("-x")).error.startswith("no preset '-x' is installed")


def test_an_ended_run_is_deleted_with_everything_in_it(launcher):
    run = finished(launcher.lab)
    assert launcher.delete(run).ok and not run.path.exists()
    assert launcher.delete(run).error == f"{run.path} is no run of this lab"


def test_only_runs_of_this_lab_are_deleted(launcher, tmp_path):
    other = finished(Lab(tmp_path / "other"))
    (launcher.lab.path / "notes").mkdir(parents=True)
    for path in (other.path, launcher.lab.path / "notes", launcher.lab.path):
        assert "is no run of this lab" in launcher.delete(Run(path)).error
        assert path.exists()


def test_a_run_that_somebody_holds_is_not_deleted(launcher):
    run = finished(launcher.lab)
    lock = liveness.acquire(run.lock_path)
    assert lock is not None
    assert launcher.delete(run).error == f"run {run.id} is running (process {os.getpid()}); stop it first"
    assert run.config_path.exists()
    lock.release()
    assert launcher.delete(run).ok


def test_a_run_that_never_started_can_be_deleted_after_a_while(launcher):
    run = finished(launcher.lab)
    run.write_status(state="created", created=time.time())
    assert launcher.delete(run).error == f"run {run.id} is being started; stop it first"
    run.write_status(created=time.time() - 100)
    assert launcher.delete(run).ok
