from __future__ import annotations

import numpy as np
import pytest
import torch

from rnnlab.api import loop
from rnnlab_plugins.cells.config import LayerNormLSTMConfig
from rnnlab_plugins.cells.layernorm_lstm import LayerNormLSTM

HIDDEN = 4
OPTIONS = [{}, {"bias": False}, {"epsilon": 0.1}]


def make(**options) -> LayerNormLSTM:
    """With gains and biases at random places, where none can be left out unseen."""
    torch.manual_seed(1)
    cell = LayerNormLSTM(3, HIDDEN, LayerNormLSTMConfig(**options)).double()
    for parameter in cell.parameters():
        parameter.detach().add_(torch.randn_like(parameter), alpha=0.3)
    return cell


def states() -> tuple[torch.Tensor, ...]:
    return tuple(torch.randn(2, HIDDEN, dtype=torch.float64) for _ in "hc")


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def by_hand(cell: LayerNormLSTM, x: np.ndarray, h: np.ndarray, c: np.ndarray):
    """Ba et al. (2016), equations 20 to 22 with the LN of equation 15, row by row."""
    p = {name: value.detach().numpy() for name, value in cell.named_parameters()}

    def ln(z, gain, bias):
        mean = sum(z) / len(z)
        sigma = np.sqrt(sum((each - mean) ** 2 for each in z) / len(z) + cell.config.epsilon)
        return p[gain] / sigma * (z - mean) + p.get(bias, 0.0)

    outputs, h, c = [], h.copy(), c.copy()
    for x_t in x:
        for b in range(len(h)):
            sums = ln(p["weight_hh"] @ h[b], "gain_hh", "bias_hh")
            sums = sums + ln(p["weight_ih"] @ x_t[b], "gain_ih", "bias_ih")
            i, f, g, o = np.split(sums, 4)
            c[b] = sigmoid(f) * c[b] + sigmoid(i) * np.tanh(g)
            h[b] = sigmoid(o) * np.tanh(ln(c[b], "gain_c", "bias_c"))
        outputs.append(h.copy())
    return np.stack(outputs), c


@pytest.mark.parametrize("options", OPTIONS)
def test_values_are_those_of_the_paper(x, options):
    cell, state = make(**options), states()
    output, (h_n, c_n) = loop(cell, x, state)
    expected, last = by_hand(cell, x.numpy(), *(each.numpy() for each in state))
    np.testing.assert_allclose(output.detach(), expected, atol=1e-12)
    np.testing.assert_allclose(h_n.detach(), expected[-1], atol=1e-12)
    np.testing.assert_allclose(c_n.detach(), last, atol=1e-12)


def test_scaling_the_inputs_changes_next_to_nothing(x):
    """What normalisation is for: the sums keep their size whatever that of the inputs."""
    cell, state = make(epsilon=1e-12), states()
    torch.testing.assert_close(loop(cell, 50 * x, state), loop(cell, x, state), rtol=0.0, atol=1e-6)


def test_gains_start_at_one_and_biases_at_zero_but_for_the_forget_gate():
    cell = LayerNormLSTM(3, HIDDEN, LayerNormLSTMConfig(forget_bias=1.0))
    for name, parameter in cell.named_parameters():
        if name.startswith("gain"):
            assert (parameter == 1.0).all()
        elif name == "bias_ih":
            assert parameter.tolist() == [0.0] * HIDDEN + [1.0] * HIDDEN + [0.0] * 2 * HIDDEN
        elif name.startswith("bias"):
            assert not parameter.any()
        else:
            assert parameter.any()


def test_without_biases_there_are_none():
    names = [name for name, _ in make(bias=False).named_parameters()]
    assert sorted(names) == ["gain_c", "gain_hh", "gain_ih", "weight_hh", "weight_ih"]


@pytest.mark.parametrize("options", OPTIONS)
def test_gradients(x, assert_gradients, options):
    assert_gradients(make(**options), x[:3], states())
