"""The contract of a cell: write the step, get the rest from `rnnlab.recurrent.Stack`."""

from __future__ import annotations

import math
from typing import ClassVar, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rnnlab.config.section import CellConfig

State = tuple[Tensor, ...]
"""One tensor [B, S] for each name in `Cell.state`."""


class Step(NamedTuple):
    """What one time step gives.

    Attributes:
        state: the next state, in the order of `Cell.state`, each [B, S].
        gates: the values named by `Cell.gates`, after their nonlinearity, each [B, H].
    """

    state: State
    gates: tuple[Tensor, ...] = ()


class Cell(nn.Module):
    """A recurrent cell of one layer and one direction.

    The base class brings PyTorch's parameters, one block of H rows a gate (one block if `gates` is empty):
    `weight_ih [G*H, I]`, `weight_hh [G*H, H]`, `bias_ih [G*H]`, `bias_hh [G*H]`. A cell with more
    parameters makes them in `make_parameters`; one without these overrides `__init__` and `project`. Values
    are given by `reset_parameters`.

    Class attributes:
        equations: a promise that `step` computes exactly the equations known by that name ("rnn", "gru",
            "lstm") with the parameters above, so that a fused backend may take over; "" promises nothing.
        gates: what `step` shows for inspection, e.g. ("i", "f", "g", "o").
        state: names of the state tensors; the first is the hidden state, all that leaves the layer.
    """

    equations: ClassVar[str] = ""
    gates: ClassVar[tuple[str, ...]] = ()
    state: ClassVar[tuple[str, ...]] = ("h",)

    def __init__(self, input_size: int, hidden_size: int, config: CellConfig) -> None:
        """Make the parameters for inputs [.., I=input_size] and hidden states [.., H=hidden_size]."""
        super().__init__()
        self.input_size, self.hidden_size, self.config = input_size, hidden_size, config
        rows = max(1, len(self.gates)) * hidden_size
        self.weight_ih = nn.Parameter(torch.empty(rows, input_size))
        self.weight_hh = nn.Parameter(torch.empty(rows, hidden_size))
        self.bias_ih = nn.Parameter(torch.empty(rows)) if config.bias else None
        self.bias_hh = nn.Parameter(torch.empty(rows)) if config.bias else None
        self.make_parameters()
        self.reset_parameters()

    def make_parameters(self) -> None:
        """Make what a cell has beside the parameters above, with values left open; called once; here none."""

    def reset_parameters(self) -> None:
        """Draw every parameter from U(-1/sqrt(H), 1/sqrt(H)), as nn.LSTM and nn.RNN do."""
        bound = 1.0 / math.sqrt(self.hidden_size)
        for parameter in self.parameters(recurse=False):
            nn.init.uniform_(parameter, -bound, bound)

    def state_sizes(self) -> tuple[int, ...]:
        """Width S of each state tensor; H unless a cell projects."""
        return (self.hidden_size,) * len(self.state)

    def project(self, x: Tensor) -> Tensor:
        """Everything that does not depend on the state, for the whole sequence in one GEMM.

        Args:
            x: inputs [T, B, I] (or [B, I]).

        Returns:
            [T, B, P] (or [B, P]), sliced over time and handed to `step`; P = G*H here.
        """
        return F.linear(x, self.weight_ih, self.bias_ih)

    def step(self, projected: Tensor, state: State) -> Step:
        """One time step, written as the paper writes it.

        Args:
            projected: [B, P], one time slice of `project`.
            state: the previous state, each [B, S].
        """
        raise NotImplementedError(f"{type(self).__name__}.step is not written yet")

    def step_masked(self, projected: Tensor, state: State, mask: Tensor) -> Step:
        """`step` under recurrent dropout: `mask` [B, S] multiplies the hidden state where weights read it.

        Here the step is given the masked hidden state. A cell that also carries h_{t-1} on beside its
        products with weights, as a GRU's z * h_{t-1} does, overrides this and carries on the h_{t-1} it was
        given: else the memory itself would be multiplied by the mask, step after step.

        Args:
            projected: as in `step`.
            state: as in `step`, not masked.
            mask: 0 where a unit is dropped, else a positive factor.
        """
        hidden, *others = state
        return self.step(projected, (hidden * mask, *others))
