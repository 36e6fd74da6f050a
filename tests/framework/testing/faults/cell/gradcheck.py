"""A tanh whose gradient is that of the identity."""

import torch
import torch.nn.functional as F

from rnnlab.api import Cell, CellSpec, Step, hookimpl


class StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx, z):
        return torch.tanh(z)

    @staticmethod
    def backward(ctx, *grad_outputs):
        return grad_outputs[0]


class Gradcheck(Cell):
    def step(self, projected, state):
        (h,) = state
        return Step((StraightThrough.apply(projected + F.linear(h, self.weight_hh, self.bias_hh)),))


@hookimpl
def rnnlab_cells():
    yield CellSpec(
        "gradcheck", f"{__name__}:Gradcheck", summary="A tanh whose gradient is that of the identity."
    )
