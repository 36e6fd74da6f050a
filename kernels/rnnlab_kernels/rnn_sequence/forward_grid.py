"""RNN forward for large hidden sizes: a cooperative grid in which each program owns BLOCK_U units.

A program keeps its rows of the recurrent weight for the whole sequence. At every step it reads the hidden
state of all units, which the other programs wrote, and writes that of its own; a grid barrier stands between.
"""

from __future__ import annotations

import triton
import triton.language as tl

from rnnlab_kernels.grid_products import hidden_product, load_rows, rows_before
from rnnlab_kernels.primitives import grid_barrier
from rnnlab_kernels.rnn_sequence.nonlinearity import activate


@triton.jit
def _step(
    t,
    t_previous,
    weights,
    row_lengths,
    counter_ptr,
    arrivals,
    x_ptr,
    output_ptr,
    h_n_ptr,
    h_offsets,
    state_offsets,
    row_offsets,
    mask,
    row_mask,
    h_step,
    seq_len,
    is_last,
    FIRST: tl.constexpr,
    HEAD: tl.constexpr,
    SPLIT: tl.constexpr,
    DEPTH: tl.constexpr,
    DEPTH_REST: tl.constexpr,
    VARLEN: tl.constexpr,
    NONLINEARITY: tl.constexpr,
    APPROX: tl.constexpr,
    PRECISION: tl.constexpr,
):
    h_base = tl.cast(t, tl.int64) * h_step
    projection = tl.load(x_ptr + h_base + h_offsets, mask=mask, other=0.0).to(tl.float32)
    if not FIRST:
        grid_barrier(counter_ptr, arrivals)
    row_ptrs = rows_before(t_previous, seq_len, h_step, output_ptr, row_offsets, row_lengths, FIRST, VARLEN)
    preact = hidden_product(weights, row_ptrs, row_mask, HEAD, SPLIT, DEPTH, DEPTH_REST, PRECISION)
    h = activate(preact + projection, NONLINEARITY, APPROX).to(output_ptr.dtype.element_ty)
    ends = is_last
    if VARLEN:
        live = (t < row_lengths)[None, :]
        # Read forwards a row ends at its length, read backwards at step 0.
        ends = live & (is_last | ((t_previous < t) & (t == row_lengths - 1))[None, :])
        h = tl.where(live, h, tl.zeros_like(h))
    tl.store(output_ptr + h_base + h_offsets, h, mask=mask)
    tl.store(h_n_ptr + state_offsets, h, mask=mask & ends)


@triton.jit(do_not_specialize=["seq_len", "batch_size", "reverse", "first_block"])
def _rnn_forward_grid_kernel(
    x_ptr,  # [T, B, D*H] projected inputs
    weight_ptr,  # [D, H, P]
    lengths_ptr,  # [B], read if VARLEN
    output_ptr,  # [T+1, B, D*H], on entry h_0 in the last; also how programs hand on the hidden state
    h_n_ptr,  # [D, B, H], on entry h_0
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
    APPROX: tl.constexpr,
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

    column = head * HEAD + units
    weights = load_rows(
        weight_ptr, direction * HIDDEN + column, units < HEAD, HEAD, SPLIT, DEPTH, DEPTH_REST, OPAQUE
    )

    h_offsets = (direction * HIDDEN + column)[:, None] + rows[None, :] * (DIRECTIONS * HIDDEN)
    state_offsets = (direction * batch_size * HIDDEN + column)[:, None] + rows[None, :] * HIDDEN
    row_offsets = direction * HIDDEN + head * HEAD + rows * (DIRECTIONS * HIDDEN)
    h_step = batch_size * (DIRECTIONS * HIDDEN)

    row_lengths = tl.zeros([BLOCK_B], tl.int32)
    if VARLEN:
        row_lengths = tl.load(lengths_ptr + rows, mask=row_mask, other=0).to(tl.int32)

    # The first step stands outside the loop, see `resident`; it has nothing to wait for.
    first = backwards * (seq_len - 1)
    stride = 1 - 2 * backwards
    _step(
        first, first - stride, weights, row_lengths, counter_ptr, 0, x_ptr, output_ptr, h_n_ptr, h_offsets,
        state_offsets, row_offsets, mask, row_mask, h_step, seq_len, seq_len == 1,
        True, HEAD, SPLIT, DEPTH, DEPTH_REST, VARLEN, NONLINEARITY, APPROX, PRECISION,
    )  # fmt: skip
    for s in range(1, seq_len):
        t = first + s * stride
        _step(
            t, t - stride, weights, row_lengths, counter_ptr, s * arrivals, x_ptr, output_ptr, h_n_ptr,
            h_offsets, state_offsets, row_offsets, mask, row_mask, h_step, seq_len, s == seq_len - 1,
            False, HEAD, SPLIT, DEPTH, DEPTH_REST, VARLEN, NONLINEARITY, APPROX, PRECISION,
        )  # fmt: skip
