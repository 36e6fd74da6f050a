"""Sequence to class: y = g(h_T), or g of the mean or maximum of h_1 .. h_T."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from rnnlab.api import Batch, Evaluation, Loss, Schema, StackBuilder, Task
from rnnlab_plugins.tasks import metrics
from rnnlab_plugins.tasks.config import SequenceClassificationConfig
from rnnlab_plugins.tasks.embedding import SourceEmbedding
from rnnlab_plugins.tasks.loss import cross_entropy
from rnnlab_plugins.tasks.pooling import pool


class SequenceClassification(Task):
    """Embedding, recurrent stack, pooling over the valid steps, linear layer. Answers are class ids."""

    config: SequenceClassificationConfig

    def __init__(
        self, config: SequenceClassificationConfig, schema: Schema, build_stack: StackBuilder
    ) -> None:
        super().__init__(config, schema, build_stack)
        self.embedding = SourceEmbedding(config, schema)
        self.stack = build_stack(self.embedding.output_size)
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(self.stack.output_size, len(schema.target))

    def forward(self, batch: Batch) -> Tensor:
        """Logits [B, C]."""
        output, state = self.stack(self.embedding(batch.source, batch.lengths), batch.lengths)
        return self.output(self.dropout(pool(self.config.pooling, output, state, batch.lengths)))

    def loss(self, batch: Batch) -> Loss:
        assert batch.target is not None
        return cross_entropy(self(batch), batch.target, self.config.label_smoothing)

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

    def trace(self, batch: Batch) -> list[dict[str, Tensor]]:
        return self.stack.trace(self.embedding(batch.source, batch.lengths), batch.lengths)
