"""Batches cut into pieces of some steps, each without the rows that have ended before it. For CPUs."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function

from rnnlab.api import State


class Way(NamedTuple):
    """How rows of one tensor move to another of `size` rows.

    Attributes:
        source: the row that each one comes from [size].
        blank: those that come from nowhere, and are zero.
    """

    source: Tensor
    blank: Tensor

    @classmethod
    def of(cls, size: int, place: Tensor, source: Tensor) -> Way:
        """The way by which row `source[n]` becomes row `place[n]`."""
        blank = torch.ones(size, dtype=torch.bool).index_fill_(0, place, False)
        whole = torch.zeros(size, dtype=torch.long).index_copy_(0, place, source)
        return cls(whole, blank.nonzero().squeeze(1))

    def move(self, x: Tensor) -> Tensor:
        """The rows of x [M, F] where they go [size, F]."""
        if not len(x):
            return x.new_zeros(len(self.source), x.shape[1])
        return x.index_select(0, self.source).index_fill_(0, self.blank, 0.0)


class Pieces(NamedTuple):
    """Where the valid steps of a batch [T, B] are in pieces that hold the longest rows first.

    A piece holds [its steps, its rows] without a gap, the pieces lie one after the other. Of their places in
    all, `total`, those that no step is at are padding.

    Attributes:
        heights: the steps of each piece. widths: its rows; never growing.
        rows: rows of the batch from the longest to the shortest [B].
        inward: the way of the T*B steps into the pieces. outward: the way back.
        last: the place of each row's last valid step [B]; of a row without one, 0.
    """

    heights: list[int]
    widths: list[int]
    rows: Tensor
    inward: Way
    outward: Way
    last: Tensor

    @property
    def areas(self) -> list[int]:
        """The places of each piece."""
        return [height * width for height, width in zip(self.heights, self.widths, strict=True)]

    @property
    def total(self) -> int:
        """Places in all."""
        return len(self.inward.source)

    def padding(self) -> Tensor:
        """Boolean [total, 1], True at padding."""
        return torch.zeros(self.total, 1, dtype=torch.bool).index_fill_(0, self.inward.blank, True)

    def gather(self, x: Tensor) -> Tensor:
        """x [T, B, F] as it lies in the pieces [total, F], zero at padding."""
        return _Move.apply(x.flatten(0, 1), self.inward, self.outward)

    def scatter(self, x: Tensor) -> Tensor:
        """What lies in the pieces [total, F] as [T, B, F], zero at padded steps."""
        return _Move.apply(x, self.outward, self.inward).unflatten(0, (-1, len(self.rows)))

    def scatter_with_last(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The same, and what each row has at its last valid step [B, F]."""
        steps, last = _MoveWithLast.apply(x, self.outward, self.inward, self.last)
        return steps.unflatten(0, (-1, len(self.rows))), last

    def sort(self, state: State) -> State:
        """Values of each row [B, S] in the order of `rows`."""
        return tuple(each.index_select(0, self.rows) for each in state)

    def unsort(self, state: State) -> State:
        """The way back from `sort`."""
        back = torch.empty_like(self.rows).index_copy_(0, self.rows, torch.arange(len(self.rows)))
        return tuple(each.index_select(0, back) for each in state)


def cut(
    lengths: Tensor, seq_len: int, size: int, reverse: bool, *, full: bool = False, narrowest: int = 0
) -> Pieces:
    """Cut a batch of rows of `lengths` [B], on a CPU, into pieces of `size` steps.

    Args:
        lengths: valid steps of each row; with 0 in all there is one piece, of padding.
        seq_len: T.
        size: steps of a piece. The last has no more than are left, unless it is to be `full`.
        reverse: whether rows are read backwards.
        full: see size.
        narrowest: rows that a piece has at least.
    """
    batch_size = len(lengths)
    ordered, rows = torch.sort(lengths, descending=True, stable=True)
    longest = int(ordered[0])
    valid = torch.arange(longest)[:, None] < ordered
    starts = torch.arange(0, max(longest, 1), size)
    heights = [size if full else min(size, longest - start) for start in starts.tolist()]
    counts = (starts[:, None] < ordered).sum(1).clamp(min=narrowest)
    areas = counts * torch.tensor(heights)
    before = areas.cumsum(0) - areas - starts * counts

    def place(step: Tensor, row: Tensor) -> Tensor:
        piece = step // size
        return before.index_select(0, piece) + step * counts.index_select(0, piece) + row

    step, row = valid.nonzero(as_tuple=True)
    inside = place(step, row)
    time = ordered.index_select(0, row) - 1 - step if reverse else step
    outside = time * batch_size + rows.index_select(0, row)
    last = torch.where(ordered > 0, place((ordered - 1).clamp(min=0), torch.arange(batch_size)), 0)
    return Pieces(
        heights,
        counts.tolist(),
        rows,
        inward=Way.of(int(areas.sum()), inside, outside),
        outward=Way.of(seq_len * batch_size, outside, inside),
        last=torch.empty_like(last).index_copy_(0, rows, last),
    )


class _Move(Function):
    """The rows of a tensor moved one way, their gradients the other."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, there: Way, back: Way) -> Tensor:
        ctx.there, ctx.back = there, back
        return there.move(x)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None, None]:
        return _Move.apply(grad_outputs[0], ctx.back, ctx.there), None, None


class _MoveWithLast(Function):
    """The same, and the rows `last` besides: their gradients are added where they belong, not to all."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, there: Way, back: Way, last: Tensor) -> tuple[Tensor, Tensor]:
        ctx.there, ctx.back, ctx.last = there, back, last
        return there.move(x), x.index_select(0, last)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None, None, None]:
        by_steps, by_last = grad_outputs
        moved = _Move.apply(by_steps, ctx.back, ctx.there)
        return moved.index_add_(0, ctx.last, by_last), None, None, None
