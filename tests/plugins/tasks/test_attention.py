import pytest
import torch

from rnnlab_plugins.tasks.attention import LuongAttention

LENGTHS = [4, 1, 0]


@pytest.fixture
def attended():
    torch.manual_seed(0)
    attention = LuongAttention(query_size=3, memory_size=5).double()
    source = torch.randn(4, 3, 5, dtype=torch.float64)
    for b, length in enumerate(LENGTHS):
        source[length:, b] = 0.0
    query = torch.randn(2, 3, 3, dtype=torch.float64)
    return attention, source.requires_grad_(), query.requires_grad_()


def test_weights_and_output_by_hand(attended):
    attention, source, query = attended
    output, weights = attention(query, attention.remember(source, torch.tensor(LENGTHS)))
    for m in range(2):
        for b, length in enumerate(LENGTHS):
            scores = [query[m, b] @ attention.key.weight @ source[t, b] for t in range(length)]
            total = sum(score.exp() for score in scores)
            context = torch.zeros(5, dtype=torch.float64)
            for t in range(length):
                torch.testing.assert_close(weights[b, m, t], scores[t].exp() / total)
                context = context + weights[b, m, t] * source[t, b]
            expected = torch.tanh(attention.combine.weight @ torch.cat([context, query[m, b]]))
            torch.testing.assert_close(output[m, b], expected)


def test_weights_sum_to_one_over_valid_steps_only(attended):
    attention, source, query = attended
    _, weights = attention(query, attention.remember(source, torch.tensor(LENGTHS)))
    for b, length in enumerate(LENGTHS):
        assert weights[b, :, length:].eq(0).all()
        expected = torch.full((2,), float(length > 0), dtype=torch.float64)
        torch.testing.assert_close(weights[b].sum(-1), expected)


def test_gradients_are_finite_and_stay_off_padding(attended):
    attention, source, query = attended
    output, _ = attention(query, attention.remember(source, torch.tensor(LENGTHS)))
    output.square().sum().backward()
    assert query.grad.isfinite().all() and source.grad.isfinite().all()
    for b, length in enumerate(LENGTHS):
        assert source.grad[length:, b].eq(0).all()
        assert source.grad[:length, b].ne(0).all()
