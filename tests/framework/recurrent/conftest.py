"""Cells of known and unknown kinds, and a stack of them written out row by row, step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from rnnlab.api import Backend, Cell, Stack, State, Step, loop
from rnnlab.config.section import CellConfig, StackConfig
from rnnlab_plugins.cells.config import LSTMConfig, RNNConfig
from rnnlab_plugins.cells.lstm import LSTM
from rnnlab_plugins.cells.rnn import RNN


class Leaky(Cell):
    """m_t = a_t * m_{t-1} + (1 - a_t) * z_t, a_t = sigmoid(z_t), h_t = tanh(m_t + W_hh h_{t-1} + b_hh)."""

    gates = ("a",)
    state = ("h", "m")

    def step(self, projected: Tensor, state: State) -> Step:
        h, m = state
        a = torch.sigmoid(projected)
        m = a * m + (1 - a) * projected
        h = torch.tanh(m + h @ self.weight_hh.T + self.bias_hh)
        return Step((h, m), (a,))


@pytest.fixture(scope="session")
def leaky() -> Callable[..., Cell]:
    """Makes a cell in float64 with the same weights each time."""

    def make(input_size: int, hidden_size: int) -> Cell:
        torch.manual_seed(input_size + hidden_size)
        return Leaky(input_size, hidden_size, CellConfig()).double()

    return make


class Uneven(Cell):
    """m_t = m_{t-1} / 2 + tanh(W_mh h_{t-1}) of 2 units; h_t = tanh(z_t + W_hh h_{t-1} + b_hh + W_hm m_t)."""

    state = ("h", "m")

    def __init__(self, input_size: int, hidden_size: int, config: CellConfig) -> None:
        super().__init__(input_size, hidden_size, config)
        self.weight_mh = torch.nn.Parameter(torch.randn(2, hidden_size))
        self.weight_hm = torch.nn.Parameter(torch.randn(hidden_size, 2))

    def state_sizes(self) -> tuple[int, ...]:
        return (self.hidden_size, 2)

    def step(self, projected: Tensor, state: State) -> Step:
        h, m = state
        m = m / 2 + torch.tanh(h @ self.weight_mh.T)
        return Step((torch.tanh(projected + h @ self.weight_hh.T + self.bias_hh + m @ self.weight_hm.T), m))


MAKERS: dict[str, Callable[[int, int], Cell]] = {
    "lstm": lambda i, h: LSTM(i, h, LSTMConfig()),
    "rnn": lambda i, h: RNN(i, h, RNNConfig()),
    "uneven": lambda i, h: Uneven(i, h, CellConfig()),
}


def _one_step(cell: Any, x: Tensor, state: Sequence[Tensor], read: Tensor) -> tuple[Tensor, ...]:
    """One row's next state; `read` is the hidden state as weights see it."""
    z = cell.weight_ih @ x + cell.bias_ih + cell.weight_hh @ read + cell.bias_hh
    if isinstance(cell, LSTM):
        i, f, g, o = z.view(4, -1)
        c = f.sigmoid() * state[1] + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c
    if isinstance(cell, RNN):
        return (z.tanh(),)
    m = state[1] / 2 + (cell.weight_mh @ read).tanh()
    return (z + cell.weight_hm @ m).tanh(), m


class Draws:
    """What a stack draws, cell by cell; by default what leaves everything as it is.

    Attributes:
        between: factor on what a layer reads [T, B, W], one for each layer; None for 1.
        masks: factor on the hidden state where it is read [B, S], one for each cell; None for 1.
        keeps: part of each state that stays [T, B, S], a list for each cell; None for 0.
    """

    def __init__(self, between: Any = None, masks: Any = None, keeps: Any = None) -> None:
        self.between, self.masks, self.keeps = between, masks, keeps


class Recorder(Backend):
    """The loop; keeps which cells it ran."""

    def __init__(self) -> None:
        self.ran: list[Cell] = []

    def supports(self, cell: Cell, device: torch.device, dtype: torch.dtype) -> str | None:
        return None

    def run(self, cell, x, state, lengths=None, reverse=False):
        self.ran.append(cell)
        return loop(cell, x, state, lengths, reverse)


@pytest.fixture(scope="session")
def make_stack() -> Callable[..., Stack]:
    """A stack in float64 of a kind of cell, 3 inputs and 7 hidden units; the same weights each time."""

    def make(kind: str, backends: Sequence[Backend] = (), **options: Any) -> Stack:
        torch.manual_seed(0)
        config = StackConfig(**{"hidden_size": 7} | options)
        return Stack(MAKERS[kind], 3, config, *(backends or [Recorder()])).double()

    return make


@pytest.fixture(scope="session")
def recorder() -> type[Recorder]:
    return Recorder


@pytest.fixture(scope="session")
def makers() -> dict[str, Callable[[int, int], Cell]]:
    return MAKERS


@pytest.fixture(scope="session")
def by_hand() -> Callable[..., tuple[Tensor, State]]:
    """What a stack gives, every row alone and every formula written out: output [T, B, D*S] and states."""

    def run(
        stack: Stack,
        x: Tensor,
        lengths: Sequence[int],
        state: State,
        draws: Draws | None = None,
        cut: int | None = None,
    ) -> tuple[Tensor, State]:
        draws = draws or Draws()
        directions, finals = stack.num_directions, []
        for layer in range(stack.num_layers):
            read = x * draws.between[layer] if draws.between is not None and layer else x
            outputs = []
            for direction in range(directions):
                k = layer * directions + direction
                rows, ends = [], []
                for b, length in enumerate(lengths):
                    now = [tensor[k, b] for tensor in state]
                    hidden = [x.new_zeros(stack.state_sizes[0])] * len(x)
                    for t in range(length)[::-1] if direction else range(length):
                        if cut and t and t % cut == 0:
                            now = [tensor.detach() for tensor in now]
                        mask = 1.0 if draws.masks is None else draws.masks[k][b]
                        new = _one_step(stack.cells[k], read[t, b], now, mask * now[0])
                        if draws.keeps is not None:
                            new = [
                                keep[t, b] * old + (1 - keep[t, b]) * each
                                for keep, old, each in zip(draws.keeps[k], now, new, strict=True)
                            ]
                        now = list(new)
                        hidden[t] = now[0]
                    rows.append(torch.stack(hidden))
                    ends.append(now)
                outputs.append(torch.stack(rows, 1))
                finals.append([torch.stack(each) for each in zip(*ends, strict=True)])
            above = torch.cat(outputs, -1)
            x = above + x if stack.residual and layer else above
        return x, tuple(torch.stack(each) for each in zip(*finals, strict=True))

    return run


@pytest.fixture(scope="session")
def draws() -> type[Draws]:
    return Draws


@pytest.fixture(scope="session")
def random_state() -> Callable[..., State]:
    """Initial states of a stack for a number of rows, the same each time."""

    def draw(stack: Stack, batch_size: int) -> State:
        torch.manual_seed(2)
        zeros = stack.zero_state(batch_size, dtype=torch.float64)
        return tuple(torch.randn_like(tensor) for tensor in zeros)

    return draw


@pytest.fixture(scope="session")
def results() -> Callable[..., list[Tensor]]:
    """Output, final states, and the gradients of a loss of them all by inputs, states and parameters."""

    def compute(run: Callable[..., Any], module: torch.nn.Module, x: Tensor, state: State) -> list[Tensor]:
        leaves = [x.clone().requires_grad_(), *(s.clone().requires_grad_() for s in state)]
        output, final = run(leaves[0], tuple(leaves[1:]))
        torch.manual_seed(4)
        loss = torch.stack([(tensor * torch.randn_like(tensor)).sum() for tensor in (output, *final)]).sum()
        return [output, *final, *torch.autograd.grad(loss, [*leaves, *module.parameters()])]

    return compute
