"""LSTM backward for small heads: one program runs a head for BLOCK_B rows from the last step to the first."""

from __future__ import annotations

import triton
import triton.language as tl

from rnnlab_kernels.primitives import elementwise_layout, resident, tanh


@triton.jit
def cell_gradient(i, f, g, o, c, c_previous, d_h, d_c, APPROX: tl.constexpr):
    """One step back through the cell's equations; all float32 and of one shape.

        h = o tanh(c),  c = f c' + i g;  i, f, o are sigmoids of their preactivations, g is a tanh

    Returns:
        The gradients of the preactivations of i, f, g, o, and of c'.
    """
    tanh_c = tanh(c, APPROX)
    d_c = d_c + d_h * o * (1.0 - tanh_c * tanh_c)
    d_i = d_c * g * i * (1.0 - i)
    d_f = d_c * c_previous * f * (1.0 - f)
    d_g = d_c * i * (1.0 - g * g)
    d_o = d_h * tanh_c * o * (1.0 - o)
    return d_i, d_f, d_g, d_o, d_c * f


@triton.jit
def _load_saved(gates_ptr, d_output_ptr, t, x_offsets, h_offsets, mask, x_step, h_step, HIDDEN: tl.constexpr):
    """i, f, g, o and the gradient of the output at step t, each [BLOCK_P, BLOCK_B]."""
    gates_ptrs = gates_ptr + tl.cast(t, tl.int64) * x_step + x_offsets
    return (
        tl.load(gates_ptrs, mask=mask, other=0.0),
        tl.load(gates_ptrs + HIDDEN, mask=mask, other=0.0),
        tl.load(gates_ptrs + 2 * HIDDEN, mask=mask, other=0.0),
        tl.load(gates_ptrs + 3 * HIDDEN, mask=mask, other=0.0),
        tl.load(d_output_ptr + tl.cast(t, tl.int64) * h_step + h_offsets, mask=mask, other=0.0),
    )


@triton.jit
def _step(
    t,
    saved,
    c,
    c_previous,
    d_h,
    d_c,
    weight,
    row_lengths,
    d_preact_ptr,
    x_offsets,
    mask,
    x_step,
    HIDDEN: tl.constexpr,
    BLOCK_P: tl.constexpr,
    BLOCK_B: tl.constexpr,
    VARLEN: tl.constexpr,
    APPROX: tl.constexpr,
    PRECISION: tl.constexpr,
):
    i, f, g, o, d_output = saved
    dtype: tl.constexpr = d_preact_ptr.dtype.element_ty
    d_output = d_output.to(tl.float32)
    if VARLEN:
        # The gates of a padded step were saved as zeros, so its d_preact is zero if d_output is a number.
        live = t < row_lengths
        d_output = tl.where(live, d_output, 0.0)
    d_i, d_f, d_g, d_o, new_d_c = cell_gradient(  # pyright: ignore[reportGeneralTypeIssues]
        i.to(tl.float32), f.to(tl.float32), g.to(tl.float32), o.to(tl.float32),
        c, c_previous, d_h + d_output, d_c, APPROX,
    )  # fmt: skip
    d_i = d_i.to(dtype)
    d_f = d_f.to(dtype)
    d_g = d_g.to(dtype)
    d_o = d_o.to(dtype)
    d_preact_ptrs = d_preact_ptr + tl.cast(t, tl.int64) * x_step + x_offsets
    tl.store(d_preact_ptrs, d_i, mask=mask)
    tl.store(d_preact_ptrs + HIDDEN, d_f, mask=mask)
    tl.store(d_preact_ptrs + 2 * HIDDEN, d_g, mask=mask)
    tl.store(d_preact_ptrs + 3 * HIDDEN, d_o, mask=mask)
    d_preact = tl.join(
        tl.join(d_i, d_g), tl.join(d_f, d_o)
    )  # [BLOCK_P, BLOCK_B, 2, 2]: [.., k, j] is gate 2k + j
    d_preact = tl.reshape(tl.permute(d_preact, (0, 2, 3, 1)), [4 * BLOCK_P, BLOCK_B])
    new_d_h = elementwise_layout(tl.dot(weight, d_preact, input_precision=PRECISION), BLOCK_P, BLOCK_B)
    if VARLEN:
        new_d_h = tl.where(live, new_d_h, d_h)
        new_d_c = tl.where(live, new_d_c, d_c)
    return new_d_h, new_d_c


@triton.jit(do_not_specialize=["seq_len", "batch_size", "reverse"])
def _lstm_backward_tile_kernel(
    d_output_ptr,  # [T, B, D*H]
    d_h_n_ptr,  # [D, B, H]
    d_c_n_ptr,  # [D, B, H]
    weight_ptr,  # [D, 4H, P]
    c_0_ptr,  # [D, B, H]
    lengths_ptr,  # [B], read if VARLEN
    cells_ptr,  # [T, B, D*H]
    gates_ptr,  # [T, B, D*4H]
    d_preact_ptr,  # [T, B, D*4H]
    d_h_0_ptr,  # [D, B, H]
    d_c_0_ptr,  # [D, B, H]
    seq_len,
    batch_size,
    reverse,
    DIRECTIONS: tl.constexpr,
    HIDDEN: tl.constexpr,
    HEAD: tl.constexpr,
    BLOCK_P: tl.constexpr,
    BLOCK_B: tl.constexpr,
    VARLEN: tl.constexpr,
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

    # The transpose, [unit read, unit * 4 + gate].
    weight_rows = tl.arange(0, 4 * BLOCK_P)
    unit_of_row = weight_rows // 4
    place = direction * 4 * HIDDEN + (weight_rows % 4) * HIDDEN + head * HEAD + unit_of_row
    weight = tl.load(
        weight_ptr + place[None, :] * HEAD + units[:, None],
        mask=(unit_of_row < HEAD)[None, :] & (units < HEAD)[:, None],
        other=0.0,
    )
    weight = resident(weight, OPAQUE)

    column = head * HEAD + units
    x_offsets = (direction * 4 * HIDDEN + column)[:, None] + rows[None, :] * (DIRECTIONS * 4 * HIDDEN)
    h_offsets = (direction * HIDDEN + column)[:, None] + rows[None, :] * (DIRECTIONS * HIDDEN)
    state_offsets = (direction * batch_size * HIDDEN + column)[:, None] + rows[None, :] * HIDDEN
    x_step = batch_size * (DIRECTIONS * 4 * HIDDEN)
    h_step = batch_size * (DIRECTIONS * HIDDEN)

    d_h = tl.load(d_h_n_ptr + state_offsets, mask=mask, other=0.0).to(tl.float32)
    d_c = tl.load(d_c_n_ptr + state_offsets, mask=mask, other=0.0).to(tl.float32)
    row_lengths = tl.zeros([1, BLOCK_B], tl.int32)
    if VARLEN:
        row_lengths = tl.load(lengths_ptr + rows, mask=rows < batch_size, other=0).to(tl.int32)[None, :]

    # From the last step that the forward pass took to its first, which stands outside the loop: before it
    # comes c_0. Each step loads what the next one needs.
    first = (1 - backwards) * (seq_len - 1)
    stride = 2 * backwards - 1
    c = tl.load(cells_ptr + tl.cast(first, tl.int64) * h_step + h_offsets, mask=mask, other=0.0)
    saved = _load_saved(gates_ptr, d_output_ptr, first, x_offsets, h_offsets, mask, x_step, h_step, HIDDEN)
    for s in range(seq_len - 1):
        t = first + s * stride
        c_previous = tl.load(
            cells_ptr + tl.cast(t + stride, tl.int64) * h_step + h_offsets, mask=mask, other=0.0
        )
        following = _load_saved(
            gates_ptr, d_output_ptr, t + stride, x_offsets, h_offsets, mask, x_step, h_step, HIDDEN
        )
        d_h, d_c = _step(
            t, saved, c, c_previous, d_h, d_c, weight, row_lengths, d_preact_ptr, x_offsets, mask, x_step,
            HIDDEN, BLOCK_P, BLOCK_B, VARLEN, APPROX, PRECISION,
        )  # fmt: skip
        c = c_previous
        saved = following
    c_0 = tl.load(c_0_ptr + state_offsets, mask=mask, other=0.0).to(tl.float32)
    d_h, d_c = _step(
        first + (seq_len - 1) * stride, saved, c, c_0, d_h, d_c, weight, row_lengths, d_preact_ptr, x_offsets,
        mask, x_step, HIDDEN, BLOCK_P, BLOCK_B, VARLEN, APPROX, PRECISION,
    )  # fmt: skip
    tl.store(d_h_0_ptr + state_offsets, d_h, mask=mask)
    tl.store(d_c_0_ptr + state_offsets, d_c, mask=mask)
