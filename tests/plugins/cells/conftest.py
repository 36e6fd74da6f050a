"""One thread, and a batch small enough for loops in Python."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def x() -> torch.Tensor:
    """Inputs [T=5, B=2, I=3] in float64."""
    torch.manual_seed(0)
    return torch.randn(5, 2, 3, dtype=torch.float64)
