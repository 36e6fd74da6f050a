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
from rnnlab.recurrent.initialisation import initialise_
from rnnlab.recurrent.loop import trace
from rnnlab.recurrent.naming import name_as_torch
from rnnlab.recurrent.regularisation import Regularised, regularised
from rnnlab.recurrent.truncation import Run, truncated


class StackOutput(NamedTuple):
    """A stack run over a sequence.

    Attributes:
        output: what the top layer gives [T, B, D*S], D = 2 if bidirectional: its hidden states, and with
            `residual` what it reads added; zero past each length.
        state: final states, one tensor [L*D, B, S] per name in `Cell.state`, in nn.LSTM's order
            (layer 0 forwards, layer 0 backwards, layer 1 forwards, ...).
    """

    output: Tensor
    state: State


class Stack(nn.Module):
    """Layers of any cell: both directions, variable lengths, initial states, and all that `StackConfig` has.

    Its state dict is that of nn.LSTM or nn.RNN: each parameter of a cell has its name there, with
    `_l{layer}` after it and `_reverse` after that for the backward direction. A learned initial state adds
    `initial_{name}` [L*D, S] for each name in `Cell.state`.

    Attributes:
        input_size: width I of the inputs.
        num_layers: L.
        num_directions: D, 2 if bidirectional.
        state_sizes: S of each state tensor [L*D, B, S].
        output_size: D*S, S being that of the hidden state.
        residual: whether each layer's input is added to its output, from the second layer on; the input
            as it is before dropout.
        truncate: time steps after which the gradient through time is cut; None for never.
        backend: what runs the cells; no module, so it stays where it is when the stack moves.
        regularised_backend: what runs them while recurrent dropout or zoneout acts on their steps.
    """

    def __init__(
        self,
        make_cell: Callable[[int, int], Cell],
        input_size: int,
        config: StackConfig,
        backend: Backend,
        regularised_backend: Backend | None = None,
    ) -> None:
        """Build the cells.

        Args:
            make_cell: makes a cell from its input size and hidden size.
            input_size: width of the inputs of the first layer; the others read D*S.
            config: the stack's options.
            backend: one whose `supports` accepted such cells.
            regularised_backend: one whose `supports` accepted them as `regularised` makes them; None means
                `backend`.

        Raises:
            InputError: an option changes nothing or contradicts another, or does not suit the cell.
        """
        super().__init__()
        if problem := next(config.problems(), None):
            raise InputError(problem)
        self.input_size, self.backend = input_size, backend
        self.regularised_backend = regularised_backend or backend
        self.residual, self.truncate = config.residual, config.truncate
        self.num_layers, self.num_directions = config.num_layers, 2 if config.bidirectional else 1
        self.cells = nn.ModuleList()
        for _ in range(self.num_layers):
            layer = [make_cell(input_size, config.hidden_size) for _ in range(self.num_directions)]
            self.cells.extend(layer)
            input_size = self.num_directions * layer[0].state_sizes()[0]
        self.output_size = input_size
        first = next(self._cells())
        self.state_sizes = first.state_sizes()
        self.dropout = nn.Dropout(config.dropout)
        for cell in self._cells():
            initialise_(cell, config.recurrent_init)
        # In a list, not a ModuleList: their parameters are those of the cells, which are the stack's already.
        self._regularised = [regularised(cell, config) for cell in self._cells()]
        self._initial = [f"initial_{name}" for name in first.state if config.learned_initial_state]
        for name, size in zip(self._initial, self.state_sizes, strict=False):
            zeros = torch.zeros(self.num_layers * self.num_directions, size)
            self.register_parameter(name, nn.Parameter(zeros))
        name_as_torch(self)

    def forward(self, x: Tensor, lengths: Tensor | None = None, state: State | None = None) -> StackOutput:
        """Run the stack over a padded batch.

        Args:
            x: inputs [T, B, I], T >= 1; what stands at and after a row's length is never read into a result.
            lengths: valid steps per row [B], integer, on x's device, 0..T; None means T for every row.
            state: initial states, each [L*D, B, S]; None means `initial_state`.

        Raises:
            ValueError: a shape is not as above.
        """

        def run(cell: Cell, *arguments: Any, **options: Any) -> Sequence:
            backend = self.regularised_backend if isinstance(cell, Regularised) else self.backend
            return backend.run(cell, *arguments, **options)

        return self._run(truncated(run, self.truncate) if self.truncate else run, x, lengths, state)

    def step(
        self, x: Tensor, state: State, masks: tuple[Tensor | None, ...] | None = None
    ) -> tuple[Tensor, State]:
        """One time step of a one-directional stack, for decoding.

        Args:
            x: inputs [B, I].
            state: the previous states, each [L, B, S].
            masks: what `recurrent_masks` drew for the whole sequence; `Stepper` sees to it.

        Returns:
            The output [B, S] and the next states, each [L, B, S].

        Raises:
            ValueError: the stack is bidirectional, and so needs to see the sequence's end first; or it is in
                training with recurrent dropout and the step does not know what its sequence drops.
        """
        if self.num_directions == 2:
            raise ValueError(
                "a bidirectional stack cannot take single steps; build it with bidirectional off"
            )
        states: list[State] = []
        for k, (cell, previous) in enumerate(zip(self._cells(), self._split(state), strict=True)):
            below = x
            x = self.dropout(x) if k else x
            around = self._acting(k)
            if masks is None and around is not None and around.dropout and cell.training:
                raise ValueError(
                    "recurrent dropout drops the same units at every step of a sequence; in training take "
                    "its steps with rnnlab.api.Stepper(stack)"
                )
            cell, x = self._reading(k, x, None if masks is None else masks[k])
            states.append(cell.step(cell.project(x), previous).state)
            x = states[-1][0] + below if self.residual and k else states[-1][0]
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

    def initial_state(
        self, batch_size: int, device: torch.device | None = None, dtype: torch.dtype | None = None
    ) -> State:
        """Where a sequence starts unless it is told, each [L*D, batch_size, S]: learned, or zeros."""
        if not self._initial:
            return self.zero_state(batch_size, device, dtype)
        learned = (self.get_parameter(name) for name in self._initial)
        return tuple(
            tensor.to(device, dtype)[:, None].expand(-1, batch_size, -1).contiguous() for tensor in learned
        )

    def zero_state(
        self, batch_size: int, device: torch.device | None = None, dtype: torch.dtype | None = None
    ) -> State:
        """States of zeros, each [L*D, batch_size, S]."""
        rows = self.num_layers * self.num_directions
        return tuple(
            torch.zeros(rows, batch_size, size, device=device, dtype=dtype) for size in self.state_sizes
        )

    def last_output(self, state: State) -> Tensor:
        """The output at the last step that each row and direction reads.

        Args:
            state: final states that `forward` gave, each [L*D, B, S].

        Returns:
            [B, D*S]; of a row of length 0 what its initial state comes to.
        """
        hidden = state[0].unflatten(0, (self.num_layers, self.num_directions))
        # Each layer adds its own to what it reads, so the output is the sum of all layers' hidden states.
        last = hidden.sum(0) if self.residual else hidden[-1]
        return last.transpose(0, 1).flatten(1)

    def recurrent_masks(self, like: Tensor) -> tuple[Tensor | None, ...]:
        """Draw what recurrent dropout drops in each layer and direction for the rows of `like` [.., B, I]."""
        around = (self._acting(k) for k in range(len(self.cells)))
        return tuple(None if each is None else each.mask(like) for each in around)

    def _run(self, run: Run, x: Tensor, lengths: Tensor | None, state: State | None) -> StackOutput:
        self._check(x, lengths, state)
        states = self._split(self.initial_state(x.shape[1], x.device, x.dtype) if state is None else state)
        finals: list[State] = []
        for layer in range(self.num_layers):
            below, x = x, self.dropout(x) if layer else x
            outputs: list[Tensor] = []
            for direction in range(self.num_directions):
                cell, read = self._reading(layer * self.num_directions + direction, x)
                sequence = run(cell, read, next(states), lengths, reverse=direction == 1)
                outputs.append(sequence.output)
                finals.append(sequence.state)
            x = outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=-1)
            x = x + below if self.residual and layer else x
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

    def _acting(self, k: int) -> Regularised | None:
        """What stands around cell `k` and acts on its steps now; None for the cell alone."""
        around = self._regularised[k]
        return around if around is not None and around.acts else None

    def _reading(self, k: int, x: Tensor, mask: Tensor | None = None) -> tuple[Cell, Tensor]:
        """Cell `k`, with what acts on its steps around it, and `x` [.., B, I] as that reads it."""
        around = self._acting(k)
        return (cast(Cell, self.cells[k]), x) if around is None else (around, around.beside(x, mask))

    def _split(self, state: State) -> Iterator[State]:
        """The state of each cell, each [B, S]."""
        return zip(*(tensor.unbind(0) for tensor in state), strict=True)


def _join(states: list[State]) -> State:
    """The states of the cells, each [B, S], as tensors [L*D, B, S]."""
    return tuple(torch.stack(tensors) for tensors in zip(*states, strict=True))
