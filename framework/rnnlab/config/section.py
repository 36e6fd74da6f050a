"""The base of every config section. Importing this imports pydantic and nothing heavier."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """Options of one plugin or of one part of the core.

    Unknown keys are errors, values are immutable, and the string under a field is its help text.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        allow_inf_nan=False,
        coerce_numbers_to_str=True,  # `description=3` and `description: 3` mean the text "3"
        protected_namespaces=(),
    )


class CellConfig(Section):
    """Options every cell has. A cell's own section extends this."""

    bias: bool = True
    """Whether the cell has bias vectors."""


class DatasetConfig(Section):
    """Options every data set has. A data set's own section extends this."""

    limit: int | None = Field(None, ge=1)
    """Keep only this many training examples (the first after a seeded shuffle); other splits stay whole."""


class TokenDatasetConfig(DatasetConfig):
    """Options of data sets whose sources are tokens."""

    min_count: int = Field(1, ge=1)
    """Source tokens seen fewer times than this in the training split become the unknown token."""


class StackConfig(Section):
    """The recurrent stack around a cell, as nn.LSTM names it."""

    hidden_size: int = Field(128, ge=1, le=16384)
    """Units per layer and direction (H)."""
    num_layers: int = Field(1, ge=1, le=64)
    """Layers, each reading the hidden states of the one below."""
    bidirectional: bool = False
    """Read the sequence in both directions and concatenate; a decoder always reads forwards only."""
    dropout: float = Field(0.0, ge=0.0, lt=1.0)
    """Probability of zeroing a hidden unit between layers, during training; needs two layers or more."""
    recurrent_init: Literal["torch", "orthogonal"] = "torch"
    """How recurrent weights start: `torch` (uniform in ±1/sqrt(H)) or `orthogonal` (each gate's block)."""
