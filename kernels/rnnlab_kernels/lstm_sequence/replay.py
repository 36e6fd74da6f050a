"""Gates and cells again from preactivations: elementwise over units, one after the other over time."""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from rnnlab_kernels.device import approximate
from rnnlab_kernels.primitives import sigmoid, tanh

BLOCK = 128


@triton.jit(do_not_specialize=["seq_len", "batch_size", "reverse"])
def _lstm_replay_kernel(
    preact_ptr,  # [T, B, D*4H]
    c_0_ptr,  # [D, B, H]
    lengths_ptr,  # [B], read if VARLEN
    cells_ptr,  # [T, B, D*H]
    gates_ptr,  # [T, B, D*4H]
    seq_len,
    batch_size,
    reverse,
    DIRECTIONS: tl.constexpr,
    HIDDEN: tl.constexpr,
    BLOCK: tl.constexpr,
    VARLEN: tl.constexpr,
    APPROX: tl.constexpr,
):
    """Program (k, b, d): units k*BLOCK.. of row b in direction d."""
    row = tl.program_id(1)
    direction = tl.program_id(2)
    units = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = units < HIDDEN
    c = tl.load(c_0_ptr + (direction * batch_size + row) * HIDDEN + units, mask=mask, other=0.0).to(
        tl.float32
    )
    length = seq_len
    if VARLEN:
        length = tl.load(lengths_ptr + row).to(tl.int32)
    first = (reverse + direction) * (seq_len - 1)
    stride = 1 - 2 * (reverse + direction)
    dtype: tl.constexpr = gates_ptr.dtype.element_ty
    for s in range(seq_len):
        t = first + s * stride
        place = (tl.cast(t, tl.int64) * batch_size + row) * DIRECTIONS + direction
        preact_ptrs = preact_ptr + place * (4 * HIDDEN) + units
        gates_ptrs = gates_ptr + place * (4 * HIDDEN) + units
        i = sigmoid(tl.load(preact_ptrs, mask=mask, other=0.0).to(tl.float32), APPROX)
        f = sigmoid(tl.load(preact_ptrs + HIDDEN, mask=mask, other=0.0).to(tl.float32), APPROX)
        g = tanh(tl.load(preact_ptrs + 2 * HIDDEN, mask=mask, other=0.0).to(tl.float32), APPROX)
        o = sigmoid(tl.load(preact_ptrs + 3 * HIDDEN, mask=mask, other=0.0).to(tl.float32), APPROX)
        if VARLEN:
            live = t < length
            i = tl.where(live, i, 0.0)
            f = tl.where(live, f, 0.0)
            g = tl.where(live, g, 0.0)
            o = tl.where(live, o, 0.0)
            c = tl.where(live, f * c + i * g, c)
        else:
            c = f * c + i * g
        tl.store(cells_ptr + place * HIDDEN + units, c, mask=mask)
        tl.store(gates_ptrs, i.to(dtype), mask=mask)
        tl.store(gates_ptrs + HIDDEN, f.to(dtype), mask=mask)
        tl.store(gates_ptrs + 2 * HIDDEN, g.to(dtype), mask=mask)
        tl.store(gates_ptrs + 3 * HIDDEN, o.to(dtype), mask=mask)


def replay(preact: Tensor, c_0: Tensor, lengths: Tensor | None, reverse: bool) -> tuple[Tensor, Tensor]:
    """Return cells [T, B, D*H] (float32) and gates [T, B, D*4H] for preact [T, B, D*4H] and c_0 [D, B, H].

    They are what `forward` returns for the same preactivations, at padded steps too.
    """
    seq_len, batch_size, _ = preact.shape
    directions, _, hidden_size = c_0.shape
    preact, c_0 = preact.contiguous(), c_0.contiguous()
    gates = torch.empty_like(preact)
    cells = preact.new_empty(seq_len, batch_size, directions * hidden_size, dtype=torch.float32)
    settings: dict[str, Any] = {
        "DIRECTIONS": directions,
        "HIDDEN": hidden_size,
        "BLOCK": BLOCK,
        "VARLEN": lengths is not None,
        "APPROX": approximate(preact),
    }
    _lstm_replay_kernel[(triton.cdiv(hidden_size, BLOCK), batch_size, directions)](
        preact, c_0, lengths, cells, gates, seq_len, batch_size, int(reverse), **settings
    )
    return cells, gates
