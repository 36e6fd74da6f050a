"""The check before a cell's others: it can be made, and one step gives what it declares."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any

import torch
from torch import Tensor

from rnnlab.errors import RnnlabError
from rnnlab.plugins.loading import beginning, describe
from rnnlab.recurrent.cell import Cell, Step
from rnnlab.testing.cells import BATCH_SIZE, INPUT_SIZE, SEQ_LEN, CellSubject, Form, numbers
from rnnlab.testing.check import Failed, check, expect

DECLARED = ("equations", "gates", "state")
"""The class attributes that say what a cell is."""


@check(
    "cell",
    "step, which returns Step((h,), (gate, ...)), in the order of the class attributes state and gates",
    needed="its step does not run",
)
def steps(cell: CellSubject) -> None:
    """It can be made, and one step gives a Step with the gates and states that it declares."""
    for form in cell.forms:
        try:
            _step_once(form)
        except Failed:
            if fault := misdeclared(cell.target):  # then that is why
                raise Failed(fault) from None
            raise


def misdeclared(target: type[Cell]) -> str:
    """What is wrong with the class attributes of a cell, in a line; "" if nothing is."""
    for name in ("gates", "state"):
        value = getattr(target, name)
        if isinstance(value, str):
            return f"{name} must be a tuple of names, got the text {value!r}; write {name} = ({value!r},)"
    for owner in target.__mro__[: target.__mro__.index(Cell)]:
        for name, value in vars(owner).items():
            near = get_close_matches(name.lower(), DECLARED, n=1, cutoff=0.8)
            if not hasattr(Cell, name) and near and near[0] not in vars(owner) and _is_names(value):
                return f"{owner.__name__}.{name} is nothing that a cell declares; did you mean {near[0]}?"
    return ""


def _is_names(value: object) -> bool:
    return isinstance(value, str) or (
        isinstance(value, tuple | list) and all(isinstance(each, str) for each in value)
    )


def _step_once(form: Form) -> None:
    name = form.target.__name__
    with _raising(
        f"{form.label}: {name}(input_size, hidden_size, config) cannot be made", form.target.__init__
    ):
        made = form.make()
    what = f"{form.label}: {name}"
    expect(made.state, f"{what}.state must name at least the hidden state, got ()")
    with _raising(f"{what}.state_sizes failed", made.state_sizes):
        sizes: Any = made.state_sizes()
    right = isinstance(sizes, tuple | list) and len(sizes) == len(made.state)
    names = f"{len(made.state)} state(s) {', '.join(made.state)}"
    expect(right, f"{what}.state_sizes() must give a width for each of the {names}, got {sizes}")
    given, terms = numbers(made), _Terms(made)
    with torch.no_grad():
        with _raising(f"{what}.project failed", made.project, f"given x [T, B, I]; {terms}"):
            projected: Any = made.project(given.x)
        shape = list(projected.shape) if isinstance(projected, Tensor) else type(projected).__name__
        expect(
            isinstance(projected, Tensor) and projected.dim() == 3 and shape[:2] == [SEQ_LEN, BATCH_SIZE],
            f"{what}.project must give [T, B, P] for x [T, B, I], got {shape}; {terms}",
        )
        states = ", ".join(
            f"{name} {terms.shape(each)}" for name, each in zip(made.state, given.state, strict=True)
        )
        had = f"given projected {terms.shape(projected[0])} and {states}; {terms}"
        with _raising(f"{what}.step failed", made.step, had):
            got: object = made.step(projected[0], given.state)
    _expect_declared(f"{what}.step", made, got, terms)


def _expect_declared(what: str, made: Cell, got: object, terms: _Terms) -> None:
    """Raise `Failed` unless `got` is a Step with each state in its shape, and as many gates as declared."""
    begins = beginning(made.step)
    place = f" ({begins})" if begins else ""
    wanted = f"{what} must return {_written(made)}"
    expect(isinstance(got, Step), f"{wanted}, got a {type(got).__name__} that is no Step{place}")
    assert isinstance(got, Step)
    for name, values, names in (("state", got.state, made.state), ("gates", got.gates, made.gates)):
        values: Any
        expect(isinstance(values, tuple | list), f"{wanted}, got {_bare(name, values)}{place}")
        odd = [type(each).__name__ for each in values if not isinstance(each, Tensor)]
        expect(not odd, f"{wanted}, got {', '.join(odd)} in its {name}{place}")
        expect(len(values) == len(names), f"{wanted}, got {len(values)} in its {name}{place}")
    for name, value, width in zip(made.state, got.state, made.state_sizes(), strict=True):
        expect(
            list(value.shape) == [BATCH_SIZE, width],
            f"{what}: the next {name} must be [B, {terms.symbol(width)}] as state_sizes() says, "
            f"got {terms.shape(value)}; {terms}{place}",
        )


def _written(made: Cell) -> str:
    """The Step as its author should write it."""
    state, gates = (f"({', '.join(names)}{',' * (len(names) == 1)})" for names in (made.state, made.gates))
    return f"Step({state}, {gates})" if made.gates else f"Step({state})"


def _bare(name: str, values: object) -> str:
    shape = f" {list(values.shape)}" if isinstance(values, Tensor) else ""
    return f"a {type(values).__name__}{shape} where the tuple of its {name} belongs"


class _Terms:
    """The sizes of a cell in its own terms: a gate's block has H rows."""

    def __init__(self, made: Cell) -> None:
        self._made, self._hidden_size = made, made.hidden_size

    def symbol(self, size: int) -> str:
        """16 as "2H" where H is 8."""
        blocks, rest = divmod(size, self._hidden_size)
        if rest or not blocks:
            return {BATCH_SIZE: "B", INPUT_SIZE: "I", SEQ_LEN: "T"}.get(size, str(size))
        return "H" if blocks == 1 else f"{blocks}H"

    def shape(self, value: Tensor) -> str:
        """As "[B, 2H]"."""
        return f"[{', '.join(map(self.symbol, value.shape))}]"

    def __str__(self) -> str:
        made = self._made
        gates = f"{len(made.gates)} gate(s) {', '.join(made.gates)}" if made.gates else "no gates"
        own = dict(made.named_parameters())
        weights = [f"{name} {self.shape(own[name])}" for name in ("weight_ih", "weight_hh") if name in own]
        sizes = f"B={BATCH_SIZE}, I={INPUT_SIZE}, H={self._hidden_size}"
        return f"{', '.join([gates, *weights])} ({sizes})"


@contextmanager
def _raising(doing: str, function: Any, terms: str = "") -> Iterator[None]:
    """Put an exception of the plugin in a line: what failed, its words, its place, the terms."""
    try:
        yield
    except Exception as error:
        if isinstance(error, RnnlabError):
            words = " ".join(str(error).split())
        else:
            words = describe(error, function)
        raise Failed(f"{doing}: {words}{f'; {terms}' if terms else ''}") from error


CHECKS = (steps,)
