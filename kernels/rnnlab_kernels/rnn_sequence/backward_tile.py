"""RNN backward for small heads: one program runs a head for BLOCK_B rows from the last step to the first."""

from __future__ import annotations

import triton
import triton.language as tl

from rnnlab_kernels.primitives import elementwise_layout, resident
from rnnlab_kernels.rnn_sequence.nonlinearity import preactivation_gradient


@triton.jit
def _load_saved(output_ptr, d_output_ptr, t, h_offsets, mask, h_step):
    """The hidden state and the gradient of the output at step t, each [BLOCK_P, BLOCK_B]."""
    place = tl.cast(t, tl.int64) * h_step + h_offsets
    return (
        tl.load(output_ptr + place, mask=mask, other=0.0),
        tl.load(d_output_ptr + place, mask=mask, other=0.0),
    )


@triton.jit
def _step(
    t,
    saved,
    d_h,
    weight,
    row_lengths,
    d_preact_ptr,
    h_offsets,
    mask,
    h_step,
    BLOCK_P: tl.constexpr,
    BLOCK_B: tl.constexpr,
    VARLEN: tl.constexpr,
    NONLINEARITY: tl.constexpr,
    PRECISION: tl.constexpr,
):
    h, d_output = saved
    dtype: tl.constexpr = d_preact_ptr.dtype.element_ty
    d_preact = preactivation_gradient(d_h + d_output.to(tl.float32), h.to(tl.float32), NONLINEARITY).to(dtype)
    if VARLEN:
        live = t < row_lengths
        d_preact = tl.where(live, d_preact, tl.zeros_like(d_preact))
    tl.store(d_preact_ptr + tl.cast(t, tl.int64) * h_step + h_offsets, d_preact, mask=mask)
    new_d_h = elementwise_layout(tl.dot(weight, d_preact, input_precision=PRECISION), BLOCK_P, BLOCK_B)
    if VARLEN:
        new_d_h = tl.where(live, new_d_h, d_h)
    return new_d_h


@triton.jit(do_not_specialize=["seq_len", "batch_size", "reverse"])
def _rnn_backward_tile_kernel(
    d_output_ptr,  # [T, B, D*H]
    d_h_n_ptr,  # [D, B, H]
    weight_ptr,  # [D, H, P]
    lengths_ptr,  # [B], read if VARLEN
    output_ptr,  # [T, B, D*H]
    d_preact_ptr,  # [T, B, D*H]
    d_h_0_ptr,  # [D, B, H]
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
    APPROX: tl.constexpr,  # of the forward pass; nothing is approximated here
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

    # The transpose, [unit read, unit].
    column = head * HEAD + units
    weight = tl.load(
        weight_ptr + (direction * HIDDEN + column)[None, :] * HEAD + units[:, None],
        mask=(units < HEAD)[None, :] & (units < HEAD)[:, None],
        other=0.0,
    )
    weight = resident(weight, OPAQUE)

    h_offsets = (direction * HIDDEN + column)[:, None] + rows[None, :] * (DIRECTIONS * HIDDEN)
    state_offsets = (direction * batch_size * HIDDEN + column)[:, None] + rows[None, :] * HIDDEN
    h_step = batch_size * (DIRECTIONS * HIDDEN)

    d_h = tl.load(d_h_n_ptr + state_offsets, mask=mask, other=0.0).to(tl.float32)
    row_lengths = tl.zeros([1, BLOCK_B], tl.int32)
    if VARLEN:
        row_lengths = tl.load(lengths_ptr + rows, mask=rows < batch_size, other=0).to(tl.int32)[None, :]

    # From the last step that the forward pass took to its first, which stands outside the loop, see
    # `resident`. Each step loads what the next one needs.
    first = (1 - backwards) * (seq_len - 1)
    stride = 2 * backwards - 1
    saved = _load_saved(output_ptr, d_output_ptr, first, h_offsets, mask, h_step)
    for s in range(seq_len - 1):
        t = first + s * stride
        following = _load_saved(output_ptr, d_output_ptr, t + stride, h_offsets, mask, h_step)
        d_h = _step(
            t, saved, d_h, weight, row_lengths, d_preact_ptr, h_offsets, mask, h_step,
            BLOCK_P, BLOCK_B, VARLEN, NONLINEARITY, PRECISION,
        )  # fmt: skip
        saved = following
    d_h = _step(
        first + (seq_len - 1) * stride, saved, d_h, weight, row_lengths, d_preact_ptr, h_offsets, mask,
        h_step, BLOCK_P, BLOCK_B, VARLEN, NONLINEARITY, PRECISION,
    )  # fmt: skip
    tl.store(d_h_0_ptr + state_offsets, d_h, mask=mask)
