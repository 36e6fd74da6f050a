"""The antisymmetric cell against its formula in numpy, and what every cell is checked for."""

import numpy as np
import pytest
import torch

from rnnlab.testing import conformance
from rnnlab_antisymmetric.cell import AntisymmetricRNN
from rnnlab_antisymmetric.config import AntisymmetricConfig

test_conformance = conformance("cell", "antisymmetric")


@pytest.fixture
def cell() -> AntisymmetricRNN:
    torch.manual_seed(1)
    return AntisymmetricRNN(3, 5, AntisymmetricConfig(step_size=0.3, diffusion=0.2)).double()


def formula(
    cell: AntisymmetricRNN, x: np.ndarray, h: np.ndarray, mask: np.ndarray | float = 1.0
) -> np.ndarray:
    """h + 0.3 tanh(W_ih x + b_ih + (W_hh - W_hh^T - 0.2 I) (mask h) + b_hh), for a column x and h."""
    w_ih, w_hh, b_ih, b_hh = (each.detach().numpy() for each in cell.parameters())
    turned = (w_hh - w_hh.T - 0.2 * np.eye(5)) @ (mask * h)
    return h + 0.3 * np.tanh(w_ih @ x + b_ih + turned + b_hh)


def test_a_step_is_the_papers(cell):
    x, h = np.random.RandomState(0).randn(4, 3), np.random.RandomState(1).randn(4, 5)
    (got,) = cell.step(cell.project(torch.tensor(x)), (torch.tensor(h),)).state
    expected = np.stack([formula(cell, *row) for row in zip(x, h, strict=True)])
    np.testing.assert_allclose(got.detach().numpy(), expected, rtol=0, atol=1e-14)


def test_recurrent_dropout_leaves_the_state_that_is_moved_whole(cell):
    x, h = np.random.RandomState(0).randn(3), np.random.RandomState(1).randn(5)
    mask = np.array([0.0, 2.0, 0.0, 2.0, 2.0])
    state, projected = (torch.tensor(h)[None],), cell.project(torch.tensor(x)[None])
    (got,) = cell.step_masked(projected, state, torch.tensor(mask)[None]).state
    np.testing.assert_allclose(got[0].detach().numpy(), formula(cell, x, h, mask), rtol=0, atol=1e-14)


def test_nothing_fades_or_grows_without_diffusion(cell):
    weight = (cell.weight_hh - cell.weight_hh.T).detach()
    assert torch.linalg.eigvals(weight).real.abs().max() < 1e-14
