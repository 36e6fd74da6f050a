"""Options of the built-in cells."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from rnnlab.api import CellConfig


class RNNConfig(CellConfig):
    """Options of the simple recurrent cell."""

    nonlinearity: Literal["tanh", "sigmoid", "relu"] = "tanh"
    """f in h = f(z)."""


class GRUConfig(CellConfig):
    """Options of the gated recurrent unit: those of every cell."""


class MGUConfig(CellConfig):
    """Options of the minimal gated unit: those of every cell."""


class LSTMConfig(CellConfig):
    """Options of the LSTM cell."""

    forget_bias: float | None = None
    """Where the forget gate's bias starts (1 keeps the memory open at first); unset: as the other biases."""

    @model_validator(mode="after")
    def _forget_bias_needs_bias(self) -> Self:
        if self.forget_bias is not None and not self.bias:
            raise ValueError("forget_bias needs bias: true, got bias: false; set bias: true or leave it out")
        return self


class PeepholeLSTMConfig(LSTMConfig):
    """Options of the LSTM cell with peepholes."""

    squash: Literal["tanh", "identity"] = "tanh"
    """What the memory cell goes through on its way out: h = o * squash(c); Gers et al. (2002) had none."""


class LayerNormLSTMConfig(LSTMConfig):
    """Options of the LSTM cell with layer normalisation."""

    epsilon: float = Field(1e-5, gt=0.0)
    """Added to each variance before its root, so that equal values are not divided by zero."""


class SLSTMConfig(LSTMConfig):
    """Options of the sLSTM cell."""

    forget_gate: Literal["sigmoid", "exponential"] = "sigmoid"
    """The forget gate's nonlinearity; the input gate is always exponential."""
