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

from rnnlab.api import Backend, Cell, InputError, Sequence, State, cell_digest, loop
from rnnlab_plugins.backends.chunks import run
from rnnlab_plugins.backends.programs import (
    CHUNK,
    Programs,
    discard,
    expected_seconds,
    obtain,
    read_by_step,
)

_Readied = tuple[Programs, list[str]]

COMPILERS = ("c++", "g++", "clang++")

TOLERANCES = {torch.float32: 1e-3, torch.float64: 1e-9}
"""How far programs may be from the loop on the numbers they are tried with, absolutely and relatively."""


class CompiledBackend(Backend):
    """A few steps of the cell as one program, made by PyTorch's inductor and kept in the user's cache.

    The forward pass keeps what gradients need; the backward pass goes back through the steps and leaves the
    weights aside, whose gradients then take one product for all steps together. A second derivative is
    refused.
    """

    def __init__(self) -> None:
        # By the cell itself, whose digest takes as long to make as a few of its steps.
        self._programs: WeakKeyDictionary[Cell, dict[torch.dtype, _Readied]] = WeakKeyDictionary()
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
        if dtype in known:
            return known[dtype], 0.0
        own = next((each.dtype for each in cell.parameters()), None)
        exact = cell if own == dtype else copy.deepcopy(cell).to(dtype)
        try:
            read = read_by_step(exact)
            programs, seconds = obtain(exact, dtype)
            fault = _wrong(programs, read, exact, dtype)
            if fault and not seconds:
                # Kept ones are known by the files of the cell's classes; another that they use has changed.
                discard(exact, dtype)
                programs, seconds = obtain(exact, dtype)
                fault = _wrong(programs, read, exact, dtype)
        except Exception as error:
            raise InputError(_failed(cell, f"{type(error).__name__}: {error}".splitlines()[0])) from error
        if fault:
            discard(exact, dtype)
            raise InputError(_failed(cell, fault))
        known[dtype] = programs, read
        return known[dtype], seconds


def _failed(cell: Cell, why: str) -> str:
    return f"backend 'compiled' cannot compile {type(cell).__name__} ({why}); use backend=auto or reference"


class _Watch(TorchDispatchMode):
    """Notes the operations of a step, and those which no program of it could have."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.fault: str | None = None

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.seen.append(str(func))
        if torch.Tag.nondeterministic_seeded in func.tags:
            self.fault = "its step draws random numbers"
        elif torch.Tag.data_dependent_output in func.tags or torch.Tag.dynamic_output_shape in func.tags:
            self.fault = "its step decides by the values of tensors"
        return func(*args, **(kwargs or {}))


def _untraceable(cell: Cell) -> str | None:
    """None, or why the steps of a cell cannot be one program, found by taking some of a copy."""
    cell = copy.deepcopy(cell)
    tensors = [*cell.parameters(), *cell.buffers()]
    place = tensors[0] if tensors else torch.zeros(())
    versions = [each._version for each in tensors]

    def some(rows: int, width: int) -> Tensor:
        # Nothing linear: the middle row would be the mean of all, and a step that takes it from each unseen.
        spread = torch.linspace(-9.0, 7.0, rows * width, device=place.device, dtype=place.dtype)
        return spread.sin().view(rows, width)

    watch: _Watch | None = None
    with torch.no_grad():
        try:
            projected = cell.project(some(3, cell.input_size))
            state = tuple(some(3, size) for size in cell.state_sizes())
            seen: list[list[str]] = []
            for training in (True, True, False):
                cell.train(training)
                with _Watch() as watch:
                    together = cell.step(projected, state).state
                seen.append(watch.seen)
                if watch.fault:
                    return watch.fault
        except Exception as error:
            if watch is not None and watch.fault:
                return watch.fault
            return f"its step cannot be tried: {type(error).__name__}: {error}".splitlines()[0]
        if seen[0] != seen[1] or seen[0] != seen[2]:
            return "its step does not do the same each time, or not in training and in evaluation"
        if [each._version for each in tensors] != versions:
            return "its step changes parameters or buffers"
        if place.is_meta:
            return None
        alone = cell.step(projected[1:2], tuple(each[1:2] for each in state)).state
    close = (
        torch.allclose(a[1:2], b, rtol=1e-3, atol=1e-3, equal_nan=True)
        for a, b in zip(together, alone, strict=True)
    )
    return None if all(close) else "its step mixes the rows of a batch"


def _wrong(programs: Programs, read: Many[str], cell: Cell, dtype: torch.dtype) -> str | None:
    """None, or what the programs give that the loop over the cell's step does not, on a few numbers."""
    seq_len, rows = CHUNK + 1, 3
    lengths = torch.tensor([seq_len, 2, 0])

    def some(*shape: int) -> Tensor:
        count = int(torch.tensor(shape).prod())
        return torch.linspace(0.0, 7.0 * len(shape), count, dtype=dtype).sin().view(shape)

    def compiled(*arguments: Any) -> Sequence:
        return run(programs, read, *arguments, reverse=False)

    def results(run: Callable[..., Sequence]) -> list[Tensor]:
        x = some(seq_len, rows, cell.input_size).requires_grad_()
        state = tuple(some(rows, size).requires_grad_() for size in cell.state_sizes())
        with torch.enable_grad():
            output, final = run(cell, x, state, lengths)
            loss = torch.stack([(each * some(*each.shape)).sum() for each in (output, *final)]).sum()
            leaves = [each for each in (x, *state, *cell.parameters()) if each.requires_grad]
            gradients = torch.autograd.grad(loss, leaves, allow_unused=True, materialize_grads=True)
        return [output.detach(), *(each.detach() for each in final), *gradients]

    tolerance = TOLERANCES[dtype]
    for value, expected in zip(results(compiled), results(loop), strict=True):
        if not torch.allclose(value, expected, rtol=tolerance, atol=tolerance, equal_nan=True):
            return f"its program is off by {float((value - expected).abs().max()):.1e} from the loop"
    return None
