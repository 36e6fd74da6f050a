"""One run from its resolved experiment to its scores."""

from __future__ import annotations

import os
import random

import numpy as np
import torch

from rnnlab.config.experiment import Experiment
from rnnlab.data.baselines import baselines
from rnnlab.lab.events import RunEnded, RunStarted
from rnnlab.lab.run import Run
from rnnlab.plugins.registry import Registry
from rnnlab.training.assemble import ModelBuilder, parameter_count, place, read_data, versions
from rnnlab.training.control import StopRequest
from rnnlab.training.report import Report
from rnnlab.training.trainer import Trainer


def train(
    run: Run, experiment: Experiment, registry: Registry, report: Report, stop: StopRequest
) -> RunEnded:
    """Build everything, train (from the last checkpoint if the run has one), score the test split.

    Args:
        run: the run's folder; schema.json and checkpoints/ are written to it.
        experiment: its resolved config.
        registry: the installed plugins.
        report: where to report.
        stop: read between steps; a request ends the run as "stopped" after a checkpoint.

    Returns:
        The last event, not yet written.

    Raises:
        InputError: the data or the choice of backend are wrong; nothing has been trained.
        RunError: training cannot go on.
    """
    seed_everything(experiment.seed)
    where = place(experiment)
    data, licence = read_data(experiment, registry)
    data.schema.save(run.schema_path)
    builder = ModelBuilder(experiment, registry, where)
    task = builder.task(data.schema)
    trainer = Trainer(
        task,
        data,
        experiment.training,
        seed=experiment.seed,
        monitor=experiment.monitor,
        better=experiment.better,
        checkpoints=run.checkpoints,
        report=report,
        stop=stop,
    )
    resumed = (run.checkpoints / "last").exists()
    if resumed:
        trainer.resume()
    selection = builder.selection
    report.started(
        RunStarted(
            step=trainer.progress.step,
            pid=os.getpid(),
            resumed_from=trainer.progress.step if resumed else None,
            total_steps=trainer.total_steps,
            parameters=parameter_count(task),
            monitor=experiment.monitor,
            better=experiment.better,
            backend=selection.name,
            backend_reason=selection.reason,
            device=str(where.device),
            dtype=experiment.training.dtype,
            threads=torch.get_num_threads(),
            data=data.summary(experiment.dataset.name, licence),
            versions=versions(registry, experiment),
            baselines=baselines(data, "test"),
        )
    )
    state, reason = trainer.train()
    scores = {}
    if state == "finished":
        scores = {f"test/{name}": score for name, score in trainer.score("test").items()}
    progress = trainer.progress
    return RunEnded(
        step=progress.step,
        state=state,
        reason=reason,
        seconds=progress.seconds,
        cpu_seconds=progress.cpu_seconds,
        scores=scores,
    )


def seed_everything(seed: int) -> None:
    """Seed python, numpy and torch; a plugin may draw from any of them."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
