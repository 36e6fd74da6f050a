import pytest
import torch

from rnnlab.api import InputError
from rnnlab_plugins.tasks.bridge import CopyBridge, LinearBridge, StateShape, make_bridge

LSTM, RNN, BIRNN = StateShape(2, 1, (4, 4)), StateShape(2, 1, (4,)), StateShape(2, 2, (2,))


def state_of(shape: StateShape, batch: int = 3) -> tuple[torch.Tensor, ...]:
    torch.manual_seed(0)
    return tuple(torch.randn(shape.layers * shape.directions, batch, size) for size in shape.sizes)


@pytest.mark.parametrize(
    ("kind", "encoder", "decoder", "expected"),
    [
        ("auto", LSTM, LSTM, CopyBridge),
        ("auto", BIRNN, RNN, CopyBridge),
        ("auto", LSTM, RNN, LinearBridge),
        ("auto", RNN, LSTM, LinearBridge),
        ("auto", StateShape(1, 1, (4,)), RNN, LinearBridge),
        ("linear", LSTM, LSTM, LinearBridge),
        ("copy", RNN, RNN, CopyBridge),
    ],
)
def test_choice(kind, encoder, decoder, expected):
    bridge = make_bridge(kind, encoder, decoder)
    assert type(bridge) is expected
    made = bridge(state_of(encoder))
    assert [tuple(tensor.shape) for tensor in made] == [(decoder.layers, 3, size) for size in decoder.sizes]


def test_copy_is_the_state_itself():
    state = state_of(LSTM)
    assert all(torch.equal(a, b) for a, b in zip(CopyBridge(LSTM)(state), state, strict=True))


def test_copy_concatenates_the_directions_of_each_layer():
    (h,) = state_of(BIRNN)
    (made,) = CopyBridge(BIRNN)((h,))
    for layer in range(2):
        assert torch.equal(made[layer], torch.cat([h[2 * layer], h[2 * layer + 1]], dim=-1))


def test_linear_reads_everything_and_treats_rows_apart():
    bridge = LinearBridge(BIRNN, LSTM)
    (h,) = state_of(BIRNN)
    made_h, made_c = bridge((h,))
    for b in range(3):
        flat = torch.tanh(bridge.linear(torch.cat([h[k, b] for k in range(4)])))
        expected = flat.view(2, 8)
        torch.testing.assert_close(made_h[:, b], expected[:, :4])
        torch.testing.assert_close(made_c[:, b], expected[:, 4:])


def test_copy_that_does_not_fit_says_what_to_do():
    with pytest.raises(InputError, match=r"task\.bridge 'copy' needs equal states.*task\.bridge=linear"):
        make_bridge("copy", LSTM, RNN)
