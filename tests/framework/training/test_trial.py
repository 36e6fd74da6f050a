"""A cell's step is tried before anything is trained, where the run's model is built."""

from __future__ import annotations

import pytest
import torch

from rnnlab.api import Cell, CellConfig, CellSpec, Step
from rnnlab.errors import InputError
from rnnlab.plugins.registry import Registry
from rnnlab.training.trial import try_step


class Elman(Cell):
    def step(self, projected, state):
        return Step((torch.tanh(projected + state[0] @ self.weight_hh.T),))


class AsksForValues(Elman):
    def step(self, projected, state):
        if float(state[0].abs().max()) > 1:
            state = (state[0] / 2,)
        return super().step(projected, state)


class Draws(Elman):
    def step(self, projected, state):
        return super().step(projected + torch.rand_like(projected), state)


class Misshaped(Cell):
    def step(self, projected, state):
        return Step((torch.cat([projected, state[0]], 1),))


class Forgets(Cell):
    def step(self, projected, state):
        return projected


class Stateful(Elman):
    """Right in the first step, wrong in the second."""

    def step(self, projected, state):
        (h,) = super().step(projected, state).state
        self.before = getattr(self, "before", ())
        self.before += (h,)
        return Step((h + sum(before.new_zeros(len(self.before) ** 3) for before in self.before[1:]),))


def trial(cell_class, device, input_size=3, hidden_size=5):
    registry = Registry()
    spec = CellSpec("mine", f"{__name__}:{cell_class.__name__}")
    with torch.device(device):
        cell = cell_class(input_size, hidden_size, CellConfig())
    try_step(spec, registry, cell, input_size, lambda: cell_class(input_size, hidden_size, CellConfig()))


@pytest.mark.parametrize("device", ["meta", "cpu"])
@pytest.mark.parametrize("cell_class", [Elman, AsksForValues, Draws])
def test_a_cell_that_steps_is_let_through_and_draws_nothing_of_the_run(cell_class, device):
    torch.manual_seed(1)
    with torch.device(device):
        cell_class(3, 5, CellConfig())
    expected = torch.rand(4)
    torch.manual_seed(1)
    if (cell_class, device) != (AsksForValues, "meta"):  # that one is made again, where nothing is trained
        trial(cell_class, device)
        assert torch.equal(torch.rand(4), expected)
    else:
        trial(cell_class, device)


@pytest.mark.parametrize("device", ["meta", "cpu"])
@pytest.mark.parametrize(
    ("cell_class", "reason"),
    [
        (Misshaped, "ValueError: Misshaped.step: expected the next h of shape [(2, 5)], got [(2, 10)]"),
        (Forgets, "TypeError: Forgets.step: expected a rnnlab.api.Step, got Tensor"),
        (Stateful, "RuntimeError: The size of tensor a (5) must match the size of tensor b (8)"),
    ],
)
def test_a_cell_that_does_not_is_refused_with_its_line(cell_class, reason, device):
    with pytest.raises(InputError) as refused:
        trial(cell_class, device)
    said = str(refused.value)
    assert said.startswith(f"cell 'mine' does not step: {reason}")
    assert said.endswith("; see 'rnnlab plugins check mine'")
    assert f"({__file__}:" in said
