"""The GRU cell."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from rnnlab.api import Cell, State, Step


class GRU(Cell):
    """Gated recurrent unit (Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder").

        r_t = sigmoid(W_ir x_t + b_ir + W_hr h_{t-1} + b_hr)         reset gate
        z_t = sigmoid(W_iz x_t + b_iz + W_hz h_{t-1} + b_hz)         update gate
        n_t = tanh   (W_in x_t + b_in + r_t * (W_hn h_{t-1} + b_hn)) candidate
        h_t = (1 - z_t) * n_t + z_t * h_{t-1}

    x_t [B, I], all else [B, H]. The blocks stand in the order r, z, n in weight_ih [3H, I],
    weight_hh [3H, H], bias_ih and bias_hh [3H], and the reset gate acts after the product, both as in nn.GRU;
    in the paper it acts before, W_hn (r_t * h_{t-1}).
    """

    equations = "gru"
    gates = ("r", "z", "n")

    def step(self, projected: Tensor, state: State) -> Step:
        (h,) = state
        return self._step(projected, h, h)

    def step_masked(self, projected: Tensor, state: State, mask: Tensor) -> Step:
        (h,) = state
        return self._step(projected, h, h * mask)

    def _step(self, projected: Tensor, h: Tensor, read: Tensor) -> Step:
        """`h` is carried on, the weights see `read`: the same but for recurrent dropout."""
        x_r, x_z, x_n = projected.chunk(3, dim=-1)
        h_r, h_z, h_n = F.linear(read, self.weight_hh, self.bias_hh).chunk(3, dim=-1)
        r, z = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
        n = torch.tanh(x_n + r * h_n)
        return Step(((1 - z) * n + z * h,), (r, z, n))
