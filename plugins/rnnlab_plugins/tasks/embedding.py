"""What the recurrent stack reads."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rnnlab.api import Schema
from rnnlab_plugins.tasks.config import TOKEN_EMBEDDING_SIZE, SourceConfig
from rnnlab_plugins.tasks.padding import step_mask


class SourceEmbedding(nn.Module):
    """Token embeddings, or real-valued features as they are or mapped linearly, then dropout.

    Attributes:
        output_size: width of what comes out.
    """

    _like: Tensor

    def __init__(self, config: SourceConfig, schema: Schema) -> None:
        super().__init__()
        self.layer: nn.Module
        if schema.source is not None:
            self.output_size = config.embedding_size or TOKEN_EMBEDDING_SIZE
            self.layer = nn.Embedding(len(schema.source), self.output_size)
        elif config.embedding_size is not None:
            self.output_size = config.embedding_size
            self.layer = nn.Linear(schema.features, self.output_size)
        else:
            self.output_size = schema.features
            self.layer = nn.Identity()
        self.dropout = nn.Dropout(config.dropout)
        # Features arrive in float32; this follows the model's dtype even where the layer has no parameter.
        self.register_buffer("_like", torch.empty(0), persistent=False)

    def forward(self, source: Tensor, lengths: Tensor) -> Tensor:
        """Embed a padded source.

        Args:
            source: token ids [T, B] int64, or features [T, B, F].
            lengths: valid steps per row [B].

        Returns:
            [T, B, output_size].
        """
        if source.is_floating_point():
            # A weight's gradient multiplies what stands at padding by zero, and zero times NaN is NaN.
            padding = ~step_mask(lengths, source.shape[0])
            source = source.to(self._like.dtype).masked_fill(padding[..., None], 0.0)
        return self.dropout(self.layer(source))
