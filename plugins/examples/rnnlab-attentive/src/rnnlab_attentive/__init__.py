"""Registers the task attentive_classification."""

from __future__ import annotations

from collections.abc import Iterator

from rnnlab.api import TaskSpec, hookimpl


@hookimpl
def rnnlab_tasks() -> Iterator[TaskSpec]:
    yield TaskSpec(
        name="attentive_classification",
        target="rnnlab_attentive.task:AttentiveClassification",
        config="rnnlab_attentive.config:AttentiveConfig",
        summary="One class for a whole sequence, from the steps it attends to (Yang et al. 2016)",
        mode="class",
        metrics={"accuracy": "max"},
        primary="accuracy",
    )
