"""A trial of a cell's step, before anything is trained with it."""

from __future__ import annotations

from collections.abc import Callable

import torch

from rnnlab.errors import InputError
from rnnlab.plugins.loading import describe
from rnnlab.plugins.registry import Registry
from rnnlab.plugins.spec import Spec
from rnnlab.recurrent.cell import Cell
from rnnlab.recurrent.loop import loop

ROWS, STEPS = 2, 2


def try_step(spec: Spec, registry: Registry, cell: Cell, input_size: int, make: Callable[[], Cell]) -> None:
    """Let a cell take two steps with a batch of zeros.

    Args:
        spec: its record.
        registry: where it is registered.
        cell: the cell, on the meta device perhaps, where a step costs nothing.
        input_size: width I of what it reads.
        make: makes another one. A step that fails is tried again with it on the CPU, as a step may ask for
            values, which tensors of the meta device have not.

    Raises:
        InputError: it does not step; with the author's line.
    """
    if _fault(cell, input_size) is None:
        return
    with torch.device("cpu"):
        fault = _fault(make(), input_size)
    if fault is not None:
        why = describe(fault, type(cell).step)
        check = registry.command(f"plugins check {spec.name}")
        raise InputError(f"cell {spec.name!r} does not step: {why}; see '{check}'") from fault


@torch.no_grad()
def _fault(cell: Cell, input_size: int) -> Exception | None:
    """What the cell's code raises while it reads zeros [T, B, I]."""
    like = next((each for each in cell.parameters() if each.is_floating_point()), torch.zeros(()))
    x = torch.zeros(STEPS, ROWS, input_size, device=like.device, dtype=like.dtype)
    state = tuple(x.new_zeros(ROWS, size) for size in cell.state_sizes())
    try:
        with torch.random.fork_rng(devices=[]):  # a cell that draws numbers leaves the run its own
            loop(cell, x, state)
    except Exception as error:
        return error
    return None
