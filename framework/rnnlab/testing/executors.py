"""What is checked of an executor: that a tiny run starts, ends, stops when asked to, and goes on."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rnnlab.config.build import build
from rnnlab.execution.executor import Executor, Handle
from rnnlab.execution.launch import start
from rnnlab.lab.events import RunStarted
from rnnlab.lab.journal import read
from rnnlab.lab.lab import Lab
from rnnlab.lab.run import Run
from rnnlab.plugins.registry import Registry
from rnnlab.testing.check import Failed, check, expect
from rnnlab.testing.subject import Subject

TINY = Path(__file__).with_name("tiny")
NAME = "conformance-tiny"
PATIENCE = 120.0
"""Seconds until a worker that says nothing is given up."""
RETURNS = 20.0
"""Seconds within which submit must return; a worker takes longer to import torch and train LONG steps."""
LONG = 100_000


class ExecutorSubject(Subject):
    """An executor and a lab of its own for its runs."""

    @contextmanager
    def lab(self) -> Iterator[tuple[Lab, Registry]]:
        """An empty lab, and the plugins with those of the tiny run; workers find the same."""
        registry = Registry.discover([*self.registry.plugins_dirs, TINY], self.registry.enabled)
        names = registry.environment()
        before = {name: os.environ.get(name) for name in names}
        os.environ.update(names)
        try:
            with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
                yield Lab(Path(folder)), registry
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})

    def submit(
        self, lab: Lab, registry: Registry, steps: int, **dataset: Any
    ) -> tuple[Run, Executor, Handle]:
        """A new run of so many steps."""
        config = {
            "name": "conformance",
            "task": NAME,
            "cell": NAME,
            "backend": NAME,
            "dataset": {"type": NAME, **dataset},
            "stack": {"hidden_size": 2},
            "training": {
                "max_steps": steps,
                "epochs": LONG,
                "eval_every": 10,
                "log_every": 1,
                "device": "cpu",
            },
            "tracking": {"enabled": False},
            "executor": {"type": self.name, **self.section.model_dump(mode="json")},
        }
        return start(lab, build(config, registry), registry)


def wait(executor: Executor, handle: Handle, run: Run) -> int | None:
    """The worker's exit code; None if the executor cannot know it, though the run has ended.

    Raises:
        Failed: nothing happened within PATIENCE.
    """
    deadline, last = time.monotonic() + PATIENCE, 0.0
    while time.monotonic() < deadline:
        code = executor.poll(handle)
        if code is not None:
            return code
        if run.state in ("finished", "stopped", "failed", "crashed"):
            # The worker says its last word a moment before its process ends.
            last = last or time.monotonic()
            if time.monotonic() - last > 5:
                return None
        time.sleep(0.05)
    raise Failed(f"the run is {run.state} after {PATIENCE:.0f} s, and poll gives None{_log(run)}")


def _until_step(run: Run, step: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while not (run.events_path.exists() and any(event.step >= step for event in read(run.events_path))):
        if time.monotonic() > deadline or run.state in ("failed", "crashed"):
            raise Failed(f"the run is {run.state} and has not come to step {step}{_log(run)}")
        time.sleep(0.02)


def _log(run: Run) -> str:
    lines = run.log_path.read_text(errors="replace").split("\n") if run.log_path.exists() else []
    said = [line for line in lines if line.strip()]
    return f"; its log ends: {said[-1]}" if said else "; its log.txt is empty"


@check(
    "executor",
    "submit: start 'python -m rnnlab.execution.worker RUN_DIR' and do not wait; poll: its exit code",
)
def submit(executor: ExecutorSubject) -> None:
    """A submitted run is started without waiting for it, and poll gives 0 once it is finished."""
    with executor.lab() as (lab, registry):
        run, made, handle = executor.submit(lab, registry, steps=10)
        expect(isinstance(handle, Handle), f"submit must return a Handle, got {type(handle).__name__}")
        expect(
            handle.run_dir == run.path, f"the handle's run_dir must be {run.path.name}, got {handle.run_dir}"
        )
        code = wait(made, handle, run)
        expect(code == 0, f"poll gives {code} for a run that is {run.state}{_log(run)}")
        expect(run.state == "finished", f"poll gives 0 and the run is {run.state}{_log(run)}")


@check("executor", "poll: hand on the exit code of the worker's process, as it is")
def failure(executor: ExecutorSubject) -> None:
    """poll gives the exit code of a run that fails, which is not 0."""
    with executor.lab() as (lab, registry):
        run, made, handle = executor.submit(lab, registry, steps=10)
        # As a run whose data set is no longer installed: the worker ends with 2.
        made.cancel(handle)
        wait(made, handle, run)
        text = run.config_path.read_text().replace(f"type: {NAME}", "type: conformance-missing")
        run.config_path.write_text(text)
        handle = made.submit(run.path)
        code = wait(made, handle, run)
        expect(
            code not in (0, None),
            f"poll gives {code} for a run that is {run.state}, expected its exit code 2",
        )


@check("executor", "cancel: the worker must get SIGTERM, and no other signal before it has ended")
def cancel(executor: ExecutorSubject) -> None:
    """A run that is cancelled finishes its step, saves and ends as stopped."""
    with executor.lab() as (lab, registry):
        run, made, handle = executor.submit(lab, registry, steps=LONG)
        _until_step(run, 1)
        expect(made.poll(handle) is None, "poll gives an exit code for a run that is running, expected None")
        made.cancel(handle)
        wait(made, handle, run)
        expect(run.state == "stopped", f"a cancelled run is {run.state}, expected stopped{_log(run)}")
        expect((run.checkpoints / "last").exists(), "a cancelled run left no checkpoint")
        made.cancel(handle)  # of a run that has ended: nothing happens


@check(
    "executor", "submit: it must start the worker in the folder it is given, and leave what is there as it is"
)
def resume(executor: ExecutorSubject) -> None:
    """A stopped run that is submitted again goes on from its last checkpoint."""
    with executor.lab() as (lab, registry):
        run, made, handle = executor.submit(lab, registry, steps=LONG)
        _until_step(run, 1)
        made.cancel(handle)
        wait(made, handle, run)
        step = run.status.get("step", 0)
        text = run.config_path.read_text().replace(f"max_steps: {LONG}", f"max_steps: {step + 5}")
        run.config_path.write_text(text)
        wait(made, made.submit(run.path), run)
        began = [event.resumed_from for event in read(run.events_path) if isinstance(event, RunStarted)]
        expect(
            began == [None, step], f"runs began from the steps {began}, expected [None, {step}]{_log(run)}"
        )
        expect(run.state == "finished", f"the resumed run is {run.state}{_log(run)}")


CHECKS = (submit, failure, cancel, resume)
