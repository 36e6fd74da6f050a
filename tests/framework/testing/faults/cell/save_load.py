"""Draws a number that is no part of its state dict."""

import torch
import torch.nn.functional as F

from rnnlab.api import Cell, CellSpec, Step, hookimpl


class SaveLoad(Cell):
    def reset_parameters(self):
        super().reset_parameters()
        self.mix = torch.rand(()).item()

    def step(self, projected, state):
        (h,) = state
        return Step((self.mix * torch.tanh(projected + F.linear(h, self.weight_hh, self.bias_hh)),))


@hookimpl
def rnnlab_cells():
    yield CellSpec(
        "save-load", f"{__name__}:SaveLoad", summary="Draws a number that is no part of its state dict."
    )
