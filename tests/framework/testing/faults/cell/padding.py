"""Divides an input by its length, which is zero at padding."""

import torch
import torch.nn.functional as F

from rnnlab.api import Cell, CellSpec, Step, hookimpl


class Padding(Cell):
    def project(self, x):
        return F.linear(x / x.norm(dim=-1, keepdim=True), self.weight_ih, self.bias_ih)

    def step(self, projected, state):
        (h,) = state
        return Step((torch.tanh(projected + F.linear(h, self.weight_hh, self.bias_hh)),))


@hookimpl
def rnnlab_cells():
    yield CellSpec(
        "padding", f"{__name__}:Padding", summary="Divides an input by its length, which is zero at padding."
    )
