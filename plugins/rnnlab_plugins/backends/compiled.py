"""The backend that compiles the step of any cell."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable
from collections.abc import Sequence as Many
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from rnnlab.api import Backend, Cell, InputError, Sequence, State, cell_digest, loop
from rnnlab_plugins.backends.chunks import run
from rnnlab_plugins.backends.programs import Programs, discard, expected_seconds, obtain
from rnnlab_plugins.backends.sources import CHUNK, first_number, read_by_step
from rnnlab_plugins.backends.stages import differentiable

_Readied = tuple[Programs, list[str]]

COMPILERS = ("c++", "g++", "clang++")

TOLERANCES = {torch.float32: 1e-3, torch.float64: 1e-9}
"""How far programs may be from the loop on the numbers they are tried with, absolutely and relatively."""


class CompiledBackend(Backend):
    """A few steps of the cell as one program, made by PyTorch's inductor and kept in the user's cache.

    The forward pass keeps what gradients need; the backward pass goes back through the steps and leaves the
    weights aside, whose gradients then take one product for all steps together. A second derivative is
    refused. Programs are compiled for this processor's instructions and for PyTorch's number of threads in
    the process; another number has others.
    """

    def __init__(self) -> None:
        # By the cell itself, whose digest takes as long to make as a few of its steps.
        self._programs: WeakKeyDictionary[Cell, dict[tuple[torch.dtype, int], _Readied]] = WeakKeyDictionary()
        self._refusals: dict[tuple[str, bool, torch.dtype], str | None] = {}

    def supports(self, cell: Cell, device: torch.device, dtype: torch.dtype) -> str | None:
        if device.type != "cpu":
            return f"it compiles for the processor, got {device.type}"
        if dtype not in TOLERANCES:
            return f"it takes float32 and float64, got {str(dtype).removeprefix('torch.')}"
        if not any(map(shutil.which, COMPILERS)):
            return f"it needs a C++ compiler, found none of {', '.join(COMPILERS)}; install g++"
        key = (cell_digest(cell), any(each.is_meta for each in cell.parameters()), dtype)
        if key not in self._refusals:
            self._refusals[key] = _untraceable(cell)
        return self._refusals[key]

    def advice(self, cell: Cell, device: torch.device, dtype: torch.dtype) -> str | None:
        if cell.equations == "lstm":
            return "PyTorch has a fused LSTM of its own for the processor"
        return None

    def preparation(self, cell: Cell, device: torch.device, dtype: torch.dtype) -> float:
        return expected_seconds(cell, dtype)

    def prepare(self, cell: Cell, device: torch.device, dtype: torch.dtype) -> float:
        return self._obtain(cell, dtype)[1]

    def run(
        self, cell: Cell, x: Tensor, state: State, lengths: Tensor | None = None, reverse: bool = False
    ) -> Sequence:
        if torch.is_autocast_enabled("cpu"):
            # Programs read every tensor as what they were compiled for, and would take 16 bits for 32.
            own = next((each.dtype for each in cell.parameters()), x.dtype)
            with torch.autocast("cpu", enabled=False):
                return self.run(cell, x.to(own), tuple(each.to(own) for each in state), lengths, reverse)
        (programs, read), _ = self._obtain(cell, x.dtype)
        return run(programs, read, cell, x, state, lengths, reverse)

    def _obtain(self, cell: Cell, dtype: torch.dtype) -> tuple[_Readied, float]:
        """The programs with the names of what they read, and the seconds that compiling them took."""
        known = self._programs.setdefault(cell, {})
        key = dtype, torch.get_num_threads()
        if key in known:
            return known[key], 0.0
        with torch.inference_mode(False):
            exact = _trial(cell, dtype)
            try:
                read = read_by_step(exact)
                programs, seconds = obtain(exact, dtype)
                fault = _wrong(programs, read, exact, dtype)
                if fault and not seconds:
                    # Kept ones are known by the files of the cell's classes; another they use has changed.
                    discard(exact, dtype)
                    programs, seconds = obtain(exact, dtype)
                    fault = _wrong(programs, read, exact, dtype)
            except Exception as error:
                why = f"{type(error).__name__}: {error}".splitlines()[0]
                raise InputError(_failed(cell, why)) from error
            if fault:
                discard(exact, dtype)
                raise InputError(_failed(cell, fault))
        known[key] = programs, read
        return known[key], seconds


def _trial(cell: Cell, dtype: torch.dtype) -> Cell:
    """A copy in this precision with nothing frozen: the programs are there for when it no longer is."""
    cell = copy.deepcopy(cell)
    if first_number(cell).dtype != dtype:
        cell = cell.to(dtype)
    for each in filter(differentiable, cell.parameters()):
        each.requires_grad_()
    return cell


def _failed(cell: Cell, why: str) -> str:
    return f"backend 'compiled' cannot compile {type(cell).__name__} ({why}); use backend=auto or reference"


class _Watch(TorchDispatchMode):
    """Notes the operations of a step with their constants, and those which no program of it could have."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[list[str]] = []
        self.fault: str | None = None

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        operands = tree_leaves((args, kwargs))
        self.seen.append([str(func), *(repr(each) for each in operands if not isinstance(each, Tensor))])
        if torch.Tag.nondeterministic_seeded in func.tags:
            self.fault = "its step draws random numbers"
        elif torch.Tag.data_dependent_output in func.tags or _sized_by_values(func, operands):
            self.fault = "its step decides by the values of tensors"
        return func(*args, **kwargs)


def _sized_by_values(func: Any, operands: Many[Any]) -> bool:
    """Whether the size of an operation's result is known only from the values that it takes."""
    if func is not torch.ops.aten.index.Tensor:
        return torch.Tag.dynamic_output_shape in func.tags
    indices = [each for each in operands[1:] if isinstance(each, Tensor)]
    return any(each.dtype in (torch.bool, torch.uint8) for each in indices)


def _untraceable(cell: Cell) -> str | None:
    """None, or why the steps of a cell cannot be one program, found by taking some of a copy."""
    with torch.inference_mode(False), torch.no_grad():
        cell = copy.deepcopy(cell)
        like = first_number(cell)
        tensors = [*cell.parameters(), *cell.buffers()]
        versions = [each._version for each in tensors]

        def some(rows: int, width: int) -> Tensor:
            # Nothing linear: its middle row is the mean of all, and a step that takes that would go unseen.
            spread = torch.linspace(-9.0, 7.0, rows * width, device=like.device, dtype=like.dtype)
            return spread.sin().view(rows, width)

        watch: _Watch | None = None
        tries: list[tuple[_Watch, State]] = []
        try:
            projected = cell.project(some(3, cell.input_size))
            state = tuple(some(3, size) for size in cell.state_sizes())
            for training in (True, True, False):
                cell.train(training)
                with _Watch() as watch:
                    tries.append((watch, cell.step(projected, state).state))
                if watch.fault:
                    return watch.fault
            alone = cell.step(projected[1:2], tuple(each[1:2] for each in state)).state
        except Exception as error:
            if watch is not None and watch.fault:
                return watch.fault
            return f"its step cannot be tried: {type(error).__name__}: {error}".splitlines()[0]
        if [each._version for each in tensors] != versions:
            return "its step changes parameters or buffers"
        (first, together), *others = tries
        if any(first.seen != watch.seen or not _same(together, new) for watch, new in others):
            return "its step does not do the same each time, or not in training and in evaluation"
    if _same([each[1:2] for each in together], alone, tolerance=1e-3):
        return None
    return "its step mixes the rows of a batch"


def _same(some: Many[Tensor], others: Many[Tensor], tolerance: float = 0.0) -> bool:
    """Whether tensors are equal; those of the meta device have no values that could differ."""
    return all(
        a.is_meta or torch.allclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True)
        for a, b in zip(some, others, strict=True)
    )


def _wrong(programs: Programs, read: Many[str], cell: Cell, dtype: torch.dtype) -> str | None:
    """None, or what the programs give that the loop over the cell's step does not, on a few numbers."""
    seq_len, rows = CHUNK + 1, 3
    lengths = torch.tensor([seq_len, 2, 0])

    def some(*shape: int) -> Tensor:
        count = int(torch.tensor(shape).prod())
        return torch.linspace(0.0, 7.0 * len(shape), count, dtype=dtype).sin().view(shape)

    def compiled(*arguments: Any) -> Sequence:
        return run(programs, read, *arguments, reverse=False)

    def results(forwards: Callable[..., Sequence]) -> list[Tensor]:
        x = some(seq_len, rows, cell.input_size).requires_grad_()
        state = tuple(some(rows, size).requires_grad_() for size in cell.state_sizes())
        with torch.enable_grad():
            output, final = forwards(cell, x, state, lengths)
            loss = torch.stack([(each * some(*each.shape)).sum() for each in (output, *final)]).sum()
            leaves = [each for each in (x, *state, *cell.parameters()) if each.requires_grad]
            gradients = torch.autograd.grad(loss, leaves, allow_unused=True, materialize_grads=True)
        return [output.detach(), *(each.detach() for each in final), *gradients]

    tolerance = TOLERANCES[dtype]
    for value, expected in zip(results(compiled), results(loop), strict=True):
        if not torch.allclose(value, expected, rtol=tolerance, atol=tolerance, equal_nan=True):
            return f"its program is off by {float((value - expected).abs().max()):.1e} from the loop"
    return None
