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
from rnnlab_plugins.backends.pieces import Way


class Layout(NamedTuple):
    """Where the N valid steps of a batch [T, B] are, first steps first, and longest rows first within a step.

    Attributes:
        counts: rows that have a step s, for s = 0, 1, ...; never growing, N in all.
        order: place of each valid step among the T*B steps [N].
        spread: the way there.
        rows: rows from the longest to the shortest [B].
        before: place of the state before each valid step [N], in the initial states of `rows` followed by the
            states after the valid steps.
        last: place of each row's final state [B] among the same.
    """

    counts: list[int]
    order: Tensor
    spread: Way
    rows: Tensor
    before: Tensor
    last: Tensor


def layout(lengths: Tensor, seq_len: int, reverse: bool) -> Layout:
    """The layout of rows of `lengths` [B] on a CPU, T being `seq_len`, read backwards if `reverse`."""
    batch_size = len(lengths)
    ordered, rows = torch.sort(lengths, descending=True, stable=True)
    valid = torch.arange(int(ordered[0]))[:, None] < ordered
    step, place = valid.nonzero(as_tuple=True)
    counts = valid.sum(1).tolist()
    widths = torch.tensor([batch_size, *counts])
    # Where the states after so many steps begin.
    after = widths.cumsum(0) - widths
    final = after.index_select(0, ordered) + torch.arange(batch_size)
    time = ordered.index_select(0, place) - 1 - step if reverse else step
    order = time * batch_size + rows.index_select(0, place)
    return Layout(
        counts,
        order,
        spread=Way.of(seq_len * batch_size, order, torch.arange(len(order))),
        rows=rows,
        before=after.index_select(0, step) + place,
        last=torch.empty_like(final).index_copy_(0, rows, final),
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
        return Sequence(output.view(*x.shape[:2], -1), tuple(final))
    return _packed(mode, x, weights, state, place)


def _packed(mode: str, x: Tensor, weights: Weights, state: State, place: Layout) -> Sequence:
    """The same by PyTorch's own loop over packed steps."""
    steps = x.flatten(0, 1).index_select(0, place.order)
    initial = [each.index_select(0, place.rows) for each in state]
    if not place.counts:
        return Sequence(x.new_zeros(*x.shape[:2], state[0].shape[1]), tuple(each.clone() for each in state))
    given = [each for each in weights if each is not None]
    first = [each[None, : place.counts[0]].contiguous() for each in initial]
    start = first if mode == "lstm" else first[0]
    function = getattr(torch, mode)
    counts = torch.tensor(place.counts)
    states, *ended = function(steps, counts, start, given, len(given) > 2, 1, 0.0, False, False)
    # Rows of no step end as they began, and are the last ones.
    back = torch.empty_like(place.rows).index_copy_(0, place.rows, torch.arange(len(place.rows)))
    final = (torch.cat([a[0], b[place.counts[0] :]]) for a, b in zip(ended, initial, strict=True))
    output = place.spread.move(states).view(*x.shape[:2], -1)
    return Sequence(output, tuple(each.index_select(0, back) for each in final))


class _Run(Function):
    """All steps as one node of the graph, whose output is [T*B, H]."""

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
        recurrence = RECURRENCES[mode]
        bias = bias_ih
        if bias_ih is not None and bias_hh is not None and not recurrence.two_sums:
            bias = bias_ih + bias_hh
        sums = steps @ weight_ih.t() if bias is None else torch.addmm(bias, steps, weight_ih.t())
        states = [_with_steps(each, place) for each in state]
        kept = recurrence.forward(sums, weight_hh.t(), bias_hh, states, place.counts)
        ctx.mode, ctx.place, ctx.count = mode, place, len(state)
        ctx.save_for_backward(x, steps, weight_ih, weight_hh, bias_ih, bias_hh, *state, *states, *kept)
        final = (each.index_select(0, place.last) for each in states)
        return place.spread.move(states[0][len(place.rows) :]), *final

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:
        place: Layout = ctx.place
        x, steps, weight_ih, weight_hh, bias_ih, bias_hh, *rest = ctx.saved_tensors
        state, states, kept = rest[: ctx.count], rest[ctx.count : 2 * ctx.count], rest[2 * ctx.count :]
        if torch.is_grad_enabled():
            weights = (weight_ih, weight_hh, bias_ih, bias_hh)
            return None, None, *_differentiable(ctx, x, weights, state, gradients)
        before = [each.index_select(0, place.before) for each in states]
        # The gradient of each output, initial ones included. The loop adds what comes from the step after.
        d_output = _with_steps(torch.zeros_like(state[0]), place)
        torch.index_select(gradients[0], 0, place.order, out=d_output[len(place.rows) :])
        d_output.index_add_(0, place.last, gradients[1])
        # The gradients of the other states have one place for each row, which the loop takes from the row's
        # last step to its first.
        d_state = [each.index_select(0, place.rows) for each in gradients[2:]]
        recurrence = RECURRENCES[ctx.mode]
        d_input, d_hidden = recurrence.backward(d_output, d_state, weight_hh, before, kept, place.counts)
        d_x = place.spread.move(d_input @ weight_ih).view_as(x) if ctx.needs_input_grad[2] else None
        d_bias_ih, d_bias_hh = (
            None if bias is None else gradient.sum(0)
            for bias, gradient in ((bias_ih, d_input), (bias_hh, d_hidden))
        )
        d_first = (d_output[: len(place.rows)], *d_state)
        d_initial = (torch.empty_like(each).index_copy_(0, place.rows, each) for each in d_first)
        d_weights = (d_input.t() @ steps, d_hidden.t() @ before[0])
        return None, None, d_x, *d_weights, d_bias_ih, d_bias_hh, *d_initial


def _with_steps(state: Tensor, place: Layout) -> Tensor:
    """Initial states [B, H] in the order of `place`, and room for those after the valid steps [B+N, H]."""
    whole = state.new_empty(len(state) + sum(place.counts), state.shape[1])
    torch.index_select(state, 0, place.rows, out=whole[: len(state)])
    return whole


def _differentiable(
    ctx: Any, x: Tensor, weights: Weights, state: Many[Tensor], gradients: Many[Tensor]
) -> list[Tensor | None]:
    """The gradients of x, the weights and the states, by PyTorch's own loop, so that they have gradients."""
    # Aliases: an initial state may itself come of the weights, by another call, and that is the graph's part.
    tensors: list[Any] = [None if each is None else each.view_as(each) for each in (x, *weights, *state)]
    x, weight_ih, weight_hh, bias_ih, bias_hh, *first = tensors
    output, final = _packed(ctx.mode, x, (weight_ih, weight_hh, bias_ih, bias_hh), tuple(first), ctx.place)
    # With no valid step in the batch only the states have a graph.
    values = (output.flatten(0, 1), *final)
    reached = [pair for pair in zip(values, gradients, strict=True) if pair[0].requires_grad]
    needed = zip(tensors, ctx.needs_input_grad[2:], strict=True)
    given = [each if need else None for each, need in needed]
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
