"""Options of the built-in tasks. Importing this does not import torch."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rnnlab.api import Section

TOKEN_EMBEDDING_SIZE = 128
"""Width of token embeddings where `embedding_size` is null."""


class SourceConfig(Section):
    """Options of every task that reads a source sequence."""

    embedding_size: int | None = Field(None, ge=1)
    """Width of the token embeddings, null for 128. Real-valued features are mapped linearly to this width;
    null leaves them as they are."""
    dropout: float = Field(0.0, ge=0.0, lt=1.0)
    """Probability of zeroing a value that enters a stack or the output layer, during training."""
    label_smoothing: float = Field(0.0, ge=0.0, lt=1.0)
    """Share of the target probability spread over all classes in the training loss; evaluation has none."""


class SequenceClassificationConfig(SourceConfig):
    """One class for a whole sequence."""

    pooling: Literal["last", "mean", "max"] = "last"
    """What the class is read from: the top layer's final state of each direction, or the mean or the largest
    of its hidden states over the valid steps."""


class SequenceLabellingConfig(SourceConfig):
    """One label for each step."""


class SequenceToSequenceConfig(SourceConfig):
    """Encoder and autoregressive decoder."""

    attention: Literal["none", "luong"] = "luong"
    """Whether each output step looks back at the source: Luong's global attention, or not at all."""
    bridge: Literal["auto", "copy", "linear"] = "auto"
    """How the decoder's initial state is made from the encoder's final one: copied, which needs as many
    states of the same sizes (both directions together); by a linear layer and tanh; or copied if it fits."""
    teacher_forcing_ratio: float = Field(1.0, ge=0.0, le=1.0)
    """Probability that a decoder step is fed the right token rather than its own last answer, in training.
    At 1 the decoder runs over the whole target at once; below, step by step."""
    tie_embeddings: bool = False
    """Share the weights of the target embedding and the output layer; the sizes must be equal."""
    reverse_source: bool = False
    """Read the source from its end, so that its first tokens are nearest to the first answers."""
    max_length_factor: float = Field(2.0, ge=0.0)
    """Decoding ends after `max_length_factor` * source length + `max_length_extra` tokens."""
    max_length_extra: int = Field(20, ge=1)
    """See `max_length_factor`."""
