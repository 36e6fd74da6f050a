"""A batch small enough for loops in Python, and gradients against finite differences."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from rnnlab.api import Cell, State, loop


@pytest.fixture
def x() -> Tensor:
    """Inputs [T=5, B=2, I=3] in float64."""
    torch.manual_seed(0)
    return torch.randn(5, 2, 3, dtype=torch.float64)


@pytest.fixture
def assert_gradients() -> Callable[[Cell, Tensor, State], None]:
    """Compares the gradients of outputs and final states by inputs, states and parameters, all float64."""

    def check(cell: Cell, x: Tensor, state: State) -> None:
        names = [name for name, _ in cell.named_parameters()]

        def run(x: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
            state, parameters = others[: len(cell.state)], others[len(cell.state) :]
            return torch.func.functional_call(
                Whole(cell), {f"cell.{n}": p for n, p in zip(names, parameters, strict=True)}, (x, state)
            )

        leaves = (x, *state, *cell.parameters())
        given = tuple(each.detach().clone().requires_grad_() for each in leaves)
        assert torch.autograd.gradcheck(run, given)

    return check


class Whole(torch.nn.Module):
    """A cell over a sequence, as one function of its parameters."""

    def __init__(self, cell: Cell) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, x: Tensor, state: State) -> tuple[Tensor, ...]:
        output, final = loop(self.cell, x, state)
        return (output, *final)
