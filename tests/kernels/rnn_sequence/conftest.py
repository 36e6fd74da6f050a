"""Problems of all kinds for the RNN, and what a loop over single rows says about them in float64."""

from dataclasses import dataclass

import pytest
import torch

NAMES = ("x", "weight_ih", "weight_hh", "bias", "h_0")


@dataclass
class Problem:
    """Arguments of `rnn_sequence`, leaves that require grad, in float64."""

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
    "lengths, reverse": (7, 5, 3, 4, 4, 1, (7, 0, 3, 1, 6), True),
    "both directions": (6, 3, 4, 5, 5, 2, None, False),
    "both directions, lengths": (6, 4, 4, 5, 5, 2, (2, 6, 0, 5), False),
    "heads, both directions, lengths": (5, 4, 3, 6, 3, 2, (5, 1, 0, 4), False),
    "short": (2, 3, 2, 4, 2, 2, (2, 0, 1), False),
}


def build(name):
    seq_len, batch_size, inputs, hidden, head, directions, lengths, reverse = PROBLEMS[name]
    generator = torch.Generator().manual_seed(7)
    shapes = {
        "x": (seq_len, batch_size, inputs),
        "weight_ih": (directions, hidden, inputs),
        "weight_hh": (directions, hidden, head),
        "bias": (directions, hidden),
        "h_0": (directions, batch_size, hidden),
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


def by_rows(inputs, lengths, reverse, nonlinearity):
    """output and h_n, row by row and step by step, with a dense recurrent weight; differentiable."""
    activate = {"tanh": torch.tanh, "sigmoid": torch.sigmoid, "relu": torch.relu}[nonlinearity]
    x, weights_ih, weights_hh, biases, h_0 = inputs
    seq_len, batch_size, _ = x.shape
    directions, hidden, head = weights_hh.shape
    lengths = [seq_len] * batch_size if lengths is None else lengths.tolist()
    outputs, last = [], []
    for d in range(directions):
        weight = torch.block_diag(*weights_hh[d].split(head))
        rows, states = [], []
        for b, length in enumerate(lengths):
            h, steps = h_0[d, b], [x.new_zeros(hidden)] * seq_len
            order = range(length)
            for t in order[::-1] if reverse or d == 1 else order:
                h = activate(weights_ih[d] @ x[t, b] + biases[d] + weight @ h)
                steps[t] = h
            rows.append(torch.stack(steps))
            states.append(h)
        outputs.append(torch.stack(rows, 1))
        last.append(torch.stack(states))
    return torch.cat(outputs, -1), torch.stack(last)


@pytest.fixture
def expected():
    """The function (inputs, lengths, reverse, nonlinearity) -> output, h_n."""
    return by_rows


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
