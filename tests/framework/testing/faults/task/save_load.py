"""Draws a number that is no part of its state dict."""

import torch

from rnnlab.api import TaskSpec, hookimpl
from rnnlab.testing.tiny.conformance_tiny import TinyTask


class SaveLoad(TinyTask):
    def __init__(self, config, schema, build_stack):
        super().__init__(config, schema, build_stack)
        self.mix = torch.rand(()).item()

    def forward(self, batch):
        return self.mix * super().forward(batch)


@hookimpl
def rnnlab_tasks():
    yield TaskSpec(
        "save-load",
        f"{__name__}:SaveLoad",
        summary="Draws a number that is no part of its state dict.",
        mode="class",
        metrics={"accuracy": "max"},
        primary="accuracy",
    )
