"""Options of the built-in cells."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from rnnlab.api import CellConfig


class RNNConfig(CellConfig):
    """Options of the simple recurrent cell."""

    nonlinearity: Literal["tanh", "sigmoid", "relu"] = "tanh"
    """f in h = f(z)."""


class LSTMConfig(CellConfig):
    """Options of the LSTM cell."""

    forget_bias: float | None = None
    """Where the forget gate's bias starts (1 keeps the memory open at first); unset: as the other biases."""

    @model_validator(mode="after")
    def _forget_bias_needs_bias(self) -> Self:
        if self.forget_bias is not None and not self.bias:
            raise ValueError("forget_bias needs bias: true, got bias: false; set bias: true or leave it out")
        return self
