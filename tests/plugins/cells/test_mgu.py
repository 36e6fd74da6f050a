from __future__ import annotations

import numpy as np
import pytest
import torch

from rnnlab.api import loop
from rnnlab_plugins.cells.config import MGUConfig
from rnnlab_plugins.cells.mgu import MGU

HIDDEN = 4


def make(**options) -> MGU:
    torch.manual_seed(1)
    return MGU(3, HIDDEN, MGUConfig(**options)).double()


def by_hand(cell: MGU, x: np.ndarray, h: np.ndarray) -> np.ndarray:
    """Zhou et al. (2016), Table 1: W_f and W_h act on [h, x] and [f * h, x], each with one bias."""
    w, u = cell.weight_ih.detach().numpy(), cell.weight_hh.detach().numpy()
    both = np.zeros(2 * HIDDEN)
    if cell.bias_ih is not None and cell.bias_hh is not None:
        both = (cell.bias_ih + cell.bias_hh).detach().numpy()
    w_f, w_h = np.hstack([u[:HIDDEN], w[:HIDDEN]]), np.hstack([u[HIDDEN:], w[HIDDEN:]])
    outputs = []
    for x_t in x:
        f = 1 / (1 + np.exp(-(np.hstack([h, x_t]) @ w_f.T + both[:HIDDEN])))
        candidate = np.tanh(np.hstack([f * h, x_t]) @ w_h.T + both[HIDDEN:])
        h = (1 - f) * h + f * candidate
        outputs.append(h)
    return np.stack(outputs)


@pytest.mark.parametrize("bias", [True, False])
def test_values_are_those_of_the_paper(x, bias):
    cell, h_0 = make(bias=bias), torch.randn(2, HIDDEN, dtype=torch.float64)
    output, (h_n,) = loop(cell, x, (h_0,))
    expected = by_hand(cell, x.numpy(), h_0.numpy())
    np.testing.assert_allclose(output.detach(), expected, atol=1e-12)
    np.testing.assert_allclose(h_n.detach(), expected[-1], atol=1e-12)


def test_a_closed_gate_keeps_the_state(x):
    cell, h = make(), torch.randn(2, HIDDEN, dtype=torch.float64)
    cell.weight_ih.detach()[:HIDDEN] = 0.0
    cell.weight_hh.detach()[:HIDDEN] = 0.0
    assert cell.bias_ih is not None
    cell.bias_ih.detach()[:HIDDEN] = -1000.0
    (after,), (u, _) = cell.step(cell.project(x[0]), (h,))
    assert torch.equal(after, h)
    assert not u.any()


@pytest.mark.parametrize("bias", [True, False])
def test_gradients(x, assert_gradients, bias):
    assert_gradients(make(bias=bias), x[:3], (torch.randn(2, HIDDEN, dtype=torch.float64),))
