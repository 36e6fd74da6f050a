from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from rnnlab_plugins.cells.config import LSTMConfig
from rnnlab_plugins.cells.lstm import LSTM

HIDDEN = 4


def make(**options) -> LSTM:
    torch.manual_seed(1)
    return LSTM(3, HIDDEN, LSTMConfig(**options)).double()


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


@pytest.mark.parametrize("bias", [True, False])
def test_gates_and_states_are_those_of_the_formulas(x, bias):
    cell = make(bias=bias)
    w = dict(zip("ifgo", np.split(cell.weight_ih.detach().numpy(), 4), strict=True))
    u = dict(zip("ifgo", np.split(cell.weight_hh.detach().numpy(), 4), strict=True))
    both = np.zeros(4 * HIDDEN)
    if cell.bias_ih is not None and cell.bias_hh is not None:
        both = (cell.bias_ih + cell.bias_hh).detach().numpy()
    b = dict(zip("ifgo", np.split(both, 4), strict=True))
    state = tuple(torch.randn(2, HIDDEN, dtype=torch.float64) for _ in cell.state)
    h, c = (tensor.numpy() for tensor in state)
    for x_t in x:
        step = cell.step(cell.project(x_t), state)
        z = {gate: x_t.numpy() @ w[gate].T + h @ u[gate].T + b[gate] for gate in "ifgo"}
        gates = {"i": sigmoid(z["i"]), "f": sigmoid(z["f"]), "g": np.tanh(z["g"]), "o": sigmoid(z["o"])}
        c = gates["f"] * c + gates["i"] * gates["g"]
        h = gates["o"] * np.tanh(c)
        for name, value in zip(cell.gates, step.gates, strict=True):
            np.testing.assert_allclose(value.detach(), gates[name], atol=1e-12)
        state = step.state
        np.testing.assert_allclose(state[0].detach(), h, atol=1e-12)
        np.testing.assert_allclose(state[1].detach(), c, atol=1e-12)


def test_parameters_are_those_of_nn_lstm():
    cell = make()
    torch.manual_seed(1)
    expected = torch.nn.LSTM(3, HIDDEN).double()
    for name, parameter in expected.named_parameters():
        assert torch.equal(cell.get_parameter(name.removesuffix("_l0")), parameter)
    assert [name for name, _ in make(bias=False).named_parameters()] == ["weight_ih", "weight_hh"]


def test_forget_bias_is_where_the_forget_gate_starts():
    cell, default = make(forget_bias=1.5), make()
    assert cell.bias_ih is not None and cell.bias_hh is not None
    assert default.bias_ih is not None and default.bias_hh is not None
    start, usual = cell.bias_ih + cell.bias_hh, default.bias_ih + default.bias_hh
    forget = torch.zeros(4 * HIDDEN, dtype=torch.bool)
    forget[HIDDEN : 2 * HIDDEN] = True
    assert (start[forget] == 1.5).all()
    assert torch.equal(start[~forget], usual[~forget])
    assert torch.equal(cell.weight_ih, default.weight_ih) and torch.equal(cell.weight_hh, default.weight_hh)
    assert cell.bias_ih.requires_grad and cell.bias_hh.requires_grad
    step = cell.step(
        cell.project(torch.zeros(1, 3).double()), tuple(torch.zeros(1, HIDDEN).double() for _ in "hc")
    )
    assert step.gates[1].tolist() == [pytest.approx([sigmoid(1.5)] * HIDDEN)]


def test_forget_bias_zero_is_a_value():
    cell = make(forget_bias=0.0)
    assert cell.bias_ih is not None
    assert not cell.bias_ih[HIDDEN : 2 * HIDDEN].any()


def test_forget_bias_without_bias_is_refused():
    with pytest.raises(ValidationError, match="forget_bias needs bias: true, got bias: false"):
        LSTMConfig(forget_bias=1.0, bias=False)
    assert LSTMConfig(bias=False).forget_bias is None
