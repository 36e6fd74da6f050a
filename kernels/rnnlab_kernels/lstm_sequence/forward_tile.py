"""LSTM forward for small heads: one program runs a head for BLOCK_B rows from the first step to the last."""

from __future__ import annotations

import triton
import triton.language as tl

from rnnlab_kernels.primitives import resident, sigmoid, tanh


@triton.jit
def _load_projections(x_ptr, t, x_offsets, mask, x_step, HIDDEN: tl.constexpr):
    """The input's part of i, f, g, o at step t, each [BLOCK_P, BLOCK_B]."""
    x_ptrs = x_ptr + tl.cast(t, tl.int64) * x_step + x_offsets
    return (
        tl.load(x_ptrs, mask=mask, other=0.0),
        tl.load(x_ptrs + HIDDEN, mask=mask, other=0.0),
        tl.load(x_ptrs + 2 * HIDDEN, mask=mask, other=0.0),
        tl.load(x_ptrs + 3 * HIDDEN, mask=mask, other=0.0),
    )


@triton.jit
def _step(
    t,
    projections,
    h,
    c,
    weight,
    row_lengths,
    output_ptr,
    cells_ptr,
    gates_ptr,
    x_offsets,
    h_offsets,
    mask,
    x_step,
    h_step,
    HIDDEN: tl.constexpr,
    BLOCK_P: tl.constexpr,
    BLOCK_B: tl.constexpr,
    VARLEN: tl.constexpr,
    SAVE_GATES: tl.constexpr,
    SAVE_CELLS: tl.constexpr,
    APPROX: tl.constexpr,
    PRECISION: tl.constexpr,
):
    x_i, x_f, x_g, x_o = projections
    preact = tl.dot(weight, h, input_precision=PRECISION)  # rows are unit * 4 + gate
    preact = tl.permute(tl.reshape(preact, [BLOCK_P, 2, 2, BLOCK_B]), (0, 3, 1, 2))
    preact_ig, preact_fo = tl.split(preact)
    preact_i, preact_g = tl.split(preact_ig)
    preact_f, preact_o = tl.split(preact_fo)
    i = sigmoid(preact_i + x_i.to(tl.float32), APPROX)
    f = sigmoid(preact_f + x_f.to(tl.float32), APPROX)
    g = tanh(preact_g + x_g.to(tl.float32), APPROX)
    o = sigmoid(preact_o + x_o.to(tl.float32), APPROX)
    new_c = f * c + i * g
    new_h = (o * tanh(new_c, APPROX)).to(h.dtype)
    shown = new_h
    if VARLEN:
        live = t < row_lengths
        c = tl.where(live, new_c, c)
        h = tl.where(live, new_h, h)
        zero = tl.zeros_like(i)
        shown = tl.where(live, new_h, tl.zeros_like(new_h))
        if SAVE_GATES:
            i = tl.where(live, i, zero)
            f = tl.where(live, f, zero)
            g = tl.where(live, g, zero)
            o = tl.where(live, o, zero)
    else:
        c = new_c
        h = new_h
    h_base = tl.cast(t, tl.int64) * h_step
    tl.store(output_ptr + h_base + h_offsets, shown, mask=mask)
    if SAVE_CELLS:
        tl.store(cells_ptr + h_base + h_offsets, c, mask=mask)
    if SAVE_GATES:
        gates_ptrs = gates_ptr + tl.cast(t, tl.int64) * x_step + x_offsets
        dtype: tl.constexpr = gates_ptr.dtype.element_ty
        tl.store(gates_ptrs, i.to(dtype), mask=mask)
        tl.store(gates_ptrs + HIDDEN, f.to(dtype), mask=mask)
        tl.store(gates_ptrs + 2 * HIDDEN, g.to(dtype), mask=mask)
        tl.store(gates_ptrs + 3 * HIDDEN, o.to(dtype), mask=mask)
    return h, c


@triton.jit(do_not_specialize=["seq_len", "batch_size", "reverse"])
def _lstm_forward_tile_kernel(
    x_ptr,  # [T, B, D*4H] projected inputs
    weight_ptr,  # [D, 4H, P]
    h_0_ptr,  # [D, B, H]
    c_0_ptr,  # [D, B, H]
    lengths_ptr,  # [B], read if VARLEN
    output_ptr,  # [T, B, D*H]
    h_n_ptr,  # [D, B, H]
    c_n_ptr,  # [D, B, H]
    cells_ptr,  # [T, B, D*H], written if SAVE_CELLS
    gates_ptr,  # [T, B, D*4H], written if SAVE_GATES
    seq_len,
    batch_size,
    reverse,
    DIRECTIONS: tl.constexpr,
    HIDDEN: tl.constexpr,
    HEAD: tl.constexpr,
    BLOCK_P: tl.constexpr,
    BLOCK_B: tl.constexpr,
    VARLEN: tl.constexpr,
    SAVE_GATES: tl.constexpr,
    SAVE_CELLS: tl.constexpr,
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

    weight_rows = tl.arange(0, 4 * BLOCK_P)
    unit_of_row = weight_rows // 4
    place = direction * 4 * HIDDEN + (weight_rows % 4) * HIDDEN + head * HEAD + unit_of_row
    weight = tl.load(
        weight_ptr + place[:, None] * HEAD + units[None, :],
        mask=(unit_of_row < HEAD)[:, None] & (units < HEAD)[None, :],
        other=0.0,
    )
    weight = resident(weight, OPAQUE)

    column = head * HEAD + units
    x_offsets = (direction * 4 * HIDDEN + column)[:, None] + rows[None, :] * (DIRECTIONS * 4 * HIDDEN)
    h_offsets = (direction * HIDDEN + column)[:, None] + rows[None, :] * (DIRECTIONS * HIDDEN)
    state_offsets = (direction * batch_size * HIDDEN + column)[:, None] + rows[None, :] * HIDDEN
    x_step = batch_size * (DIRECTIONS * 4 * HIDDEN)
    h_step = batch_size * (DIRECTIONS * HIDDEN)

    h = tl.load(h_0_ptr + state_offsets, mask=mask, other=0.0)
    c = tl.load(c_0_ptr + state_offsets, mask=mask, other=0.0).to(tl.float32)
    row_lengths = tl.zeros([1, BLOCK_B], tl.int32)
    if VARLEN:
        row_lengths = tl.load(lengths_ptr + rows, mask=rows < batch_size, other=0).to(tl.int32)[None, :]

    # The last step stands outside the loop, see `resident`; each step loads what the next one needs.
    first = backwards * (seq_len - 1)
    stride = 1 - 2 * backwards
    projections = _load_projections(x_ptr, first, x_offsets, mask, x_step, HIDDEN)
    for s in range(seq_len - 1):
        t = first + s * stride
        following = _load_projections(x_ptr, t + stride, x_offsets, mask, x_step, HIDDEN)
        h, c = _step(
            t, projections, h, c, weight, row_lengths, output_ptr, cells_ptr, gates_ptr, x_offsets, h_offsets,
            mask, x_step, h_step, HIDDEN, BLOCK_P, BLOCK_B, VARLEN, SAVE_GATES, SAVE_CELLS, APPROX, PRECISION,
        )  # fmt: skip
        projections = following
    h, c = _step(
        first + (seq_len - 1) * stride, projections, h, c, weight, row_lengths, output_ptr, cells_ptr,
        gates_ptr, x_offsets, h_offsets, mask, x_step, h_step, HIDDEN, BLOCK_P, BLOCK_B, VARLEN, SAVE_GATES,
        SAVE_CELLS, APPROX, PRECISION,
    )  # fmt: skip
    tl.store(h_n_ptr + state_offsets, h, mask=mask)
    tl.store(c_n_ptr + state_offsets, c.to(c_n_ptr.dtype.element_ty), mask=mask)
