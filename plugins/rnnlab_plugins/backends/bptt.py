"""Backpropagation through time of the LSTM, GRU and RNN, written out over the valid steps of a batch.

What does not depend on the gradient from the step after is computed for all steps at once, and the gradient
of each weight is left to one product over all of them. The steps lie one after the other, those of step s
being the first `counts[s]` rows of the batch, which has its longest rows first. N is the number of valid
steps, G the number of gates; gates lie as in nn.LSTM, nn.GRU and nn.RNN.

Source: S. Hochreiter, J. Schmidhuber, Long Short-Term Memory, 1997; F. Gers and others, Learning to Forget,
2000; K. Cho and others, Learning Phrase Representations, 2014; P. Werbos, Backpropagation Through Time, 1990.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

sigmoid_backward = torch.ops.aten.sigmoid_backward
tanh_backward = torch.ops.aten.tanh_backward


class Recurrence(NamedTuple):
    """How one kind of cell goes through its steps.

    Attributes:
        forward: (sums [N, G*H] of what the inputs and the bias give, transposed weight_hh [H, G*H], bias_hh
            [G*H] or None, initial states [B, H] each, counts) -> each state after each step [N, H], and what
            the backward pass needs besides. It may write to the sums.
        backward: (gradients of the outputs [N, H], gradients of the final states [B, H] each, weight_hh
            [G*H, H], each state before each step [N, H], each state after it [N, H], what forward kept,
            counts) -> gradients of the sums from the inputs and of those from the state before, [N, G*H]
            each. It turns the gradients of the final states into those of the initial ones.
        two_sums: whether the two sums enter apart, so that their gradients differ.
    """

    forward: Callable[..., tuple[Sequence[Tensor], Sequence[Tensor]]]
    backward: Callable[..., tuple[Tensor, Tensor]]
    two_sums: bool = False


def _lstm(
    sums: Tensor, weight: Tensor, _: Tensor | None, initial: Sequence[Tensor], counts: list[int]
) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
    h, c = initial
    size = h.shape[1]
    states, cells, squashed = (sums.new_empty(len(sums), size) for _ in range(3))
    blocks = (sums, sums[:, : 2 * size], *sums.chunk(4, dim=1), cells, squashed, states)
    for z, i_f, i, f, g, o, c_new, tanh_c, h_new in zip(
        *(each.split(counts) for each in blocks), strict=True
    ):
        z.addmm_(h[: len(z)], weight)
        i_f.sigmoid_()
        g.tanh_()
        o.sigmoid_()
        c = torch.mul(f, c[: len(z)], out=c_new).addcmul_(i, g)
        h = torch.mul(o, torch.tanh(c, out=tanh_c), out=h_new)
    return (states, cells), (sums, squashed)


def _lstm_backward(
    d_output: Tensor,
    d_state: Sequence[Tensor],
    weight: Tensor,
    before: Sequence[Tensor],
    _: Sequence[Tensor],
    kept: Sequence[Tensor],
    counts: list[int],
) -> tuple[Tensor, Tensor]:
    gates, tanh_c = kept
    i, f, g, o = gates.chunk(4, dim=1)
    # By how much h moves c, and c the sums of i, f and g, and h that of o.
    by_c = tanh_backward(o, tanh_c)
    slopes = torch.stack([sigmoid_backward(g, i), sigmoid_backward(before[1], f), tanh_backward(i, g)], dim=1)
    by_o = sigmoid_backward(tanh_c, o)
    d_sums = torch.empty_like(gates)
    d_ifg, d_o = d_sums[:, : -o.shape[1]].unflatten(1, (3, -1)), d_sums[:, -o.shape[1] :]
    parts = (d_output, by_c, slopes, by_o, f, d_sums, d_ifg, d_o)
    for d_out, c_slope, slope, o_slope, forget, d_z, d_3, d_1 in _last_first(counts, *parts):
        d_h, d_c = (each[: len(d_out)] for each in d_state)
        d_h.add_(d_out)
        d_c.addcmul_(d_h, c_slope)
        torch.mul(d_c[:, None], slope, out=d_3)
        torch.mul(d_h, o_slope, out=d_1)
        d_c.mul_(forget)
        torch.mm(d_z, weight, out=d_h)
    return d_sums, d_sums


def _gru(
    sums: Tensor, weight: Tensor, bias: Tensor | None, initial: Sequence[Tensor], counts: list[int]
) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
    (h,) = initial
    size = h.shape[1]
    hidden, states = sums.new_empty(len(sums), size), sums.new_empty(len(sums), size)
    blocks = (sums[:, : 2 * size], *sums.chunk(3, dim=1), hidden, states)
    for r_z, r, z, n, h_n, h_new in zip(*(each.split(counts) for each in blocks), strict=True):
        previous = h[: len(n)]
        recurrent = previous @ weight if bias is None else torch.addmm(bias, previous, weight)
        r_z.add_(recurrent[:, : 2 * size]).sigmoid_()
        h_n.copy_(recurrent[:, 2 * size :])
        n.addcmul_(r, h_n).tanh_()
        h = torch.lerp(n, previous, z, out=h_new)
    return (states,), (sums, hidden)


def _gru_backward(
    d_output: Tensor,
    d_state: Sequence[Tensor],
    weight: Tensor,
    before: Sequence[Tensor],
    _: Sequence[Tensor],
    kept: Sequence[Tensor],
    counts: list[int],
) -> tuple[Tensor, Tensor]:
    gates, hidden = kept
    r, z, n = gates.chunk(3, dim=1)
    by_n = tanh_backward(1 - z, n)
    # By how much the three sums from the state before move the state after: their gradients are that many
    # times its gradient.
    slopes = torch.stack(
        [sigmoid_backward(by_n * hidden, r), sigmoid_backward(before[0] - n, z), by_n * r], dim=1
    )
    d_sums, d_after = torch.empty_like(slopes), torch.empty_like(d_output)
    for d_out, slope, update, d_sum, d_h in _last_first(counts, d_output, slopes, z, d_sums, d_after):
        carried = d_state[0][: len(d_out)]
        torch.add(carried, d_out, out=d_h)
        torch.mul(d_h[:, None], slope, out=d_sum)
        torch.mul(d_h, update, out=carried).addmm_(d_sum.flatten(1), weight)
    d_hidden = d_sums.flatten(1)
    return torch.cat([d_hidden[:, : -n.shape[1]], d_after * by_n], dim=1), d_hidden


def _rnn(activate_: Callable[[Tensor], Tensor]) -> Callable[..., Any]:
    def forward(
        sums: Tensor, weight: Tensor, _: Tensor | None, initial: Sequence[Tensor], counts: list[int]
    ) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
        (h,) = initial
        for z in sums.split(counts):
            h = activate_(z.addmm_(h[: len(z)], weight))
        return (sums,), ()

    return forward


def _rnn_backward(slope: Callable[[Tensor], Tensor]) -> Callable[..., tuple[Tensor, Tensor]]:
    def backward(
        d_output: Tensor,
        d_state: Sequence[Tensor],
        weight: Tensor,
        _: Sequence[Tensor],
        states: Sequence[Tensor],
        __: Sequence[Tensor],
        counts: list[int],
    ) -> tuple[Tensor, Tensor]:
        d_sums = torch.empty_like(d_output)
        for d_out, slopes, d_z in _last_first(counts, d_output, slope(states[0]), d_sums):
            d_h = d_state[0][: len(d_z)]
            torch.mul(d_h.add_(d_out), slopes, out=d_z)
            torch.mm(d_z, weight, out=d_h)
        return d_sums, d_sums

    return backward


def _last_first(counts: list[int], *values: Tensor) -> Any:
    """The steps from the last to the first, each with its part of every tensor [N, ...]."""
    return zip(*(reversed(each.split(counts)) for each in values), strict=True)


RECURRENCES = {
    "lstm": Recurrence(_lstm, _lstm_backward),
    "gru": Recurrence(_gru, _gru_backward, two_sums=True),
    "rnn_tanh": Recurrence(_rnn(torch.tanh_), _rnn_backward(lambda h: tanh_backward(torch.ones_like(h), h))),
    "rnn_relu": Recurrence(_rnn(torch.relu_), _rnn_backward(lambda h: (h > 0).to(h.dtype))),
}
"""By what nn.RNNBase calls mode, in small letters."""
