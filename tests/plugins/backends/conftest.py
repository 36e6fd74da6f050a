"""Cells, their results with every gradient, and how closely two backends must agree."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor, nn

from rnnlab.api import Backend, Cell, State
from rnnlab_plugins.cells.config import GRUConfig, LSTMConfig, RNNConfig
from rnnlab_plugins.cells.gru import GRU
from rnnlab_plugins.cells.lstm import LSTM
from rnnlab_plugins.cells.rnn import RNN

TOLERANCES = {
    torch.float64: {"rtol": 1e-12, "atol": 1e-12},
    torch.float32: {"rtol": 1e-5, "atol": 1e-5},
    torch.bfloat16: {"rtol": 3e-2, "atol": 6e-2},
}


@pytest.fixture(scope="session")
def make_cell() -> Callable[..., Cell]:
    """Makes "lstm", "gru", "tanh", "relu" or "sigmoid" with the same weights each time."""

    def make(kind: str, input_size: int, hidden_size: int, dtype=torch.float64, bias: bool = True) -> Cell:
        torch.manual_seed(0)
        if kind == "lstm":
            return LSTM(input_size, hidden_size, LSTMConfig(bias=bias)).to(dtype)
        if kind == "gru":
            return GRU(input_size, hidden_size, GRUConfig(bias=bias)).to(dtype)
        options = RNNConfig.model_validate({"nonlinearity": kind, "bias": bias})
        return RNN(input_size, hidden_size, options).to(dtype)

    return make


@pytest.fixture(scope="session")
def results() -> Callable[..., dict[str, Tensor]]:
    """Outputs, final states and the gradients of a random loss over them all.

    With `lengths` the inputs at and after each row's length are NaN; the same call gives the same numbers to
    every backend.
    """

    def compute(
        backend: Backend,
        cell: Cell,
        seq_len: int,
        batch_size: int,
        lengths: Sequence[int] | None = None,
        reverse: bool = False,
    ) -> dict[str, Tensor]:
        dtype = cell.weight_ih.dtype
        torch.manual_seed(1)
        x = torch.randn(seq_len, batch_size, cell.input_size).to(dtype)
        state = [torch.randn(batch_size, cell.hidden_size).to(dtype).requires_grad_() for _ in cell.state]
        given = None if lengths is None else torch.tensor(lengths)
        if given is not None:
            x[torch.arange(seq_len)[:, None] >= given] = float("nan")
        leaves = {"x": x.requires_grad_(), **dict(zip(cell.state, state, strict=True))}
        leaves |= dict(cell.named_parameters())
        output, final = backend.run(cell, x, tuple(state), given, reverse)
        torch.manual_seed(2)
        loss = sum((t * torch.randn(t.shape).to(dtype)).sum() for t in (output, *final))
        assert isinstance(loss, Tensor)
        gradients = torch.autograd.grad(
            loss, list(leaves.values()), allow_unused=True, materialize_grads=True
        )
        found = {"output": output, **{f"{name}_n": s for name, s in zip(cell.state, final, strict=True)}}
        return found | {f"gradient of {name}": g for name, g in zip(leaves, gradients, strict=True)}

    return compute


@pytest.fixture(scope="session")
def assert_agree() -> Callable[[dict[str, Tensor], dict[str, Tensor]], None]:
    """Compares `results`, by the table of tolerances."""

    def compare(got: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
        assert got.keys() == expected.keys()
        for name, value in expected.items():
            torch.testing.assert_close(
                got[name],
                value,
                **TOLERANCES[value.dtype],
                msg=lambda text, name=name: f"{name}: {text}",
            )

    return compare


class RowByRow(Backend):
    """nn.LSTM, nn.GRU and nn.RNN as a user would call them: each row alone, unpadded, reversed by hand."""

    def supports(self, cell: Cell, device: torch.device, dtype: torch.dtype) -> str | None:
        return None

    def run(self, cell, x, state, lengths=None, reverse=False):
        lengths = [len(x)] * x.shape[1] if lengths is None else lengths.tolist()
        rows = [
            self._row(cell, x[:length, b], tuple(s[b] for s in state), reverse)
            for b, length in enumerate(lengths)
        ]
        outputs = [nn.functional.pad(output, (0, 0, 0, len(x) - len(output))) for output, _ in rows]
        finals = zip(*(final for _, final in rows), strict=True)
        return torch.stack(outputs, 1), tuple(torch.stack(tensors) for tensors in finals)

    @staticmethod
    def _row(cell: Cell, x: Tensor, state: State, reverse: bool) -> tuple[Tensor, State]:
        if len(x) == 0:
            return x.new_zeros(0, cell.hidden_size), state
        bias = cell.bias_ih is not None
        if isinstance(cell, LSTM):
            module = nn.LSTM(cell.input_size, cell.hidden_size, bias=bias)
        elif isinstance(cell, GRU):
            module = nn.GRU(cell.input_size, cell.hidden_size, bias=bias)
        else:
            f = cell.config.nonlinearity
            module = nn.RNN(cell.input_size, cell.hidden_size, bias=bias, nonlinearity=f)
        weights = {f"{name}_l0": parameter for name, parameter in cell.named_parameters()}
        initial = tuple(s[None] for s in state)
        inputs = (x.flip(0) if reverse else x, initial if len(initial) == 2 else initial[0])
        output, final = torch.func.functional_call(module, weights, inputs)
        final = final if len(initial) == 2 else (final,)
        return output.flip(0) if reverse else output, tuple(s[0] for s in final)


@pytest.fixture(scope="session")
def row_by_row() -> Backend:
    """PyTorch's modules on one row after the other: the independent reference."""
    return RowByRow()
