"""The recurrent stack."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor, nn

from rnnlab.config.section import StackConfig
from rnnlab.recurrent.backend import Backend
from rnnlab.recurrent.cell import Cell, State


class StackOutput(NamedTuple):
    """A stack run over a sequence.

    Attributes:
        output: hidden states of the top layer [T, B, D*S], D = 2 if bidirectional; zero past each length.
        state: final states, one tensor [L*D, B, S] per name in `Cell.state`, in nn.LSTM's order
            (layer 0 forwards, layer 0 backwards, layer 1 forwards, ...).
    """

    output: Tensor
    state: State


class Stack(nn.Module):
    """Layers of a cell, both directions, dropout between layers, variable lengths, any initial state."""

    def __init__(
        self,
        make_cell: Callable[[int, int], Cell],
        input_size: int,
        config: StackConfig,
        backend: Backend,
    ) -> None:
        super().__init__()
        raise NotImplementedError

    def forward(self, x: Tensor, lengths: Tensor | None = None, state: State | None = None) -> StackOutput:
        raise NotImplementedError

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """One time step of a one-directional stack: x [B, I] -> hidden state [B, S] and the next state."""
        raise NotImplementedError

    def trace(self, x: Tensor, lengths: Tensor | None = None) -> list[dict[str, Tensor]]:
        """Gates (and states) of each layer and direction, name -> [T, B, H]."""
        raise NotImplementedError
