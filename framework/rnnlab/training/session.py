"""One run from its resolved experiment to its scores."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping

import numpy as np
import torch

from rnnlab.config.experiment import Experiment
from rnnlab.data.baselines import baselines
from rnnlab.lab.events import RunEnded, RunStarted
from rnnlab.lab.journal import read
from rnnlab.lab.run import Run
from rnnlab.plugins.registry import Registry
from rnnlab.training.assemble import ModelBuilder, parameter_count, place, read_data, versions, workloads
from rnnlab.training.control import StopRequest
from rnnlab.training.inspection import Inspection
from rnnlab.training.report import Report
from rnnlab.training.trainer import Trainer


class Session:
    """A run that is built and ready: its data, its task, its trainer.

    Attributes:
        started: the event that announces it, not yet written.
    """

    def __init__(
        self, run: Run, experiment: Experiment, registry: Registry, report: Report, stop: StopRequest
    ) -> None:
        """Read the data, choose the backend, build the task, and restore the last checkpoint if there is one.

        Args:
            run: the run's folder; schema.json and checkpoints/ are written to it.
            experiment: its resolved config.
            registry: the installed plugins.
            report: where to report.
            stop: read between steps; a request ends the run as "stopped" after a checkpoint.

        Raises:
            InputError: the data or the choice of backend are wrong; nothing has been trained.
        """
        seed_everything(experiment.seed)
        where = place(experiment)
        data, licence = read_data(experiment, registry)
        data.schema.save(run.schema_path)
        resumed = (run.checkpoints / "last").exists()
        builder = ModelBuilder(
            experiment, registry, where, workloads(data, experiment), _started_with(run) if resumed else None
        )
        task = builder.task(data.schema)
        self._report = report
        self._trainer = Trainer(
            task,
            data,
            experiment.training,
            seed=experiment.seed,
            monitor=experiment.monitor,
            better=experiment.better,
            checkpoints=run.checkpoints,
            report=report,
            stop=stop,
            inspection=Inspection(
                data.splits["val"], where.device, bidirectional=experiment.stack.bidirectional
            ),
        )
        if resumed:
            self._trainer.resume()
        step = self._trainer.progress.step
        self.started = RunStarted(
            step=step,
            pid=os.getpid(),
            resumed_from=step if resumed else None,
            total_steps=self._trainer.total_steps,
            parameters=parameter_count(task),
            monitor=experiment.monitor,
            better=experiment.better,
            backend=builder.backend,
            backend_reason=builder.backend_reason,
            backends={role: selection.name for role, selection in builder.selections.items()},
            device=str(where.device),
            dtype=experiment.training.dtype,
            threads=torch.get_num_threads(),
            data=data.summary(experiment.dataset.name, licence),
            versions=versions(registry, experiment),
            baselines=baselines(data, "test"),
        )

    def train(self) -> RunEnded:
        """Train, and score the test split with the best checkpoint if the run was not stopped.

        Returns:
            The last event, as it was written.

        Raises:
            RunError: training cannot go on.
        """
        self._report.started(self.started)
        state, reason = self._trainer.train()
        scores = {}
        if state == "finished":
            scores = {f"test/{name}": score for name, score in self._trainer.score("test").items()}
        progress = self._trainer.progress
        ended = RunEnded(
            step=progress.step,
            state=state,
            reason=reason,
            seconds=progress.seconds,
            cpu_seconds=progress.cpu_seconds,
            scores=scores,
        )
        self._report.ended(ended)
        return ended


def _started_with(run: Run) -> Mapping[str, str]:
    """Role -> backend, as the run's journal has it from its last start."""
    starts = [event for event in read(run.events_path) if isinstance(event, RunStarted)]
    return starts[-1].backends if starts else {}


def seed_everything(seed: int) -> None:
    """Seed python, numpy and torch; a plugin may draw from any of them."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
