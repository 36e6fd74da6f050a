"""Draws a layer from a generator of its own, seeded by the system."""

import torch

from rnnlab.api import TaskSpec, hookimpl
from rnnlab.testing.tiny.conformance_tiny import TinyTask


class Seed(TinyTask):
    def __init__(self, config, schema, build_stack):
        super().__init__(config, schema, build_stack)
        generator = torch.Generator()
        generator.seed()
        torch.nn.init.uniform_(self.output.weight, generator=generator)


@hookimpl
def rnnlab_tasks():
    yield TaskSpec(
        "seed",
        f"{__name__}:Seed",
        summary="Draws a layer from a generator of its own, seeded by the system.",
        mode="class",
        metrics={"accuracy": "max"},
        primary="accuracy",
    )
