"""Draws its parameters from a generator of its own, seeded by the system."""

import torch
import torch.nn.functional as F

from rnnlab.api import Cell, CellSpec, Step, hookimpl


class Seed(Cell):
    def reset_parameters(self):
        generator = torch.Generator()
        generator.seed()
        for parameter in self.parameters():
            torch.nn.init.uniform_(parameter, -0.3, 0.3, generator=generator)

    def step(self, projected, state):
        (h,) = state
        return Step((torch.tanh(projected + F.linear(h, self.weight_hh, self.bias_hh)),))


@hookimpl
def rnnlab_cells():
    yield CellSpec(
        "seed",
        f"{__name__}:Seed",
        summary="Draws its parameters from a generator of its own, seeded by the system.",
    )
