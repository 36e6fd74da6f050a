"""The recurrent product of cooperative kernels: kept weights times what all programs wrote a step before.

A sum is cut into SPLIT parts, which warps form apart, each of DEPTH and DEPTH_REST terms, two powers of two
(`blocks.pieces`); terms beyond the weight's are zeros. Weights are held as pairs, one block for either power;
the second block is not used if DEPTH_REST is 0. G is 4 for an LSTM, 1 for an RNN.
"""

from __future__ import annotations

import triton
import triton.language as tl

from rnnlab_kernels.primitives import resident


@triton.jit
def load_rows(
    weight_ptr,
    rows,
    row_mask,
    HEAD: tl.constexpr,
    SPLIT: tl.constexpr,
    DEPTH: tl.constexpr,
    DEPTH_REST: tl.constexpr,
    OPAQUE: tl.constexpr,
):
    """Some rows of a weight [.., HEAD]: a pair of [SPLIT, rows, DEPTH or DEPTH_REST] for `hidden_product`."""
    weight = _load_rows(weight_ptr, rows, row_mask, 0, HEAD, SPLIT, DEPTH, OPAQUE)
    weight_rest = weight
    if DEPTH_REST > 0:
        weight_rest = _load_rows(weight_ptr, rows, row_mask, SPLIT * DEPTH, HEAD, SPLIT, DEPTH_REST, OPAQUE)
    return weight, weight_rest


@triton.jit
def _load_rows(
    weight_ptr,
    rows,
    row_mask,
    start: tl.constexpr,
    HEAD: tl.constexpr,
    SPLIT: tl.constexpr,
    DEPTH: tl.constexpr,
    OPAQUE: tl.constexpr,
):
    columns = start + (tl.arange(0, SPLIT) * DEPTH)[:, None, None] + tl.arange(0, DEPTH)[None, None, :]
    weight = tl.load(
        weight_ptr + rows[None, :, None] * HEAD + columns,
        mask=row_mask[None, :, None] & (columns < HEAD),
        other=0.0,
    )
    return resident(weight, OPAQUE)


@triton.jit
def rows_before(
    t_previous,
    seq_len,
    h_step,
    output_ptr,
    row_offsets,
    row_lengths,
    FIRST: tl.constexpr,
    VARLEN: tl.constexpr,
):
    """Where the head's hidden state before a step stands for each row: pointers [BLOCK_B].

    After the T outputs stands h_0, so that every state is found by its offset alone.
    """
    if FIRST:
        place = tl.cast(seq_len, tl.int64)
    else:
        place = tl.cast(t_previous, tl.int64)
        if VARLEN:
            # A row read backwards starts amid the sequence.
            place = tl.where(t_previous < row_lengths, place, tl.cast(seq_len, tl.int64))
    return output_ptr + place * h_step + row_offsets


@triton.jit
def hidden_product(
    weights,
    row_ptrs,
    row_mask,
    HEAD: tl.constexpr,
    SPLIT: tl.constexpr,
    DEPTH: tl.constexpr,
    DEPTH_REST: tl.constexpr,
    PRECISION: tl.constexpr,
):
    """[rows, BLOCK_B]: the weights of `load_rows` times the hidden states that `rows_before` found."""
    product = _hidden_product(weights[0], row_ptrs, row_mask, 0, HEAD, SPLIT, DEPTH, PRECISION)
    if DEPTH_REST > 0:
        product += _hidden_product(
            weights[1], row_ptrs, row_mask, SPLIT * DEPTH, HEAD, SPLIT, DEPTH_REST, PRECISION
        )
    return tl.sum(product, axis=0)


@triton.jit
def _hidden_product(
    weight,
    row_ptrs,
    row_mask,
    start: tl.constexpr,
    HEAD: tl.constexpr,
    SPLIT: tl.constexpr,
    DEPTH: tl.constexpr,
    PRECISION: tl.constexpr,
):
    units = start + (tl.arange(0, SPLIT) * DEPTH)[:, None, None] + tl.arange(0, DEPTH)[None, :, None]
    # Past the L1 cache, which may hold what stood there before another program wrote.
    h = tl.load(
        row_ptrs[None, None, :] + units,
        mask=(units < HEAD) & row_mask[None, None, :],
        other=0.0,
        cache_modifier=".cg",
    )
    return tl.dot(weight, h, input_precision=PRECISION)


@triton.jit
def load_columns(
    weight_ptr,
    units,
    unit_mask,
    GATES: tl.constexpr,
    HIDDEN: tl.constexpr,
    HEAD: tl.constexpr,
    SPLIT: tl.constexpr,
    DEPTH: tl.constexpr,
    DEPTH_REST: tl.constexpr,
    OPAQUE: tl.constexpr,
):
    """How `units` of a head act on its preactivations, for `gradient_product`.

    A pair of [SPLIT, units, DEPTH or DEPTH_REST] from a weight [GH, HEAD]; at weight_ptr stands the head's
    first row. The terms are the head's preactivations, gate * HEAD + unit.
    """
    weight = _load_columns(weight_ptr, units, unit_mask, 0, GATES, HIDDEN, HEAD, SPLIT, DEPTH, OPAQUE)
    weight_rest = weight
    if DEPTH_REST > 0:
        weight_rest = _load_columns(
            weight_ptr, units, unit_mask, SPLIT * DEPTH, GATES, HIDDEN, HEAD, SPLIT, DEPTH_REST, OPAQUE
        )
    return weight, weight_rest


@triton.jit
def _load_columns(
    weight_ptr,
    units,
    unit_mask,
    start: tl.constexpr,
    GATES: tl.constexpr,
    HIDDEN: tl.constexpr,
    HEAD: tl.constexpr,
    SPLIT: tl.constexpr,
    DEPTH: tl.constexpr,
    OPAQUE: tl.constexpr,
):
    k = start + (tl.arange(0, SPLIT) * DEPTH)[:, None, None] + tl.arange(0, DEPTH)[None, None, :]
    weight = tl.load(
        weight_ptr + _place(k, GATES, HIDDEN, HEAD) * HEAD + units[None, :, None],
        mask=unit_mask[None, :, None] & (k < GATES * HEAD),
        other=0.0,
    )
    return resident(weight, OPAQUE)


@triton.jit
def gradient_product(
    weights,
    d_preact_ptr,
    row_offsets,
    row_mask,
    GATES: tl.constexpr,
    HIDDEN: tl.constexpr,
    HEAD: tl.constexpr,
    SPLIT: tl.constexpr,
    DEPTH: tl.constexpr,
    DEPTH_REST: tl.constexpr,
    PRECISION: tl.constexpr,
):
    """[units, BLOCK_B]: weights of `load_columns` times the head's d_preact at d_preact_ptr + row_offsets."""
    product = _gradient_product(
        weights[0], d_preact_ptr, row_offsets, row_mask, 0, GATES, HIDDEN, HEAD, SPLIT, DEPTH, PRECISION
    )
    if DEPTH_REST > 0:
        product += _gradient_product(
            weights[1], d_preact_ptr, row_offsets, row_mask, SPLIT * DEPTH,
            GATES, HIDDEN, HEAD, SPLIT, DEPTH_REST, PRECISION,
        )  # fmt: skip
    return tl.sum(product, axis=0)


@triton.jit
def _gradient_product(
    weight,
    d_preact_ptr,
    row_offsets,
    row_mask,
    start: tl.constexpr,
    GATES: tl.constexpr,
    HIDDEN: tl.constexpr,
    HEAD: tl.constexpr,
    SPLIT: tl.constexpr,
    DEPTH: tl.constexpr,
    PRECISION: tl.constexpr,
):
    k = start + (tl.arange(0, SPLIT) * DEPTH)[:, None, None] + tl.arange(0, DEPTH)[None, :, None]
    # Past the L1 cache, as in `_hidden_product`.
    d_preact = tl.load(
        d_preact_ptr + _place(k, GATES, HIDDEN, HEAD) + row_offsets[None, None, :],
        mask=row_mask[None, None, :] & (k < GATES * HEAD),
        other=0.0,
        cache_modifier=".cg",
    )
    return tl.dot(weight, d_preact, input_precision=PRECISION)


@triton.jit
def _place(k, GATES: tl.constexpr, HIDDEN: tl.constexpr, HEAD: tl.constexpr):
    """Where the head's preactivation gate * HEAD + unit stands among all, gate * HIDDEN + unit."""
    if GATES > 1:
        k = (k // HEAD) * HIDDEN + k % HEAD
    return k
