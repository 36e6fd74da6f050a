"""The LSTM cell with layer normalisation."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rnnlab.api import Cell, State, Step
from rnnlab_plugins.cells.config import LayerNormLSTMConfig
from rnnlab_plugins.cells.forget_gate import open_forget_gate


class LayerNormLSTM(Cell):
    """LSTM with normalised sums (Ba, Kiros and Hinton 2016, "Layer normalization", equations 20 to 22).

        (i, f, g, o) = LN(W_ih x_t; a_ih, b_ih) + LN(W_hh h_{t-1}; a_hh, b_hh)
        c_t = sigmoid(f) * c_{t-1} + sigmoid(i) * tanh(g)
        h_t = sigmoid(o) * tanh(LN(c_t; a_c, b_c))
        LN(z; a, b) = a * (z - mean(z)) / sqrt(var(z) + epsilon) + b

    x_t [B, I], c_t and h_t [B, H]. As in the paper one mean and one variance, that of the row itself, are
    taken over all four blocks together. Gains a_ih and a_hh [4H] and a_c [H] start at 1; biases b_ih and b_hh
    [4H] and b_c [H] start at 0, and `bias: false` leaves them out. The paper's further bias b would be added
    to b_ih and b_hh and is left out, as their sum does its work. Blocks of the parameters as in `lstm`.
    """

    gates = ("i", "f", "g", "o")
    state = ("h", "c")
    config: LayerNormLSTMConfig

    def make_parameters(self) -> None:
        rows, units = 4 * self.hidden_size, self.hidden_size
        self.gain_ih, self.gain_hh = nn.Parameter(torch.empty(rows)), nn.Parameter(torch.empty(rows))
        self.gain_c = nn.Parameter(torch.empty(units))
        self.bias_c = nn.Parameter(torch.empty(units)) if self.config.bias else None

    def reset_parameters(self) -> None:
        super().reset_parameters()
        for name, parameter in self.named_parameters():
            if not name.startswith("weight"):
                nn.init.constant_(parameter, float(name.startswith("gain")))
        open_forget_gate(self, self.config.forget_bias)

    def project(self, x: Tensor) -> Tensor:
        return self._normalised(F.linear(x, self.weight_ih), self.gain_ih, self.bias_ih)

    def step(self, projected: Tensor, state: State) -> Step:
        h, c = state
        recurrent = self._normalised(F.linear(h, self.weight_hh), self.gain_hh, self.bias_hh)
        i, f, g, o = (projected + recurrent).chunk(4, dim=-1)
        i, f, g, o = torch.sigmoid(i), torch.sigmoid(f), torch.tanh(g), torch.sigmoid(o)
        c = f * c + i * g
        h = o * torch.tanh(self._normalised(c, self.gain_c, self.bias_c))
        return Step((h, c), (i, f, g, o))

    def _normalised(self, z: Tensor, gain: Tensor, bias: Tensor | None) -> Tensor:
        return F.layer_norm(z, gain.shape, gain, bias, self.config.epsilon)
