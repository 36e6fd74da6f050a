"""The attention against its formula in numpy, and what every task is checked for."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from rnnlab.api import Batch, Schema, Vocabulary
from rnnlab.testing import conformance
from rnnlab_attentive.config import AttentiveConfig
from rnnlab_attentive.task import AttentiveClassification

test_conformance = conformance("task", "attentive_classification")

LENGTHS = torch.tensor([4, 2, 0])


class Same(nn.Module):
    """Stands for the recurrent stack: gives what it is given."""

    output_size = 5

    def forward(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, tuple[()]]:
        return torch.where((torch.arange(len(x))[:, None] < lengths)[..., None], x, 0.0), ()


@pytest.fixture
def task() -> AttentiveClassification:
    torch.manual_seed(1)
    schema = Schema("class", None, 3, Vocabulary(("one", "two")))
    config = AttentiveConfig(embedding_size=5, attention_size=4)
    return AttentiveClassification(config, schema, lambda size, role="encoder": Same()).double()


def test_a_class_is_read_from_the_weighted_mean_of_the_steps(task):
    source = torch.randn(4, 3, 3, dtype=torch.float64)
    got = task(Batch(source, LENGTHS, None, None, torch.arange(3))).detach().numpy()
    named = {name: each.detach().numpy() for name, each in task.named_parameters()}
    for row, length in enumerate(LENGTHS.tolist()):
        h = source[:length, row].numpy() @ named["read.weight"].T + named["read.bias"]
        seen = np.tanh(h @ named["see.weight"].T + named["see.bias"])
        weights = np.exp(seen @ named["weigh.weight"][0])
        mean = (weights[:, None] * h).sum(0) / max(weights.sum(), 1e-300)
        expected = named["output.weight"] @ mean + named["output.bias"]
        np.testing.assert_allclose(got[row], expected, rtol=0, atol=1e-14)


def test_padding_counts_nothing(task):
    batch = Batch(torch.randn(4, 3, 3), LENGTHS, None, None, torch.arange(3))
    weights = task.attention(torch.randn(4, 3, 5, dtype=torch.float64), batch)
    np.testing.assert_allclose(weights.sum(0).detach().numpy(), [1.0, 1.0, 0.0], rtol=0, atol=1e-15)
    assert not weights[2:, 1].any()
