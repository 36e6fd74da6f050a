from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from rnnlab.api import loop
from rnnlab_plugins.cells.config import SLSTMConfig
from rnnlab_plugins.cells.slstm import SLSTM

HIDDEN = 4
OPTIONS = [{}, {"bias": False}, {"forget_gate": "exponential"}]


def make(**options) -> SLSTM:
    torch.manual_seed(1)
    return SLSTM(3, HIDDEN, SLSTMConfig(**options)).double()


def zeros() -> tuple[torch.Tensor, ...]:
    return tuple(torch.zeros(2, HIDDEN, dtype=torch.float64) for _ in "hcnm")


def reached(cell: SLSTM) -> tuple[torch.Tensor, ...]:
    """States that the cell itself leaves behind."""
    with torch.no_grad():
        return loop(cell, torch.randn(3, 2, 3, dtype=torch.float64), zeros()).state


def by_hand(cell: SLSTM, x: np.ndarray):
    """Beck et al. (2024), equations 8 to 14: exponentials with no stabiliser, from zero states."""
    w, u = cell.weight_ih.detach().numpy(), cell.weight_hh.detach().numpy()
    b = np.zeros(4 * HIDDEN)
    if cell.bias_ih is not None and cell.bias_hh is not None:
        b = (cell.bias_ih + cell.bias_hh).detach().numpy()
    h = c = n = np.zeros((x.shape[1], HIDDEN))
    outputs = []
    for x_t in x:
        i, f, z, o = np.split(x_t @ w.T + h @ u.T + b, 4, axis=1)
        i, z, o = np.exp(i), np.tanh(z), 1 / (1 + np.exp(-o))
        f = np.exp(f) if cell.config.forget_gate == "exponential" else 1 / (1 + np.exp(-f))
        c, n = f * c + i * z, f * n + i
        h = o * c / n
        outputs.append(h)
    return np.stack(outputs), c, n


@pytest.mark.parametrize("options", OPTIONS)
def test_values_are_those_of_the_paper_without_its_stabiliser(x, options):
    cell = make(**options)
    output, (h_n, c_n, n_n, m_n) = loop(cell, x, zeros())
    expected, c, n = by_hand(cell, x.numpy())
    np.testing.assert_allclose(output.detach(), expected, atol=1e-12)
    np.testing.assert_allclose(h_n.detach(), expected[-1], atol=1e-12)
    np.testing.assert_allclose((c_n * m_n.exp()).detach(), c, rtol=1e-11)
    np.testing.assert_allclose((n_n * m_n.exp()).detach(), n, rtol=1e-11)
    assert (n_n >= 1).all()


@pytest.mark.parametrize("forget_gate", ["sigmoid", "exponential"])
def test_a_step_is_that_of_the_stabilised_equations(x, forget_gate):
    """Equations 15 to 17, unit by unit from states that are not zero."""
    cell = make(forget_gate=forget_gate)
    state = reached(cell)
    (h_n, c_n, n_n, m_n), (i, f, _, _) = cell.step(cell.project(x[0]), state)
    h, c, n, m = (each.numpy() for each in state)
    w, u = cell.weight_ih.detach().numpy(), cell.weight_hh.detach().numpy()
    assert cell.bias_ih is not None and cell.bias_hh is not None
    sums = x[0].numpy() @ w.T + h @ u.T + (cell.bias_ih + cell.bias_hh).detach().numpy()
    for row in range(2):
        for j in range(HIDDEN):
            i_, f_, z_, o_ = sums[row, j::HIDDEN]
            log_f = f_ if forget_gate == "exponential" else -math.log1p(math.exp(-f_))
            new_m = max(log_f + m[row, j], i_)
            i_, f_ = math.exp(i_ - new_m), math.exp(log_f + m[row, j] - new_m)
            new_c, new_n = f_ * c[row, j] + i_ * math.tanh(z_), f_ * n[row, j] + i_
            new_h = new_c / new_n / (1 + math.exp(-o_))
            got = [each[row, j].item() for each in (i, f, h_n, c_n, n_n, m_n)]
            assert got == pytest.approx([i_, f_, new_h, new_c, new_n, new_m], abs=1e-12)


@pytest.mark.parametrize("forget_gate", ["sigmoid", "exponential"])
@pytest.mark.parametrize("size", [-300.0, 300.0])
def test_gates_beyond_what_exp_can_hold_stay_finite(x, size, forget_gate):
    """exp(300) is infinite in float32: without the stabiliser c and n would be too, or the first h 0 / 0."""
    cell = make(forget_gate=forget_gate).float()
    assert cell.bias_ih is not None
    cell.bias_ih.detach()[:HIDDEN] = size
    inputs = x.float().requires_grad_()
    output, state = loop(cell, inputs, tuple(each.float() for each in zeros()))
    gradients = torch.autograd.grad(output.sum() + sum(s.sum() for s in state), [inputs, *cell.parameters()])
    for value in (output, *state, *gradients):
        assert value.isfinite().all()
    assert output.any()


def test_states_that_no_step_leaves_behind_give_finite_values(x):
    cell = make()
    state = tuple(torch.randn(2, HIDDEN, dtype=torch.float64) - 1 for _ in "hcnm")
    output, _ = loop(cell, x, state)
    assert output.isfinite().all()


@pytest.mark.parametrize("options", OPTIONS)
def test_gradients(x, assert_gradients, options):
    cell = make(**options)
    assert_gradients(cell, x[:3], reached(cell))
