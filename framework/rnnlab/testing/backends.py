"""What is checked of a backend: right for what it supports, honest about the rest."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from rnnlab.config.section import CellConfig
from rnnlab.plugins.spec import BackendSpec
from rnnlab.recurrent.backend import Backend
from rnnlab.recurrent.cell import Cell, State, Step
from rnnlab.recurrent.loop import loop
from rnnlab.testing.cells import BATCH_SIZE, HIDDEN_SIZE, INPUT_SIZE, SEQ_LEN, in_dtype, numbers, seeded
from rnnlab.testing.check import Skipped, check, expect, expect_same
from rnnlab.testing.subject import Subject
from rnnlab.verification.combinations import Combination, RefusedOptions, chosen_devices, variants
from rnnlab.verification.precision import PRECISIONS
from rnnlab.verification.trial import compute
from rnnlab.verification.verify import verify

DTYPES = (torch.float64, torch.float32, torch.bfloat16, torch.float16)


class Unheard(Cell):
    """A cell that no backend has seen: it promises nothing, and its states differ in size."""

    gates = ("i", "f", "g", "o")
    state = ("h", "m")

    def __init__(self, input_size: int, hidden_size: int, config: CellConfig) -> None:
        super().__init__(input_size, hidden_size, config)
        self.scale = torch.nn.Parameter(torch.full((hidden_size,), 0.5))

    def state_sizes(self) -> tuple[int, ...]:
        """The second state is half as wide."""
        return self.hidden_size, self.hidden_size // 2

    def step(self, projected: Tensor, state: State) -> Step:
        """Something like an LSTM, and no LSTM."""
        h, m = state
        i, f, g, o = (projected + F.linear(h, self.weight_hh, self.bias_hh)).chunk(4, dim=-1)
        i, f, g, o = torch.sigmoid(i), torch.sigmoid(f), torch.sin(g), torch.sigmoid(o)
        both = f * torch.cat([m, m], dim=-1) + self.scale * i * g
        return Step((o * torch.tanh(both), both.chunk(2, dim=-1)[0]), (i, f, g, o))


class Lookalike(Unheard):
    """As `Unheard`, with the parameters and states of an LSTM: only `equations` tells it from one."""

    state = ("h", "c")

    def __init__(self, input_size: int, hidden_size: int, config: CellConfig) -> None:
        super().__init__(input_size, hidden_size, config)
        del self.scale

    def state_sizes(self) -> tuple[int, ...]:
        """H for both."""
        return self.hidden_size, self.hidden_size

    def step(self, projected: Tensor, state: State) -> Step:
        """An LSTM whose cell candidate is a sine."""
        h, c = state
        i, f, g, o = (projected + F.linear(h, self.weight_hh, self.bias_hh)).chunk(4, dim=-1)
        i, f, g, o = torch.sigmoid(i), torch.sigmoid(f), torch.sin(g), torch.sigmoid(o)
        c = f * c + i * g
        return Step((o * torch.tanh(c), c), (i, f, g, o))


def _cells(backend: Subject) -> Iterator[tuple[str, Cell]]:
    """Every installed cell in every form, and two that it cannot know."""
    for spec in backend.registry.specs("cell"):
        for variant in variants(backend.registry, spec):
            try:
                yield variant.label, variant.make(backend.registry, INPUT_SIZE, HIDDEN_SIZE)
            except RefusedOptions:
                continue
    yield from _strangers()


def _strangers() -> Iterator[tuple[str, Cell]]:
    with seeded(0):
        for made in (Unheard, Lookalike):
            yield (
                f"a cell without equations ({made.__name__})",
                made(INPUT_SIZE, HIDDEN_SIZE, CellConfig()).double(),
            )


@check(
    "backend",
    "supports: it returns None or one line of text, for any cell, device and dtype, and never raises",
)
def supports(backend: Subject) -> None:
    """It answers for every cell and dtype: None, or the reason in one line; the same when asked again."""
    asked: Backend = backend.target()
    for label, cell in _cells(backend):
        for device in map(torch.device, chosen_devices(())):
            for dtype in DTYPES:
                what = f"{label} on {device.type} in {str(dtype)[6:]}"
                placed = copy.deepcopy(cell).to(device=device, dtype=dtype)
                for method in (asked.supports, asked.advice):
                    answer = method(placed, device, dtype)
                    right = answer is None or (
                        isinstance(answer, str) and answer.strip() and "\n" not in answer
                    )
                    expect(
                        right, f"{what}: {method.__name__} must give None or a line of text, got {answer!r}"
                    )
                    expect(
                        method(placed, device, dtype) == answer,
                        f"{what}: {method.__name__} answers otherwise when asked again",
                    )
                    if answer is not None and method == asked.supports:
                        break


def _precisions(backend: Subject) -> tuple[str, ...]:
    """What it is run in: a backend that prepares cells would take a while for each."""
    return ("float32",) if backend.spec.prepares else ("float64", "float32")


@check("backend", "'rnnlab verify --backend NAME', check by check; lengths and reverse first")
def cells(backend: Subject) -> None:
    """It gives what the loop gives for every installed cell that it says it supports."""
    verified = False
    for spec in backend.registry.specs("cell"):
        for variant in variants(backend.registry, spec):
            for device in chosen_devices(()):
                for name in _precisions(backend):
                    combination = Combination(
                        variant, cast(BackendSpec, backend.spec), device, PRECISIONS[name]
                    )
                    verdict = verify(combination, backend.registry, hidden_sizes=(16,))
                    expect(
                        verdict.result != "wrong", f"{variant.label} on {device} in {name}: {verdict.where}"
                    )
                    verified |= verdict.result == "ok"
                    if verified and backend.spec.prepares:
                        raise Skipped(_left_out(backend.name, f"{variant.label} on {device} in {name}"))
    if not verified:
        raise Skipped("it supports no installed cell on this machine")


def _left_out(name: str, verified: str) -> str:
    return (
        f"{verified} is right; the other cells take a while each, as it prepares them first: "
        f"'rnnlab verify --backend {name}' verifies every one"
    )


@check(
    "backend",
    "supports: refuse a cell whose equations are not known, and one with other parameters or states",
)
def refuses(backend: Subject) -> None:
    """It refuses cells that it cannot know, or runs them right."""
    asked: Backend = backend.target()
    device = torch.device("cpu")
    for label, exact in _strangers():
        for name in _precisions(backend):
            precision = PRECISIONS[name]
            cell = copy.deepcopy(exact).to(precision.dtype)
            if asked.supports(cell, device, precision.dtype) is not None:
                continue
            got = compute(
                asked.run, cell, in_dtype(numbers(cell), precision.dtype), None, False, gradients=True
            )
            expected = compute(loop, exact, numbers(exact), None, False, gradients=True)
            expect_same(
                got,
                expected,
                10 * precision.gradient_tolerance,
                f"it says that it supports {label} in {name}, and gives something else",
            )


@check("backend", "run: an operation in place (its name ends in _, or out=) on an argument or a parameter")
def pure(backend: Subject) -> None:
    """It changes nothing that it is given: inputs, states, lengths, parameters, the random state."""
    asked: Backend = backend.target()
    device, ran = torch.device("cpu"), False
    known = [PRECISIONS[name].dtype for name in _precisions(backend)] if backend.spec.prepares else DTYPES
    for label, cell in _strangers() if backend.spec.prepares else _cells(backend):
        dtypes = [each for each in known if asked.supports(cell.to(each), device, each) is None]
        if not dtypes:
            continue
        ran, cell = True, cell.to(dtypes[0])
        given = in_dtype(numbers(cell), dtypes[0])
        lengths = torch.tensor([SEQ_LEN, 2, 0][:BATCH_SIZE])
        named: dict[str, Any] = {"x": given.x, "lengths": lengths, **dict(cell.named_parameters())}
        named |= {f"{name}_0": each for name, each in zip(cell.state, given.state, strict=True)}
        before = {name: value.detach().clone() for name, value in named.items()}
        random = torch.get_rng_state()
        for reverse in (False, True):
            with torch.no_grad():
                asked.run(cell, given.x, given.state, lengths, reverse)
        changed = [name for name, value in named.items() if not torch.equal(value.detach(), before[name])]
        expect(not changed, f"{label}: run changes {', '.join(changed)}")
        expect(torch.equal(random, torch.get_rng_state()), f"{label}: run draws from torch's generator")
    if not ran:
        raise Skipped("it supports no cell on a CPU")


CHECKS = (supports, cells, refuses, pure)
