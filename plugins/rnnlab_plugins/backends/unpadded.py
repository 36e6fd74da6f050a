"""GRU and RNN over the valid steps alone: rows sorted by length, a batch that shrinks, one autograd node.

A packed sequence holds its steps like this too, but to autograd it is T steps of several nodes each, with a
gradient of the weights at every step. Here backpropagation through time is written out: what does not depend
on the gradient from the step after is computed for all steps at once, and the gradient of each weight is one
product over all N valid steps. For CPUs; without gradients PyTorch's own loop over packed steps is quicker.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

sigmoid_backward = torch.ops.aten.sigmoid_backward
tanh_backward = torch.ops.aten.tanh_backward


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


def layout(seq_len: int, lengths: Tensor, reverse: bool) -> Layout:
    """The layout of rows of `lengths` [B], on a CPU, read backwards if `reverse`."""
    batch_size = len(lengths)
    ordered, rows = torch.sort(lengths.long(), descending=True, stable=True)
    steps = torch.arange(seq_len)[:, None]
    valid = steps < ordered
    counts = valid.sum(1)
    starts = counts.cumsum(0) - counts
    # The state before a row's step s is that after its step s - 1, which has the same place in that step.
    places = torch.arange(batch_size)
    previous = torch.cat([torch.zeros(1, dtype=torch.long), batch_size + starts[:-1]])
    final = torch.where(ordered > 0, batch_size + starts[(ordered - 1).clamp(min=0)], 0) + places
    times = ordered - 1 - steps if reverse else steps.expand_as(valid)
    return Layout(
        [count for count in counts.tolist() if count],
        (times * batch_size + rows)[valid],
        rows,
        (previous[:, None] + places)[valid],
        torch.empty_like(final).index_copy_(0, rows, final),
    )


Weights = tuple[Tensor, Tensor, Tensor | None, Tensor | None]
"""weight_ih [G*H, I], weight_hh [G*H, H], bias_ih and bias_hh [G*H]."""


def run(mode: str, x: Tensor, weights: Weights, state: Tensor, place: Layout) -> tuple[Tensor, Tensor]:
    """Run one layer in the direction of `place`.

    Args:
        mode: "gru", "rnn_tanh" or "rnn_relu".
        x: inputs [T, B, I].
        weights: the cell's.
        state: initial state [B, H].
        place: the layout of the batch.

    Returns:
        The output [T, B, H], zero where no step is valid, and the final state [B, H].
    """
    tensors = (x, state, *(each for each in weights if each is not None))
    trained = torch.is_grad_enabled() and any(each.requires_grad for each in tensors)
    # Under autocast products come in another dtype than sums, which PyTorch's own loop sees to.
    if trained and not torch.is_autocast_enabled("cpu"):
        return _Run.apply(mode, place, x, *weights, state)
    steps, initial = x.flatten(0, 1).index_select(0, place.order), state.index_select(0, place.rows)
    states = steps.new_empty(0, state.shape[1])
    if place.counts:
        given = [each for each in weights if each is not None]
        rows, function = torch.tensor(place.counts), getattr(torch, mode)
        first = initial[None, : place.counts[0]].contiguous()
        states, _ = function(steps, rows, first, given, len(given) > 2, 1, 0.0, False, False)
    return _spread(states, place, x.shape), torch.cat([initial, states]).index_select(0, place.last)


def _spread(steps: Tensor, place: Layout, shape: torch.Size) -> Tensor:
    """Values of the valid steps [N, F] as [T, B, F], zero elsewhere; T and B lead `shape`."""
    whole = steps.new_zeros(shape[0] * shape[1], steps.shape[1])
    return whole.index_copy_(0, place.order, steps).view(*shape[:2], -1)


class _Run(Function):
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
        state: Tensor,
    ) -> tuple[Tensor, Tensor]:
        steps, initial = x.flatten(0, 1).index_select(0, place.order), state.index_select(0, place.rows)
        bias = bias_ih if mode == "gru" or bias_ih is None or bias_hh is None else bias_ih + bias_hh
        sums = steps @ weight_ih.t() if bias is None else torch.addmm(bias, steps, weight_ih.t())
        states, *kept = FORWARD[mode](sums, weight_hh.t().contiguous(), bias_hh, initial, place.counts)
        ctx.mode, ctx.place, ctx.shape, ctx.biased = mode, place, x.shape, bias is not None
        ctx.save_for_backward(steps, weight_ih, weight_hh, initial, states, *kept)
        return _spread(states, place, x.shape), torch.cat([initial, states]).index_select(0, place.last)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:  # pyright: ignore
        place: Layout = ctx.place
        steps, weight_ih, weight_hh, initial, states, *kept = ctx.saved_tensors
        before = torch.cat([initial, states]).index_select(0, place.before)
        d_output = gradients[0].flatten(0, 1).index_select(0, place.order)
        # Of each row the gradient of its final state, until the loop comes to its last step; then that of the
        # state before the step the loop is at.
        d_state = gradients[1].index_select(0, place.rows)
        recurrence = BACKWARD[ctx.mode]
        d_input, d_hidden = recurrence(d_output, d_state, weight_hh, before, states, kept, place.counts)
        d_x = _spread(d_input @ weight_ih, place, ctx.shape) if ctx.needs_input_grad[2] else None
        d_bias_ih = d_input.sum(0) if ctx.biased else None
        d_bias_hh = d_hidden.sum(0) if ctx.biased and d_hidden is not d_input else d_bias_ih
        d_initial = torch.empty_like(d_state).index_copy_(0, place.rows, d_state)
        d_weights = (d_input.t() @ steps, d_hidden.t() @ before, d_bias_ih, d_bias_hh)
        return None, None, d_x, *d_weights, d_initial


def _rnn(activate_: Callable[[Tensor], Tensor]) -> Callable[..., tuple[Tensor, ...]]:
    def forward(
        sums: Tensor, weight: Tensor, _: Tensor | None, h: Tensor, counts: list[int]
    ) -> tuple[Tensor]:
        for z in sums.split(counts):
            h = activate_(z.addmm_(h[: len(z)], weight))
        return (sums,)

    return forward


def _rnn_backward(slope: Callable[[Tensor], Tensor]) -> Callable[..., tuple[Tensor, Tensor]]:
    def backward(
        d_output: Tensor,
        d_state: Tensor,
        weight: Tensor,
        _: Tensor,
        states: Tensor,
        __: list[Tensor],
        counts: list[int],
    ) -> tuple[Tensor, Tensor]:
        d_preact = torch.empty_like(d_output)
        for d_out, slopes, d_z in _last_first(counts, d_output, slope(states), d_preact):
            d_h = d_state[: len(d_z)]
            torch.mul(d_h.add_(d_out), slopes, out=d_z)
            torch.mm(d_z, weight, out=d_h)
        return d_preact, d_preact

    return backward


def _gru(
    sums: Tensor, weight: Tensor, bias: Tensor | None, h: Tensor, counts: list[int]
) -> tuple[Tensor, ...]:
    size = h.shape[1]
    hidden, output = sums.new_empty(len(sums), size), sums.new_empty(len(sums), size)
    blocks = (sums[:, : 2 * size], *sums.chunk(3, dim=1), hidden, output)
    for rz, r, z, n, h_n, out in zip(*(each.split(counts) for each in blocks), strict=True):
        previous = h[: len(out)]
        recurrent = previous @ weight if bias is None else torch.addmm(bias, previous, weight)
        rz.add_(recurrent[:, : 2 * size]).sigmoid_()
        h_n.copy_(recurrent[:, 2 * size :])
        n.addcmul_(r, h_n).tanh_()
        h = torch.lerp(n, previous, z, out=out)
    return output, sums, hidden


def _gru_backward(
    d_output: Tensor,
    d_state: Tensor,
    weight: Tensor,
    before: Tensor,
    _: Tensor,
    kept: list[Tensor],
    counts: list[int],
) -> tuple[Tensor, Tensor]:
    gates, hidden = kept
    r, z, n = gates.chunk(3, dim=1)
    by_n = tanh_backward(1 - z, n)
    # By how much the three sums from the state before move the state after: their gradients are that many
    # times its gradient.
    slopes = torch.stack(
        [sigmoid_backward(by_n * hidden, r), sigmoid_backward(before - n, z), by_n * r], dim=1
    )
    d_sums, d_after = torch.empty_like(slopes), torch.empty_like(d_output)
    for d_out, slope, update, d_sum, d_h in _last_first(counts, d_output, slopes, z, d_sums, d_after):
        carried = d_state[: len(d_out)]
        torch.add(carried, d_out, out=d_h)
        torch.mul(d_h[:, None], slope, out=d_sum)
        torch.mul(d_h, update, out=carried).addmm_(d_sum.flatten(1), weight)
    d_hidden = d_sums.flatten(1)
    return torch.cat([d_hidden[:, : -n.shape[1]], d_after * by_n], dim=1), d_hidden


def _last_first(counts: list[int], *values: Tensor) -> Any:
    """The steps from the last to the first, each with its part of every tensor [N, ...]."""
    return zip(*(reversed(each.split(counts)) for each in values), strict=True)


FORWARD: dict[str, Callable[..., tuple[Tensor, ...]]] = {
    "gru": _gru,
    "rnn_tanh": _rnn(torch.tanh_),
    "rnn_relu": _rnn(torch.relu_),
}
"""Mode -> states after the valid steps [N, H], and what else its backward pass needs."""

BACKWARD: dict[str, Callable[..., tuple[Tensor, Tensor]]] = {
    "gru": _gru_backward,
    "rnn_tanh": _rnn_backward(lambda h: tanh_backward(torch.ones_like(h), h)),
    "rnn_relu": _rnn_backward(lambda h: (h > 0).to(h.dtype)),
}
"""Mode -> gradients of the sums from the inputs and from the state before, each [N, G*H]; d_state [B, H] is
that of the final states and becomes that of the initial ones."""
