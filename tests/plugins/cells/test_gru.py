from __future__ import annotations

import pytest
import torch
from torch import nn

from rnnlab.api import Stack, loop
from rnnlab.config.section import StackConfig
from rnnlab_plugins.backends.reference import ReferenceBackend
from rnnlab_plugins.cells.config import GRUConfig
from rnnlab_plugins.cells.gru import GRU

HIDDEN = 4


def make(**options) -> GRU:
    torch.manual_seed(1)
    return GRU(3, HIDDEN, GRUConfig(**options)).double()


@pytest.mark.parametrize("bias", [True, False])
def test_values_and_gradients_are_those_of_nn_gru(x, bias):
    cell = make(bias=bias)
    h_0 = torch.randn(2, HIDDEN, dtype=torch.float64, requires_grad=True)
    theirs = nn.GRU(3, HIDDEN, bias=bias).double()
    theirs.load_state_dict({f"{name}_l0": value for name, value in cell.state_dict().items()})
    output, (h_n,) = loop(cell, x.requires_grad_(), (h_0,))
    expected_output, expected_h_n = theirs(x, h_0[None])
    torch.testing.assert_close(output, expected_output, rtol=0.0, atol=1e-12)
    torch.testing.assert_close(h_n, expected_h_n[0], rtol=0.0, atol=1e-12)
    upstream = torch.randn_like(output)
    got = torch.autograd.grad((output * upstream).sum() + h_n.sum(), [x, h_0, *cell.parameters()])
    expected = torch.autograd.grad(
        (expected_output * upstream).sum() + expected_h_n.sum(), [x, h_0, *theirs.parameters()]
    )
    torch.testing.assert_close(got, expected, rtol=0.0, atol=1e-11)


def test_gates_stand_between_the_state_before_and_the_candidate(x):
    cell, h = make(), torch.randn(2, HIDDEN, dtype=torch.float64)
    (after,), (r, z, n) = cell.step(cell.project(x[0]), (h,))
    assert ((r > 0) & (r < 1) & (z > 0) & (z < 1)).all()
    torch.testing.assert_close(after, n + z * (h - n))


def test_a_stack_loads_the_state_dict_of_nn_gru_and_gives_it_back(x):
    theirs = nn.GRU(3, HIDDEN, num_layers=2, bidirectional=True).double()
    config = StackConfig(hidden_size=HIDDEN, num_layers=2, bidirectional=True)
    stack = Stack(lambda i, h: GRU(i, h, GRUConfig()), 3, config, ReferenceBackend()).double()
    stack.load_state_dict(theirs.state_dict())
    output, (h_n,) = stack(x)
    expected_output, expected_h_n = theirs(x)
    torch.testing.assert_close(output, expected_output, rtol=0.0, atol=1e-12)
    torch.testing.assert_close(h_n, expected_h_n, rtol=0.0, atol=1e-12)
    assert stack.state_dict().keys() == theirs.state_dict().keys()
    again = nn.GRU(3, HIDDEN, num_layers=2, bidirectional=True).double()
    again.load_state_dict(stack.state_dict())
    for got, expected in zip(again.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(got, expected)


def test_parameters_start_as_those_of_nn_gru():
    cell = make()
    torch.manual_seed(1)
    expected = nn.GRU(3, HIDDEN).double()
    for name, parameter in expected.named_parameters():
        assert torch.equal(cell.get_parameter(name.removesuffix("_l0")), parameter)


@pytest.mark.parametrize("bias", [True, False])
def test_gradients(x, assert_gradients, bias):
    assert_gradients(make(bias=bias), x[:3], (torch.randn(2, HIDDEN, dtype=torch.float64),))
