import pytest
import torch

from rnnlab.api import IGNORE
from rnnlab_plugins.tasks.loss import cross_entropy


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_mean_over_labelled_items_by_hand(smoothing):
    logits = torch.randn(3, 2, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    target = torch.tensor([[1, 4], [IGNORE, 0], [2, IGNORE]])
    terms = []
    for t in range(3):
        for b in range(2):
            if target[t, b] != IGNORE:
                log_p = logits[t, b] - logits[t, b].exp().sum().log()
                terms.append(-(1 - smoothing) * log_p[target[t, b]] - smoothing * log_p.mean())
    value, items = cross_entropy(logits, target, smoothing)
    assert items == 4
    torch.testing.assert_close(value, torch.stack(terms).mean(), rtol=1e-12, atol=0)


def test_nothing_labelled_is_zero_with_zero_gradient():
    logits = torch.randn(2, 3, requires_grad=True)
    value, items = cross_entropy(logits, torch.full((2,), IGNORE))
    value.backward()
    assert (value.item(), items) == (0.0, 0)
    assert torch.equal(logits.grad, torch.zeros(2, 3))


def test_logits_at_padding_may_be_anything():
    logits = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    poisoned = torch.cat([logits, torch.full((1, 3), 1e30, dtype=torch.float64)])
    value, items = cross_entropy(poisoned, torch.tensor([0, 2, IGNORE]))
    assert items == 2
    torch.testing.assert_close(value, cross_entropy(logits, torch.tensor([0, 2])).value)
