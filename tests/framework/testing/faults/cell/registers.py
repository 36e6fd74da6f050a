"""Misspells a hook beside the one that is right."""

import torch
import torch.nn.functional as F

from rnnlab.api import Cell, CellSpec, Step, hookimpl


class Registers(Cell):
    def step(self, projected, state):
        (h,) = state
        return Step((torch.tanh(projected + F.linear(h, self.weight_hh, self.bias_hh)),))


@hookimpl
def rnnlab_cells():
    yield CellSpec(
        "registers", f"{__name__}:Registers", summary="Misspells a hook beside the one that is right."
    )


@hookimpl
def rnnlab_preset():
    return ()
