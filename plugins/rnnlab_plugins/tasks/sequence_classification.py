"""Sequence to class: y = g(h_T), or g of the mean or maximum of h_1 .. h_T."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from rnnlab.api import Batch, Evaluation
from rnnlab_plugins.tasks import metrics
from rnnlab_plugins.tasks.config import SequenceClassificationConfig
from rnnlab_plugins.tasks.loss import cross_entropy
from rnnlab_plugins.tasks.pooling import pool
from rnnlab_plugins.tasks.single_stack import SingleStackTask


class SequenceClassification(SingleStackTask):
    """Embedding, recurrent stack, pooling over the valid steps, linear layer. Answers are class ids."""

    config: SequenceClassificationConfig

    def forward(self, batch: Batch) -> Tensor:
        """Logits [B, C]."""
        output, state = self.stack(self.embedding(batch.source, batch.lengths), batch.lengths)
        last = self.stack.last_output(state)
        return self.output(self.dropout(pool(self.config.pooling, output, last, batch.lengths)))

    def evaluate(self, batch: Batch) -> Evaluation:
        assert batch.target is not None
        logits = self(batch)
        value, items = cross_entropy(logits, batch.target)
        return Evaluation(value.item(), int(items), logits.argmax(-1).tolist())

    def predict(self, batch: Batch) -> list[int]:
        return self(batch).argmax(-1).tolist()

    def score(self, predictions: Sequence[int], references: Sequence[int]) -> dict[str, float]:
        return {
            "accuracy": metrics.accuracy(predictions, references),
            "macro_f1": metrics.macro_f1(predictions, references, len(self.schema.target)),
        }
