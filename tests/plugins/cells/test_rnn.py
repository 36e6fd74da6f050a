from __future__ import annotations

import math

import pytest
import torch
from pydantic import ValidationError

from rnnlab.api import loop
from rnnlab_plugins.cells.config import RNNConfig
from rnnlab_plugins.cells.rnn import RNN

F = {"tanh": math.tanh, "sigmoid": lambda z: 1 / (1 + math.exp(-z)), "relu": lambda z: max(z, 0.0)}
HIDDEN = 4


def make(**options) -> RNN:
    torch.manual_seed(1)
    return RNN(3, HIDDEN, RNNConfig(**options)).double()


def by_hand(cell: RNN, f, x: list, h: list) -> list:
    """h_t = f(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh) for one row, in plain Python."""
    w_ih, w_hh = cell.weight_ih.tolist(), cell.weight_hh.tolist()
    zero = [0.0] * HIDDEN
    b_ih = zero if cell.bias_ih is None else cell.bias_ih.tolist()
    b_hh = zero if cell.bias_hh is None else cell.bias_hh.tolist()
    outputs = []
    for x_t in x:
        h = [
            f(
                b_ih[j]
                + sum(w * v for w, v in zip(w_ih[j], x_t, strict=True))
                + b_hh[j]
                + sum(w * v for w, v in zip(w_hh[j], h, strict=True))
            )
            for j in range(HIDDEN)
        ]
        outputs.append(h)
    return outputs


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("nonlinearity", F)
def test_values_are_those_of_the_formula(x, nonlinearity, bias):
    cell = make(nonlinearity=nonlinearity, bias=bias)
    h_0 = torch.randn(2, HIDDEN, dtype=torch.float64)
    output, (h_n,) = loop(cell, x, (h_0,))
    for b in range(2):
        expected = by_hand(cell, F[nonlinearity], x[:, b].tolist(), h_0[b].tolist())
        for h_t, expected_h_t in zip(output[:, b].tolist(), expected, strict=True):
            assert h_t == pytest.approx(expected_h_t, abs=1e-12)
        assert h_n[b].tolist() == pytest.approx(expected[-1], abs=1e-12)


def test_parameters_are_those_of_nn_rnn():
    cell = make()
    torch.manual_seed(1)
    expected = torch.nn.RNN(3, HIDDEN).double()
    for name, parameter in expected.named_parameters():
        assert torch.equal(cell.get_parameter(name.removesuffix("_l0")), parameter)
    assert [name for name, _ in make(bias=False).named_parameters()] == ["weight_ih", "weight_hh"]


def test_an_unknown_nonlinearity_is_refused():
    with pytest.raises(ValidationError, match="'tanh', 'sigmoid' or 'relu'"):
        RNNConfig.model_validate({"nonlinearity": "cosine"})
