"""The LSTM cell."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from rnnlab.api import Cell, State, Step
from rnnlab_plugins.cells.config import LSTMConfig
from rnnlab_plugins.cells.forget_gate import open_forget_gate


class LSTM(Cell):
    """Long short-term memory (Hochreiter and Schmidhuber 1997), with the forget gate of Gers et al. (2000).

        i_t = sigmoid(W_ii x_t + b_ii + W_hi h_{t-1} + b_hi)    input gate
        f_t = sigmoid(W_if x_t + b_if + W_hf h_{t-1} + b_hf)    forget gate
        g_t = tanh   (W_ig x_t + b_ig + W_hg h_{t-1} + b_hg)    cell candidate
        o_t = sigmoid(W_io x_t + b_io + W_ho h_{t-1} + b_ho)    output gate
        c_t = f_t * c_{t-1} + i_t * g_t                         memory cell
        h_t = o_t * tanh(c_t)

    x_t [B, I], all else [B, H]. The gates' blocks stand in the order i, f, g, o in weight_ih [4H, I],
    weight_hh [4H, H], bias_ih and bias_hh [4H].
    """

    equations = "lstm"
    gates = ("i", "f", "g", "o")
    state = ("h", "c")
    config: LSTMConfig

    def reset_parameters(self) -> None:
        """As nn.LSTM, but the two biases of the forget gate start at `forget_bias` together if it is set."""
        super().reset_parameters()
        open_forget_gate(self, self.config.forget_bias)

    def step(self, projected: Tensor, state: State) -> Step:
        h, c = state
        i, f, g, o = (projected + F.linear(h, self.weight_hh, self.bias_hh)).chunk(4, dim=-1)
        i, f, g, o = torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)
        c = f * c + i * g
        h = o * torch.tanh(c)
        return Step((h, c), (i, f, g, o))
