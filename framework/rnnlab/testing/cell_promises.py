"""The checks of what a cell says of itself, and of the backends that believe it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rnnlab.config.section import CellConfig, Section
from rnnlab.config.wording import plain_default
from rnnlab.recurrent.cell import Cell
from rnnlab.recurrent.loop import loop
from rnnlab.testing.cell_checks import finite_at_large_inputs
from rnnlab.testing.cell_step import misdeclared
from rnnlab.testing.cells import (
    BATCH_SIZE,
    EXACT,
    INPUT_SIZE,
    SEQ_LEN,
    CellSubject,
    Form,
    nudged,
    numbers,
    results,
    seeded,
)
from rnnlab.testing.check import Failed, Skipped, check, expect, expect_same
from rnnlab.verification.combinations import Combination, Variant, variants
from rnnlab.verification.precision import PRECISIONS
from rnnlab.verification.verify import verify


@check("cell", "the class attributes gates and state, and the gates that step shows")
def declarations(cell: CellSubject) -> None:
    """Its gates and states have names of their own, each gate is as wide as the cell, each state is read."""
    fault = misdeclared(cell.target)
    expect(not fault, fault)
    for form in cell.forms:
        made = form.make()
        names = (*made.gates, *made.state)
        odd = [name for name in names if not (isinstance(name, str) and name.isidentifier())]
        expect(not odd, f"{form.label}: gates and states are names of letters and digits, got {odd}")
        expect(len(set(names)) == len(names), f"{form.label}: a gate or a state is named twice: {names}")
        given = numbers(made)
        gates = made.step(made.project(given.x)[0], given.state).gates
        for name, value in zip(made.gates, gates, strict=True):
            expect(
                list(value.shape) == [BATCH_SIZE, made.hidden_size],
                f"{form.label}: {name} must be [{BATCH_SIZE}, {made.hidden_size}], got {list(value.shape)}",
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
        made = nudged(form.make()).train()
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
    rows = _BLOCKS[made.equations] * made.hidden_size
    shapes = {"weight_ih": [rows, INPUT_SIZE], "weight_hh": [rows, made.hidden_size]}
    has_bias = made.bias_ih is not None or made.bias_hh is not None
    shapes |= {"bias_ih": [rows], "bias_hh": [rows]} if has_bias else {}
    got = {name: list(each.shape) for name, each in made.named_parameters()}
    expect(got == shapes, f"{form.label}: {made.equations!r} has the parameters {shapes}, got {got}")
    nudged(made)
    with torch.no_grad():
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
    forms = {form.label: form for form in cell.forms}
    steady = {label: finite_at_large_inputs(form) for label, form in forms.items()}
    for variant in _variants(cell):
        size = forms[variant.label].hidden_size(at_least=16) if variant.label in forms else 16
        for backend in (each for each in cell.registry.specs("backend") if not each.prepares):
            for name in ("float32",) if variant.options else ("float64", "float32"):
                combination = Combination(variant, backend, "cpu", PRECISIONS[name])
                verdict = verify(combination, cell.registry, hidden_sizes=(size,))
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
    form = cell.forms[0]
    size, own = form.hidden_size(), {name for name, _ in form.make().named_parameters()}
    before = _fingerprint(cell, first, size)
    for name in model.model_fields:
        others = _others(cell, first, name)
        # A cell cannot remove an option of every cell; without such parameters it has no use for it.
        usable = name not in CellConfig.model_fields or any(name in parameter for parameter in own)
        if not others or not usable:
            continue
        changed = any(_refused_or_fingerprint(cell, section, size) != before for section in others)
        tried = ", ".join(str(getattr(section, name)) for section in others)
        expect(changed, f"option {name} changes nothing: {getattr(first, name)} gives what {tried} gives")


def _others(cell: CellSubject, first: Section, name: str) -> list[Section]:
    """Sections that differ in one option from `first` and each other; none if no other value is known."""
    value, model = getattr(first, name), type(first)
    choices = [each.options[name] for each in variants(cell.registry, cell.spec) if name in each.options]
    default = None if model.model_fields[name].is_required() else plain_default(model, name)
    known: list[Any] = [*choices, default, 0.5, 2.0, 1, 2, 3, 4, 0.1]
    if isinstance(value, int | float) and not isinstance(value, bool):
        known += [value * 2, value / 2, value + 1]
    found: list[Section] = []
    for other in known:
        if other is None:
            continue
        try:
            section = model.model_validate(cell.given | {name: other})
        except ValueError:
            continue
        if getattr(section, name) not in (value, *(getattr(each, name) for each in found)):
            found.append(section)
    return found


def _refused_or_fingerprint(cell: CellSubject, section: Section, size: int) -> object:
    """As `_fingerprint`; a value that the cell refuses changes something too."""
    try:
        return _fingerprint(cell, section, size)
    except Exception as refusal:
        return str(refusal)


def _fingerprint(subject: CellSubject, section: Section, size: int) -> object:
    """All that an option could change."""
    with seeded(0):
        cell = subject.target(INPUT_SIZE, size, section).double()
    named: dict[str, Tensor] = dict(nn.Module.state_dict(cell))
    for train in (False, True):
        with seeded(0):
            given = numbers(cell.train(train), SEQ_LEN)
            named |= {f"{name} {train}": value for name, value in results(cell, given).items()}
    return tuple(
        (name, tuple(value.shape), value.detach().numpy().tobytes()) for name, value in named.items()
    )


CHECKS = (declarations, parameters, equations, backends, options)
