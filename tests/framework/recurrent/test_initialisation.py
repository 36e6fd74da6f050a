from __future__ import annotations

import pytest
import torch
from torch import nn

from rnnlab.api import Cell, InputError
from rnnlab.config.section import CellConfig
from rnnlab.recurrent.initialisation import orthogonal_recurrent_


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
