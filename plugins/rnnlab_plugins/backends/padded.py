"""PyTorch's own recurrent functions over whole batches, with the state held still at padded steps.

Every row runs to the end of the batch, or of a piece of it: rows sorted by length let later pieces leave out
those that have ended.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from rnnlab.api import Cell, Sequence, State
from rnnlab_plugins.backends.pieces import cut

HOLDS = {
    # i shut and f open: c stands still.
    "lstm": (-1, 1, 0, 0),
    # z open: h stands still, and what n is does not matter.
    "gru": (0, 1, 0),
    # h is zero, and so cannot grow without bound through the padding; the h of tanh is bounded as it is.
    "rnn_relu": (-1,),
}
"""Mode -> which gates are shut (-1) or opened (1) at padded steps."""

CUT_COST = 6e6
"""What cutting costs at all, in multiplications by weights: 0.6 ms on one core, forwards and backwards. On
several threads it stays, while the multiplications are shared."""
PIECE_COST = 3e6
"""What each piece costs: 0.3 ms."""
MOST_PIECES = 6
"""More save little: rows of lengths spread evenly have half of their steps valid, and 6 pieces run 7/12. On
several threads fewer, of which each has rows enough for all of them."""


def mode_of(cell: Cell) -> str:
    """What nn.RNNBase calls mode, in small letters: "lstm", "gru", "rnn_tanh", "rnn_relu"."""
    if cell.equations in ("lstm", "gru"):
        return cell.equations
    return f"rnn_{getattr(cell.config, 'nonlinearity', None)}"


def run(cell: Cell, x: Tensor, state: State, lengths: Tensor, reverse: bool) -> Sequence:
    """Run `cell` as `Backend.run` says, over rows of unequal length."""
    seq_len = len(x)
    count = piece_count(lengths, seq_len, cell.weight_ih.numel() + cell.weight_hh.numel())
    if count > 1:
        output, last, final = _in_pieces(cell, x, state, lengths, reverse, count)
    else:
        output, last, final = _in_one(cell, x, state, lengths, reverse)
    return Sequence(output, (torch.where((lengths > 0)[:, None], last, state[0]), *final[1:]))


def fused(cell: Cell, weight_ih: Tensor, x: Tensor, state: State) -> Sequence:
    """Run one layer forwards over all T steps of x [T, B, I], with `weight_ih` in place of the cell's own."""
    mode = mode_of(cell)
    biases = [bias for bias in (cell.bias_ih, cell.bias_hh) if bias is not None]
    weights = [weight_ih, cell.weight_hh, *biases]
    initial = [tensor[None].contiguous() for tensor in state]
    # What the backward pass needs is kept only if there will be one; cuDNN calls that training.
    train = torch.is_grad_enabled()
    first = initial if mode == "lstm" else initial[0]
    output, *final = getattr(torch, mode)(x, first, weights, bool(biases), 1, 0.0, train, False, False)
    return Sequence(output, tuple(tensor.squeeze(0) for tensor in final))


def piece_count(lengths: Tensor, seq_len: int, weights: int) -> int:
    """Into how many pieces of equal length to cut a batch, by what they save and what they cost.

    Args:
        lengths: of the rows [B].
        seq_len: T.
        weights: entries of the cell's weights, each multiplied once a step and row.
    """
    # A GPU's lengths are not asked: the host would wait. Half of the work is what pieces may save, roughly.
    if lengths.is_cuda or len(lengths) * seq_len * weights < 2 * CUT_COST or not lengths.any():
        return 1
    threads = torch.get_num_threads()

    def cost(count: int) -> float:
        if count == 1:
            return seq_len * len(lengths) * weights + PIECE_COST * threads
        size = -(-seq_len // count)
        run = size * int((-(-lengths // size)).sum())
        return run * weights + (CUT_COST + count * PIECE_COST) * threads

    return min(range(1, min(MOST_PIECES // threads, seq_len) + 1), key=cost, default=1)


def _in_one(
    cell: Cell, x: Tensor, state: State, lengths: Tensor, reverse: bool
) -> tuple[Tensor, Tensor, State]:
    """Run over all rows to the end of the batch.

    Returns:
        The output [T, B, H], zero at padded steps, what it is at each row's last valid step [B, H], and the
        final states, of which the first is not to be used.
    """
    seq_len, batch_size, _ = x.shape
    steps, rows = (torch.arange(size, device=x.device) for size in (seq_len, batch_size))
    steps = steps[:, None]
    valid = steps < lengths
    # Reading a row backwards is reading it forwards with its valid steps in the opposite order.
    flipped = (torch.where(valid, lengths - 1 - steps, steps) * batch_size + rows).flatten()
    x = torch.where(valid[..., None], x, 0.0)
    x = _permuted(x, flipped) if reverse else x
    output, final = fused(cell, *_held(cell, x, ~valid[..., None]), state)
    output = torch.where(valid[..., None], output, 0.0)
    last = output[(lengths - 1).clamp(min=0), rows]
    return _permuted(output, flipped) if reverse else output, last, final


def _in_pieces(
    cell: Cell, x: Tensor, state: State, lengths: Tensor, reverse: bool, count: int
) -> tuple[Tensor, Tensor, State]:
    """Run over rows from the longest to the shortest, each piece without the rows that ended before it.

    Returns:
        As `_in_one`.
    """
    pieces = cut(lengths, len(x), -(-int(lengths.max()) // count), reverse)
    weight_ih, held = _held(cell, pieces.gather(x), pieces.padding())
    state = pieces.sort(state)
    outputs: list[Tensor] = []
    ended: list[State] = []
    parts = zip(held.split(pieces.areas), pieces.heights, pieces.widths, strict=True)
    for part, height, width in parts:
        going, over = zip(*(each.split([width, len(each) - width]) for each in state), strict=True)
        ended.append(over)
        output, state = fused(cell, weight_ih, part.view(height, width, -1), going)
        outputs.append(output.flatten(0, 1))
    final = tuple(torch.cat(each) for each in zip(state, *reversed(ended), strict=True))
    output, last = pieces.scatter_with_last(torch.cat(outputs))
    return output, last, pieces.unsort(final)


def _held(cell: Cell, x: Tensor, padding: Tensor) -> tuple[Tensor, Tensor]:
    """Give the cell one more input, 1 at padded steps, that holds the state there if the mode needs it.

    Args:
        cell: the cell, for its `weight_ih` [G*H, I].
        x: inputs [..., I].
        padding: boolean [..., 1], True at padded steps.

    Returns:
        `weight_ih` [G*H, I+1] and `x` [..., I+1], or both as they were.
    """
    weight, mode = cell.weight_ih, mode_of(cell)
    if mode not in HOLDS:
        return weight, x
    # So large that a gate is exactly 0 or 1 and its gradient exactly 0, whatever its other inputs; and so
    # small that its product with a gradient does not overflow.
    large = math.sqrt(torch.finfo(weight.dtype).max)
    holds = [weight.new_full((cell.hidden_size, 1), sign * large) for sign in HOLDS[mode]]
    return torch.cat([weight, torch.cat(holds)], dim=1), torch.cat([x, padding.to(x.dtype)], dim=-1)


def _permuted(x: Tensor, order: Tensor) -> Tensor:
    """The steps of x [T, B, F] in an order [T*B] that is its own inverse."""
    return _Permutation.apply(x.flatten(0, 1), order).view_as(x)


class _Permutation(Function):
    """Reorder the rows of x [M, F] by a permutation that is its own inverse, so is its gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, order: Tensor) -> Tensor:
        ctx.save_for_backward(order)
        return x.index_select(0, order)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None]:
        (order,) = ctx.saved_tensors
        return _Permutation.apply(grad_outputs[0], order), None
