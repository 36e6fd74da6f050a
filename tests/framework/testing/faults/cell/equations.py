"""Promises the equations of nn.LSTM, and couples the forget gate to the input gate."""

import torch
import torch.nn.functional as F

from rnnlab.api import Cell, CellSpec, Step, hookimpl


class Equations(Cell):
    equations = "lstm"
    gates = ("i", "f", "g", "o")
    state = ("h", "c")

    def step(self, projected, state):
        h, c = state
        i, _, g, o = (projected + F.linear(h, self.weight_hh, self.bias_hh)).chunk(4, dim=-1)
        i, g, o = torch.sigmoid(i), torch.tanh(g), torch.sigmoid(o)
        f = 1 - i
        c = f * c + i * g
        return Step((o * torch.tanh(c), c), (i, f, g, o))


@hookimpl
def rnnlab_cells():
    yield CellSpec(
        "equations",
        f"{__name__}:Equations",
        summary="Promises the equations of nn.LSTM, and couples the forget gate to the input gate.",
    )
