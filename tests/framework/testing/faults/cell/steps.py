"""Gives its state bare, and no tuple."""

import torch
import torch.nn.functional as F

from rnnlab.api import Cell, CellSpec, Step, hookimpl


class Steps(Cell):
    def step(self, projected, state):
        (h,) = state
        return Step(torch.tanh(projected + F.linear(h, self.weight_hh, self.bias_hh)))


@hookimpl
def rnnlab_cells():
    yield CellSpec("steps", f"{__name__}:Steps", summary="Gives its state bare, and no tuple.")
