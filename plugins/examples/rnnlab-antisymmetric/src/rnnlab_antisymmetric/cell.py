"""The antisymmetric RNN."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from rnnlab.api import Cell, State, Step
from rnnlab_antisymmetric.config import AntisymmetricConfig


class AntisymmetricRNN(Cell):
    """A recurrence that is a stable differential equation (Chang et al. 2019, "AntisymmetricRNN").

        h_t = h_{t-1} + epsilon tanh(W_ih x_t + b_ih + (W_hh - W_hh^T - gamma I) h_{t-1} + b_hh)

    x_t [B, I], h_t [B, H], W_ih [H, I], W_hh [H, H], b_ih and b_hh [H]. The eigenvalues of W_hh - W_hh^T are
    imaginary, so that what the state holds turns and does not fade or grow.
    """

    config: AntisymmetricConfig

    def step(self, projected: Tensor, state: State) -> Step:
        (h,) = state
        return self._moved(projected, h, read=h)

    def step_masked(self, projected: Tensor, state: State, mask: Tensor) -> Step:
        """Recurrent dropout drops what the weights read; the state that is moved stays whole."""
        (h,) = state
        return self._moved(projected, h, read=h * mask)

    def _moved(self, projected: Tensor, h: Tensor, read: Tensor) -> Step:
        weight = self.weight_hh - self.weight_hh.T
        z = projected + F.linear(read, weight, self.bias_hh) - self.config.diffusion * read
        return Step((h + self.config.step_size * torch.tanh(z),))
