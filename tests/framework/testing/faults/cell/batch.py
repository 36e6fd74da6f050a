"""Centres an input over the rows of the batch."""

import torch
import torch.nn.functional as F

from rnnlab.api import Cell, CellSpec, Step, hookimpl


class Batch(Cell):
    def project(self, x):
        return F.linear(x - x.mean(dim=-2, keepdim=True), self.weight_ih, self.bias_ih)

    def step(self, projected, state):
        (h,) = state
        return Step((torch.tanh(projected + F.linear(h, self.weight_hh, self.bias_hh)),))


@hookimpl
def rnnlab_cells():
    yield CellSpec("batch", f"{__name__}:Batch", summary="Centres an input over the rows of the batch.")
