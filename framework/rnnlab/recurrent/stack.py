"""The recurrent stack."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from rnnlab.config.section import StackConfig
from rnnlab.errors import InputError
from rnnlab.recurrent.backend import Backend, Sequence
from rnnlab.recurrent.cell import Cell, State
from rnnlab.recurrent.initialisation import orthogonal_recurrent_
from rnnlab.recurrent.loop import trace


class StackOutput(NamedTuple):
    """A stack run over a sequence.

    Attributes:
        output: hidden states of the top layer [T, B, D*S], D = 2 if bidirectional; zero past each length.
        state: final states, one tensor [L*D, B, S] per name in `Cell.state`, in nn.LSTM's order
            (layer 0 forwards, layer 0 backwards, layer 1 forwards, ...).
    """

    output: Tensor
    state: State


class Stack(nn.Module):
    """Layers of a cell, both directions, dropout between layers, variable lengths, any initial state.

    Its state dict is that of nn.LSTM or nn.RNN: each parameter of a cell has its name there, with
    `_l{layer}` after it and `_reverse` after that for the backward direction.

    Attributes:
        input_size: width I of the inputs.
        num_layers: L.
        num_directions: D, 2 if bidirectional.
        state_sizes: S of each state tensor [L*D, B, S].
        output_size: D*S, S being that of the hidden state.
        backend: what runs the cells; no module, so it stays where it is when the stack moves.
    """

    def __init__(
        self,
        make_cell: Callable[[int, int], Cell],
        input_size: int,
        config: StackConfig,
        backend: Backend,
    ) -> None:
        """Build the cells.

        Args:
            make_cell: makes a cell from its input size and hidden size.
            input_size: width of the inputs of the first layer; the others read D*S.
            config: the stack's options.
            backend: one whose `supports` accepted such cells.

        Raises:
            InputError: dropout in a stack of one layer, or `orthogonal` for a cell without `weight_hh`.
        """
        super().__init__()
        if config.dropout > 0 and config.num_layers == 1:
            raise InputError(
                f"stack.dropout acts between layers and needs stack.num_layers of 2 or more, got dropout "
                f"{config.dropout} with 1 layer; use stack.num_layers=2 or stack.dropout=0"
            )
        self.input_size, self.backend = input_size, backend
        self.num_layers, self.num_directions = config.num_layers, 2 if config.bidirectional else 1
        self.cells = nn.ModuleList()
        for _ in range(self.num_layers):
            layer = [make_cell(input_size, config.hidden_size) for _ in range(self.num_directions)]
            self.cells.extend(layer)
            input_size = self.num_directions * layer[0].state_sizes()[0]
        self.output_size = input_size
        self.state_sizes = next(self._cells()).state_sizes()
        self.dropout = nn.Dropout(config.dropout)
        if config.recurrent_init == "orthogonal":
            for cell in self._cells():
                orthogonal_recurrent_(cell)
        self.register_state_dict_post_hook(_to_torch_names)
        self.register_load_state_dict_pre_hook(_from_torch_names)

    def forward(self, x: Tensor, lengths: Tensor | None = None, state: State | None = None) -> StackOutput:
        """Run the stack over a padded batch.

        Args:
            x: inputs [T, B, I], T >= 1; what stands at and after a row's length is never read into a result.
            lengths: valid steps per row [B], integer, on x's device, 0..T; None means T for every row.
            state: initial states, each [L*D, B, S]; None means zeros.

        Raises:
            ValueError: a shape is not as above.
        """
        return self._run(self.backend.run, x, lengths, state)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """One time step of a one-directional stack, for decoding.

        Args:
            x: inputs [B, I].
            state: the previous states, each [L, B, S].

        Returns:
            The top layer's hidden state [B, S] and the next states, each [L, B, S].

        Raises:
            ValueError: the stack is bidirectional, and so needs to see the sequence's end first.
        """
        if self.num_directions == 2:
            raise ValueError(
                "a bidirectional stack cannot take single steps; build it with bidirectional off"
            )
        states: list[State] = []
        for k, (cell, previous) in enumerate(zip(self._cells(), self._split(state), strict=True)):
            x = self.dropout(x) if k else x
            states.append(cell.step(cell.project(x), previous).state)
            x = states[-1][0]
        return x, _join(states)

    def trace(self, x: Tensor, lengths: Tensor | None = None) -> list[dict[str, Tensor]]:
        """What the cells show while they read `x` [T, B, I], by the plain loop whatever the backend.

        Returns:
            For each layer and direction, in the order of the states, name -> [T, B, H] for every gate and
            state of the cell, zero at and after each row's length.
        """
        shown: list[dict[str, Tensor]] = []

        def run(
            cell: Cell, x: Tensor, state: State, lengths: Tensor | None = None, reverse: bool = False
        ) -> Sequence:
            sequence, values = trace(cell, x, state, lengths, reverse)
            shown.append(values)
            return sequence

        self._run(run, x, lengths, None)
        return shown

    def zero_state(
        self, batch_size: int, device: torch.device | None = None, dtype: torch.dtype | None = None
    ) -> State:
        """States of zeros, each [L*D, batch_size, S]."""
        rows = self.num_layers * self.num_directions
        return tuple(
            torch.zeros(rows, batch_size, size, device=device, dtype=dtype) for size in self.state_sizes
        )

    def _run(
        self, run: Callable[..., Sequence], x: Tensor, lengths: Tensor | None, state: State | None
    ) -> StackOutput:
        self._check(x, lengths, state)
        cells = self._cells()
        states = self._split(self.zero_state(x.shape[1], x.device, x.dtype) if state is None else state)
        finals: list[State] = []
        for layer in range(self.num_layers):
            x = self.dropout(x) if layer else x
            sequences = [
                run(next(cells), x, next(states), lengths, reverse=direction == 1)
                for direction in range(self.num_directions)
            ]
            finals += [sequence.state for sequence in sequences]
            outputs = [sequence.output for sequence in sequences]
            x = outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=-1)
        return StackOutput(x, _join(finals))

    def _check(self, x: Tensor, lengths: Tensor | None, state: State | None) -> None:
        if x.dim() != 3 or len(x) == 0 or x.shape[2] != self.input_size:
            raise ValueError(f"x must be [T, B, {self.input_size}] with T >= 1, got {list(x.shape)}")
        batch_size = x.shape[1]
        if lengths is not None and lengths.shape != (batch_size,):
            raise ValueError(
                f"lengths must be [{batch_size}], one for each row of x, got {list(lengths.shape)}"
            )
        rows = self.num_layers * self.num_directions
        expected = [[rows, batch_size, size] for size in self.state_sizes]
        got = expected if state is None else [list(tensor.shape) for tensor in state]
        if got != expected:
            raise ValueError(f"state must have the shapes {expected}, got {got}")

    def _cells(self) -> Iterator[Cell]:
        """The cells in the order of the states: layer by layer, forwards before backwards."""
        return (cast(Cell, cell) for cell in self.cells)

    def _split(self, state: State) -> Iterator[State]:
        """The state of each cell, each [B, S]."""
        return zip(*(tensor.unbind(0) for tensor in state), strict=True)


def _join(states: list[State]) -> State:
    """The states of the cells, each [B, S], as tensors [L*D, B, S]."""
    return tuple(torch.stack(tensors) for tensors in zip(*states, strict=True))


def _torch_names(stack: Stack, prefix: str) -> Iterator[tuple[str, str]]:
    """The name of each entry in the modules' own state dict, and in that of nn.LSTM."""
    for k, cell in enumerate(stack.cells):
        layer, direction = divmod(k, stack.num_directions)
        suffix = f"_l{layer}" + ("_reverse" if direction else "")
        for name in cell.state_dict():
            yield f"{prefix}cells.{k}.{name}", f"{prefix}{name}{suffix}"


def _to_torch_names(stack: nn.Module, state_dict: dict[str, Any], prefix: str, *_: Any) -> None:
    for own, torch_name in _torch_names(cast(Stack, stack), prefix):
        state_dict[torch_name] = state_dict.pop(own)


def _from_torch_names(stack: nn.Module, state_dict: dict[str, Any], prefix: str, *_: Any) -> None:
    for own, torch_name in _torch_names(cast(Stack, stack), prefix):
        if torch_name in state_dict:
            state_dict[own] = state_dict.pop(torch_name)
