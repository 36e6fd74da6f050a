"""The sLSTM cell."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from rnnlab.api import Cell, State, Step
from rnnlab_plugins.cells.config import SLSTMConfig
from rnnlab_plugins.cells.forget_gate import open_forget_gate


class SLSTM(Cell):
    """LSTM with exponential gating (Beck et al. 2024, "xLSTM: extended long short-term memory", eqs. 8-17).

        i~, f~, z~, o~ = W_ih x_t + b_ih + W_hh h_{t-1} + b_hh
        log f_t = log sigmoid(f~), or f~ where the forget gate is exponential too
        m_t = max(log f_t + m_{t-1}, i~), or i~ where n_{t-1} = 0         stabiliser
        i_t = exp(i~ - m_t)                                               input gate, in 0..1 thanks to m_t
        f_t = exp(min(0, log f_t + m_{t-1} - m_t))                        forget gate, likewise
        c_t = f_t * c_{t-1} + i_t * tanh(z~)                              memory cell
        n_t = f_t * n_{t-1} + i_t                                         normaliser
        h_t = sigmoid(o~) * c_t / max(n_t, 1)

    x_t [B, I], all else [B, H]; parameters as in `lstm`, with the blocks i, f, z, o. Of the paper's block
    this is the cell alone: one head (W_hh is full, not block-diagonal), no group norm, no causal convolution,
    no projections up and down. n_{t-1} = 0 means that nothing is stored yet (zero states): the stabiliser
    then starts at the first input gate, as in the authors' code. From zero states the paper's values come
    out: "min" acts only where it is multiplied by the zeros stored, and n_t is 1 or more. For initial states
    that no step leaves behind, "max" keeps the division from going through zero.
    """

    gates = ("i", "f", "z", "o")
    state = ("h", "c", "n", "m")
    config: SLSTMConfig

    def reset_parameters(self) -> None:
        super().reset_parameters()
        open_forget_gate(self, self.config.forget_bias)

    def step(self, projected: Tensor, state: State) -> Step:
        h, c, n, m = state
        i, f, z, o = (projected + F.linear(h, self.weight_hh, self.bias_hh)).chunk(4, dim=-1)
        log_f = f if self.config.forget_gate == "exponential" else F.logsigmoid(f)
        new_m = torch.where(n == 0, i, torch.maximum(log_f + m, i))
        i, f = torch.exp(i - new_m), torch.exp((log_f + (m - new_m)).clamp(max=0))
        z, o = torch.tanh(z), torch.sigmoid(o)
        c = f * c + i * z
        n = f * n + i
        h = o * c / n.clamp(min=1)
        return Step((h, c, n, new_m), (i, f, z, o))
