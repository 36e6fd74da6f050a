"""Shows a gate that is twice as wide as its state."""

import torch
import torch.nn.functional as F

from rnnlab.api import Cell, CellSpec, Step, hookimpl


class Declarations(Cell):
    gates = ("z",)

    def step(self, projected, state):
        (h,) = state
        z = torch.tanh(projected + F.linear(h, self.weight_hh, self.bias_hh))
        return Step((z,), (torch.cat([z, z], dim=-1),))


@hookimpl
def rnnlab_cells():
    yield CellSpec(
        "declarations", f"{__name__}:Declarations", summary="Shows a gate that is twice as wide as its state."
    )
