"""One cell on one backend, and what the loop over the cell gives in float64 for the same numbers."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from rnnlab.recurrent.backend import Backend, Sequence
from rnnlab.recurrent.cell import Cell
from rnnlab.recurrent.loop import loop
from rnnlab.verification.precision import Precision

BATCH_SIZE, INPUT_SIZE = 3, 5

Run = Callable[..., Sequence]
"""`Backend.run`, or `loop`."""


@dataclass(frozen=True)
class Case:
    """What a cell is given to read.

    Attributes:
        seq_len: T.
        lengths: of the rows; None means T for each.
        reverse: read backwards.
        initial: whether the initial states are those that the cell reaches in two steps, or zero.
        largest: inputs are uniform in ±largest; 0 means normal.
        gradients: whether a backward pass follows, from random gradients of the output and the final states.
        draw: another number gives other numbers.
    """

    seq_len: int = 7
    lengths: tuple[int, ...] | None = None
    reverse: bool = False
    initial: bool = False
    largest: float = 0.0
    gradients: bool = False
    draw: int = 0


@dataclass(frozen=True)
class Numbers:
    """Inputs [T, B, I], initial states [B, S], and gradients of a loss by the output and the final states."""

    x: Tensor
    state: tuple[Tensor, ...]
    upstream: tuple[Tensor, ...]


class Trial:
    """A cell in one precision on one device.

    Attributes:
        cell: in that precision on that device.
        reference: the same parameters, as they were rounded, on the CPU in float64.
    """

    def __init__(self, cell: Cell, backend: Backend, device: torch.device, precision: Precision) -> None:
        self.backend, self.device, self.precision = backend, device, precision
        self.cell = cell.to(device=device, dtype=precision.dtype)
        self.reference = copy.deepcopy(self.cell).to(device="cpu", dtype=torch.float64)

    def got(self, case: Case) -> dict[str, Tensor]:
        """What the backend gives: `output` [T, B, S], `h_n` [B, S] and so on, and gradients if asked for.

        Inputs past a row's length are NaN.
        """
        numbers = self._numbers(case)
        if case.lengths is not None:
            padding = torch.arange(case.seq_len)[:, None] >= torch.tensor(case.lengths)
            poisoned = numbers.x.masked_fill(padding[..., None], torch.nan)
            numbers = replace(numbers, x=poisoned)
        with self.precision.applied():
            results = _compute(
                self.backend.run, self.cell, case, self._placed(numbers, self.device), self.device
            )
        return {name: value.detach().cpu().double() for name, value in results.items()}

    def expected(self, case: Case) -> dict[str, Tensor]:
        """What the loop gives."""
        results = _compute(loop, self.reference, case, self._numbers(case), torch.device("cpu"))
        return {name: value.detach() for name, value in results.items()}

    def rounded(self, case: Case) -> dict[str, Tensor]:
        """What the loop gives in the precision's own dtype on the CPU, see `got`."""
        cpu = torch.device("cpu")
        numbers = self._placed(self._numbers(case), cpu)
        results = _compute(loop, copy.deepcopy(self.cell).to(cpu), case, numbers, cpu)
        return {name: value.detach().double() for name, value in results.items()}

    def jitter(self, case: Case) -> float:
        """How far roundings of inputs and parameters move the loop's results, by each one's largest entry."""
        moved = copy.deepcopy(self.reference)
        signs = torch.Generator().manual_seed(case.draw)

        def rounded(value: Tensor) -> Tensor:
            sign = torch.randint(0, 2, value.shape, generator=signs) * 2 - 1
            return value * (1 + 2 * self.precision.rounding * sign)

        for parameter in moved.parameters():
            parameter.data = rounded(parameter.data)
        numbers = self._numbers(case)
        numbers = Numbers(rounded(numbers.x), tuple(map(rounded, numbers.state)), numbers.upstream)
        got = _compute(loop, moved, case, numbers, torch.device("cpu"))
        return max(
            float((got[name].detach() - value).abs().max()) / scale(value)
            for name, value in self.expected(case).items()
        )

    def _numbers(self, case: Case) -> Numbers:
        """The same for every backend, rounded to the precision's dtype."""
        generator = torch.Generator().manual_seed(1 + case.draw)

        def normal(*shape: int) -> Tensor:
            return torch.randn(shape, generator=generator, dtype=torch.float64)

        x = normal(case.seq_len, BATCH_SIZE, INPUT_SIZE)
        sizes = self.reference.state_sizes()
        state = tuple(torch.zeros(BATCH_SIZE, size, dtype=torch.float64) for size in sizes)
        if case.initial:
            # Reached, not drawn: a cell may have states that no step leaves behind, like a negative count.
            with torch.no_grad():
                _, state = loop(self.reference, normal(2, BATCH_SIZE, INPUT_SIZE), state)
        upstream = [normal(case.seq_len, BATCH_SIZE, sizes[0]), *(normal(BATCH_SIZE, size) for size in sizes)]
        if case.largest:
            x = (torch.rand(x.shape, generator=generator, dtype=torch.float64) * 2 - 1) * case.largest
        dtype = self.precision.dtype
        return Numbers(
            x.to(dtype).double(),
            tuple(each.to(dtype).double() for each in state),
            tuple(each.to(dtype).double() for each in upstream),
        )

    def _placed(self, numbers: Numbers, device: torch.device) -> Numbers:
        def place(value: Tensor) -> Tensor:
            return value.to(device=device, dtype=self.precision.dtype)

        return Numbers(
            place(numbers.x), tuple(map(place, numbers.state)), tuple(map(place, numbers.upstream))
        )


def scale(expected: Tensor) -> float:
    """What a deviation is a part of: the largest entry, or 1/100 if all are smaller."""
    return max(float(expected.abs().max()), 1e-2)


def compute(
    run: Run, cell: Cell, numbers: Numbers, lengths: Tensor | None, reverse: bool, gradients: bool
) -> dict[str, Tensor]:
    """Run `cell` over numbers in its dtype on its device; results by name, see `Trial.got`."""
    x, state = numbers.x, numbers.state
    parameters = {name: each for name, each in cell.named_parameters() if each.requires_grad}
    if gradients:
        x, state = x.detach().requires_grad_(), tuple(each.detach().requires_grad_() for each in state)
    with torch.set_grad_enabled(gradients):
        output, final = run(cell, x, state, lengths, reverse)
    results = {"output": output}
    results |= {f"{name}_n": each for name, each in zip(cell.state, final, strict=True)}
    if not gradients:
        return results
    leaves = {
        "x": x,
        **{f"{name}_0": each for name, each in zip(cell.state, state, strict=True)},
        **parameters,
    }
    found = torch.autograd.grad(
        (output, *final),
        list(leaves.values()),
        [up.to(to.dtype) for up, to in zip(numbers.upstream, (output, *final), strict=True)],
        allow_unused=True,
        materialize_grads=True,
    )
    return results | {f"gradient of {name}": each for name, each in zip(leaves, found, strict=True)}


def _compute(run: Run, cell: Cell, case: Case, numbers: Numbers, device: torch.device) -> dict[str, Tensor]:
    lengths = None if case.lengths is None else torch.tensor(case.lengths, device=device)
    return compute(run, cell, numbers, lengths, case.reverse, case.gradients)
