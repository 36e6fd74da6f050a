"""Batches cut into pieces of some steps, each without the rows that have ended before it. For CPUs."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function

from rnnlab.api import State


class Pieces(NamedTuple):
    """Where the N valid steps of a batch [T, B] are in pieces that hold the longest rows first.

    A piece holds [its steps, its rows] without a gap, the pieces lie one after the other: `total` places,
    of which those that are not in `place` are padding.

    Attributes:
        heights: the steps of each piece. widths: its rows; never growing.
        place: the place of each valid step in the pieces [N].
        source: its place among the T*B steps [N].
        rows: rows of the batch from the longest to the shortest [B].
    """

    heights: list[int]
    widths: list[int]
    place: Tensor
    source: Tensor
    rows: Tensor

    @property
    def areas(self) -> list[int]:
        """The places of each piece."""
        return [height * width for height, width in zip(self.heights, self.widths, strict=True)]

    @property
    def total(self) -> int:
        """Places in all."""
        return sum(self.areas)

    def padding(self) -> Tensor:
        """Boolean [total, 1], True at padding."""
        padding = torch.ones(self.total, 1, dtype=torch.bool)
        return padding.index_fill_(0, self.place, False)

    def gather(self, x: Tensor) -> Tensor:
        """x [T, B, F] as it lies in the pieces [total, F], zero at padding."""
        return _Move.apply(x.flatten(0, 1), self.source, self.place, self.total)

    def scatter(self, x: Tensor, seq_len: int) -> Tensor:
        """What lies in the pieces [total, F] as [T, B, F], zero at padded steps."""
        moved = _Move.apply(x, self.place, self.source, seq_len * len(self.rows))
        return moved.view(seq_len, len(self.rows), -1)

    def sort(self, state: State) -> State:
        """Values of each row [B, S] in the order of `rows`."""
        return tuple(each.index_select(0, self.rows) for each in state)

    def unsort(self, state: State) -> State:
        """The way back from `sort`."""
        back = torch.empty_like(self.rows).index_copy_(0, self.rows, torch.arange(len(self.rows)))
        return tuple(each.index_select(0, back) for each in state)


def cut(lengths: Tensor, size: int, reverse: bool, *, full: bool = False, narrowest: int = 0) -> Pieces:
    """Cut a batch of rows of `lengths` [B], on a CPU, into pieces of `size` steps.

    Args:
        lengths: valid steps of each row; with 0 in all there is one piece, of padding.
        size: steps of a piece. The last has no more than are left, unless it is to be `full`.
        reverse: whether rows are read backwards.
        full: see size.
        narrowest: rows that a piece has at least.
    """
    batch_size = len(lengths)
    ordered, rows = torch.sort(lengths.long(), descending=True, stable=True)
    longest = int(ordered[0])
    valid = torch.arange(longest)[:, None] < ordered
    starts = torch.arange(0, max(longest, 1), size)
    heights = [size if full else min(size, longest - start) for start in starts.tolist()]
    counts = (starts[:, None] < ordered).sum(1).clamp(min=narrowest)
    areas = counts * torch.tensor(heights)
    step, row = valid.nonzero(as_tuple=True)
    piece = step // size
    place = (areas.cumsum(0) - areas - starts * counts)[piece] + step * counts[piece] + row
    time = ordered[row] - 1 - step if reverse else step
    return Pieces(heights, counts.tolist(), place, time * batch_size + rows[row], rows)


class _Move(Function):
    """Rows `source` of x [M, F] at the rows `place` of a tensor [size, F], zero elsewhere; no row twice."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, source: Tensor, place: Tensor, size: int) -> Tensor:
        ctx.save_for_backward(source, place)
        ctx.rows = len(x)
        return x.new_zeros(size, x.shape[1]).index_copy_(0, place, x.index_select(0, source))

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None, None, None]:
        source, place = ctx.saved_tensors
        return _Move.apply(grad_outputs[0], place, source, ctx.rows), None, None, None
