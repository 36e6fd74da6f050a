"""The loop over `Cell.step`: the definition of what every backend must give."""

from __future__ import annotations

import torch
from torch import Tensor

from rnnlab.recurrent.backend import Sequence
from rnnlab.recurrent.cell import Cell, State, Step


def loop(
    cell: Cell, x: Tensor, state: State, lengths: Tensor | None = None, reverse: bool = False
) -> Sequence:
    """Run `cell` over `x`, one step after the other.

    Steps at and after a row's length change nothing: the output is zero there, the state stands still, and
    no gradient flows through them, whatever the padding holds.

    Args:
        cell: any cell.
        x: inputs [T, B, I], T >= 1.
        state: initial state, each [B, S].
        lengths: valid steps per row [B], integer, on x's device, 0..T; None means T for every row.
        reverse: read each row from its last valid step to its first; outputs stay in place.

    Raises:
        TypeError, ValueError: `step` returned something else than the cell's states and gates.
    """
    steps, final = _run(cell, x, state, lengths, reverse)
    return Sequence(_over_time([step.state[0] for step in steps], lengths), final)


def trace(
    cell: Cell, x: Tensor, state: State, lengths: Tensor | None = None, reverse: bool = False
) -> tuple[Sequence, dict[str, Tensor]]:
    """Run `cell` as `loop` does, and keep what it shows.

    Returns:
        What `loop` gives, and name -> [T, B, H] for each of the cell's gates and state tensors (a state is
        [T, B, S]), zero at and after each row's length.
    """
    steps, final = _run(cell, x, state, lengths, reverse)
    shown = {
        name: _over_time(values, lengths)
        for names, columns in (
            (cell.gates, zip(*(step.gates for step in steps), strict=True)),
            (cell.state, zip(*(step.state for step in steps), strict=True)),
        )
        for name, values in zip(names, columns, strict=True)
    }
    return Sequence(shown[cell.state[0]], final), shown


def _run(
    cell: Cell, x: Tensor, state: State, lengths: Tensor | None, reverse: bool
) -> tuple[list[Step], State]:
    """The steps in the order of the sequence, valid or not, and the final state."""
    valid = _valid(len(x), lengths)
    if valid is not None:
        # Before the GEMM: a NaN in the padding times a gradient of zero would be NaN in weight_ih's gradient.
        x = torch.where(valid, x, 0.0)
    # Unbinding, not indexing: the gradient of an index is as large as the whole sequence, at every step.
    projected = cell.project(x).unbind(0)
    steps: list[Step] = []
    times = range(len(x))
    for t in reversed(times) if reverse else times:
        step = cell.step(projected[t], state)
        if not steps:
            _check(cell, step, state)
        steps.append(step)
        if valid is None:
            state = step.state
        else:
            state = tuple(torch.where(valid[t], new, old) for new, old in zip(step.state, state, strict=True))
    return steps[::-1] if reverse else steps, state


def _check(cell: Cell, step: Step, state: State) -> None:
    """Tell a cell's author, at the first step, what is wrong with what `step` returned."""
    name = f"{type(cell).__name__}.step"
    if not isinstance(step, Step):
        raise TypeError(f"{name}: expected a rnnlab.api.Step, got {type(step).__name__}")
    expected, got = [tuple(old.shape) for old in state], [tuple(new.shape) for new in step.state]
    if got != expected:
        raise ValueError(f"{name}: expected the next {', '.join(cell.state)} of shape {expected}, got {got}")
    if len(step.gates) != len(cell.gates):
        raise ValueError(f"{name}: expected gates {cell.gates}, got {len(step.gates)} of them")


def _over_time(values: list[Tensor] | tuple[Tensor, ...], lengths: Tensor | None) -> Tensor:
    """T tensors [B, S] as one [T, B, S], zero at and after each row's length."""
    stacked = torch.stack(list(values))
    valid = _valid(len(stacked), lengths)
    return stacked if valid is None else torch.where(valid, stacked, 0.0)


def _valid(seq_len: int, lengths: Tensor | None) -> Tensor | None:
    """Which steps a row has, boolean [T, B, 1]; None if every row has them all."""
    if lengths is None:
        return None
    return (torch.arange(seq_len, device=lengths.device)[:, None] < lengths)[..., None]
