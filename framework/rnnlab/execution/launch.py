"""Making a run, starting its worker, resuming and stopping it."""

from __future__ import annotations

import time

from rnnlab.config.build import build, build_executor
from rnnlab.config.experiment import Experiment
from rnnlab.errors import InputError, RunError
from rnnlab.execution.executor import Executor, Handle
from rnnlab.execution.provenance import plugins_of
from rnnlab.lab.lab import Lab
from rnnlab.lab.run import Run, replace_text
from rnnlab.plugins.registry import Registry

START_SECONDS = 10.0
"""How long `stop` waits for a worker that has just been submitted."""
STOP_SECONDS = 120.0
"""How long `stop` waits for a worker to finish its step and save."""


def start(lab: Lab, experiment: Experiment, registry: Registry) -> tuple[Run, Executor, Handle]:
    """Make the folder of a new run and submit it to the experiment's executor."""
    run = lab.create_run(f"{experiment.name}-{experiment.cell.name}")
    run.write_status(state="created", created=time.time())
    replace_text(run.config_path, experiment.dump_yaml())
    executor = _executor(experiment, registry)
    return run, executor, executor.submit(run.path)


def resume(run: Run, registry: Registry) -> tuple[Executor, Handle]:
    """Submit a stopped, failed or crashed run again; its worker goes on from the last checkpoint.

    Raises:
        InputError: the run is running, or finished.
    """
    state = run.state
    if state == "running":
        raise InputError(f"run {run.id} is running (process {run.pid}); nothing to resume")
    if state == "finished":
        raise InputError(
            f"run {run.id} is finished; to train longer start a new one with "
            f"'rnnlab run {run.config_path} training.epochs=N'"
        )
    with plugins_of(run, registry):
        experiment = build(run.config, registry)
    executor = _executor(experiment, registry)
    return executor, executor.submit(run.path)


def stop(run: Run, registry: Registry) -> None:
    """Ask a running worker to finish its step and save, and wait until it has.

    Raises:
        InputError: the run is not running.
        RunError: the worker did not end within STOP_SECONDS.
    """
    deadline = time.monotonic() + START_SECONDS
    while run.state == "created" and time.monotonic() < deadline:
        time.sleep(0.05)  # submitted a moment ago: its worker has not taken the lock yet
    pid = run.pid
    if not pid:
        raise InputError(f"run {run.id} is {run.state}, not running; nothing to stop")
    # Only the executor's section matters: a run whose other plugins are not at hand can be stopped too.
    choice = build_executor(run.config, registry)
    registry.load(choice.spec)(choice.options).cancel(Handle(run.path, str(pid)))
    deadline = time.monotonic() + STOP_SECONDS
    while run.pid == pid:
        if time.monotonic() > deadline:
            raise RunError(
                f"run {run.id} was asked to stop {STOP_SECONDS:.0f} s ago and still runs (process {pid}); "
                f"see {run.log_path}"
            )
        time.sleep(0.05)


def _executor(experiment: Experiment, registry: Registry) -> Executor:
    choice = experiment.executor
    return registry.load(choice.spec)(choice.options)
