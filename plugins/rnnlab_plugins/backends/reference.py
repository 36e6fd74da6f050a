"""The reference backend."""

from __future__ import annotations

import torch
from torch import Tensor

from rnnlab.api import Backend, Cell, Sequence, State, loop


class ReferenceBackend(Backend):
    """The loop over the cell's own step: runs every cell everywhere, and defines what others must give."""

    def supports(self, cell: Cell, device: torch.device, dtype: torch.dtype) -> str | None:
        return None

    def run(
        self, cell: Cell, x: Tensor, state: State, lengths: Tensor | None = None, reverse: bool = False
    ) -> Sequence:
        return loop(cell, x, state, lengths, reverse)
