"""What `compiled` compiles of a cell: steps forwards, steps backwards, and the gradients of the weights."""

from __future__ import annotations

import hashlib
import logging
import platform
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from filelock import FileLock
from torch import Tensor, nn
from torch.export import Dim, export
from torch.func import functional_call
from torch.utils import _pytree as pytree

from rnnlab.api import Cell, State, cache_folder, cell_digest
from rnnlab_plugins.backends.stages import Stages

LOG = logging.getLogger(__name__)

CHUNK = 4
"""Steps in one call: of one step the call itself takes most of the time, of many the compilation."""

EXPECTED_SECONDS = 40.0
"""What a compilation takes where none was made yet, on a processor of 2024 that has nothing else to do."""

VERSION = 3
"""Changes when the programs do."""

Program = Callable[..., Any]


class Programs(NamedTuple):
    """The programs of one cell, for any number of rows B >= 2, and any input size.

    K = CHUNK, P the width of `project`, S that of each state. Tensors must be contiguous. What one program
    hands on to another is in tuples of any length: of each step [K, B, ...], `Stages` says what.

    Attributes:
        forward: (projected [K, B, P], valid [K, B, 1], states [B, S], tensors of the cell) -> hidden states
            [K, B, S]; the states after the last step [B, S]; what `backward` alone needs; what `weights`
            needs.
        backward: (valid, gradient of the hidden states [K, B, S], both that `forward` handed on, gradients of
            the states after the last step [B, S], tensors of the cell) -> what `weights` needs, the gradient
            of projected [K, B, P] first; the gradients of the states before the first step [B, S].
        weights: (what `backward` and then what `forward` gave for it, R rows of any time and row of the
            batch, tensors of the cell) -> gradients of the tensors.
    """

    forward: Program
    backward: Program
    weights: Program


def read_by_step(cell: Cell) -> list[str]:
    """Names of the parameters that `step` reads, and of all buffers, in the order that the programs take.

    What `project` alone reads is none of them, so that layers of different input sizes share programs.
    """
    parameters = dict(cell.named_parameters())
    like = next(iter(parameters.values()), torch.zeros(()))
    with torch.enable_grad():
        projected = cell.project(like.new_ones(1, cell.input_size)).detach()
        state = cell.step(projected, tuple(like.new_ones(1, size) for size in cell.state_sizes())).state
        total = sum((each.sum() for each in state), like.new_zeros(()))
        leaves = [each for each in parameters.values() if each.requires_grad]
        found = torch.autograd.grad(total, leaves, allow_unused=True) if total.requires_grad else ()
    unread = {id(leaf) for leaf, gradient in zip(leaves, found, strict=False) if gradient is None}
    names = [name for name, each in parameters.items() if id(each) not in unread]
    return [*names, *(name for name, _ in cell.named_buffers())]


def tensors_of(cell: Cell, names: Iterable[str]) -> list[Tensor]:
    """The cell's tensors of these names."""
    have = dict([*cell.named_parameters(), *cell.named_buffers()])
    return [have[name] for name in names]


def cache_path(cell: Cell, dtype: torch.dtype) -> Path:
    """The folder of a cell's programs; it holds them, and is there, once they are compiled."""
    parts = [VERSION, CHUNK, torch.__version__, platform.machine(), torch.backends.cpu.get_cpu_capability()]
    text = repr([*parts, str(dtype), cell_digest(cell, read_by_step(cell))])
    return cache_folder() / "compiled" / hashlib.sha256(text.encode()).hexdigest()[:32]


def expected_seconds(cell: Cell, dtype: torch.dtype) -> float:
    """Seconds until the programs can be used: none if they are kept, else as the last compilation took."""
    folder = cache_path(cell, dtype)
    try:
        return 0.0 if folder.exists() else float((folder.parent / "seconds").read_text())
    except (OSError, ValueError):  # none yet, or a cache that is closed to us: `obtain` will say so
        return EXPECTED_SECONDS


def obtain(cell: Cell, dtype: torch.dtype) -> tuple[Programs, float]:
    """The programs of a cell, from the user's cache or compiled, and the seconds that compiling took."""
    folder = cache_path(cell, dtype)
    folder.parent.mkdir(parents=True, exist_ok=True)
    seconds = 0.0
    # One process compiles, those that want the same wait for it.
    with FileLock(folder.with_suffix(".lock")):
        programs = _kept(folder)
        if programs is None:
            began, name = time.perf_counter(), type(cell).__name__
            LOG.warning(
                "compiling %s for about %.0f s; kept in %s", name, expected_seconds(cell, dtype), folder
            )
            part = folder.with_suffix(".part")
            part.mkdir(exist_ok=True)
            _compile(cell, dtype, part)
            part.rename(folder)
            seconds = time.perf_counter() - began
            (folder.parent / "seconds").write_text(f"{seconds:.1f}")
            programs = _load(folder)
    return programs, seconds


def discard(cell: Cell, dtype: torch.dtype) -> None:
    """Forget programs that no longer compute what the cell does."""
    folder = cache_path(cell, dtype)
    with FileLock(folder.with_suffix(".lock")):
        if folder.exists():
            _remove(folder)


def _remove(folder: Path) -> None:
    for name in Programs._fields:
        (folder / f"{name}.pt2").unlink(missing_ok=True)
    folder.rmdir()


def _kept(folder: Path) -> Programs | None:
    """The programs in `folder`; None if there are none, or broken ones, which are removed."""
    if not folder.exists():
        return None
    try:
        return _load(folder)
    except (OSError, RuntimeError):
        _remove(folder)
        return None


def _load(folder: Path) -> Programs:
    return Programs(*(_program(folder / f"{name}.pt2") for name in Programs._fields))


def _program(path: Path) -> Program:
    """The program in a package. PyTorch's own call would parse the form of the results each time."""
    loader = torch._inductor.aoti_load_package(str(path)).loader
    form = pytree.treespec_loads(loader.get_call_spec()[1])

    def run(*tensors: Tensor) -> Any:
        return pytree.tree_unflatten(loader.boxed_run(list(tensors)), form)

    return run


class _Step(nn.Module):
    """A cell whose `forward` is its step, as `functional_call` wants it."""

    def __init__(self, cell: Cell) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, projected: Tensor, state: State) -> State:
        return self.cell.step(projected, state).state


class _Function(nn.Module):
    """A function as the module that `export` wants."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *tensors: Tensor) -> Any:
        return self.function(*tensors)


def _compile(cell: Cell, dtype: torch.dtype, folder: Path) -> None:
    """Write the three packages into `folder`."""
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of PyTorch's own parts about one another
        for name, (function, arguments, rows) in _sources(cell, dtype).items():
            batch = Dim("rows", min=2)
            shapes = tuple(None if axis is None else {axis: batch} for axis in rows)
            program = export(_Function(function), tuple(arguments), dynamic_shapes=(shapes,))
            torch._inductor.aoti_compile_and_package(program, package_path=str(folder / f"{name}.pt2"))


def _sources(cell: Cell, dtype: torch.dtype) -> dict[str, tuple[Any, list[Tensor], list[int | None]]]:
    """Name -> a program's function, arguments to trace it with, and the axis of each that counts rows."""
    module, count = _Step(cell), len(cell.state)
    read = read_by_step(cell)
    names = [f"cell.{name}" for name in read]
    tensors = [tensor.detach().clone() for tensor in tensors_of(cell, read)]
    width = cell.project(torch.zeros(1, cell.input_size, dtype=dtype)).shape[-1]
    sizes = cell.state_sizes()

    def step(projected: Tensor, state: State, tensors: Sequence[Tensor]) -> State:
        return functional_call(module, dict(zip(names, tensors, strict=True)), (projected, state))

    # A number of rows that no other size has: tracing takes equal sizes for the same size.
    taken = {CHUNK, width, *sizes, *(size for tensor in tensors for size in tensor.shape)}
    rows = next(
        prime for prime in (7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59) if prime not in taken
    )

    def some(*shape: int) -> Tensor:
        return torch.zeros(*shape, dtype=dtype)

    steps, valid = some(CHUNK, rows, width), torch.ones(CHUNK, rows, 1, dtype=torch.bool)
    state = [some(rows, size) for size in sizes]
    cut = Stages(step, some(rows, width), tuple(state), tensors)

    def forward(projected: Tensor, valid: Tensor, *rest: Tensor) -> tuple[Any, ...]:
        state, tensors = rest[:count], rest[count:]
        steps: list[tuple[Sequence[Tensor], ...]] = []
        for k in range(CHUNK):
            new, *needed = cut.forward(projected[k], state, tensors)
            state = _where(valid[k], new, state)
            steps.append((state[:1], *needed))
        (hidden,), *needed = (_stacked(each) for each in zip(*steps, strict=True))
        return hidden, state, *needed

    hidden, _, passing, lasting = forward(steps, valid, *state, *tensors)
    first, both = len(passing), len(passing) + len(lasting)

    def backward(valid: Tensor, upstream: Tensor, *rest: Tensor) -> tuple[Any, ...]:
        needed, carry, tensors = rest[:both], rest[both : both + count], rest[both + count :]
        steps: list[Sequence[Tensor]] = []
        for k in reversed(range(CHUNK)):
            carry = (carry[0] + upstream[k], *carry[1:])
            received = tuple(torch.where(valid[k], each, 0.0) for each in carry)
            now = [each[k] for each in needed]
            found, pulled = cut.backward(now[:first], now[first:], received, tensors)
            carry = _where(valid[k], pulled, carry)
            steps.append(found)
        return _stacked(steps[::-1]), carry

    found, _ = backward(valid, hidden, *passing, *lasting, *state, *tensors)
    given = [each.flatten(0, 1)[:rows] for each in (*found, *lasting)]

    def weights(*rest: Tensor) -> tuple[Tensor, ...]:
        return tuple(cut.weights(rest[: len(given)], rest[len(given) :]))

    fixed: list[int | None] = [None] * len(tensors)
    ones: list[int | None] = [1] * both
    zeros: list[int | None] = [0] * count
    return {
        "forward": (forward, [steps, valid, *state, *tensors], [1, 1, *zeros, *fixed]),
        "backward": (
            backward,
            [valid, hidden, *passing, *lasting, *state, *tensors],
            [1, 1, *ones, *zeros, *fixed],
        ),
        "weights": (weights, [*given, *tensors], [*[0] * len(given), *fixed]),
    }


def _where(valid: Tensor, new: Sequence[Tensor], old: Sequence[Tensor]) -> tuple[Tensor, ...]:
    return tuple(torch.where(valid, *pair) for pair in zip(new, old, strict=True))


def _stacked(steps: Iterable[Sequence[Tensor]]) -> tuple[Tensor, ...]:
    """Of tensors of each step, the same ones over the steps."""
    return tuple(map(torch.stack, zip(*steps, strict=True)))
