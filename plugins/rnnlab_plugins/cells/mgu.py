"""The minimal gated unit."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from rnnlab.api import Cell, State, Step


class MGU(Cell):
    """Minimal gated unit (Zhou et al. 2016, "Minimal gated unit for recurrent neural networks").

        u_t = sigmoid(W_iu x_t + b_iu + W_hu h_{t-1} + b_hu)          the only gate
        n_t = tanh   (W_in x_t + b_in + W_hn (u_t * h_{t-1}) + b_hn)  candidate
        h_t = (1 - u_t) * h_{t-1} + u_t * n_t

    x_t [B, I], all else [B, H]. The blocks stand in the order u, n in weight_ih [2H, I], weight_hh [2H, H],
    bias_ih and bias_hh [2H]. The paper writes f for u and calls it the forget gate; it is u here because it
    drops h_{t-1} where it is 1, and a gate f, as the LSTM's, keeps the memory where it is 1.
    """

    gates = ("u", "n")

    def step(self, projected: Tensor, state: State) -> Step:
        (h,) = state
        return self._step(projected, h, h)

    def step_masked(self, projected: Tensor, state: State, mask: Tensor) -> Step:
        (h,) = state
        return self._step(projected, h, h * mask)

    def _step(self, projected: Tensor, h: Tensor, read: Tensor) -> Step:
        """`h` is carried on, the weights see `read`: the same but for recurrent dropout."""
        x_u, x_n = projected.chunk(2, dim=-1)
        w_u, w_n = self.weight_hh.chunk(2)
        b_u, b_n = (None, None) if self.bias_hh is None else self.bias_hh.chunk(2)
        u = torch.sigmoid(x_u + F.linear(read, w_u, b_u))
        n = torch.tanh(x_n + F.linear(u * read, w_n, b_n))
        return Step(((1 - u) * h + u * n,), (u, n))
