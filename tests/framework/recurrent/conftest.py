"""A cell of no known kind."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from rnnlab.api import Cell, State, Step
from rnnlab.config.section import CellConfig


class Leaky(Cell):
    """m_t = a_t * m_{t-1} + (1 - a_t) * z_t, a_t = sigmoid(z_t), h_t = tanh(m_t + W_hh h_{t-1} + b_hh)."""

    gates = ("a",)
    state = ("h", "m")

    def step(self, projected: Tensor, state: State) -> Step:
        h, m = state
        a = torch.sigmoid(projected)
        m = a * m + (1 - a) * projected
        h = torch.tanh(m + h @ self.weight_hh.T + self.bias_hh)
        return Step((h, m), (a,))


@pytest.fixture(scope="session")
def leaky() -> Callable[..., Cell]:
    """Makes a cell in float64 with the same weights each time."""

    def make(input_size: int, hidden_size: int) -> Cell:
        torch.manual_seed(input_size + hidden_size)
        return Leaky(input_size, hidden_size, CellConfig()).double()

    return make
