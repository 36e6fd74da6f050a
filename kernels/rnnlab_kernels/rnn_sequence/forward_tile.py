"""RNN forward for small heads: one program runs a head for BLOCK_B rows from the first step to the last."""

from __future__ import annotations

import triton
import triton.language as tl

from rnnlab_kernels.primitives import elementwise_layout, resident
from rnnlab_kernels.rnn_sequence.nonlinearity import activate


@triton.jit
def _step(
    t,
    projection,
    h,
    weight,
    row_lengths,
    output_ptr,
    h_offsets,
    mask,
    h_step,
    BLOCK_P: tl.constexpr,
    BLOCK_B: tl.constexpr,
    VARLEN: tl.constexpr,
    NONLINEARITY: tl.constexpr,
    APPROX: tl.constexpr,
    PRECISION: tl.constexpr,
):
    preact = elementwise_layout(tl.dot(weight, h, input_precision=PRECISION), BLOCK_P, BLOCK_B)
    new_h = activate(preact + projection.to(tl.float32), NONLINEARITY, APPROX).to(h.dtype)
    shown = new_h
    if VARLEN:
        live = t < row_lengths
        h = tl.where(live, new_h, h)
        shown = tl.where(live, new_h, tl.zeros_like(new_h))
    else:
        h = new_h
    tl.store(output_ptr + tl.cast(t, tl.int64) * h_step + h_offsets, shown, mask=mask)
    return h


@triton.jit(do_not_specialize=["seq_len", "batch_size", "reverse"])
def _rnn_forward_tile_kernel(
    x_ptr,  # [T, B, D*H] projected inputs
    weight_ptr,  # [D, H, P]
    h_0_ptr,  # [D, B, H]
    lengths_ptr,  # [B], read if VARLEN
    output_ptr,  # [T, B, D*H]
    h_n_ptr,  # [D, B, H]
    seq_len,
    batch_size,
    reverse,
    DIRECTIONS: tl.constexpr,
    HIDDEN: tl.constexpr,
    HEAD: tl.constexpr,
    BLOCK_P: tl.constexpr,
    BLOCK_B: tl.constexpr,
    VARLEN: tl.constexpr,
    NONLINEARITY: tl.constexpr,
    APPROX: tl.constexpr,
    OPAQUE: tl.constexpr,
    PRECISION: tl.constexpr,
):
    """Program (k, g): rows k*BLOCK_B.., head g % heads of direction g // heads."""
    HEADS: tl.constexpr = HIDDEN // HEAD
    direction = tl.program_id(1) // HEADS
    head = tl.program_id(1) % HEADS
    backwards = reverse + direction
    rows = tl.program_id(0) * BLOCK_B + tl.arange(0, BLOCK_B)
    units = tl.arange(0, BLOCK_P)
    mask = (units < HEAD)[:, None] & (rows < batch_size)[None, :]

    column = head * HEAD + units
    weight = tl.load(
        weight_ptr + (direction * HIDDEN + column)[:, None] * HEAD + units[None, :],
        mask=(units < HEAD)[:, None] & (units < HEAD)[None, :],
        other=0.0,
    )
    weight = resident(weight, OPAQUE)

    h_offsets = (direction * HIDDEN + column)[:, None] + rows[None, :] * (DIRECTIONS * HIDDEN)
    state_offsets = (direction * batch_size * HIDDEN + column)[:, None] + rows[None, :] * HIDDEN
    h_step = batch_size * (DIRECTIONS * HIDDEN)

    h = tl.load(h_0_ptr + state_offsets, mask=mask, other=0.0)
    row_lengths = tl.zeros([1, BLOCK_B], tl.int32)
    if VARLEN:
        row_lengths = tl.load(lengths_ptr + rows, mask=rows < batch_size, other=0).to(tl.int32)[None, :]

    # The last step stands outside the loop, see `resident`; each step loads what the next one needs.
    first = backwards * (seq_len - 1)
    stride = 1 - 2 * backwards
    projection = tl.load(x_ptr + tl.cast(first, tl.int64) * h_step + h_offsets, mask=mask, other=0.0)
    for s in range(seq_len - 1):
        t = first + s * stride
        following = tl.load(x_ptr + tl.cast(t + stride, tl.int64) * h_step + h_offsets, mask=mask, other=0.0)
        h = _step(
            t, projection, h, weight, row_lengths, output_ptr, h_offsets, mask, h_step,
            BLOCK_P, BLOCK_B, VARLEN, NONLINEARITY, APPROX, PRECISION,
        )  # fmt: skip
        projection = following
    h = _step(
        first + (seq_len - 1) * stride, projection, h, weight, row_lengths, output_ptr, h_offsets, mask,
        h_step, BLOCK_P, BLOCK_B, VARLEN, NONLINEARITY, APPROX, PRECISION,
    )  # fmt: skip
    tl.store(h_n_ptr + state_offsets, h, mask=mask)
