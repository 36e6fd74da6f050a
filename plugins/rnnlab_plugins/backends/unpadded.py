"""A layer over the valid steps alone: rows sorted by length, a batch that shrinks, one autograd node.

A packed sequence holds its steps like this too, but to autograd it is T steps of several nodes each, with a
gradient of the weights at every step. Here backpropagation through time is written out (`bptt`). For CPUs;
without gradients PyTorch's own loop over packed steps is quicker.
"""

from __future__ import annotations

from collections.abc import Sequence as Many
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function

from rnnlab.api import Sequence, State
from rnnlab_plugins.backends.bptt import RECURRENCES
from rnnlab_plugins.backends.pieces import cut


class Layout(NamedTuple):
    """Where the N valid steps of a batch [T, B] are, first steps first, and longest rows first within a step.

    Attributes:
        counts: rows that have a step s, for s = 0, 1, ...; never growing, N in all.
        order: place of each valid step among the T*B steps [N].
        rows: rows from the longest to the shortest [B].
        before: place of the state before each valid step [N], in the initial states of `rows` followed by the
            states after the valid steps.
        last: place of each row's final state [B] among the same.
    """

    counts: list[int]
    order: Tensor
    rows: Tensor
    before: Tensor
    last: Tensor


def layout(lengths: Tensor, reverse: bool) -> Layout:
    """The layout of rows of `lengths` [B], on a CPU, read backwards if `reverse`."""
    batch_size = len(lengths)
    pieces = cut(lengths, 1, reverse)
    ordered, counts = lengths.long().index_select(0, pieces.rows), torch.tensor(pieces.widths)
    starts = counts.cumsum(0) - counts
    # The state before a row's step s is that after its step s - 1, which has the same place in that step.
    places = torch.arange(batch_size)
    previous = torch.cat([torch.zeros(1, dtype=torch.long), batch_size + starts[:-1]])
    final = torch.where(ordered > 0, batch_size + starts[(ordered - 1).clamp(min=0)], 0) + places
    return Layout(
        [count for count in pieces.widths if count],
        pieces.source,
        pieces.rows,
        (previous[:, None] + places)[torch.arange(len(counts))[:, None] < ordered],
        torch.empty_like(final).index_copy_(0, pieces.rows, final),
    )


Weights = tuple[Tensor, Tensor, Tensor | None, Tensor | None]
"""weight_ih [G*H, I], weight_hh [G*H, H], bias_ih and bias_hh [G*H]."""


def run(mode: str, x: Tensor, weights: Weights, state: State, place: Layout) -> Sequence:
    """Run one layer in the direction of `place`.

    Args:
        mode: "lstm", "gru", "rnn_tanh" or "rnn_relu".
        x: inputs [T, B, I].
        weights: the cell's.
        state: initial states [B, H].
        place: the layout of the batch.

    Returns:
        The output [T, B, H], zero where no step is valid, and the final states [B, H].
    """
    tensors = (x, *state, *(each for each in weights if each is not None))
    trained = torch.is_grad_enabled() and any(each.requires_grad for each in tensors)
    # Under autocast products come in another dtype than sums, which PyTorch's own loop sees to.
    if trained and not torch.is_autocast_enabled("cpu"):
        output, *final = _Run.apply(mode, place, x, *weights, *state)
        return Sequence(output, tuple(final))
    return _packed(mode, x, weights, state, place)


def _packed(mode: str, x: Tensor, weights: Weights, state: State, place: Layout) -> Sequence:
    """The same by PyTorch's own loop over packed steps."""
    steps = x.flatten(0, 1).index_select(0, place.order)
    initial = [each.index_select(0, place.rows) for each in state]
    if not place.counts:
        return Sequence(_spread(steps.new_empty(0, initial[0].shape[1]), place, x.shape), tuple(state))
    given = [each for each in weights if each is not None]
    first = [each[None, : place.counts[0]].contiguous() for each in initial]
    start = first if mode == "lstm" else first[0]
    function = getattr(torch, mode)
    counts = torch.tensor(place.counts)
    states, *ended = function(steps, counts, start, given, len(given) > 2, 1, 0.0, False, False)
    # Rows of no step end as they began, and are the last ones.
    back = torch.empty_like(place.rows).index_copy_(0, place.rows, torch.arange(len(place.rows)))
    final = (torch.cat([a[0], b[place.counts[0] :]]) for a, b in zip(ended, initial, strict=True))
    return Sequence(_spread(states, place, x.shape), tuple(each.index_select(0, back) for each in final))


def _spread(steps: Tensor, place: Layout, shape: torch.Size) -> Tensor:
    """Values of the valid steps [N, F] as [T, B, F], zero elsewhere; T and B lead `shape`."""
    whole = steps.new_zeros(shape[0] * shape[1], steps.shape[1])
    return whole.index_copy_(0, place.order, steps).view(*shape[:2], -1)


class _Run(Function):
    """All steps as one node of the graph. Of a second derivative PyTorch's own loop has the graph."""

    @staticmethod
    def forward(
        ctx: Any,
        mode: str,
        place: Layout,
        x: Tensor,
        weight_ih: Tensor,
        weight_hh: Tensor,
        bias_ih: Tensor | None,
        bias_hh: Tensor | None,
        *state: Tensor,
    ) -> tuple[Tensor, ...]:
        steps = x.flatten(0, 1).index_select(0, place.order)
        initial = [each.index_select(0, place.rows) for each in state]
        recurrence = RECURRENCES[mode]
        bias = bias_ih
        if bias_ih is not None and bias_hh is not None and not recurrence.two_sums:
            bias = bias_ih + bias_hh
        sums = steps @ weight_ih.t() if bias is None else torch.addmm(bias, steps, weight_ih.t())
        weight = weight_hh.t().contiguous()
        states, kept = recurrence.forward(sums, weight, bias_hh, initial, place.counts)
        ctx.mode, ctx.place, ctx.count = mode, place, len(state)
        ctx.save_for_backward(x, weight_ih, weight_hh, bias_ih, bias_hh, *state, *states, *kept)
        final = (torch.cat(pair).index_select(0, place.last) for pair in zip(initial, states, strict=True))
        return _spread(states[0], place, x.shape), *final

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:
        place: Layout = ctx.place
        x, weight_ih, weight_hh, bias_ih, bias_hh, *rest = ctx.saved_tensors
        state, states, kept = rest[: ctx.count], rest[ctx.count : 2 * ctx.count], rest[2 * ctx.count :]
        if torch.is_grad_enabled():
            return (
                None,
                None,
                *_differentiable(ctx, x, (weight_ih, weight_hh, bias_ih, bias_hh), state, gradients),
            )
        steps = x.flatten(0, 1).index_select(0, place.order)
        initial = [each.index_select(0, place.rows) for each in state]
        before = [torch.cat(pair).index_select(0, place.before) for pair in zip(initial, states, strict=True)]
        d_output = gradients[0].flatten(0, 1).index_select(0, place.order)
        # Of each row the gradients of its final states, until the loop comes to its last step; then those of
        # the states before the step the loop is at.
        d_state = [each.index_select(0, place.rows) for each in gradients[1:]]
        recurrence = RECURRENCES[ctx.mode]
        d_input, d_hidden = recurrence.backward(
            d_output, d_state, weight_hh, before, states, kept, place.counts
        )
        d_x = _spread(d_input @ weight_ih, place, x.shape) if ctx.needs_input_grad[2] else None
        d_bias_ih = None if bias_ih is None else d_input.sum(0)
        d_bias_hh = None if bias_hh is None else d_hidden.sum(0) if recurrence.two_sums else d_bias_ih
        d_initial = (torch.empty_like(each).index_copy_(0, place.rows, each) for each in d_state)
        d_weights = (d_input.t() @ steps, d_hidden.t() @ before[0], d_bias_ih, d_bias_hh)
        return None, None, d_x, *d_weights, *d_initial


def _differentiable(
    ctx: Any, x: Tensor, weights: Weights, state: Many[Tensor], gradients: Many[Tensor]
) -> list[Tensor | None]:
    """The gradients of x, the weights and the states, which can be differentiated again."""
    needed = ctx.needs_input_grad[2:]
    given = [each if need else None for each, need in zip((x, *weights, *state), needed, strict=True)]
    output, final = _packed(ctx.mode, x, weights, tuple(state), ctx.place)
    # Of no valid step at all nothing but the states has a graph.
    reached = [pair for pair in zip((output, *final), gradients, strict=True) if pair[0].requires_grad]
    if not reached:
        return [None if each is None else torch.zeros_like(each) for each in given]
    values, upstream = zip(*reached, strict=True)
    asked = [each for each in given if each is not None]
    found = iter(
        torch.autograd.grad(
            values, asked, upstream, create_graph=True, allow_unused=True, materialize_grads=True
        )
    )
    return [None if each is None else next(found) for each in given]
