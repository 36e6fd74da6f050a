"""Has an option that nothing reads."""

import torch
import torch.nn.functional as F

from rnnlab.api import Cell, CellConfig, CellSpec, Step, hookimpl


class OptionsConfig(CellConfig):
    leak: float = 0.5
    """How much of the old state stays."""


class Options(Cell):
    def step(self, projected, state):
        (h,) = state
        return Step((torch.tanh(projected + F.linear(h, self.weight_hh, self.bias_hh)),))


@hookimpl
def rnnlab_cells():
    yield CellSpec(
        "options",
        f"{__name__}:Options",
        f"{__name__}:OptionsConfig",
        summary="Has an option that nothing reads.",
    )
