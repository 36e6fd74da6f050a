"""Options of the task attentive_classification."""

from __future__ import annotations

from pydantic import Field

from rnnlab.api import Section


class AttentiveConfig(Section):
    """Options of classification by attention."""

    embedding_size: int = Field(64, ge=1)
    """Width of what the stack reads: of a token's embedding, or of the features after a linear layer."""
    attention_size: int = Field(32, ge=1)
    """Width of the layer that weighs the steps."""
