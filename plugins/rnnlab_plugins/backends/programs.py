"""The programs of a cell: compiled, kept in the user's cache, and loaded from there."""

from __future__ import annotations

import hashlib
import inspect
import logging
import platform
import sys
import time
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import torch
from filelock import FileLock
from torch import Tensor, nn
from torch.export import Dim, export
from torch.utils import _pytree as pytree

from rnnlab.api import Cell, cache_folder, cell_digest
from rnnlab_plugins.backends import sources, stages
from rnnlab_plugins.backends.sources import read_by_step

LOG = logging.getLogger(__name__)

EXPECTED_SECONDS = 40.0
"""What a compilation takes where none was made yet, on a processor of 2024 that has nothing else to do."""

Program = Callable[..., Any]


class Programs(NamedTuple):
    """The programs of one cell, for any number of rows B >= 2, and any input size.

    K is `CHUNK`, P the width of `project`, S that of each state. Tensors must be contiguous. What one program
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


def cache_path(cell: Cell, dtype: torch.dtype) -> Path:
    """The folder of a cell's programs; it holds them, and is there, once they are compiled.

    Other programs for another number of threads: theirs is written into their loops.
    """
    place = [*_processor(), torch.get_num_threads()]
    parts = [_compiler(), place, str(dtype), cell_digest(cell, read_by_step(cell))]
    return cache_folder() / "compiled" / hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


@cache
def _compiler() -> list[str]:
    """What makes programs of cells: PyTorch, and the code here."""
    modules = (sources, stages, sys.modules[__name__])
    return [torch.__version__, *map(inspect.getsource, modules)]


@cache
def _processor() -> list[str]:
    """What the programs are compiled for: this processor, with all instructions that it has."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # no Linux
        lines = []
    listed = [line for line in lines if line.lower().startswith(("flags", "features"))]
    known = {flag for line in listed for flag in line.partition(":")[2].split()}
    instructions = sorted(known) or [platform.processor()]
    return [platform.machine(), torch.backends.cpu.get_cpu_capability(), *instructions]


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

    def program(*tensors: Tensor) -> Any:
        return pytree.tree_unflatten(loader.boxed_run(list(tensors)), form)

    return program


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
        for name, (function, arguments, axes) in sources.sources(cell, dtype).items():
            rows = Dim("rows", min=2)
            shapes = tuple(None if axis is None else {axis: rows} for axis in axes)
            program = export(_Function(function), tuple(arguments), dynamic_shapes=(shapes,))
            torch._inductor.aoti_compile_and_package(program, package_path=str(folder / f"{name}.pt2"))
