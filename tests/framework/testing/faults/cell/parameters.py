"""Has a parameter that nothing reads."""

import torch
import torch.nn.functional as F

from rnnlab.api import Cell, CellSpec, Step, hookimpl


class Parameters(Cell):
    def __init__(self, input_size, hidden_size, config):
        super().__init__(input_size, hidden_size, config)
        self.spare = torch.nn.Parameter(torch.zeros(hidden_size))

    def step(self, projected, state):
        (h,) = state
        return Step((torch.tanh(projected + F.linear(h, self.weight_hh, self.bias_hh)),))


@hookimpl
def rnnlab_cells():
    yield CellSpec("parameters", f"{__name__}:Parameters", summary="Has a parameter that nothing reads.")
