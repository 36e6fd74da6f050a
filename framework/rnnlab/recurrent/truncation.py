"""Truncated backpropagation through time."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from rnnlab.recurrent.backend import Sequence
from rnnlab.recurrent.cell import Cell, State

Run = Callable[..., Sequence]
"""`Backend.run`, or `rnnlab.recurrent.loop.loop`."""


def truncated(run: Run, steps: int) -> Run:
    """`run` in pieces of `steps` time steps; the state goes from piece to piece without its gradient.

    So a loss at step t reaches back to the first step of t's piece and no further (Williams and Peng 1990,
    with pieces that do not overlap). A row that has ended keeps the gradient of its final state.
    """

    def run_pieces(
        cell: Cell, x: Tensor, state: State, lengths: Tensor | None = None, reverse: bool = False
    ) -> Sequence:
        if reverse:
            raise ValueError("a sequence that is read backwards cannot be truncated")
        outputs: list[Tensor] = []
        for start in range(0, len(x), steps):
            if start:
                state = cut(state, None if lengths is None else lengths <= start)
            piece = x[start : start + steps]
            left = None if lengths is None else (lengths - start).clamp(0, len(piece))
            output, state = run(cell, piece, state, left)
            outputs.append(output)
        return Sequence(torch.cat(outputs), state)

    return run_pieces


def cut(state: State, ended: Tensor | None = None) -> State:
    """The state without its gradient, but for the rows that have `ended`, boolean [B]."""
    if ended is None:
        return tuple(tensor.detach() for tensor in state)
    return tuple(torch.where(ended[:, None], tensor, tensor.detach()) for tensor in state)
