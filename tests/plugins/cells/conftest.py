"""A batch small enough for loops in Python."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture
def x() -> torch.Tensor:
    """Inputs [T=5, B=2, I=3] in float64."""
    torch.manual_seed(0)
    return torch.randn(5, 2, 3, dtype=torch.float64)
