"""The LSTM cell with peepholes."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rnnlab.api import Cell, State, Step
from rnnlab_plugins.cells.config import PeepholeLSTMConfig
from rnnlab_plugins.cells.forget_gate import open_forget_gate


class PeepholeLSTM(Cell):
    """LSTM whose gates see the memory cell (Gers and Schmidhuber 2000, "Recurrent nets that time and count";
    Gers et al. 2002, "Learning precise timing with LSTM recurrent networks").

        i_t = sigmoid(W_ii x_t + b_ii + W_hi h_{t-1} + b_hi + p_i * c_{t-1})
        f_t = sigmoid(W_if x_t + b_if + W_hf h_{t-1} + b_hf + p_f * c_{t-1})
        g_t = tanh   (W_ig x_t + b_ig + W_hg h_{t-1} + b_hg)
        c_t = f_t * c_{t-1} + i_t * g_t
        o_t = sigmoid(W_io x_t + b_io + W_ho h_{t-1} + b_ho + p_o * c_t)
        h_t = o_t * s(c_t),  s = tanh, or the identity as in 2002

    x_t [B, I], all else [B, H]; the peepholes p_i, p_f, p_o [H] are diagonal, one weight a unit, and stand in
    that order in weight_peephole [3H]. Blocks of the other parameters as in `lstm`.
    """

    gates = ("i", "f", "g", "o")
    state = ("h", "c")
    config: PeepholeLSTMConfig

    def make_parameters(self) -> None:
        self.weight_peephole = nn.Parameter(torch.empty(3 * self.hidden_size))

    def reset_parameters(self) -> None:
        super().reset_parameters()
        open_forget_gate(self, self.config.forget_bias)

    def step(self, projected: Tensor, state: State) -> Step:
        h, c = state
        i, f, g, o = (projected + F.linear(h, self.weight_hh, self.bias_hh)).chunk(4, dim=-1)
        p_i, p_f, p_o = self.weight_peephole.chunk(3)
        i, f, g = torch.sigmoid(i + p_i * c), torch.sigmoid(f + p_f * c), torch.tanh(g)
        c = f * c + i * g
        o = torch.sigmoid(o + p_o * c)
        s = c if self.config.squash == "identity" else torch.tanh(c)
        return Step((o * s, c), (i, f, g, o))
