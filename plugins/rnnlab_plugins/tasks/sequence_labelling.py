"""Synchronous sequence to sequence: y_t = g(h_t) for every step."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from rnnlab.api import IGNORE, Batch, Evaluation
from rnnlab_plugins.tasks import metrics, spans
from rnnlab_plugins.tasks.loss import cross_entropy
from rnnlab_plugins.tasks.single_stack import SingleStackTask


class SequenceLabelling(SingleStackTask):
    """Embedding, recurrent stack, linear layer at each step. Answers are lists of label ids, one a step."""

    def forward(self, batch: Batch) -> Tensor:
        """Logits [T, B, C]; those at padding mean nothing."""
        output, _ = self.stack(self.embedding(batch.source, batch.lengths), batch.lengths)
        return self.output(self.dropout(output))

    def evaluate(self, batch: Batch) -> Evaluation:
        assert batch.target is not None
        logits = self(batch)
        value, items = cross_entropy(logits, batch.target)
        return Evaluation(value.item(), int(items), _labels(logits, batch.lengths))

    def predict(self, batch: Batch) -> list[list[int]]:
        return _labels(self(batch), batch.lengths)

    def score(self, predictions: Sequence[list[int]], references: Sequence[list[int]]) -> dict[str, float]:
        """The metrics of the TaskSpec; `span_f1` only if the labels are BIO.

        An empty split scores 0, so `score([], [])` tells which metrics the data have.
        """
        # Steps without a label are left out first, so that no metric sees them.
        rows = [
            [(p, r) for p, r in zip(predicted, reference, strict=True) if r != IGNORE]
            for predicted, reference in zip(predictions, references, strict=True)
        ]
        flat_predictions = [p for row in rows for p, _ in row]
        flat_references = [r for row in rows for _, r in row]
        scores = {
            "accuracy": metrics.accuracy(flat_predictions, flat_references),
            "macro_f1": metrics.macro_f1(flat_predictions, flat_references, len(self.schema.target)),
            "sequence_accuracy": metrics.mean(all(p == r for p, r in row) for row in rows if row),
        }
        labels = self.schema.target.tokens
        if spans.is_bio(labels):
            scores["span_f1"] = spans.span_f1(
                [[labels[p] for p, _ in row] for row in rows],
                [[labels[r] if r >= 0 else spans.UNSEEN for _, r in row] for row in rows],
            )
        return scores


def _labels(logits: Tensor, lengths: Tensor) -> list[list[int]]:
    """The likeliest label of each valid step, from logits [T, B, C]."""
    rows = logits.argmax(-1).T.tolist()
    return [row[:length] for row, length in zip(rows, lengths.tolist(), strict=True)]
