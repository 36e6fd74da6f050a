"""LSTM backward for large hidden sizes: a cooperative grid in which each program owns BLOCK_U units.

The gradient of a unit's hidden state needs d_preact of all units at the step after it. The programs hand it
to one another through the result, with a grid barrier in every step, as the forward kernel's hand on h.
"""

from __future__ import annotations

import triton
import triton.language as tl

from rnnlab_kernels.grid_products import gradient_product, load_columns
from rnnlab_kernels.lstm_sequence.backward_tile import cell_gradient
from rnnlab_kernels.primitives import grid_barrier


@triton.jit
def _step(
    t,
    t_previous,
    d_c,
    weights,
    row_lengths,
    counter_ptr,
    arrivals,
    d_output_ptr,
    d_h_n,
    c_0_ptr,
    cells_ptr,
    gates_ptr,
    d_preact_ptr,
    x_offsets,
    h_offsets,
    state_offsets,
    row_offsets,
    mask,
    row_mask,
    x_step,
    h_step,
    is_start,
    FIRST: tl.constexpr,
    HIDDEN: tl.constexpr,
    HEAD: tl.constexpr,
    SPLIT: tl.constexpr,
    DEPTH: tl.constexpr,
    DEPTH_REST: tl.constexpr,
    VARLEN: tl.constexpr,
    APPROX: tl.constexpr,
    PRECISION: tl.constexpr,
):
    x_base = tl.cast(t, tl.int64) * x_step
    gates_ptrs = gates_ptr + x_base + x_offsets
    i = tl.load(gates_ptrs, mask=mask, other=0.0).to(tl.float32)
    f = tl.load(gates_ptrs + HIDDEN, mask=mask, other=0.0).to(tl.float32)
    g = tl.load(gates_ptrs + 2 * HIDDEN, mask=mask, other=0.0).to(tl.float32)
    o = tl.load(gates_ptrs + 3 * HIDDEN, mask=mask, other=0.0).to(tl.float32)
    c = tl.load(cells_ptr + tl.cast(t, tl.int64) * h_step + h_offsets, mask=mask, other=0.0)
    c_previous = tl.load(
        cells_ptr + tl.cast(t_previous, tl.int64) * h_step + h_offsets,
        mask=mask & (is_start == 0),
        other=0.0,
    )
    c_previous += tl.load(c_0_ptr + state_offsets, mask=mask & (is_start != 0), other=0.0).to(tl.float32)
    d_output_ptrs = d_output_ptr + tl.cast(t, tl.int64) * h_step + h_offsets
    d_h = tl.load(d_output_ptrs, mask=mask, other=0.0).to(tl.float32)
    t_following = 2 * t - t_previous
    if VARLEN:
        live = (t < row_lengths)[None, :]
        d_h = tl.where(live, d_h, 0.0)
        # The row's last step: read forwards at its length, read backwards at step 0.
        ends = (t_following < 0) | ((t_following > t) & (t_following == row_lengths))
        d_h += tl.where(ends[None, :], d_h_n, 0.0)
    elif FIRST:
        d_h += d_h_n
    if not FIRST:
        following_ptr = d_preact_ptr + tl.cast(t_following, tl.int64) * x_step
        grid_barrier(counter_ptr, arrivals)
        d_h += gradient_product(
            weights, following_ptr, row_offsets, row_mask,
            4, HIDDEN, HEAD, SPLIT, DEPTH, DEPTH_REST, PRECISION,
        )  # fmt: skip
    # The gates of a padded step were saved as zeros, so its d_preact is zero.
    d_i, d_f, d_g, d_o, new_d_c = cell_gradient(  # pyright: ignore[reportGeneralTypeIssues]
        i, f, g, o, c, c_previous, d_h, d_c, APPROX
    )
    d_preact_ptrs = d_preact_ptr + x_base + x_offsets
    dtype: tl.constexpr = d_preact_ptr.dtype.element_ty
    tl.store(d_preact_ptrs, d_i.to(dtype), mask=mask)
    tl.store(d_preact_ptrs + HIDDEN, d_f.to(dtype), mask=mask)
    tl.store(d_preact_ptrs + 2 * HIDDEN, d_g.to(dtype), mask=mask)
    tl.store(d_preact_ptrs + 3 * HIDDEN, d_o.to(dtype), mask=mask)
    if VARLEN:
        new_d_c = tl.where(live, new_d_c, d_c)
    return new_d_c


@triton.jit(do_not_specialize=["seq_len", "batch_size", "reverse", "first_block"])
def _lstm_backward_grid_kernel(
    d_output_ptr,  # [T, B, D*H]
    d_h_n_ptr,  # [D, B, H]
    d_c_n_ptr,  # [D, B, H]
    weight_ptr,  # [D, 4H, P]
    c_0_ptr,  # [D, B, H]
    lengths_ptr,  # [B], read if VARLEN
    cells_ptr,  # [T, B, D*H]
    gates_ptr,  # [T, B, D*4H]
    d_preact_ptr,  # [T, B, D*4H]; also how programs hand it to each other
    d_c_0_ptr,  # [D, B, H]
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
    APPROX: tl.constexpr,
    OPAQUE: tl.constexpr,
    PRECISION: tl.constexpr,
    BARRIER: tl.constexpr = True,  # pyright: ignore[reportArgumentType]
):
    """Program (s, k, g): units s*BLOCK_U.. of head g % heads of direction g // heads, for the rows of block
    first_block + k.

    SPLIT * (DEPTH + DEPTH_REST) >= 4 * HEAD. BARRIER off is for the test that the barrier matters.
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

    head_ptr = weight_ptr + (direction * 4 * HIDDEN + head * HEAD) * HEAD
    weights = load_columns(head_ptr, units, units < HEAD, 4, HIDDEN, HEAD, SPLIT, DEPTH, DEPTH_REST, OPAQUE)

    column = head * HEAD + units
    x_offsets = (direction * 4 * HIDDEN + column)[:, None] + rows[None, :] * (DIRECTIONS * 4 * HIDDEN)
    h_offsets = (direction * HIDDEN + column)[:, None] + rows[None, :] * (DIRECTIONS * HIDDEN)
    state_offsets = (direction * batch_size * HIDDEN + column)[:, None] + rows[None, :] * HIDDEN
    row_offsets = direction * 4 * HIDDEN + head * HEAD + rows * (DIRECTIONS * 4 * HIDDEN)
    x_step = batch_size * (DIRECTIONS * 4 * HIDDEN)
    h_step = batch_size * (DIRECTIONS * HIDDEN)

    d_h_n = tl.load(d_h_n_ptr + state_offsets, mask=mask, other=0.0).to(tl.float32)
    d_c = tl.load(d_c_n_ptr + state_offsets, mask=mask, other=0.0).to(tl.float32)
    row_lengths = tl.zeros([BLOCK_B], tl.int32)
    if VARLEN:
        row_lengths = tl.load(lengths_ptr + rows, mask=row_mask, other=0).to(tl.int32)

    # From the last step that the forward pass took to its first.
    first = (1 - backwards) * (seq_len - 1)
    stride = 2 * backwards - 1
    d_c = _step(
        first, first + stride, d_c, weights, row_lengths, counter_ptr, 0, d_output_ptr, d_h_n,
        c_0_ptr, cells_ptr, gates_ptr, d_preact_ptr, x_offsets, h_offsets, state_offsets, row_offsets, mask,
        row_mask, x_step, h_step, seq_len == 1, True, HIDDEN, HEAD, SPLIT, DEPTH, DEPTH_REST, VARLEN, APPROX,
        PRECISION,
    )  # fmt: skip
    for s in range(1, seq_len):
        t = first + s * stride
        d_c = _step(
            t, t + stride, d_c, weights, row_lengths, counter_ptr, s * arrivals, d_output_ptr, d_h_n,
            c_0_ptr, cells_ptr, gates_ptr, d_preact_ptr, x_offsets, h_offsets, state_offsets, row_offsets,
            mask, row_mask, x_step, h_step, s == seq_len - 1, False, HIDDEN, HEAD, SPLIT, DEPTH, DEPTH_REST,
            VARLEN, APPROX, PRECISION,
        )  # fmt: skip
    tl.store(d_c_0_ptr + state_offsets, d_c, mask=mask)
