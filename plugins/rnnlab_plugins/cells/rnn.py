"""The simple recurrent cell."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from rnnlab.api import Cell, State, Step
from rnnlab_plugins.cells.config import RNNConfig

NONLINEARITIES = {"tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": torch.relu}


class RNN(Cell):
    """The simple recurrence of Elman (1990), "Finding structure in time".

        z_t = W_ih x_t + b_ih + W_hh h_{t-1} + b_hh
        h_t = f(z_t),  f = tanh, sigmoid or relu

    x_t [B, I], z_t and h_t [B, H], W_ih [H, I], W_hh [H, H], b_ih and b_hh [H].
    """

    equations = "rnn"
    config: RNNConfig

    def step(self, projected: Tensor, state: State) -> Step:
        (h,) = state
        f = NONLINEARITIES[self.config.nonlinearity]
        return Step((f(projected + F.linear(h, self.weight_hh, self.bias_hh)),))
