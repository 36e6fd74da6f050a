"""One cell at one shape on every backend: which are right, and how long they take."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from rnnlab.benchmarking.timing import Clock, Effort, medians
from rnnlab.errors import InputError, in_words
from rnnlab.plugins.registry import Registry
from rnnlab.plugins.spec import BackendSpec
from rnnlab.recurrent.backend import Backend
from rnnlab.recurrent.cell import Cell
from rnnlab.recurrent.loop import loop
from rnnlab.verification.combinations import Variant
from rnnlab.verification.precision import Precision
from rnnlab.verification.trial import Numbers, compute

PASSES = {"forward": False, "forward+backward": True}
"""What is timed -> whether gradients are taken."""


@dataclass(frozen=True)
class Shape:
    """Sizes: T steps, B rows, I inputs, H units."""

    seq_len: int
    batch_size: int
    input_size: int
    hidden_size: int

    @classmethod
    def parse(cls, text: str) -> Shape:
        """The shape that "T,B,I,H" means.

        Raises:
            InputError: it is not four positive integers.
        """
        parts = text.split(",")
        if len(parts) != 4 or not all(part.strip().isdecimal() and int(part) > 0 for part in parts):
            raise InputError(
                f"--shapes: expected T,B,I,H, four positive integers, got {text!r}; for example 128,32,64,128"
            )
        return cls(*map(int, parts))

    def __str__(self) -> str:
        return f"{self.seq_len},{self.batch_size},{self.input_size},{self.hidden_size}"


SHAPES = tuple(map(Shape.parse, ("64,1,128,128", "128,16,64,64", "64,32,128,256", "512,8,64,128")))
QUICK_SHAPES = tuple(map(Shape.parse, ("16,4,32,32", "64,16,64,64")))


@dataclass(frozen=True)
class Setting:
    """What is the same for all backends that are compared.

    Attributes:
        variant: the cell.
        shape: the sizes.
        precision: the number format.
        device: where.
        lengths: whether rows have unequal lengths, from a quarter of T to T.
    """

    variant: Variant
    shape: Shape
    precision: Precision
    device: torch.device
    lengths: bool = False

    def row_lengths(self) -> Tensor | None:
        """Lengths [B], evenly spread; None if all are T."""
        if not self.lengths:
            return None
        longest = self.shape.seq_len
        spread = torch.linspace(longest, max(1, longest // 4), self.shape.batch_size).round().long()
        return spread.to(self.device)


@dataclass(frozen=True)
class Row:
    """One backend in one setting, in one pass.

    Attributes:
        backend: its name.
        direction: "forward" or "forward+backward"; "" for a backend that is not timed.
        result: "ok", "wrong" or "not supported"; only what is ok is timed.
        reason: why not.
        milliseconds: the median.
        speed_of_reference: how many times as fast as the reference backend, the one of lowest rank.
        speed_of_fastest: the same against the fastest of the table, 1 for that one.
    """

    backend: str
    direction: str
    result: str
    reason: str = ""
    milliseconds: float | None = None
    speed_of_reference: float | None = None
    speed_of_fastest: float | None = None


def bench(
    setting: Setting, backends: Sequence[BackendSpec], registry: Registry, effort: Effort, clock: Clock
) -> list[Row]:
    """Check every backend in a setting, and time those that are right, forwards and with gradients.

    Raises:
        InputError: the cell cannot be loaded, or not be made with its default options.
    """
    shape, precision = setting.shape, setting.precision
    cell = setting.variant.make(registry, shape.input_size, shape.hidden_size)
    cell = cell.to(device=setting.device, dtype=precision.dtype)
    numbers, lengths = _numbers(setting, cell), setting.row_lengths()
    expected = _expected(cell, numbers, lengths)
    runs: dict[str, Callable[..., Any]] = {}
    refused: list[Row] = []
    with precision.applied():
        for spec in backends:
            outcome = _examined(spec, registry, setting, cell, numbers, lengths, expected)
            if isinstance(outcome, Row):
                refused.append(outcome)
            else:
                runs[spec.name] = outcome.run
        del expected
        timed: list[Row] = []
        reference = min(backends, key=lambda spec: spec.rank).name
        for direction, gradients in PASSES.items():
            calls = {
                name: partial(compute, run, cell, numbers, lengths, False, gradients)
                for name, run in runs.items()
            }
            timed += _timed(direction, medians(calls, effort, clock), reference)
    return [*timed, *refused]


def _timed(direction: str, seconds: Mapping[str, float], reference: str) -> list[Row]:
    """Rows with ratios, from the seconds of each backend."""
    fastest = min(seconds.values(), default=0.0)
    return [
        Row(
            name,
            direction,
            "ok",
            milliseconds=taken * 1000,
            speed_of_reference=seconds[reference] / taken if reference in seconds else None,
            speed_of_fastest=fastest / taken,
        )
        for name, taken in seconds.items()
    ]


def _examined(
    spec: BackendSpec,
    registry: Registry,
    setting: Setting,
    cell: Cell,
    numbers: Numbers,
    lengths: Tensor | None,
    expected: Mapping[str, Tensor],
) -> Backend | Row:
    """The backend if it gives what the loop gives, else a row that says why it is not timed."""
    try:
        backend: Backend = registry.load(spec)()
        if refusal := backend.supports(cell, setting.device, setting.precision.dtype):
            return Row(spec.name, "", "not supported", refusal)
        got = compute(backend.run, cell, numbers, lengths, False, True)
        fault = _fault(got, expected, setting.precision)
    except Exception as error:
        return Row(spec.name, "", "wrong", in_words(error))
    return Row(spec.name, "", "wrong", fault) if fault else backend


def _fault(got: Mapping[str, Tensor], expected: Mapping[str, Tensor], precision: Precision) -> str | None:
    """None, or the first tensor that is too far from the loop's, by the norm of the difference.

    By the norm and not the largest entry: over so many entries a rounding flips some, where relu bends.
    """
    for name, value in expected.items():
        allowed = precision.gradient_tolerance if name.startswith("gradient") else precision.tolerance
        if got[name].shape != value.shape:
            return f"{name} has the shape {list(got[name].shape)}, expected {list(value.shape)}"
        error = float((got[name].detach().double() - value).norm() / value.norm().clamp(min=1e-12))
        if not error <= allowed:
            return f"{name} is off by {error:.1e} of its norm, allowed {allowed:.0e}; see rnnlab verify"
    return None


def _numbers(setting: Setting, cell: Cell) -> Numbers:
    """Normal inputs, initial states and upstream gradients in the cell's dtype."""
    generator = torch.Generator().manual_seed(0)
    shape, sizes = setting.shape, cell.state_sizes()

    def normal(*size: int) -> Tensor:
        value = torch.randn(size, generator=generator)
        return value.to(device=setting.device, dtype=setting.precision.dtype)

    rows = shape.batch_size
    return Numbers(
        normal(shape.seq_len, rows, shape.input_size),
        tuple(normal(rows, size) for size in sizes),
        (normal(shape.seq_len, rows, sizes[0]), *(normal(rows, size) for size in sizes)),
    )


def _expected(cell: Cell, numbers: Numbers, lengths: Tensor | None) -> dict[str, Tensor]:
    """The loop's results in float64, on the cell's device."""
    exact = Numbers(
        numbers.x.double(),
        tuple(each.double() for each in numbers.state),
        tuple(each.double() for each in numbers.upstream),
    )
    found = compute(loop, copy.deepcopy(cell).double(), exact, lengths, False, True)
    return {name: value.detach() for name, value in found.items()}
