"""Sequence to class, from a weighted mean of the hidden states."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rnnlab.api import IGNORE, Batch, Evaluation, Loss, Schema, StackBuilder, Task
from rnnlab_attentive.config import AttentiveConfig


class AttentiveClassification(Task):
    """One class for a whole sequence (Yang et al. 2016, "Hierarchical attention networks").

        u_t = tanh(W_a h_t + b_a)              how a step is seen
        a_t = softmax over t of (v . u_t)      how much it counts
        y   = W_o (sum over t of a_t h_t) + b_o

    h_t [B, D*H] are the stack's outputs, u_t [B, A], a_t [B], y [B, C].
    """

    config: AttentiveConfig

    def __init__(self, config: AttentiveConfig, schema: Schema, build_stack: StackBuilder) -> None:
        super().__init__(config, schema, build_stack)
        size = config.embedding_size
        if schema.source is not None:
            self.read = nn.Embedding(len(schema.source), size)
        else:
            self.read = nn.Linear(schema.features, size)
        self.stack = build_stack(size)
        self.see = nn.Linear(self.stack.output_size, config.attention_size)
        self.weigh = nn.Linear(config.attention_size, 1, bias=False)
        self.output = nn.Linear(self.stack.output_size, len(schema.target))

    def embed(self, batch: Batch) -> Tensor:
        """What the stack reads [T, B, embedding_size]."""
        x = batch.source
        if x.is_floating_point():
            # What stands at padding may be anything: a NaN there would reach the gradients.
            x = torch.where(valid(batch)[..., None], x, 0.0).to(self.output.weight.dtype)
        return self.read(x)

    def attention(self, output: Tensor, batch: Batch) -> Tensor:
        """How much each step counts, given the stack's outputs [T, B, D*H].

        Returns:
            [T, B], zero past a row's length, the sum over a row 1 unless its length is 0.
        """
        scores = self.weigh(torch.tanh(self.see(output))).squeeze(-1)
        # The least finite number: a row of length 0 has no largest, and minus infinity would give it NaN.
        scores = scores.masked_fill(~valid(batch), torch.finfo(scores.dtype).min)
        return scores.softmax(0) * valid(batch)

    def forward(self, batch: Batch) -> Tensor:
        """Logits [B, C]."""
        output, _ = self.stack(self.embed(batch), batch.lengths)
        weights = self.attention(output, batch)
        return self.output((weights[..., None] * output).sum(0))

    def loss(self, batch: Batch) -> Loss:
        """Mean cross entropy in nats over the rows whose class training knows."""
        return self._loss(self(batch), batch)

    def evaluate(self, batch: Batch) -> Evaluation:
        """The same loss, and the most probable class of each row."""
        logits = self(batch)
        value, items = self._loss(logits, batch)
        return Evaluation(value.item(), int(items), logits.argmax(-1).tolist())

    def predict(self, batch: Batch) -> list[int]:
        """The most probable class of each row."""
        return self(batch).argmax(-1).tolist()

    def score(self, predictions: Sequence[int], references: Sequence[int]) -> dict[str, float]:
        """accuracy: share of right answers, 0..1; 0 of none."""
        right = sum(p == r for p, r in zip(predictions, references, strict=True))
        return {"accuracy": right / max(len(references), 1)}

    def trace(self, batch: Batch) -> list[dict[str, Tensor]]:
        """What the gates of each layer and direction do, name -> [T, B, H]."""
        return self.stack.trace(self.embed(batch), batch.lengths)

    def _loss(self, logits: Tensor, batch: Batch) -> Loss:
        assert batch.target is not None
        items = (batch.target != IGNORE).sum()
        total = F.cross_entropy(logits, batch.target, ignore_index=IGNORE, reduction="sum")
        return Loss(total / items.clamp(min=1), items)


def valid(batch: Batch) -> Tensor:
    """Which steps a row has, boolean [T, B]."""
    steps = torch.arange(len(batch.source), device=batch.lengths.device)
    return steps[:, None] < batch.lengths
