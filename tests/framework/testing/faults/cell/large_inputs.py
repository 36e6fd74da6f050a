"""A sigmoid that overflows: exp(z) / (1 + exp(z))."""

import torch.nn.functional as F

from rnnlab.api import Cell, CellSpec, Step, hookimpl


class LargeInputs(Cell):
    def step(self, projected, state):
        (h,) = state
        z = (projected + F.linear(h, self.weight_hh, self.bias_hh)).exp()
        return Step((z / (1 + z),))


@hookimpl
def rnnlab_cells():
    yield CellSpec(
        "large-inputs", f"{__name__}:LargeInputs", summary="A sigmoid that overflows: exp(z) / (1 + exp(z))."
    )
