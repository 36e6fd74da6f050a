"""Run the kernels of `rnn_sequence`; shapes as in `rnn_sequence.reference`, which these equal."""

from __future__ import annotations

import torch
from torch import Tensor

from rnnlab_kernels.blocks import Grid, Tile, constants
from rnnlab_kernels.device import device_of
from rnnlab_kernels.gradients import initial_hidden_gradient
from rnnlab_kernels.plan import Shape, choose
from rnnlab_kernels.rnn_sequence import backward_step, forward_step
from rnnlab_kernels.rnn_sequence.backward_grid import _rnn_backward_grid_kernel
from rnnlab_kernels.rnn_sequence.backward_tile import _rnn_backward_tile_kernel
from rnnlab_kernels.rnn_sequence.forward_grid import _rnn_forward_grid_kernel
from rnnlab_kernels.rnn_sequence.forward_tile import _rnn_forward_tile_kernel

__all__ = ["backward", "forward"]

GATES = 1


def forward(
    x_proj: Tensor,
    weight_hh: Tensor,
    h_0: Tensor,
    lengths: Tensor | None,
    nonlinearity: str,
    reverse: bool,
    precision: str,
) -> tuple[Tensor, Tensor]:
    """Run the recurrence over all steps.

    Args:
        x_proj: projected inputs [T, B, D*H].
        weight_hh: recurrent weight [D, H, P].
        h_0: initial hidden state [D, B, H].
        lengths: valid steps per row [B], integer, or None.
        nonlinearity: "tanh", "sigmoid" or "relu".
        reverse: for D = 1, read each row from its last valid step to its first.
        precision: of float32 products: "ieee", "tf32x3" or "tf32".

    Returns:
        output [T, B, D*H] and h_n [D, B, H].
    """
    seq_len, batch_size, _ = x_proj.shape
    shape = Shape.of(GATES, weight_hh, batch_size, precision, backward=False)
    device = device_of(x_proj.device)
    blocks = choose(shape, device).blocks
    x_proj, weight_hh, h_0 = (tensor.contiguous() for tensor in (x_proj, weight_hh, h_0))
    if blocks is None:
        return forward_step.forward(shape, x_proj, weight_hh, h_0, lengths, nonlinearity, reverse)
    # After the last output there is room for h_0, see `rows_before`.
    outputs = x_proj.new_empty(seq_len + 1, batch_size, shape.directions * shape.hidden_size)
    output = outputs[:-1]
    settings = {
        **constants(blocks, shape, device),
        "VARLEN": lengths is not None,
        "NONLINEARITY": nonlinearity,
    }
    match blocks:
        case Tile():
            h_n = torch.empty_like(h_0)
            _rnn_forward_tile_kernel[blocks.grid(shape)](
                x_proj, weight_hh, h_0, lengths, output, h_n, seq_len, batch_size, int(reverse), **settings
            )
        case Grid():
            outputs[-1] = h_0.transpose(0, 1).flatten(1)
            h_n = h_0.clone()
            for first, number in blocks.launches(shape, device):
                _rnn_forward_grid_kernel[blocks.grid(shape, number)](
                    x_proj, weight_hh, lengths, outputs, h_n, blocks.counters(shape, number, output),
                    seq_len, batch_size, int(reverse), first, **settings,
                )  # fmt: skip
    return output, h_n


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
    """Run the recurrence back over all steps; the weights' gradients are products of what this returns.

    Args:
        d_output: gradient of output [T, B, D*H]; what stands at padded steps is not read into a result.
        d_h_n: gradient of h_n [D, B, H].
        weight_hh, lengths, nonlinearity, reverse, precision: as given to `forward`.
        output: as returned by `forward`.

    Returns:
        d_preact [T, B, D*H], the gradient of the preactivations in output's dtype, zero at padded steps;
        d_h_0 [D, B, H] in float32.
    """
    seq_len, batch_size, _ = output.shape
    shape = Shape.of(GATES, weight_hh, batch_size, precision, backward=True)
    device = device_of(output.device)
    blocks = choose(shape, device).blocks
    d_output, d_h_n, weight_hh, output = (
        tensor.contiguous() for tensor in (d_output, d_h_n, weight_hh, output)
    )
    if blocks is None:
        return backward_step.backward(
            shape, d_output, d_h_n, weight_hh, lengths, output, nonlinearity, reverse
        )
    d_preact = torch.empty_like(output)
    settings = {
        **constants(blocks, shape, device),
        "VARLEN": lengths is not None,
        "NONLINEARITY": nonlinearity,
    }
    match blocks:
        case Tile():
            d_h_0 = torch.empty_like(d_h_n, dtype=torch.float32)
            _rnn_backward_tile_kernel[blocks.grid(shape)](
                d_output, d_h_n, weight_hh, lengths, output, d_preact, d_h_0,
                seq_len, batch_size, int(reverse), **settings,
            )  # fmt: skip
        case Grid():
            for first, number in blocks.launches(shape, device):
                _rnn_backward_grid_kernel[blocks.grid(shape, number)](
                    d_output, d_h_n, weight_hh, lengths, output, d_preact,
                    blocks.counters(shape, number, output), seq_len, batch_size, int(reverse), first,
                    **settings,
                )  # fmt: skip
            d_h_0 = initial_hidden_gradient(d_preact, d_h_n, weight_hh, lengths, reverse)
    return d_preact, d_h_0
