import pytest
import torch

from rnnlab_plugins.tasks.pooling import pool

LENGTHS = [4, 1, 0, 3]


@pytest.fixture
def hidden():
    """Output [4, 4, 2*3] of a bidirectional stack, all negative, and what its directions end with."""
    generator = torch.Generator().manual_seed(0)
    output = -torch.rand(4, 4, 6, dtype=torch.float64, generator=generator) - 0.1
    last = torch.rand(4, 6, dtype=torch.float64, generator=generator)
    for b, length in enumerate(LENGTHS):
        output[length:, b] = 0.0
    return output, last


@pytest.mark.parametrize("kind", ["last", "mean", "max"])
def test_each_row_by_itself(hidden, kind):
    output, last = hidden
    pooled = pool(kind, output, last, torch.tensor(LENGTHS))
    for b, length in enumerate(LENGTHS):
        if kind == "last":
            expected = last[b]
        elif length == 0:
            expected = torch.zeros(6, dtype=torch.float64)
        else:
            steps = torch.stack([output[t, b] for t in range(length)])
            expected = steps.mean(0) if kind == "mean" else steps.max(0).values
        torch.testing.assert_close(pooled[b], expected)


@pytest.mark.parametrize("kind", ["mean", "max"])
def test_an_empty_row_has_a_gradient_of_zero_not_nan(hidden, kind):
    output, last = hidden
    output.requires_grad_()
    pool(kind, output, last, torch.tensor(LENGTHS)).square().sum().backward()
    assert output.grad.isfinite().all()
    assert output.grad[:, 2].eq(0).all()
