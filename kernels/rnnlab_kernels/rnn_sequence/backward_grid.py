"""RNN backward for large hidden sizes: a cooperative grid in which each program owns BLOCK_U units.

The gradient of a unit's hidden state needs d_preact of all units at the step after it. The programs hand it
to one another through the result, with a grid barrier in every step, as the forward kernel's hand on h.
"""

from __future__ import annotations

import triton
import triton.language as tl

from rnnlab_kernels.grid_products import gradient_product, load_columns
from rnnlab_kernels.primitives import grid_barrier
from rnnlab_kernels.rnn_sequence.nonlinearity import preactivation_gradient


@triton.jit
def _step(
    t,
    t_following,
    weights,
    row_lengths,
    counter_ptr,
    arrivals,
    d_output_ptr,
    d_h_n,
    output_ptr,
    d_preact_ptr,
    h_offsets,
    row_offsets,
    mask,
    row_mask,
    h_step,
    FIRST: tl.constexpr,
    HIDDEN: tl.constexpr,
    HEAD: tl.constexpr,
    SPLIT: tl.constexpr,
    DEPTH: tl.constexpr,
    DEPTH_REST: tl.constexpr,
    VARLEN: tl.constexpr,
    NONLINEARITY: tl.constexpr,
    PRECISION: tl.constexpr,
):
    h_base = tl.cast(t, tl.int64) * h_step
    h = tl.load(output_ptr + h_base + h_offsets, mask=mask, other=0.0).to(tl.float32)
    d_h = tl.load(d_output_ptr + h_base + h_offsets, mask=mask, other=0.0).to(tl.float32)
    if VARLEN:
        # The row's last step: read forwards at its length, read backwards at step 0.
        ends = (t_following < 0) | ((t_following > t) & (t_following == row_lengths))
        d_h += tl.where(ends[None, :], d_h_n, 0.0)
    elif FIRST:
        d_h += d_h_n
    if not FIRST:
        following_ptr = d_preact_ptr + tl.cast(t_following, tl.int64) * h_step
        grid_barrier(counter_ptr, arrivals)
        d_h += gradient_product(
            weights, following_ptr, row_offsets, row_mask,
            1, HIDDEN, HEAD, SPLIT, DEPTH, DEPTH_REST, PRECISION,
        )  # fmt: skip
    d_preact = preactivation_gradient(d_h, h, NONLINEARITY).to(d_preact_ptr.dtype.element_ty)
    if VARLEN:
        d_preact = tl.where((t < row_lengths)[None, :], d_preact, tl.zeros_like(d_preact))
    tl.store(d_preact_ptr + h_base + h_offsets, d_preact, mask=mask)


@triton.jit(do_not_specialize=["seq_len", "batch_size", "reverse", "first_block"])
def _rnn_backward_grid_kernel(
    d_output_ptr,  # [T, B, D*H]
    d_h_n_ptr,  # [D, B, H]
    weight_ptr,  # [D, H, P]
    lengths_ptr,  # [B], read if VARLEN
    output_ptr,  # [T, B, D*H]
    d_preact_ptr,  # [T, B, D*H]; also how programs hand it to each other
    counters_ptr,  # [batch blocks * directions * heads], zeros
    seq_len,
    batch_size,
    reverse,
    first_block,
    DIRECTIONS: tl.constexpr,
    HIDDEN: tl.constexpr,
    HEAD: tl.constexpr,
    BLOCK_U: tl.constexpr,
    BLOCK_B: tl.constexpr,
    SPLIT: tl.constexpr,
    DEPTH: tl.constexpr,
    DEPTH_REST: tl.constexpr,
    VARLEN: tl.constexpr,
    NONLINEARITY: tl.constexpr,
    APPROX: tl.constexpr,  # of the forward pass; nothing is approximated here
    OPAQUE: tl.constexpr,
    PRECISION: tl.constexpr,
    BARRIER: tl.constexpr = True,  # pyright: ignore[reportArgumentType]
):
    """Program (s, k, g): units s*BLOCK_U.. of head g % heads of direction g // heads, for the rows of block
    first_block + k.

    SPLIT * (DEPTH + DEPTH_REST) >= HEAD. BARRIER off is for the test that the barrier matters.
    """
    HEADS: tl.constexpr = HIDDEN // HEAD
    direction = tl.program_id(2) // HEADS
    head = tl.program_id(2) % HEADS
    backwards = reverse + direction
    rows = (first_block + tl.program_id(1)) * BLOCK_B + tl.arange(0, BLOCK_B)
    row_mask = rows < batch_size
    units = tl.program_id(0) * BLOCK_U + tl.arange(0, BLOCK_U)
    mask = (units < HEAD)[:, None] & row_mask[None, :]
    counter_ptr = counters_ptr + tl.program_id(2) * tl.num_programs(1) + tl.program_id(1)
    arrivals = tl.num_programs(0) if BARRIER else 0

    head_ptr = weight_ptr + (direction * HIDDEN + head * HEAD) * HEAD
    weights = load_columns(head_ptr, units, units < HEAD, 1, HIDDEN, HEAD, SPLIT, DEPTH, DEPTH_REST, OPAQUE)

    column = head * HEAD + units
    h_offsets = (direction * HIDDEN + column)[:, None] + rows[None, :] * (DIRECTIONS * HIDDEN)
    state_offsets = (direction * batch_size * HIDDEN + column)[:, None] + rows[None, :] * HIDDEN
    row_offsets = direction * HIDDEN + head * HEAD + rows * (DIRECTIONS * HIDDEN)
    h_step = batch_size * (DIRECTIONS * HIDDEN)

    d_h_n = tl.load(d_h_n_ptr + state_offsets, mask=mask, other=0.0).to(tl.float32)
    row_lengths = tl.zeros([BLOCK_B], tl.int32)
    if VARLEN:
        row_lengths = tl.load(lengths_ptr + rows, mask=row_mask, other=0).to(tl.int32)

    # From the last step that the forward pass took to its first.
    first = (1 - backwards) * (seq_len - 1)
    stride = 2 * backwards - 1
    _step(
        first, first - stride, weights, row_lengths, counter_ptr, 0, d_output_ptr, d_h_n, output_ptr,
        d_preact_ptr, h_offsets, row_offsets, mask, row_mask, h_step,
        True, HIDDEN, HEAD, SPLIT, DEPTH, DEPTH_REST, VARLEN, NONLINEARITY, PRECISION,
    )  # fmt: skip
    for s in range(1, seq_len):
        t = first + s * stride
        _step(
            t, t - stride, weights, row_lengths, counter_ptr, s * arrivals, d_output_ptr, d_h_n, output_ptr,
            d_preact_ptr, h_offsets, row_offsets, mask, row_mask, h_step,
            False, HIDDEN, HEAD, SPLIT, DEPTH, DEPTH_REST, VARLEN, NONLINEARITY, PRECISION,
        )  # fmt: skip
