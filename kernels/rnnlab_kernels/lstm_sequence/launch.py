"""Run the kernels of `lstm_sequence`; shapes as in `lstm_sequence.reference`, which these equal."""

from __future__ import annotations

import torch
from torch import Tensor

from rnnlab_kernels.blocks import Grid, Tile, constants
from rnnlab_kernels.device import device_of
from rnnlab_kernels.gradients import initial_hidden_gradient
from rnnlab_kernels.lstm_sequence import backward_step, forward_step
from rnnlab_kernels.lstm_sequence.backward_grid import _lstm_backward_grid_kernel
from rnnlab_kernels.lstm_sequence.backward_tile import _lstm_backward_tile_kernel
from rnnlab_kernels.lstm_sequence.forward_grid import _lstm_forward_grid_kernel
from rnnlab_kernels.lstm_sequence.forward_tile import _lstm_forward_tile_kernel
from rnnlab_kernels.lstm_sequence.replay import replay
from rnnlab_kernels.plan import Shape, choose

__all__ = ["backward", "forward", "replay"]

GATES = 4


def forward(
    x_proj: Tensor,
    weight_hh: Tensor,
    h_0: Tensor,
    c_0: Tensor,
    lengths: Tensor | None,
    reverse: bool,
    precision: str,
    save_gates: bool,
    save_cells: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Run the recurrence over all steps.

    Args:
        x_proj: projected inputs [T, B, D*4H].
        weight_hh: recurrent weight [D, 4H, P].
        h_0: initial hidden state [D, B, H].
        c_0: initial memory cell [D, B, H], of x_proj's dtype or float32.
        lengths: valid steps per row [B], integer, or None.
        reverse: for D = 1, read each row from its last valid step to its first.
        precision: of float32 products: "ieee", "tf32x3" or "tf32".
        save_gates: return the gates.
        save_cells: return the memory cells.

    Returns:
        output [T, B, D*H], h_n [D, B, H], c_n [D, B, H] in c_0's dtype, cells [T, B, D*H] in float32 and
        gates [T, B, D*4H]; the last two empty [0] if not asked for.
    """
    seq_len, batch_size, _ = x_proj.shape
    shape = Shape.of(GATES, weight_hh, batch_size, precision, backward=False)
    device = device_of(x_proj.device)
    blocks = choose(shape, device).blocks
    x_proj, weight_hh, h_0, c_0 = (tensor.contiguous() for tensor in (x_proj, weight_hh, h_0, c_0))
    if blocks is None:
        return forward_step.forward(
            shape, x_proj, weight_hh, h_0, c_0, lengths, reverse, save_gates, save_cells
        )
    # After the last output there is room for h_0, see `rows_before`.
    outputs = x_proj.new_empty(seq_len + 1, batch_size, shape.directions * shape.hidden_size)
    output = outputs[:-1]
    cells = (
        torch.empty_like(output, dtype=torch.float32)
        if save_cells
        else output.new_empty(0, dtype=torch.float32)
    )
    gates = torch.empty_like(x_proj) if save_gates else x_proj.new_empty(0)
    c_n = torch.empty_like(c_0)
    settings = {
        **constants(blocks, shape, device),
        "VARLEN": lengths is not None,
        "SAVE_GATES": save_gates,
        "SAVE_CELLS": save_cells,
    }
    match blocks:
        case Tile():
            h_n = torch.empty_like(h_0)
            _lstm_forward_tile_kernel[blocks.grid(shape)](
                x_proj, weight_hh, h_0, c_0, lengths, output, h_n, c_n, cells, gates,
                seq_len, batch_size, int(reverse), **settings,
            )  # fmt: skip
        case Grid():
            outputs[-1] = h_0.transpose(0, 1).flatten(1)
            h_n = h_0.clone()
            for first, number in blocks.launches(shape, device):
                _lstm_forward_grid_kernel[blocks.grid(shape, number)](
                    x_proj, weight_hh, c_0, lengths, outputs, h_n, c_n, cells, gates,
                    blocks.counters(shape, number, output), seq_len, batch_size, int(reverse), first,
                    **settings,
                )  # fmt: skip
    return output, h_n, c_n, cells, gates


def backward(
    d_output: Tensor,
    d_h_n: Tensor,
    d_c_n: Tensor,
    weight_hh: Tensor,
    c_0: Tensor,
    lengths: Tensor | None,
    cells: Tensor,
    gates: Tensor,
    reverse: bool,
    precision: str,
) -> tuple[Tensor, Tensor, Tensor]:
    """Run the recurrence back over all steps; the weights' gradients are products of what this returns.

    Args:
        d_output: gradient of output [T, B, D*H]; what stands at padded steps is not read into a result.
        d_h_n: gradient of h_n [D, B, H].
        d_c_n: gradient of c_n [D, B, H].
        weight_hh, c_0, lengths, reverse, precision: as given to `forward`.
        cells, gates: as returned by `forward`.

    Returns:
        d_preact [T, B, D*4H], the gradient of the preactivations in the gates' dtype, zero at padded steps;
        d_h_0 and d_c_0 [D, B, H] in float32.
    """
    seq_len, batch_size, _ = gates.shape
    shape = Shape.of(GATES, weight_hh, batch_size, precision, backward=True)
    device = device_of(gates.device)
    blocks = choose(shape, device).blocks
    d_output, d_h_n, d_c_n, weight_hh, c_0, cells, gates = (
        tensor.contiguous() for tensor in (d_output, d_h_n, d_c_n, weight_hh, c_0, cells, gates)
    )
    if blocks is None:
        return backward_step.backward(
            shape, d_output, d_h_n, d_c_n, weight_hh, c_0, lengths, cells, gates, reverse
        )
    d_preact = torch.empty_like(gates)
    d_c_0 = torch.empty_like(c_0, dtype=torch.float32)
    settings = {**constants(blocks, shape, device), "VARLEN": lengths is not None}
    match blocks:
        case Tile():
            d_h_0 = torch.empty_like(d_c_0)
            _lstm_backward_tile_kernel[blocks.grid(shape)](
                d_output, d_h_n, d_c_n, weight_hh, c_0, lengths, cells, gates, d_preact, d_h_0, d_c_0,
                seq_len, batch_size, int(reverse), **settings,
            )  # fmt: skip
        case Grid():
            for first, number in blocks.launches(shape, device):
                _lstm_backward_grid_kernel[blocks.grid(shape, number)](
                    d_output, d_h_n, d_c_n, weight_hh, c_0, lengths, cells, gates, d_preact, d_c_0,
                    blocks.counters(shape, number, gates), seq_len, batch_size, int(reverse), first,
                    **settings,
                )  # fmt: skip
            d_h_0 = initial_hidden_gradient(d_preact, d_h_n, weight_hh, lengths, reverse)
    return d_preact, d_h_0, d_c_0
