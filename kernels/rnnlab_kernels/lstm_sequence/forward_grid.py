"""LSTM forward for large hidden sizes: a cooperative grid in which each program owns BLOCK_U units.

A program keeps its rows of the recurrent weight for the whole sequence. At every step it reads the hidden
state of all units, which the other programs wrote, and writes that of its own; a grid barrier stands between.
"""

from __future__ import annotations

import triton
import triton.language as tl

from rnnlab_kernels.grid_products import hidden_product, load_rows, rows_before
from rnnlab_kernels.primitives import grid_barrier, sigmoid, tanh


@triton.jit
def _step(
    t,
    t_previous,
    c,
    weights,
    row_lengths,
    counter_ptr,
    arrivals,
    x_ptr,
    output_ptr,
    h_n_ptr,
    cells_ptr,
    gates_ptr,
    x_offsets,
    h_offsets,
    state_offsets,
    row_offsets,
    mask,
    row_mask,
    x_step,
    h_step,
    seq_len,
    is_last,
    FIRST: tl.constexpr,
    HIDDEN: tl.constexpr,
    HEAD: tl.constexpr,
    BLOCK_U: tl.constexpr,
    BLOCK_B: tl.constexpr,
    SPLIT: tl.constexpr,
    DEPTH: tl.constexpr,
    DEPTH_REST: tl.constexpr,
    VARLEN: tl.constexpr,
    SAVE_GATES: tl.constexpr,
    SAVE_CELLS: tl.constexpr,
    APPROX: tl.constexpr,
    PRECISION: tl.constexpr,
):
    x_ptrs = x_ptr + tl.cast(t, tl.int64) * x_step + x_offsets
    x_i = tl.load(x_ptrs, mask=mask, other=0.0).to(tl.float32)
    x_f = tl.load(x_ptrs + HIDDEN, mask=mask, other=0.0).to(tl.float32)
    x_g = tl.load(x_ptrs + 2 * HIDDEN, mask=mask, other=0.0).to(tl.float32)
    x_o = tl.load(x_ptrs + 3 * HIDDEN, mask=mask, other=0.0).to(tl.float32)
    if not FIRST:
        grid_barrier(counter_ptr, arrivals)
    row_ptrs = rows_before(t_previous, seq_len, h_step, output_ptr, row_offsets, row_lengths, FIRST, VARLEN)
    preact = hidden_product(weights, row_ptrs, row_mask, HEAD, SPLIT, DEPTH, DEPTH_REST, PRECISION)
    # Rows are unit * 4 + gate.
    preact = tl.permute(tl.reshape(preact, [BLOCK_U, 2, 2, BLOCK_B]), (0, 3, 1, 2))
    preact_ig, preact_fo = tl.split(preact)
    preact_i, preact_g = tl.split(preact_ig)
    preact_f, preact_o = tl.split(preact_fo)
    i = sigmoid(preact_i + x_i, APPROX)
    f = sigmoid(preact_f + x_f, APPROX)
    g = tanh(preact_g + x_g, APPROX)
    o = sigmoid(preact_o + x_o, APPROX)
    new_c = f * c + i * g
    h = (o * tanh(new_c, APPROX)).to(output_ptr.dtype.element_ty)
    ends = is_last
    if VARLEN:
        live = (t < row_lengths)[None, :]
        # Read forwards a row ends at its length, read backwards at step 0.
        ends = live & (is_last | ((t_previous < t) & (t == row_lengths - 1))[None, :])
        c = tl.where(live, new_c, c)
        h = tl.where(live, h, tl.zeros_like(h))
        if SAVE_GATES:
            i = tl.where(live, i, 0.0)
            f = tl.where(live, f, 0.0)
            g = tl.where(live, g, 0.0)
            o = tl.where(live, o, 0.0)
    else:
        c = new_c
    h_base = tl.cast(t, tl.int64) * h_step
    tl.store(output_ptr + h_base + h_offsets, h, mask=mask)
    tl.store(h_n_ptr + state_offsets, h, mask=mask & ends)
    if SAVE_CELLS:
        tl.store(cells_ptr + h_base + h_offsets, c, mask=mask)
    if SAVE_GATES:
        gates_ptrs = gates_ptr + tl.cast(t, tl.int64) * x_step + x_offsets
        dtype: tl.constexpr = gates_ptr.dtype.element_ty
        tl.store(gates_ptrs, i.to(dtype), mask=mask)
        tl.store(gates_ptrs + HIDDEN, f.to(dtype), mask=mask)
        tl.store(gates_ptrs + 2 * HIDDEN, g.to(dtype), mask=mask)
        tl.store(gates_ptrs + 3 * HIDDEN, o.to(dtype), mask=mask)
    return c


@triton.jit(do_not_specialize=["seq_len", "batch_size", "reverse", "first_block"])
def _lstm_forward_grid_kernel(
    x_ptr,  # [T, B, D*4H] projected inputs
    weight_ptr,  # [D, 4H, P]
    c_0_ptr,  # [D, B, H]
    lengths_ptr,  # [B], read if VARLEN
    output_ptr,  # [T+1, B, D*H], on entry h_0 in the last; also how programs hand on the hidden state
    h_n_ptr,  # [D, B, H], on entry h_0
    c_n_ptr,  # [D, B, H]
    cells_ptr,  # [T, B, D*H], written if SAVE_CELLS
    gates_ptr,  # [T, B, D*4H], written if SAVE_GATES
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
    SAVE_GATES: tl.constexpr,
    SAVE_CELLS: tl.constexpr,
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

    weight_rows = tl.arange(0, 4 * BLOCK_U)
    unit_of_row = tl.program_id(0) * BLOCK_U + weight_rows // 4
    place = direction * 4 * HIDDEN + (weight_rows % 4) * HIDDEN + head * HEAD + unit_of_row
    weights = load_rows(weight_ptr, place, unit_of_row < HEAD, HEAD, SPLIT, DEPTH, DEPTH_REST, OPAQUE)

    column = head * HEAD + units
    x_offsets = (direction * 4 * HIDDEN + column)[:, None] + rows[None, :] * (DIRECTIONS * 4 * HIDDEN)
    h_offsets = (direction * HIDDEN + column)[:, None] + rows[None, :] * (DIRECTIONS * HIDDEN)
    state_offsets = (direction * batch_size * HIDDEN + column)[:, None] + rows[None, :] * HIDDEN
    row_offsets = direction * HIDDEN + head * HEAD + rows * (DIRECTIONS * HIDDEN)
    x_step = batch_size * (DIRECTIONS * 4 * HIDDEN)
    h_step = batch_size * (DIRECTIONS * HIDDEN)

    c = tl.load(c_0_ptr + state_offsets, mask=mask, other=0.0).to(tl.float32)
    row_lengths = tl.zeros([BLOCK_B], tl.int32)
    if VARLEN:
        row_lengths = tl.load(lengths_ptr + rows, mask=row_mask, other=0).to(tl.int32)

    # The first step stands outside the loop, see `resident`; it has nothing to wait for.
    first = backwards * (seq_len - 1)
    stride = 1 - 2 * backwards
    c = _step(
        first, first - stride, c, weights, row_lengths, counter_ptr, 0, x_ptr, output_ptr, h_n_ptr, cells_ptr,
        gates_ptr, x_offsets, h_offsets, state_offsets, row_offsets, mask, row_mask, x_step, h_step, seq_len,
        seq_len == 1, True, HIDDEN, HEAD, BLOCK_U, BLOCK_B, SPLIT, DEPTH, DEPTH_REST, VARLEN, SAVE_GATES,
        SAVE_CELLS, APPROX, PRECISION,
    )  # fmt: skip
    for s in range(1, seq_len):
        t = first + s * stride
        c = _step(
            t, t - stride, c, weights, row_lengths, counter_ptr, s * arrivals, x_ptr, output_ptr, h_n_ptr,
            cells_ptr, gates_ptr, x_offsets, h_offsets, state_offsets, row_offsets, mask, row_mask, x_step,
            h_step, seq_len, s == seq_len - 1, False, HIDDEN, HEAD, BLOCK_U, BLOCK_B, SPLIT, DEPTH,
            DEPTH_REST, VARLEN, SAVE_GATES, SAVE_CELLS, APPROX, PRECISION,
        )  # fmt: skip
    tl.store(c_n_ptr + state_offsets, c.to(c_n_ptr.dtype.element_ty), mask=mask)
