"""Answers from a trained run, without its data set: schema, config and best checkpoint are enough."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from rnnlab.config.build import build
from rnnlab.data.batches import collate
from rnnlab.data.schema import Schema
from rnnlab.errors import InputError
from rnnlab.lab.run import Run
from rnnlab.plugins.registry import Registry
from rnnlab.training import checkpoint
from rnnlab.training.assemble import ModelBuilder, place


class Predictor:
    """The best checkpoint of a run (the last one while there is no best), ready to answer."""

    def __init__(self, run: Run, registry: Registry) -> None:
        """Load `run`.

        Raises:
            InputError: the run has no checkpoint yet, or one of its plugins is not installed.
        """
        best = run.checkpoints / "best"
        saved = best if best.exists() else run.checkpoints / "last"
        if not saved.exists():
            raise InputError(
                f"run {run.id} ({run.state}) has no checkpoint yet; expected one after its first evaluation"
            )
        experiment = build(run.config, registry)
        # Answers may be wanted on another machine than the run was trained on.
        self.where = place(experiment, device="auto")
        self.batch_size = experiment.training.eval_batch_size
        self.schema = Schema.load(run.schema_path)
        self.task = ModelBuilder(experiment, registry, self.where).task(self.schema)
        checkpoint.load_weights(saved, self.task)
        self.task.eval()

    @torch.no_grad()
    def answer(self, lines: Sequence[str]) -> list[str]:
        """One answer per line, as text.

        Raises:
            InputError: a line cannot be read as this run's source.
        """
        sources = [self.schema.encode_text(line) for line in lines]
        predictions = []
        for first in range(0, len(sources), self.batch_size):
            batch = collate(sources[first : first + self.batch_size])
            predictions += self.task.predict(batch.to(self.where.device))
        return [self.schema.answer(*pair) for pair in zip(predictions, sources, strict=True)]
