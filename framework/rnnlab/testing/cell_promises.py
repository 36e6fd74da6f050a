"""The checks of what a cell says of itself, and of the backends that believe it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rnnlab.config.section import Section
from rnnlab.config.wording import plain_default
from rnnlab.recurrent.cell import Cell
from rnnlab.recurrent.loop import loop
from rnnlab.testing.cell_checks import finite_at_large_inputs
from rnnlab.testing.cells import (
    BATCH_SIZE,
    EXACT,
    HIDDEN_SIZE,
    INPUT_SIZE,
    SEQ_LEN,
    CellSubject,
    Form,
    numbers,
    results,
    seeded,
)
from rnnlab.testing.check import Failed, Skipped, check, expect, expect_same
from rnnlab.verification.combinations import Combination, Variant, variants
from rnnlab.verification.precision import PRECISIONS
from rnnlab.verification.verify import verify


@check("cell", "the class attributes gates and state, state_sizes(), and the Step that step returns")
def declarations(cell: CellSubject) -> None:
    """Its step gives the gates and states that it declares, in shape and number, and reads each state."""
    for form in cell.forms:
        made = form.make()
        names = (*made.gates, *made.state)
        odd = [name for name in names if not (isinstance(name, str) and name.isidentifier())]
        expect(not odd, f"{form.label}: gates and states are names of letters and digits, got {odd}")
        expect(len(set(names)) == len(names), f"{form.label}: a gate or a state is named twice: {names}")
        expect(made.state, f"{form.label}: state must name at least the hidden state, got ()")
        expect(
            len(made.state_sizes()) == len(made.state),
            f"{form.label}: state_sizes() gives {made.state_sizes()} for the states {made.state}",
        )
        given = numbers(made)
        step = made.step(made.project(given.x)[0], given.state)
        shapes = dict(zip(names, (*step.gates, *step.state), strict=True))
        widths = (*[HIDDEN_SIZE] * len(made.gates), *made.state_sizes())
        for (name, value), width in zip(shapes.items(), widths, strict=True):
            expect(
                list(value.shape) == [BATCH_SIZE, width],
                f"{form.label}: {name} must be [{BATCH_SIZE}, {width}], got {list(value.shape)}",
            )
        found = results(made, given)
        for name in made.state:
            expect(
                bool(found[f"gradient of {name}_0"].any()),
                f"{form.label}: nothing depends on the initial {name!r}; read it, or do not declare it",
            )


@check("cell", "__init__ and step: use the parameter, or do not make it")
def parameters(cell: CellSubject) -> None:
    """Every parameter has a part in the result: its gradient is not zero."""
    for form in cell.forms:
        made = form.make().train()
        found = results(made, numbers(made, batch_size=8))
        idle = [name for name, each in made.named_parameters() if each.requires_grad]
        idle = [name for name in idle if not found[f"gradient of {name}"].any()]
        expect(not idle, f"{form.label}: nothing depends on {', '.join(idle)}")


@check("cell", 'step beside the equations that it promises; or write equations = "", which promises none')
def equations(cell: CellSubject) -> None:
    """The equations that it promises are the ones it computes, with the parameters they have in PyTorch."""
    asked = [(form, form.make()) for form in cell.forms]
    promised = [made.equations for _, made in asked if made.equations]
    if not promised:
        raise Skipped("it promises no equations")
    for form, made in asked:
        if made.equations and made.equations not in _BLOCKS:
            known = ", ".join(map(repr, _BLOCKS))
            raise Skipped(f"{made.equations!r} has no definition here beside the cell's own; {known} have")
        if made.equations:
            _check_equations(form, made)


_BLOCKS = {"rnn": 1, "lstm": 4, "gru": 3}
"""Equations -> gates."""


def _check_equations(form: Form, made: Cell) -> None:
    rows = _BLOCKS[made.equations] * HIDDEN_SIZE
    shapes = {"weight_ih": [rows, INPUT_SIZE], "weight_hh": [rows, HIDDEN_SIZE]}
    has_bias = made.bias_ih is not None or made.bias_hh is not None
    shapes |= {"bias_ih": [rows], "bias_hh": [rows]} if has_bias else {}
    got = {name: list(each.shape) for name, each in made.named_parameters()}
    expect(got == shapes, f"{form.label}: {made.equations!r} has the parameters {shapes}, got {got}")
    with torch.no_grad():
        for parameter in made.parameters():  # a bias that starts at zero would hide that it is left out
            parameter += torch.linspace(-0.3, 0.3, parameter.numel(), dtype=parameter.dtype).view_as(
                parameter
            )
        given = numbers(made)
        output, state = loop(made, given.x, given.state)
        expected, final = _by_pytorch(made, given.x, given.state)
    named = {"output": output, **dict(zip(made.state, state, strict=True))}
    expect(len(state) == len(final), f"{form.label}: {made.equations!r} has {len(final)} state(s)")
    right = {"output": expected, **dict(zip(made.state, final, strict=True))}
    expect_same(named, right, EXACT, f"{form.label} against PyTorch's {made.equations!r}")


def _by_pytorch(made: Cell, x: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The equations by PyTorch's own cells, which share no code with `made`."""
    biases = (made.bias_ih, made.bias_hh)
    outputs = []
    for x_t in x:
        if made.equations == "lstm":
            state = torch.lstm_cell(x_t, state, made.weight_ih, made.weight_hh, *biases)
        elif made.equations == "gru":
            state = (torch.gru_cell(x_t, state[0], made.weight_ih, made.weight_hh, *biases),)
        else:
            f = getattr(torch, getattr(made.config, "nonlinearity", "tanh"))
            z = F.linear(x_t, made.weight_ih, biases[0]) + F.linear(state[0], made.weight_hh, biases[1])
            state = (f(z),)
        outputs.append(state[0])
    return torch.stack(outputs), state


@check(
    "cell", "'rnnlab verify --cell NAME'; what the backend reads of the cell: equations, parameters, options"
)
def backends(cell: CellSubject) -> None:
    """Each backend that supports the cell, and prepares nothing, gives what the loop over its step gives."""
    try:
        equations.ask(cell)
    except Failed:
        raise Skipped("the equations it promises are not its own, and backends believe them") from None
    except Skipped:
        pass
    steady = {form.label: finite_at_large_inputs(form) for form in cell.forms}
    for variant in _variants(cell):
        for backend in (each for each in cell.registry.specs("backend") if not each.prepares):
            for name in ("float32",) if variant.options else ("float64", "float32"):
                combination = Combination(variant, backend, "cpu", PRECISIONS[name])
                verdict = verify(combination, cell.registry, hidden_sizes=(16,))
                overflows = not steady.get(variant.label, True) and verdict.where.startswith("large inputs")
                expect(
                    verdict.result != "wrong" or overflows,
                    f"{variant.label} on {backend.name} in {name}: {verdict.where}",
                )


def _variants(cell: CellSubject) -> Iterator[Variant]:
    for variant in variants(cell.registry, cell.spec):
        if not set(variant.options) & set(cell.given):
            yield Variant(cell.spec, {**cell.given, **variant.options})


@check("cell", "where the option is read in __init__, reset_parameters, project or step; or remove it")
def options(cell: CellSubject) -> None:
    """Every option changes something: parameters, where they start, or results."""
    model, first = cell.registry.config_model(cell.spec), cell.section
    before = _fingerprint(Form("", first, cell.target))
    for name in model.model_fields:
        others = list(_others(cell, first, name))
        if not others:
            continue
        changed = any(_fingerprint(Form("", section, cell.target)) != before for section in others)
        tried = ", ".join(str(getattr(section, name)) for section in others)
        expect(changed, f"option {name} changes nothing: {getattr(first, name)} gives what {tried} gives")


def _others(cell: CellSubject, first: Section, name: str) -> Iterator[Section]:
    """Sections that differ from `first` in one option; none if no other value of it is known to be valid."""
    value, model = getattr(first, name), type(first)
    choices = [each.options[name] for each in variants(cell.registry, cell.spec) if name in each.options]
    default = None if model.model_fields[name].is_required() else plain_default(model, name)
    known: list[Any] = [*choices, default, 0.5, 2.0, 1, 2, 3, 4, 0.1]
    if isinstance(value, int | float) and not isinstance(value, bool):
        known += [value * 2, value / 2, value + 1]
    for other in known:
        if other == value or other is None:
            continue
        try:
            section = model.model_validate(cell.given | {name: other})
        except ValueError:
            continue
        if getattr(section, name) != value:
            yield section


def _fingerprint(form: Form) -> object:
    """All that an option could change; an error that the cell raises is a change too."""
    with seeded(0):
        try:
            cell = form.target(INPUT_SIZE, HIDDEN_SIZE, form.section).double()
        except Exception as refusal:
            return str(refusal)
    named: dict[str, Tensor] = dict(nn.Module.state_dict(cell))
    for train in (False, True):
        with seeded(0):
            given = numbers(cell.train(train), SEQ_LEN)
            named |= {f"{name} {train}": value for name, value in results(cell, given).items()}
    return tuple(
        (name, tuple(value.shape), value.detach().numpy().tobytes()) for name, value in named.items()
    )


CHECKS = (declarations, parameters, equations, backends, options)
