"""How large a run would be, found without training it and without memory for its weights."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from rnnlab.config.experiment import Experiment
from rnnlab.data.encoding import EncodedData
from rnnlab.plugins.registry import Registry
from rnnlab.recurrent.measurement import Meter
from rnnlab.training.assemble import ModelBuilder, parameter_count, place, planned_steps, workloads


@dataclass(frozen=True)
class Size:
    """What a run comes to.

    Attributes:
        parameters: trainable parameters.
        steps: optimizer steps planned.
        examples: split -> examples.
        backend: the backend that would run it. backend_reason: why that one, as a run says it.
        provisional: whether the backend is chosen by rank, where a run would measure and might take another.
        device: where it would run.
    """

    parameters: int
    steps: int
    examples: dict[str, int]
    backend: str
    backend_reason: str
    provisional: bool
    device: str


def size(experiment: Experiment, data: EncodedData, registry: Registry) -> Size:
    """The size of a run on these data: its model is built on torch's meta device.

    Nothing is measured or compiled: what was measured before, in just this setting, tells the backend.

    Raises:
        InputError: what a run of it would say before its first step.
    """
    where = place(experiment)
    meter = Meter(measures=False)
    builder = ModelBuilder(experiment, registry, where, workloads(data, experiment), meter=meter)
    choice = experiment.task
    with torch.device("meta"):
        task = registry.load(choice.spec)(choice.options, data.schema, builder.stack)
    return Size(
        parameters=parameter_count(task),
        steps=planned_steps(data, experiment),
        examples=dict(data.sizes),
        backend=builder.backend,
        backend_reason=builder.backend_reason,
        provisional=builder.provisional,
        device=str(where.device),
    )
