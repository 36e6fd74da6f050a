"""What the two tasks with one recurrent stack share: all but where the linear layer is applied."""

from __future__ import annotations

from torch import Tensor, nn

from rnnlab.api import Batch, Loss, Schema, StackBuilder, Task
from rnnlab_plugins.tasks.config import SourceConfig
from rnnlab_plugins.tasks.embedding import SourceEmbedding
from rnnlab_plugins.tasks.loss import cross_entropy


class SingleStackTask(Task):
    """Embedding, one recurrent stack, dropout and a linear layer to C classes; `forward` gives logits."""

    def __init__(self, config: SourceConfig, schema: Schema, build_stack: StackBuilder) -> None:
        super().__init__(config, schema, build_stack)
        self.label_smoothing = config.label_smoothing
        self.embedding = SourceEmbedding(config, schema)
        self.stack = build_stack(self.embedding.output_size)
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(self.stack.output_size, len(schema.target))

    def loss(self, batch: Batch) -> Loss:
        """Mean cross entropy over the targets that are not IGNORE."""
        assert batch.target is not None
        return cross_entropy(self(batch), batch.target, self.label_smoothing)

    def trace(self, batch: Batch) -> list[dict[str, Tensor]]:
        """Gates per layer and direction, name -> [T, B, H]."""
        return self.stack.trace(self.embedding(batch.source, batch.lengths), batch.lengths)
