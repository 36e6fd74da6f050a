"""Has a layer that no gradient reaches."""

import torch

from rnnlab.api import TaskSpec, hookimpl
from rnnlab.testing.tiny.conformance_tiny import TinyTask


class Cells(TinyTask):
    def __init__(self, config, schema, build_stack):
        super().__init__(config, schema, build_stack)
        self.spare = torch.nn.Linear(2, 2)


@hookimpl
def rnnlab_tasks():
    yield TaskSpec(
        "cells",
        f"{__name__}:Cells",
        summary="Has a layer that no gradient reaches.",
        mode="class",
        metrics={"accuracy": "max"},
        primary="accuracy",
    )
