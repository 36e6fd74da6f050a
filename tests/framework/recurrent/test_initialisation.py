from __future__ import annotations

import pytest
import torch
from torch import nn

from rnnlab.api import Cell, InputError
from rnnlab.config.section import CellConfig
from rnnlab.recurrent.initialisation import open_forget_gate_, orthogonal_recurrent_
from rnnlab_plugins.cells.config import LSTMConfig
from rnnlab_plugins.cells.lstm import LSTM


class Gated(Cell):
    gates = ("r", "z", "n")


class Nested(Cell):
    def __init__(self, input_size: int, hidden_size: int, config: CellConfig) -> None:
        nn.Module.__init__(self)
        self.hidden_size = hidden_size
        self.inner = Gated(input_size, hidden_size, config)


class Feedforward(Cell):
    def __init__(self, input_size: int, hidden_size: int, config: CellConfig) -> None:
        nn.Module.__init__(self)
        self.hidden_size = hidden_size
        self.weight = nn.Parameter(torch.zeros(hidden_size, input_size))


@pytest.mark.parametrize("make", [Gated, Nested])
def test_every_block_becomes_orthogonal_and_nothing_else_changes(make):
    torch.manual_seed(0)
    cell = make(4, 5, CellConfig())
    before = {name: p.detach().clone() for name, p in cell.named_parameters()}
    orthogonal_recurrent_(cell)
    for name, p in cell.named_parameters():
        if not name.endswith("weight_hh"):
            assert torch.equal(p, before[name])
            continue
        assert p.requires_grad
        blocks = p.detach().split(5)
        assert len(blocks) == 3
        for block in blocks:
            torch.testing.assert_close(block @ block.T, torch.eye(5))
        assert not torch.equal(blocks[0], blocks[1])


def test_a_cell_without_recurrent_weights_is_refused():
    with pytest.raises(InputError, match=r"Feedforward has none; use stack.recurrent_init=torch"):
        orthogonal_recurrent_(Feedforward(4, 5, CellConfig()))


@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_preset_forget_bias_opens_the_forget_gate_of_every_cell(make_stack, bidirectional):
    options = {"num_layers": 2, "bidirectional": bidirectional}
    opened = make_stack("lstm", recurrent_init="forget_bias", **options)
    orthogonal = make_stack("lstm", recurrent_init="orthogonal", **options)
    assert len(opened.cells) == 2 * (1 + bidirectional)
    for cell, other in zip(opened.cells, orthogonal.cells, strict=True):
        assert torch.equal(cell.weight_hh, other.weight_hh) and torch.equal(cell.weight_ih, other.weight_ih)
        i, f, g, o = cell.bias_ih.view(4, 7)
        assert (f == 1).all() and (cell.bias_hh.view(4, 7)[1] == 0).all()
        for block, gate in ((0, i), (2, g), (3, o)):
            assert torch.equal(gate, other.bias_ih.view(4, 7)[block])
            assert torch.equal(cell.bias_hh.view(4, 7)[block], other.bias_hh.view(4, 7)[block])
    # With no input and no state, f is sigmoid(1).
    shown = opened.eval().trace(torch.zeros(1, 1, 3, dtype=torch.float64))
    torch.testing.assert_close(shown[0]["f"], torch.full((1, 1, 7), 1.0).double().sigmoid())


def test_the_preset_torch_draws_what_the_cells_drew(make_stack):
    torch.manual_seed(0)
    stack, after = make_stack("lstm", recurrent_init="torch"), torch.get_rng_state()
    torch.manual_seed(0)
    cell = LSTM(3, 7, LSTMConfig()).double()
    assert torch.equal(torch.get_rng_state(), after)
    assert all(map(torch.equal, stack.parameters(), cell.parameters()))


class Ragged(Gated):
    gates = ("r", "f")

    def __init__(self, input_size, hidden_size, config):
        super().__init__(input_size, hidden_size, config)
        self.bias_hh = nn.Parameter(torch.zeros(hidden_size))


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (
            Gated(4, 5, CellConfig()),
            "needs a gate named f, Gated has r, z, n; use stack.recurrent_init=ortho",
        ),
        (Cell(4, 5, CellConfig()), "needs a gate named f, Cell names none"),
        (LSTM(4, 5, LSTMConfig(bias=False)), "needs a bias, LSTM has none; use cell.bias=true or stack"),
        (
            LSTM(4, 5, LSTMConfig(forget_bias=2.0)),
            "cell.forget_bias 2.0 of LSTM sets; use cell.forget_bias=null",
        ),
        (
            Ragged(4, 5, CellConfig()),
            r"biases of 2 blocks of 5, Ragged has \[10\] and \[5\]; use stack.recurr",
        ),
    ],
)
def test_the_preset_forget_bias_says_what_a_cell_lacks(cell, message):
    before = {name: value.clone() for name, value in cell.state_dict().items()}
    with pytest.raises(InputError, match=message):
        open_forget_gate_(cell)
    assert all(torch.equal(value, before[name]) for name, value in cell.state_dict().items())
