"""The base of every config section. Importing this imports pydantic and nothing heavier."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

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


Rate = Annotated[float, Field(ge=0.0, lt=1.0)]


class StackConfig(Section):
    """The recurrent stack around a cell, as nn.LSTM names it, and what every cell gets from it."""

    hidden_size: int = Field(128, ge=1, le=16384)
    """Units per layer and direction (H)."""
    num_layers: int = Field(1, ge=1, le=64)
    """Layers, each reading the hidden states of the one below."""
    bidirectional: bool = False
    """Read the sequence in both directions and concatenate; a decoder always reads forwards only."""
    residual: bool = False
    """Add to each layer's hidden states what it reads, from the second layer on; needs two layers or more."""
    dropout: Rate = 0.0
    """Probability of zeroing a hidden unit between layers, during training; needs two layers or more."""
    recurrent_dropout: Rate = 0.0
    """Probability of zeroing a hidden unit where a step reads it, the same units at every step of a sequence,
    during training (Gal & Ghahramani 2016)."""
    zoneout: Rate | Annotated[dict[str, Rate], Field(min_length=1)] = 0.0
    """Probability that a unit of the state keeps its last value at a step, during training; evaluation takes
    the expectation (Krueger et al. 2017). One for every state of the cell, or by name: {h: 0.05, c: 0.5}."""
    learned_initial_state: bool = False
    """Learn the states that a sequence starts from; a decoder starts from its encoder's."""
    truncate: int | None = Field(None, ge=1)
    """Cut the gradient through time every so many steps (truncated backpropagation); values stay the same.
    Not for a bidirectional stack; null cuts nowhere."""
    recurrent_init: Literal["torch", "orthogonal", "forget_bias"] = "torch"
    """How recurrent weights start: `torch` (uniform in ±1/sqrt(H)), `orthogonal` (each gate's block), or
    `forget_bias` (orthogonal, and the forget gate's bias at 1)."""

    def problems(self) -> Iterator[str]:
        """A line for each option that could change nothing or contradicts another: "stack.dropout: ..."."""
        if self.num_layers == 1:
            if self.dropout:
                yield (
                    "stack.dropout: expected 0 with one layer, as it acts between layers, "
                    f"got {self.dropout}; use stack.num_layers=2"
                )
            if self.residual:
                yield (
                    "stack.residual: expected false with one layer, as it acts from the second on, got true; "
                    "use stack.num_layers=2"
                )
        if self.truncate is not None and self.bidirectional:
            yield (
                "stack.truncate: expected null in a bidirectional stack, whose backward direction starts at "
                f"the sequence's end, got {self.truncate}; use stack.bidirectional=false"
            )
