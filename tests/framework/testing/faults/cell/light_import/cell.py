"""A cell that is right."""

import torch
import torch.nn.functional as F

from rnnlab.api import Cell, Step


class LightImport(Cell):
    def step(self, projected, state):
        (h,) = state
        return Step((torch.tanh(projected + F.linear(h, self.weight_hh, self.bias_hh)),))
