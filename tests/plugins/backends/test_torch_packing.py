"""The stack on this backend against packed nn.LSTM, nn.GRU and nn.RNN, in float32 as users run them."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnnlab.api import Stack
from rnnlab.config.section import StackConfig
from rnnlab_plugins.backends import padded
from rnnlab_plugins.backends.reference import ReferenceBackend
from rnnlab_plugins.backends.torch import TorchBackend

TOLERANCE = 5e-6
"""Of values, and of gradients as a part of the largest entry of each, or of 1."""
MODULES = {"lstm": nn.LSTM, "gru": nn.GRU, "tanh": nn.RNN, "relu": nn.RNN}


class Both:
    """A stack and PyTorch's module with the same parameters, inputs with NaN for padding, initial states."""

    def __init__(self, make_cell, kind, lengths, seq_len, sizes, layers, directions, seed):
        torch.manual_seed(seed)
        input_size, hidden_size = sizes
        config = StackConfig(hidden_size=hidden_size, num_layers=layers, bidirectional=directions == 2)
        self.stack = Stack(
            lambda i, h: make_cell(kind, i, h, torch.float32), input_size, config, TorchBackend()
        )
        for parameter in self.stack.parameters():
            nn.init.uniform_(parameter, -(hidden_size**-0.5), hidden_size**-0.5)
        options = {"nonlinearity": kind} if MODULES[kind] is nn.RNN else {}
        self.module = MODULES[kind](
            input_size, hidden_size, num_layers=layers, bidirectional=directions == 2, **options
        )
        self.module.load_state_dict(self.stack.state_dict())
        self.lengths, self.seq_len = torch.tensor(lengths), seq_len
        batch_size, rows = len(lengths), layers * directions
        x = torch.randn(seq_len, batch_size, input_size)
        x[torch.arange(seq_len)[:, None] >= self.lengths] = float("nan")
        self.x = x.requires_grad_()
        self.state = tuple(
            torch.randn(rows, batch_size, hidden_size, requires_grad=True) for _ in self.stack.state_sizes
        )
        self.upstream = [
            torch.randn(seq_len, batch_size, directions * hidden_size),
            *(torch.randn(rows, batch_size, hidden_size) for _ in self.state),
        ]

    def of_stack(self, backend) -> dict[str, Tensor]:
        self.stack.backend = backend
        output, state = self.stack(self.x, self.lengths, self.state)
        return self._results((output, *state), self.stack.state_dict(keep_vars=True))

    def of_packing(self) -> dict[str, Tensor]:
        packed = pack_padded_sequence(self.x, self.lengths, enforce_sorted=False)
        output, state = self.module(packed, self.state if len(self.state) == 2 else self.state[0])
        output, _ = pad_packed_sequence(output, total_length=self.seq_len)
        state = state if len(self.state) == 2 else (state,)
        return self._results((output, *state), dict(self.module.named_parameters()))

    def _results(self, values, parameters) -> dict[str, Tensor]:
        leaves = {"x": self.x, **dict(zip(["h_0", "c_0"], self.state, strict=False)), **parameters}
        gradients = torch.autograd.grad(
            values, list(leaves.values()), self.upstream, allow_unused=True, materialize_grads=True
        )
        found = dict(zip(["output", "h_n", "c_n"], values, strict=False))
        return found | {f"gradient of {name}": g for name, g in zip(leaves, gradients, strict=True)}


def assert_equal(got: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert got.keys() == expected.keys()
    for name, value in expected.items():
        scale = max(1.0, float(value.detach().abs().max())) if name.startswith("gradient") else 1.0
        error = float((got[name] - value).detach().abs().max()) / scale
        assert error <= TOLERANCE, f"{name}: {error:.1e}"


@st.composite
def batches(draw, shortest: int):
    seq_len = draw(st.integers(1, 20))
    lengths = draw(st.lists(st.integers(shortest, seq_len), min_size=1, max_size=6))
    sizes = draw(st.tuples(st.integers(1, 9), st.integers(1, 17)))
    return lengths, seq_len, sizes, draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(st.integers(0, 99))


@pytest.mark.parametrize("cost", [padded.CUT_COST, 0.0], ids=["whole", "in pieces"])
@pytest.mark.parametrize("kind", MODULES)
@settings(max_examples=25, deadline=None)
@given(batch=batches(shortest=1))
def test_outputs_states_and_gradients_are_those_of_packing(make_cell, kind, cost, batch):
    both = Both(make_cell, kind, *batch)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(padded, "CUT_COST", cost)
        patch.setattr(padded, "PIECE_COST", cost)
        assert_equal(both.of_stack(TorchBackend()), both.of_packing())


@pytest.mark.parametrize("kind", MODULES)
@settings(max_examples=15, deadline=None)
@given(batch=batches(shortest=0))
def test_empty_rows_are_those_of_the_loop(make_cell, kind, batch):
    """Packing refuses a row of length 0."""
    both = Both(make_cell, kind, *batch)
    assert_equal(both.of_stack(TorchBackend()), both.of_stack(ReferenceBackend()))


@pytest.mark.parametrize("kind", ["lstm", "gru", "tanh"])
def test_a_batch_as_large_as_those_of_training(make_cell, kind):
    torch.manual_seed(0)
    lengths = torch.randint(1, 65, (32,)).tolist()
    assert padded.piece_count(torch.tensor(lengths), 64, 8 * 128 * 128) > 1
    both = Both(make_cell, kind, lengths, 64, (128, 128), 2, 2, 0)
    assert_equal(both.of_stack(TorchBackend()), both.of_packing())


@pytest.mark.parametrize("kind", MODULES)
def test_under_autocast_it_gives_what_the_loop_gives_there(make_cell, kind):
    pair = Both(make_cell, kind, (5, 0, 3), 5, (3, 4), 1, 1, 0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got, expected = pair.of_stack(TorchBackend()), pair.of_stack(ReferenceBackend())
    for name, value in expected.items():
        torch.testing.assert_close(got[name].float(), value.float(), rtol=0.05, atol=0.05)
