"""A data set, a cell, a task and a backend so small that a run of them is about executors, not learning."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rnnlab import api
from rnnlab.api import hookimpl

NAME = "conformance-tiny"


class TinyData(api.Dataset):
    """Sequences of two tokens and which of them comes last."""

    licence = "CC0-1.0"
    citation = "made here"

    def read(self) -> api.Corpus:
        """Every sequence of one to five tokens, in each split."""
        rows = [tuple(f"{n:b}") for n in range(1, 32)]
        examples = [api.Example(row, row[-1]) for row in rows]
        return api.Corpus("class", dict.fromkeys(("train", "val", "test"), examples))


class TinyCell(api.Cell):
    """The simple recurrence, under no promise."""

    def step(self, projected: Tensor, state: api.State) -> api.Step:
        """h = tanh(W x + U h + b)."""
        (h,) = state
        return api.Step((torch.tanh(projected + F.linear(h, self.weight_hh, self.bias_hh)),))


class TinyBackend(api.Backend):
    """The loop, for the cell above alone."""

    def supports(self, cell: api.Cell, device: torch.device, dtype: torch.dtype) -> str | None:
        """Only the cell above."""
        return None if isinstance(cell, TinyCell) else "it is there for tests of executors"

    def run(
        self,
        cell: api.Cell,
        x: Tensor,
        state: api.State,
        lengths: Tensor | None = None,
        reverse: bool = False,
    ) -> api.Sequence:
        """As the loop."""
        return api.loop(cell, x, state, lengths, reverse)


class TinyTask(api.Task):
    """The class of a sequence from its last hidden state."""

    def __init__(self, config: api.Section, schema: api.Schema, build_stack: api.StackBuilder) -> None:
        super().__init__(config, schema, build_stack)
        if schema.source is None:
            raise api.InputError("it reads tokens, got features; use a data set of tokens")
        self.embedding = nn.Embedding(len(schema.source), 2)
        self.stack = build_stack(2)
        self.output = nn.Linear(self.stack.output_size, len(schema.target))

    def forward(self, batch: api.Batch) -> Tensor:
        """Logits [B, C]."""
        return self.output(self.stack(self.embedding(batch.source), batch.lengths).state[0][-1])

    def loss(self, batch: api.Batch) -> api.Loss:
        """Mean cross entropy."""
        assert batch.target is not None
        return api.Loss(F.cross_entropy(self(batch), batch.target), torch.tensor(len(batch.target)))

    def evaluate(self, batch: api.Batch) -> api.Evaluation:
        """Loss and classes."""
        return api.Evaluation(self.loss(batch).value.item(), len(batch.lengths), self.predict(batch))

    def predict(self, batch: api.Batch) -> list[int]:
        """Classes."""
        return self(batch).argmax(-1).tolist()

    def score(self, predictions: Sequence[int], references: Sequence[int]) -> dict[str, float]:
        """Share of right ones."""
        right = [p == r for p, r in zip(predictions, references, strict=True)]
        return {"accuracy": sum(right) / max(len(right), 1)}


@hookimpl
def rnnlab_datasets():
    yield api.DatasetSpec(NAME, f"{__name__}:TinyData", summary="for checks of executors", modes=("class",))


@hookimpl
def rnnlab_cells():
    yield api.CellSpec(NAME, f"{__name__}:TinyCell", summary="for checks of executors")


@hookimpl
def rnnlab_backends():
    yield api.BackendSpec(NAME, f"{__name__}:TinyBackend", summary="for checks of executors", rank=-1)


@hookimpl
def rnnlab_tasks():
    yield api.TaskSpec(
        NAME,
        f"{__name__}:TinyTask",
        summary="for checks of executors",
        mode="class",
        metrics={"accuracy": "max"},
        primary="accuracy",
    )
