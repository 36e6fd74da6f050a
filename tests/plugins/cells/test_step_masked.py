"""Recurrent dropout in cells that carry h on: the weights read the masked h, the memory is the whole one."""

from __future__ import annotations

import pytest
import torch

from rnnlab.api import CellConfig
from rnnlab_plugins.cells.gru import GRU
from rnnlab_plugins.cells.mgu import MGU


@pytest.mark.parametrize(
    ("kind", "kept"), [(GRU, lambda r, z, n: z), (MGU, lambda u, n: 1 - u)], ids=["gru", "mgu"]
)
def test_the_mask_stands_before_the_weights_alone(x, kind, kept):
    torch.manual_seed(1)
    cell = kind(3, 4, CellConfig()).double()
    projected, h = cell.project(x[0]), torch.randn(2, 4, dtype=torch.float64)
    mask = torch.tensor([[0.0, 2.0, 2.0, 0.0], [2.0, 0.0, 2.0, 2.0]], dtype=torch.float64)
    (masked,), gates = cell.step_masked(projected, (h,), mask)
    (memory_masked_too,), _ = cell.step(projected, (h * mask,))
    torch.testing.assert_close(
        masked, memory_masked_too + kept(*gates) * (h - h * mask), rtol=0.0, atol=1e-14
    )
    (whole,), _ = cell.step_masked(projected, (h,), torch.ones_like(h))
    assert torch.equal(whole, cell.step(projected, (h,)).state[0])
