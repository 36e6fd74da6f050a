"""What `compiled` compiles of a cell: steps forwards, steps backwards, and the gradients of the weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from rnnlab.api import Cell, State
from rnnlab_plugins.backends.stages import Stages, Tensors

CHUNK = 4
"""Steps in one call: of one step the call itself takes most of the time, of many the compilation."""


class Source(NamedTuple):
    """What one program is compiled of.

    Attributes:
        function: of tensors; gives tuples of tensors, of any depth.
        arguments: what to trace it with; the number of rows is no other size of theirs.
        axes: which axis of each argument counts rows, None for one that has no such axis.
    """

    function: Callable[..., Any]
    arguments: list[Tensor]
    axes: list[int | None]


def sources(cell: Cell, dtype: torch.dtype) -> dict[str, Source]:
    """Name -> what is compiled as that program; `Programs` says what each takes and gives."""
    read = read_by_step(cell)
    tensors = [tensor.detach().clone() for tensor in tensors_of(cell, read)]
    sizes = cell.state_sizes()
    width = cell.project(torch.zeros(1, cell.input_size, dtype=dtype)).shape[-1]
    taken = {CHUNK, width, *sizes, *(size for tensor in tensors for size in tensor.shape)}
    # Tracing takes equal sizes for the same size, and one that divides another for a part of it.
    rows = next(n for n in count(7) if n not in taken and all(n % m for m in range(2, n)))
    projected = torch.zeros(CHUNK, rows, width, dtype=dtype)
    state = tuple(torch.zeros(rows, size, dtype=dtype) for size in sizes)

    stages = Stages(_step(cell, read), torch.zeros(rows, width, dtype=dtype), state, tensors)
    forward = _forward(stages, projected, state, tensors)
    hidden, _, passing, lasting = forward.function(*forward.arguments)
    backward = _backward(stages, hidden, passing, lasting, state, tensors)
    found, _ = backward.function(*backward.arguments)
    weights = _weights(stages, [each.flatten(0, 1)[:rows] for each in (*found, *lasting)], tensors)
    return {"forward": forward, "backward": backward, "weights": weights}


def _forward(stages: Stages, projected: Tensor, state: State, tensors: Tensors) -> Source:
    number = len(state)

    def forward(projected: Tensor, valid: Tensor, *rest: Tensor) -> tuple[Any, ...]:
        state, tensors = rest[:number], rest[number:]
        steps: list[tuple[Tensors, ...]] = []
        for k in range(CHUNK):
            new, *needed = stages.forward(projected[k], state, tensors)
            state = _where(valid[k], new, state)
            steps.append((state[:1], *needed))
        (hidden,), *needed = (_stacked(each) for each in zip(*steps, strict=True))
        return hidden, state, *needed

    axes = [1, 1, *[0] * number, *[None] * len(tensors)]
    return Source(forward, [projected, _all_valid(projected), *state, *tensors], axes)


def _backward(
    stages: Stages, hidden: Tensor, passing: Tensors, lasting: Tensors, state: State, tensors: Tensors
) -> Source:
    first, both = len(passing), len(passing) + len(lasting)
    number = len(state)

    def backward(valid: Tensor, upstream: Tensor, *rest: Tensor) -> tuple[Any, ...]:
        needed, carry, tensors = rest[:both], rest[both : both + number], rest[both + number :]
        steps: list[Tensors] = []
        for k in reversed(range(CHUNK)):
            carry = (carry[0] + upstream[k], *carry[1:])
            received = tuple(torch.where(valid[k], each, 0.0) for each in carry)
            now = [each[k] for each in needed]
            found, pulled = stages.backward(now[:first], now[first:], received, tensors)
            carry = _where(valid[k], pulled, carry)
            steps.append(found)
        return _stacked(steps[::-1]), carry

    axes = [1, 1, *[1] * both, *[0] * number, *[None] * len(tensors)]
    return Source(backward, [_all_valid(hidden), hidden, *passing, *lasting, *state, *tensors], axes)


def _weights(stages: Stages, given: Tensors, tensors: Tensors) -> Source:
    number = len(given)

    def weights(*rest: Tensor) -> tuple[Tensor, ...]:
        return tuple(stages.weights(rest[:number], rest[number:]))

    return Source(weights, [*given, *tensors], [*[0] * number, *[None] * len(tensors)])


def _all_valid(steps: Tensor) -> Tensor:
    return torch.ones(*steps.shape[:2], 1, dtype=torch.bool)


def _where(valid: Tensor, new: Sequence[Tensor], old: Sequence[Tensor]) -> tuple[Tensor, ...]:
    return tuple(torch.where(valid, *pair) for pair in zip(new, old, strict=True))


def _stacked(steps: Iterable[Sequence[Tensor]]) -> tuple[Tensor, ...]:
    """Of tensors of each step, the same ones over the steps."""
    return tuple(map(torch.stack, zip(*steps, strict=True)))


class _Step(nn.Module):
    """A cell whose `forward` is its step, as `functional_call` wants it."""

    def __init__(self, cell: Cell) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, projected: Tensor, state: State) -> State:
        return self.cell.step(projected, state).state


def _step(cell: Cell, read: Iterable[str]) -> Callable[[Tensor, State, Tensors], State]:
    """The cell's step as a function of the tensors of these names, too."""
    module, names = _Step(cell), [f"cell.{name}" for name in read]

    def step(projected: Tensor, state: State, tensors: Tensors) -> State:
        return functional_call(module, dict(zip(names, tensors, strict=True)), (projected, state))

    return step


class _Operands(TorchDispatchMode):
    """Notes what operations take."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.seen.update(id(each) for each in tree_leaves((args, kwargs)) if isinstance(each, Tensor))
        return func(*args, **(kwargs or {}))


def read_by_step(cell: Cell) -> list[str]:
    """Names of the parameters that `step` reads, and of all buffers, in the order that the programs take.

    What `project` alone reads is none of them, so that layers of different input sizes share programs.
    """
    like = first_number(cell)
    with torch.no_grad():
        projected = cell.project(like.new_ones(1, cell.input_size))
        state = tuple(like.new_ones(1, size) for size in cell.state_sizes())
        with _Operands() as operands:
            cell.step(projected, state)
    names = [name for name, each in cell.named_parameters() if id(each) in operands.seen]
    return [*names, *(name for name, _ in cell.named_buffers())]


def first_number(cell: Cell) -> Tensor:
    """A tensor of the precision and on the device of the cell's."""
    tensors = (*cell.parameters(), *cell.buffers())
    return next((each for each in tensors if each.is_floating_point()), torch.zeros(()))


def tensors_of(cell: Cell, names: Iterable[str]) -> list[Tensor]:
    """The cell's tensors of these names."""
    have = dict([*cell.named_parameters(), *cell.named_buffers()])
    return [have[name] for name in names]
