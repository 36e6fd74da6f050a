"""Normalises its state over the rows of the batch in training, and by running means in evaluation."""

import torch
import torch.nn.functional as F

from rnnlab.api import Cell, CellSpec, Step, hookimpl


class BatchNorm(Cell):
    def make_parameters(self):
        self.norm = torch.nn.BatchNorm1d(self.hidden_size)

    def step(self, projected, state):
        (h,) = state
        return Step((torch.tanh(projected + F.linear(self.norm(h), self.weight_hh, self.bias_hh)),))


@hookimpl
def rnnlab_cells():
    yield CellSpec(
        "batch-norm",
        f"{__name__}:BatchNorm",
        summary="Normalises its state over the rows of the batch in training.",
    )
