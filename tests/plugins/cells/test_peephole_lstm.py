from __future__ import annotations

import numpy as np
import pytest
import torch

from rnnlab.api import loop
from rnnlab_plugins.cells.config import LSTMConfig, PeepholeLSTMConfig
from rnnlab_plugins.cells.lstm import LSTM
from rnnlab_plugins.cells.peephole_lstm import PeepholeLSTM

HIDDEN = 4
OPTIONS = [{}, {"bias": False}, {"squash": "identity"}]


def make(**options) -> PeepholeLSTM:
    torch.manual_seed(1)
    return PeepholeLSTM(3, HIDDEN, PeepholeLSTMConfig(**options)).double()


def states() -> tuple[torch.Tensor, ...]:
    return tuple(torch.randn(2, HIDDEN, dtype=torch.float64) for _ in "hc")


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def by_hand(cell: PeepholeLSTM, x: np.ndarray, h: np.ndarray, c: np.ndarray):
    """Gers et al. (2002), section 3: each gate has a weight a unit from that unit's own cell state, which the
    input and forget gates see before the step and the output gate after it; unit by unit."""
    w, u = cell.weight_ih.detach().numpy(), cell.weight_hh.detach().numpy()
    p_i, p_f, p_o = np.split(cell.weight_peephole.detach().numpy(), 3)
    b = np.zeros(4 * HIDDEN)
    if cell.bias_ih is not None and cell.bias_hh is not None:
        b = (cell.bias_ih + cell.bias_hh).detach().numpy()
    outputs, cells = [], []
    for x_t in x:
        new_h, new_c = np.empty_like(h), np.empty_like(c)
        for j in range(HIDDEN):
            i, f, g, o = (x_t @ w[k] + h @ u[k] + b[k] for k in range(j, 4 * HIDDEN, HIDDEN))
            i, f = sigmoid(i + p_i[j] * c[:, j]), sigmoid(f + p_f[j] * c[:, j])
            new_c[:, j] = f * c[:, j] + i * np.tanh(g)
            o = sigmoid(o + p_o[j] * new_c[:, j])
            squashed = np.tanh(new_c[:, j]) if cell.config.squash == "tanh" else new_c[:, j]
            new_h[:, j] = o * squashed
        h, c = new_h, new_c
        outputs.append(h)
        cells.append(c)
    return np.stack(outputs), cells[-1]


@pytest.mark.parametrize("options", OPTIONS)
def test_values_are_those_of_the_paper(x, options):
    cell, state = make(**options), states()
    output, (h_n, c_n) = loop(cell, x, state)
    expected, last = by_hand(cell, x.numpy(), *(each.numpy() for each in state))
    np.testing.assert_allclose(output.detach(), expected, atol=1e-12)
    np.testing.assert_allclose(h_n.detach(), expected[-1], atol=1e-12)
    np.testing.assert_allclose(c_n.detach(), last, atol=1e-12)


def test_without_peepholes_it_is_the_lstm(x):
    cell, lstm, state = make(), LSTM(3, HIDDEN, LSTMConfig()).double(), states()
    cell.weight_peephole.detach().zero_()
    lstm.load_state_dict({k: v for k, v in cell.state_dict().items() if k != "weight_peephole"})
    torch.testing.assert_close(loop(cell, x, state), loop(lstm, x, state), rtol=0.0, atol=1e-14)


def test_peepholes_start_within_the_bound_of_the_other_parameters():
    weight = make().weight_peephole
    assert weight.shape == (3 * HIDDEN,)
    assert weight.any() and weight.abs().max() <= HIDDEN**-0.5


def test_forget_bias():
    cell = make(forget_bias=2.0)
    assert cell.bias_ih is not None and cell.bias_hh is not None
    assert (cell.bias_ih[HIDDEN : 2 * HIDDEN] == 2.0).all()
    assert not cell.bias_hh[HIDDEN : 2 * HIDDEN].any()


@pytest.mark.parametrize("options", OPTIONS)
def test_gradients(x, assert_gradients, options):
    assert_gradients(make(**options), x[:3], states())
