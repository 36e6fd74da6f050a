"""Problems of all kinds for the LSTM, and what nn.LSTM says about them in float64."""

from dataclasses import dataclass

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

NAMES = ("x", "weight_ih", "weight_hh", "bias", "h_0", "c_0")


@dataclass
class Problem:
    """Arguments of `lstm_sequence`, leaves that require grad, in float64."""

    tensors: dict[str, torch.Tensor]
    lengths: torch.Tensor | None
    reverse: bool

    @property
    def inputs(self):
        return tuple(self.tensors[name] for name in NAMES)

    def to(self, dtype):
        """The same arguments in another dtype, as new leaves."""
        return tuple(tensor.detach().to(dtype).requires_grad_() for tensor in self.inputs)


# name -> T, B, I, H, P, D, lengths, reverse
PROBLEMS = {
    "plain": (7, 3, 4, 5, 5, 1, None, False),
    "one step, one row": (1, 1, 2, 3, 3, 1, None, False),
    "reverse": (6, 2, 3, 4, 4, 1, None, True),
    "lengths": (7, 5, 3, 4, 4, 1, (7, 0, 3, 1, 6), False),
    "lengths, reverse": (7, 5, 3, 4, 4, 1, (7, 0, 3, 1, 6), True),
    "both directions": (6, 3, 4, 5, 5, 2, None, False),
    "both directions, lengths": (6, 4, 4, 5, 5, 2, (2, 6, 0, 5), False),
    "heads": (5, 3, 4, 6, 2, 1, None, False),
    "heads, both directions, lengths": (5, 4, 3, 6, 3, 2, (5, 1, 0, 4), False),
    "short": (2, 3, 2, 4, 2, 2, (2, 0, 1), False),
    "only padding": (4, 2, 3, 4, 4, 2, (0, 0), False),
}


def build(name):
    seq_len, batch_size, inputs, hidden, head, directions, lengths, reverse = PROBLEMS[name]
    generator = torch.Generator().manual_seed(7)
    shapes = {
        "x": (seq_len, batch_size, inputs),
        "weight_ih": (directions, 4 * hidden, inputs),
        "weight_hh": (directions, 4 * hidden, head),
        "bias": (directions, 4 * hidden),
        "h_0": (directions, batch_size, hidden),
        "c_0": (directions, batch_size, hidden),
    }
    tensors = {
        key: (0.6 * torch.randn(shape, generator=generator, dtype=torch.float64)).requires_grad_()
        for key, shape in shapes.items()
    }
    return Problem(tensors, None if lengths is None else torch.tensor(lengths), reverse)


@pytest.fixture(params=PROBLEMS)
def problem(request):
    return build(request.param)


@pytest.fixture
def make():
    return build


def dense(weight, hidden):
    """[4H, P] as the block-diagonal [4H, H] that it stands for."""
    head = weight.shape[-1]
    return torch.cat(
        [
            torch.block_diag(*(gate[n : n + head] for n in range(0, hidden, head)))
            for gate in weight.split(hidden)
        ]
    )


def backwards(sequence, lengths):
    """Each row of [T, B, F] from its last valid step to its first, padding left where it is."""
    rows = [torch.cat([sequence[:n, b].flip(0), sequence[n:, b]]) for b, n in enumerate(lengths)]
    return torch.stack(rows, 1)


def run_module(x, weight_ih, weight_hh, bias, h_0, c_0, lengths):
    """One direction, forwards, by nn.LSTM in float64: packed, rows of length 0 left out."""
    hidden, seq_len = h_0.shape[-1], x.shape[0]
    module = nn.LSTM(x.shape[-1], hidden, dtype=torch.float64)
    parameters = {
        "weight_ih_l0": weight_ih,
        "weight_hh_l0": dense(weight_hh, hidden),
        "bias_ih_l0": bias,
        "bias_hh_l0": torch.zeros_like(bias),
    }
    alive = lengths > 0
    output, h_n, c_n = x.new_zeros(seq_len, x.shape[1], hidden), h_0.clone(), c_0.clone()
    if alive.any():
        packed = pack_padded_sequence(x[:, alive], lengths[alive], enforce_sorted=False)
        state = (h_0[None, alive], c_0[None, alive])
        packed, (h, c) = torch.func.functional_call(module, parameters, (packed, state))
        output = output.index_put(
            (torch.arange(seq_len)[:, None], alive.nonzero().T), unpack(packed, seq_len)
        )
        h_n, c_n = h_n.index_put((alive,), h[0]), c_n.index_put((alive,), c[0])
    return output, h_n, c_n


def unpack(packed, seq_len):
    return pad_packed_sequence(packed, total_length=seq_len)[0]


def expect(inputs, lengths, reverse):
    """output, h_n and c_n of `lstm_sequence` by nn.LSTM, in float64; differentiable."""
    x, *rest = inputs
    full = torch.full((x.shape[1],), x.shape[0]) if lengths is None else lengths
    results = []
    for d, (weight_ih, weight_hh, bias, h_0, c_0) in enumerate(zip(*rest, strict=True)):
        if reverse or d == 1:
            flipped = run_module(backwards(x, full), weight_ih, weight_hh, bias, h_0, c_0, full)
            results.append((backwards(flipped[0], full), *flipped[1:]))
        else:
            results.append(run_module(x, weight_ih, weight_hh, bias, h_0, c_0, full))
    outputs, h_n, c_n = zip(*results, strict=True)
    return torch.cat(outputs, -1), torch.stack(h_n), torch.stack(c_n)


@pytest.fixture
def expected():
    """The function that gives what nn.LSTM says: (inputs, lengths, reverse) -> output, h_n, c_n."""
    return expect


def gradients_of(results, inputs):
    """Gradients of a fixed, uneven scalar of the results."""
    generator = torch.Generator().manual_seed(11)
    total = sum(
        (result.double() * torch.randn(result.shape, generator=generator, dtype=torch.float64)).sum()
        for result in results
    )
    return torch.autograd.grad(total, inputs)


@pytest.fixture
def gradients():
    return gradients_of
