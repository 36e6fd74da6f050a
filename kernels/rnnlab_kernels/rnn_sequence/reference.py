"""What `rnn_sequence` means, as plain loops over time: any floating dtype, any device.

    h_t = phi(x_proj_t + W_hh h_{t-1}),    phi one of tanh, sigmoid, relu

Elman (1990); x_proj is W_ih x_t + b. At a padded step (t >= length) a row holds h. 16-bit inputs are
computed on in float32. The kernels are checked against these functions, take the same arguments, and are
stood in for by them where they cannot run.

Sizes: T steps, B rows, D directions, H units, N = H / P heads of P units.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from rnnlab_kernels.heads import recurrent_gradient, recurrent_product
from rnnlab_kernels.time_steps import hold, in_time, reading_order, valid_steps, zero_padding

NONLINEARITIES: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "relu": torch.relu,
}

# phi'(a), written in y = phi(a), so that the output is all that the backward pass needs
_SLOPES: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": lambda y: 1 - y**2,
    "sigmoid": lambda y: y * (1 - y),
    "relu": lambda y: (y > 0).to(y.dtype),
}


def forward(
    x_proj: Tensor,
    weight_hh: Tensor,
    h_0: Tensor,
    lengths: Tensor | None,
    nonlinearity: str,
    reverse: bool,
    precision: str,
) -> tuple[Tensor, Tensor]:
    """Run an RNN over projected inputs; autograd goes through.

    Args:
        x_proj: [T, B, D*H].
        weight_hh: [D, H, P].
        h_0: [D, B, H].
        lengths: [B] integers in 0..T, or None.
        nonlinearity: "tanh", "sigmoid" or "relu".
        reverse: read each row from its last valid step to its first. The second direction always does.
        precision: taken for the kernels' sake; the products here are torch's.

    Returns:
        output [T, B, D*H], zero at padded steps, and h_n [D, B, H].
    """
    dtype = torch.promote_types(x_proj.dtype, torch.float32)
    activate = NONLINEARITIES[nonlinearity]
    x_proj = zero_padding(x_proj, lengths)
    valid = valid_steps(x_proj.shape[0], lengths)
    outputs, last_h = [], []
    for d, projected in enumerate(x_proj.chunk(len(weight_hh), dim=-1)):
        weight, h, h_steps = weight_hh[d].to(dtype), h_0[d].to(dtype), {}
        for t in reading_order(len(projected), reverse or d == 1):
            h_t = activate(projected[t] + recurrent_product(h, weight))
            h = hold(valid, t, h_t, h)
            h_steps[t] = h
        outputs.append(in_time(h_steps))
        last_h.append(h)
    output = zero_padding(torch.cat(outputs, dim=-1), lengths).to(x_proj.dtype)
    return output, torch.stack(last_h).to(h_0.dtype)


def backward(
    d_output: Tensor,
    d_h_n: Tensor,
    weight_hh: Tensor,
    lengths: Tensor | None,
    output: Tensor,
    nonlinearity: str,
    reverse: bool,
    precision: str,
) -> tuple[Tensor, Tensor]:
    """Backpropagation through time (Werbos 1990), down to the argument of the nonlinearity.

        d_h      += d_output_t
        d_preact  = d_h * phi'(preact_t)
        d_h       = W_hh^T d_preact

    The gradients of weights and inputs are products of d_preact, to be taken once, after the loop.

    Args:
        d_output, d_h_n: gradients of the results of `forward`, in their shapes.
        output: what `forward` returned.
        weight_hh, lengths, nonlinearity, reverse, precision: as in `forward`.

    Returns:
        d_preact [T, B, D*H] in the dtype of output, zero at padded steps; d_h_0 [D, B, H], at least float32.
    """
    dtype = torch.promote_types(output.dtype, torch.float32)
    directions, hidden_size, _ = weight_hh.shape
    slope = _SLOPES[nonlinearity]
    d_output = zero_padding(d_output, lengths)
    valid = valid_steps(len(d_output), lengths)
    d_preacts, d_h_0 = [], []
    for d in range(directions):
        weight, d_h, d_steps = weight_hh[d].to(dtype), d_h_n[d].to(dtype), {}
        d_out, h = (each.chunk(directions, dim=-1)[d].to(dtype) for each in (d_output, output))
        for t in reversed(reading_order(len(d_out), reverse or d == 1)):
            d_steps[t] = (d_h + d_out[t]) * slope(h[t])
            d_h = hold(valid, t, recurrent_gradient(d_steps[t], weight, hidden_size), d_h)
        d_preacts.append(in_time(d_steps))
        d_h_0.append(d_h)
    d_preact = zero_padding(torch.cat(d_preacts, dim=-1), lengths).to(output.dtype)
    return d_preact, torch.stack(d_h_0)
