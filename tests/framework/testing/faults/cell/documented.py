"""Has an option without a text."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from rnnlab.api import Cell, CellConfig, CellSpec, Step, hookimpl


class DocumentedConfig(CellConfig):
    leak: float = 0.5


class Documented(Cell):
    config: DocumentedConfig

    def step(self, projected, state):
        (h,) = state
        return Step((self.config.leak * torch.tanh(projected + F.linear(h, self.weight_hh, self.bias_hh)),))


@hookimpl
def rnnlab_cells():
    yield CellSpec(
        "documented",
        f"{__name__}:Documented",
        f"{__name__}:DocumentedConfig",
        summary="Has an option without a text.",
    )
