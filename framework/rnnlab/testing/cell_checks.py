"""The checks of a cell's results: gradients, rows, time, both directions."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor
from torch.autograd.gradcheck import GradcheckError

from rnnlab.plugins.loading import describe
from rnnlab.recurrent.cell import Cell
from rnnlab.testing.cells import (
    BATCH_SIZE,
    EXACT,
    INPUT_SIZE,
    SEQ_LEN,
    CellSubject,
    Form,
    batch_sized,
    in_dtype,
    numbers,
    results,
    saved_and_loaded,
    seeded,
)
from rnnlab.testing.check import Failed, Skipped, check, expect, expect_same
from rnnlab.verification.precision import PRECISIONS
from rnnlab.verification.trial import Numbers

PADDED = 3
"""Steps of padding, each a NaN."""


@check(
    "cell",
    "operations in step and project that cut or change the gradient: detach, .data, in-place, Function",
)
def gradcheck(cell: CellSubject) -> None:
    """The gradients of a step are those of its values, by finite differences in float64."""
    for form in cell.forms:
        made = form.make(input_size=3, at_least=4)
        given = numbers(made, seq_len=1, batch_size=2)
        names = [name for name, _ in made.named_parameters()]

        def step(x: Tensor, *rest: Tensor, made=made, names=names, state=given.state) -> tuple[Tensor, ...]:
            replaced = dict(zip(names, rest[len(state) :], strict=True))
            return torch.func.functional_call(_OneStep(made), _prefixed(replaced), (x, rest[: len(state)]))

        leaves = (given.x, *given.state, *made.parameters())
        inputs = tuple(each.detach().clone().requires_grad_() for each in leaves)
        try:
            torch.autograd.gradcheck(step, inputs, eps=1e-6, atol=1e-6, rtol=1e-4)
        except GradcheckError as error:
            known = ["x", *(f"{name}_0" for name in made.state), *names]
            raise Failed(f"{form.label}: {_in_a_line(str(error), known)}") from None


class _OneStep(torch.nn.Module):
    """A cell's step as a module's call."""

    def __init__(self, cell: torch.nn.Module) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, x: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return self.cell.step(self.cell.project(x)[0], state).state  # pyright: ignore[reportCallIssue]


def _prefixed(parameters: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"cell.{name}": value for name, value in parameters.items()}


def _in_a_line(text: str, names: list[str]) -> str:
    """What gradcheck said, with the input named: its first line says output and input by number."""
    line = text.strip().splitlines()[0].rstrip(",: ")
    number = re.search(r"input (\d+)", line)
    return f"{line} (that is {names[int(number[1])]})" if number else line


@check("cell", "project and step: a division, logarithm or norm that is not finite at an input of zero")
def padding(cell: CellSubject) -> None:
    """What stands past a row's length, NaN included, changes neither results nor gradients."""
    for label, made in _every_mode(cell):
        given = numbers(made)
        longer = torch.cat([given.x, given.x.new_full((PADDED, BATCH_SIZE, INPUT_SIZE), torch.nan)])
        upstream = torch.cat([given.upstream[0], torch.ones_like(given.upstream[0][:PADDED])])
        padded = results(
            made,
            Numbers(longer, given.state, (upstream, *given.upstream[1:])),
            torch.full((BATCH_SIZE,), SEQ_LEN),
        )
        cut = {
            name: value[:SEQ_LEN] if name in ("output", "gradient of x") else value
            for name, value in padded.items()
        }
        expect_same(cut, results(made, given), EXACT, f"{label}, {PADDED} steps of NaN after each row")


@check("cell", "project and step: an operation over the batch's dimension, such as a mean or batch norm")
def batch(cell: CellSubject) -> None:
    """A batch gives what its rows give one by one."""
    for label, made in _every_mode(cell):
        given = numbers(made)
        together = results(made, given)
        try:
            rows = [results(made, _row(given, b)) for b in range(BATCH_SIZE)]
        except Exception as error:  # a batch of rows ran, one row does not
            raise Failed(f"{label}, a batch of one row: {describe(error)}") from None
        per_row = batch_sized(together, made)
        joined = {
            name: torch.cat([row[name] for row in rows], dim=-2)
            if name in per_row
            else torch.stack([row[name] for row in rows]).sum(0)
            for name in together
        }
        expect_same(together, joined, EXACT, f"{label}, {BATCH_SIZE} rows at once")


def _every_mode(cell: CellSubject) -> Iterator[tuple[str, Cell]]:
    return (mode for form in cell.forms for mode in form.modes())


def _row(given: Numbers, b: int) -> Numbers:
    return Numbers(
        given.x[:, b : b + 1],
        tuple(each[b : b + 1] for each in given.state),
        tuple(each[..., b : b + 1, :] for each in given.upstream),
    )


@check("cell", "project: it must treat each step alone; and step: what it keeps must be in the state")
def streaming(cell: CellSubject) -> None:
    """Steps taken one at a time give what the whole sequence gives, and so do two pieces of it."""
    for form in cell.forms:
        stack = form.stack(num_layers=2)
        given = numbers(form.make())
        start = tuple(torch.stack([each, -each]) for each in given.state)
        with torch.no_grad():
            whole, final = stack(given.x, state=start)
            first, between = stack(given.x[:2], state=start)
            second, last = stack(given.x[2:], state=between)
            steps, state = [], start
            for x in given.x:
                output, state = stack.step(x, state)
                steps.append(output)
        expected = _named(whole, final)
        expect_same(_named(torch.stack(steps), state), expected, EXACT, f"{form.label}, step by step")
        expect_same(_named(torch.cat([first, second]), last), expected, EXACT, f"{form.label}, in two pieces")


def _named(output: Tensor, state: tuple[Tensor, ...]) -> dict[str, Tensor]:
    return {"output": output, **{f"state {k}": each for k, each in enumerate(state)}}


@check("cell", "project: it must not know where in the sequence a step stands")
def reverse(cell: CellSubject) -> None:
    """Reading backwards is reading the flipped sequence forwards."""
    for form in cell.forms:
        made = form.make()
        given = numbers(made)
        flipped = replace(given, x=given.x.flip(0), upstream=(given.upstream[0].flip(0), *given.upstream[1:]))
        forwards = results(made, flipped)
        expected = forwards | {name: forwards[name].flip(0) for name in ("output", "gradient of x")}
        backwards = results(made, given, reverse=True)
        expect_same(backwards, expected, EXACT, f"{form.label}, reverse")


@check("cell", "__init__: all that is learned or drawn must be an nn.Parameter or a registered buffer")
def save_load(cell: CellSubject) -> None:
    """A checkpoint read into another cell of the same options gives the same results."""
    for form in cell.forms:
        stack, other = form.stack(seed=0, bidirectional=True), form.stack(seed=1, bidirectional=True)
        saved_and_loaded(stack, other)
        x = numbers(form.make()).x
        with torch.no_grad():
            expected, got = stack(x), other(x)
        expect_same(_named(*got), _named(*expected), 0.0, f"{form.label}, after loading its checkpoint")


@check("cell", "reset_parameters and step: draw from torch's, numpy's or python's global generators only")
def seed(cell: CellSubject) -> None:
    """One seed gives one cell and one result, in training too."""
    for form in cell.forms:
        runs: list[dict[str, Tensor]] = []
        for _ in range(2):
            made = form.make().train()
            with seeded(3):
                given = numbers(made)
                runs.append({**dict(made.named_parameters()), **results(made, given)})
        expect_same(runs[1], runs[0], 0.0, f"{form.label}, made twice with one seed")


@check("cell", "tensors made in __init__, project or step: give them the dtype and device of what they meet")
def dtypes(cell: CellSubject) -> None:
    """Results have the parameters' dtype after .double(), .float() and, if the cell can, .bfloat16()."""
    without = []
    for form in cell.forms:
        _expect_no_default(form)
        exact = form.make()
        given = numbers(exact)
        expected = {k: v for k, v in results(exact, given).items() if not k.startswith("gradient")}
        for name in ("float64", "float32", "bfloat16"):
            precision = PRECISIONS[name]
            what = f"{form.label} in {name}"
            try:
                got = _in_precision(exact, precision.dtype)
            except RuntimeError as error:
                if name != "bfloat16":
                    raise Failed(f"{what}: {describe(error)}") from None
                without.append(form.label)
                continue
            _expect_dtype(got, precision.dtype, what)
            if name == "bfloat16" and not got["output"].isfinite().any():
                without.append(form.label)
                continue
            # The parameters are rounded here, in the expected values they are not; hence twice as much.
            expect_same(got, expected, 2 * precision.tolerance, what)
    if len(without) == len(cell.forms):
        raise Skipped("right in float64 and float32; bfloat16 it does not do")


def _expect_no_default(form: Form) -> None:
    """Raise `Failed` if a tensor of torch's default dtype meets those of the cell.

    Asked in float32 with a default of float64, and so of cells too that 16 bits are not for.
    """
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    what = f"{form.label} in float32, where torch's default dtype is float64"
    try:
        got = _in_precision(form.make(), torch.float32)
    except RuntimeError as error:
        raise Failed(f"{what}: {describe(error)}") from None
    finally:
        torch.set_default_dtype(before)
    _expect_dtype(got, torch.float32, what)


def _in_precision(exact: Cell, dtype: torch.dtype) -> dict[str, Tensor]:
    return results(copy.deepcopy(exact).to(dtype), in_dtype(numbers(exact), dtype))


def _expect_dtype(got: dict[str, Tensor], dtype: torch.dtype, what: str) -> None:
    odd = [f"{name} is {str(value.dtype)[6:]}" for name, value in got.items() if value.dtype != dtype]
    expect(not odd, f"{what}: {', '.join(odd)}")


def finite_at_large_inputs(form: Form) -> bool:
    """Whether the loop over the cell in float32 is finite for inputs of up to 100."""
    made = form.make().float()
    given = numbers(made, batch_size=16)
    placed = in_dtype(replace(given, x=given.x.sign() * 100), torch.float32)
    return all(bool(value.isfinite().all()) for value in results(made, placed).values())


@check(
    "cell", "step: an exp, a division or a product that overflows; write sigmoid(z), or subtract the largest"
)
def large_inputs(cell: CellSubject) -> None:
    """Inputs of up to 100 give finite results and gradients in float32."""
    for form in cell.forms:
        expect(finite_at_large_inputs(form), f"{form.label}: inputs of up to 100 give NaN or infinity")


CHECKS = (gradcheck, padding, batch, streaming, reverse, save_load, seed, dtypes, large_inputs)
