"""Backpropagation through time of the LSTM, GRU and RNN, written out over the valid steps of a batch.

What does not depend on the gradient from the step after is computed for all steps at once, and the gradient
of each weight is left to one product over all of them. The steps lie one after the other, those of step s
being the first `counts[s]` rows of the batch, which has its longest rows first. N is the number of valid
steps, G the number of gates; gates lie as in nn.LSTM, nn.GRU and nn.RNN. A state [B+N, H] is the initial one
of all B rows followed by those after the valid steps.

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
            [G*H] or None, states [B+N, H], counts) -> what the backward pass needs besides the states, whose
            initial rows are given and the others filled. It may write to the sums.
        backward: (gradients of the outputs [B+N, H], of the final states besides the output [B, H] each,
            weight_hh [G*H, H], each state before each step [N, H], what forward kept, counts) -> gradients
            of the sums from the inputs and of those from the state before, [N, G*H] each. It turns the
            gradients given into those of the states before the first step.
        two_sums: whether the two sums enter apart, so that their gradients differ.
    """

    forward: Callable[..., Sequence[Tensor]]
    backward: Callable[..., tuple[Tensor, Tensor]]
    two_sums: bool = False


def _lstm(
    sums: Tensor, weight: Tensor, _: Tensor | None, states: Sequence[Tensor], counts: list[int]
) -> Sequence[Tensor]:
    (h, *outputs), (c, *cells) = _steps(states, counts)
    squashed = sums.new_empty(len(sums), h.shape[1])
    blocks = (
        each.split(counts) for each in (sums, sums[:, : 2 * h.shape[1]], *sums.chunk(4, dim=1), squashed)
    )
    for z, i_f, i, f, g, o, tanh_c, c_new, h_new in zip(*blocks, cells, outputs, strict=True):
        z.addmm_(h[: len(z)], weight)
        i_f.sigmoid_()
        g.tanh_()
        o.sigmoid_()
        c = torch.mul(f, c[: len(z)], out=c_new).addcmul_(i, g)
        h = torch.mul(o, torch.tanh(c, out=tanh_c), out=h_new)
    return sums, squashed


def _lstm_backward(
    d_output: Tensor,
    d_state: Sequence[Tensor],
    weight: Tensor,
    before: Sequence[Tensor],
    kept: Sequence[Tensor],
    counts: list[int],
) -> tuple[Tensor, Tensor]:
    gates, tanh_c = kept
    i, f, g, o = gates.chunk(4, dim=1)
    # By how much h moves c, and by how much the sums move c, or h the sum of o.
    by_c = tanh_backward(o, tanh_c)
    d_sums = torch.empty_like(gates)
    by_i, by_f, by_g, by_o = d_sums.chunk(4, dim=1)
    sigmoid_backward(g, i, grad_input=by_i)
    sigmoid_backward(before[1], f, grad_input=by_f)
    tanh_backward(i, g, grad_input=by_g)
    sigmoid_backward(tanh_c, o, grad_input=by_o)
    d_ifg = d_sums[:, : -o.shape[1]].unflatten(1, (3, -1))
    parts = (by_c, f, d_sums, d_ifg, by_o)
    for d_h, d_before, c_slope, forget, d_z, d_3, d_1 in _last_first(d_output, counts, *parts):
        d_c = d_state[0][: len(d_z)]
        d_c.addcmul_(d_h, c_slope)
        d_3.mul_(d_c[:, None])
        d_1.mul_(d_h)
        d_c.mul_(forget)
        d_before.addmm_(d_z, weight)
    return d_sums, d_sums


def _gru(
    sums: Tensor, weight: Tensor, bias: Tensor | None, states: Sequence[Tensor], counts: list[int]
) -> Sequence[Tensor]:
    ((h, *outputs),) = _steps(states, counts)
    size = h.shape[1]
    hidden = sums.new_empty(len(sums), size)
    blocks = (each.split(counts) for each in (sums[:, : 2 * size], *sums.chunk(3, dim=1), hidden))
    for r_z, r, z, n, h_n, h_new in zip(*blocks, outputs, strict=True):
        previous = h[: len(n)]
        recurrent = previous @ weight if bias is None else torch.addmm(bias, previous, weight)
        r_z.add_(recurrent[:, : 2 * size]).sigmoid_()
        h_n.copy_(recurrent[:, 2 * size :])
        h = torch.lerp(n.addcmul_(r, h_n).tanh_(), previous, z, out=h_new)
    return sums, hidden


def _gru_backward(
    d_output: Tensor,
    _: Sequence[Tensor],
    weight: Tensor,
    before: Sequence[Tensor],
    kept: Sequence[Tensor],
    counts: list[int],
) -> tuple[Tensor, Tensor]:
    gates, hidden = kept
    r, z, n = gates.chunk(3, dim=1)
    by_n = tanh_backward(1 - z, n)
    # By how much the three sums from the state before move the state after: their gradients are that many
    # times its gradient.
    d_hidden = torch.empty_like(gates)
    by_r, by_z, by_h = d_hidden.chunk(3, dim=1)
    sigmoid_backward(by_n * hidden, r, grad_input=by_r)
    sigmoid_backward(before[0] - n, z, grad_input=by_z)
    torch.mul(by_n, r, out=by_h)
    for d_h, d_before, update, d_z in _last_first(d_output, counts, z, d_hidden):
        d_z.unflatten(1, (3, -1)).mul_(d_h[:, None])
        d_before.addcmul_(d_h, update).addmm_(d_z, weight)
    d_after = d_output[len(d_output) - len(gates) :]
    return torch.cat([d_hidden[:, : -n.shape[1]], d_after * by_n], dim=1), d_hidden


def _rnn(activate_: Callable[[Tensor], Tensor]) -> Callable[..., Any]:
    def forward(
        sums: Tensor, weight: Tensor, _: Tensor | None, states: Sequence[Tensor], counts: list[int]
    ) -> Sequence[Tensor]:
        ((h, *outputs),) = _steps(states, counts)
        for z, h_new in zip(sums.split(counts), outputs, strict=True):
            h = activate_(torch.addmm(z, h[: len(z)], weight, out=h_new))
        return (states[0][len(states[0]) - len(sums) :],)

    return forward


def _rnn_backward(slope: Callable[[Tensor], Tensor]) -> Callable[..., tuple[Tensor, Tensor]]:
    def backward(
        d_output: Tensor,
        _: Sequence[Tensor],
        weight: Tensor,
        __: Sequence[Tensor],
        kept: Sequence[Tensor],
        counts: list[int],
    ) -> tuple[Tensor, Tensor]:
        d_sums = slope(kept[0])
        for d_h, d_before, d_z in _last_first(d_output, counts, d_sums):
            d_before.addmm_(d_z.mul_(d_h), weight)
        return d_sums, d_sums

    return backward


def _steps(states: Sequence[Tensor], counts: list[int]) -> list[tuple[Tensor, ...]]:
    """Of each state [B+N, H] the initial one and those after each step."""
    return [each.split([len(each) - sum(counts), *counts]) for each in states]


def _last_first(d_output: Tensor, counts: list[int], *values: Tensor) -> Any:
    """The steps from the last to the first: the gradients of the output [n, H], those of the state before it,
    and the step's part of every tensor [N, ...]."""
    (blocks,) = _steps([d_output], counts)
    before = [block[:count] for block, count in zip(blocks[:-1], counts, strict=True)]
    parts = (blocks[1:], before, *(each.split(counts) for each in values))
    return zip(*(reversed(each) for each in parts), strict=True)


RECURRENCES = {
    "lstm": Recurrence(_lstm, _lstm_backward),
    "gru": Recurrence(_gru, _gru_backward, two_sums=True),
    "rnn_tanh": Recurrence(_rnn(torch.tanh_), _rnn_backward(lambda h: tanh_backward(torch.ones_like(h), h))),
    "rnn_relu": Recurrence(_rnn(torch.relu_), _rnn_backward(lambda h: (h > 0).to(h.dtype))),
}
"""By what nn.RNNBase calls mode, in small letters."""
