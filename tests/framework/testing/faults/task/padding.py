"""Adds up the embeddings of padding, which is right only while padding is the token 0."""

import torch

from rnnlab.api import TaskSpec, hookimpl
from rnnlab.testing.tiny.conformance_tiny import TinyTask


class Padding(TinyTask):
    def __init__(self, config, schema, build_stack):
        super().__init__(config, schema, build_stack)
        self.embedding = torch.nn.Embedding(len(schema.source), 2, padding_idx=0)
        self.sum = torch.nn.Linear(2, len(schema.target))

    def forward(self, batch):
        return super().forward(batch) + self.sum(self.embedding(batch.source).sum(0))


@hookimpl
def rnnlab_tasks():
    yield TaskSpec(
        "padding",
        f"{__name__}:Padding",
        summary="Adds up the embeddings of padding, which is right only while padding is the token 0.",
        mode="class",
        metrics={"accuracy": "max"},
        primary="accuracy",
    )
