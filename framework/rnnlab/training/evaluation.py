"""Evaluate a task on a whole split, and put its answers into words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from rnnlab.data.batches import Batcher
from rnnlab.data.encoding import EncodedSplit
from rnnlab.data.schema import Schema
from rnnlab.training.task import Task


@torch.no_grad()
def evaluate(
    task: Task, split: EncodedSplit, batch_size: int, device: torch.device
) -> tuple[dict[str, float], list[Any]]:
    """Scores of `task` on `split` and one answer per example, in the split's order.

    Returns:
        `loss` (mean over all real items of the split) with the task's metrics, and the answers.
    """
    was_training = task.training
    task.eval()
    loss, items = 0.0, 0
    predictions: list[Any] = [None] * len(split)
    for batch in Batcher.in_order(split, batch_size):
        result = task.evaluate(batch.to(device))
        loss += result.loss * result.items
        items += result.items
        for index, prediction in zip(batch.indices.tolist(), result.predictions, strict=True):
            predictions[index] = prediction
    task.train(was_training)
    scores = {"loss": loss / items if items else 0.0}
    return scores | task.score(predictions, split.references), predictions


def samples(
    split: EncodedSplit, predictions: list[Any], schema: Schema, count: int
) -> list[Mapping[str, str]]:
    """The first `count` examples of `split` as text: source, target and prediction."""
    items = []
    for index in range(min(count, len(split))):
        source, target = split.texts(index)
        items.append(
            {
                "source": source,
                "target": target,
                "prediction": schema.answer(predictions[index], split.source.row(index).numpy()),
            }
        )
    return items
