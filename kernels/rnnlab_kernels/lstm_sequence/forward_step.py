"""LSTM forward for what no kernel can hold: a product of torch's and an elementwise kernel in every step."""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from rnnlab_kernels.device import approximate
from rnnlab_kernels.plan import Shape
from rnnlab_kernels.primitives import sigmoid, tanh
from rnnlab_kernels.stepping import (
    Steps,
    arranged,
    by_group,
    chunks,
    matmul_precision,
    product,
    steps_for,
    units_by_direction,
    units_by_group,
)

BLOCK = 128


@triton.jit(do_not_specialize=["k", "batch_size", "reverse"])
def _lstm_forward_step_kernel(
    preact_ptr,  # [D*N, B, 4P] float32: the recurrent product
    x_ptr,  # [C, B, D*4H], in the order of reading, as all that has C steps
    h_ptr,  # [D*N, B, P], updated
    c_ptr,  # [D, B, H] float32, updated
    lengths_ptr,  # [B], read if VARLEN
    position_ptr,  # [steps before this chunk, T]
    output_ptr,  # [C, B, D*H]
    cells_ptr,  # [C, B, D*H], written if SAVE_CELLS
    gates_ptr,  # [C, B, D*4H], written if SAVE_GATES
    k,
    batch_size,
    reverse,
    DIRECTIONS: tl.constexpr,
    HIDDEN: tl.constexpr,
    HEAD: tl.constexpr,
    BLOCK: tl.constexpr,
    VARLEN: tl.constexpr,
    SAVE_GATES: tl.constexpr,
    SAVE_CELLS: tl.constexpr,
    APPROX: tl.constexpr,
):
    """Program (j, b, g): units j*BLOCK.. of head g % heads of direction g // heads, row b, in step k."""
    HEADS: tl.constexpr = HIDDEN // HEAD
    row = tl.program_id(1)
    group = tl.program_id(2)
    direction = group // HEADS
    units = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = units < HEAD
    column = (group % HEADS) * HEAD + units

    step = tl.load(position_ptr) + k
    seq_len = tl.load(position_ptr + 1)
    live = step < seq_len
    if VARLEN:
        backwards = reverse + direction
        t = backwards * (seq_len - 1) + (1 - 2 * backwards) * step
        live = live & (t < tl.load(lengths_ptr + row).to(tl.int32))

    place = (tl.cast(k, tl.int64) * batch_size + row) * DIRECTIONS + direction
    x_ptrs = x_ptr + place * (4 * HIDDEN) + column
    preact_ptrs = preact_ptr + (group * batch_size + row) * (4 * HEAD) + units
    preact_i = tl.load(preact_ptrs, mask=mask, other=0.0) + tl.load(x_ptrs, mask=mask, other=0.0).to(
        tl.float32
    )
    preact_f = tl.load(preact_ptrs + HEAD, mask=mask, other=0.0)
    preact_f += tl.load(x_ptrs + HIDDEN, mask=mask, other=0.0).to(tl.float32)
    preact_g = tl.load(preact_ptrs + 2 * HEAD, mask=mask, other=0.0)
    preact_g += tl.load(x_ptrs + 2 * HIDDEN, mask=mask, other=0.0).to(tl.float32)
    preact_o = tl.load(preact_ptrs + 3 * HEAD, mask=mask, other=0.0)
    preact_o += tl.load(x_ptrs + 3 * HIDDEN, mask=mask, other=0.0).to(tl.float32)
    i = tl.where(live, sigmoid(preact_i, APPROX), 0.0)
    f = tl.where(live, sigmoid(preact_f, APPROX), 0.0)
    g = tl.where(live, tanh(preact_g, APPROX), 0.0)
    o = tl.where(live, sigmoid(preact_o, APPROX), 0.0)

    c_ptrs = c_ptr + (direction * batch_size + row) * HIDDEN + column
    old_c = tl.load(c_ptrs, mask=mask, other=0.0)
    c = tl.where(live, f * old_c + i * g, old_c)
    h = (o * tanh(c, APPROX)).to(h_ptr.dtype.element_ty)
    tl.store(c_ptrs, c, mask=mask)
    tl.store(h_ptr + (group * batch_size + row) * HEAD + units, h, mask=mask & live)
    tl.store(output_ptr + place * HIDDEN + column, h, mask=mask)
    if SAVE_CELLS:
        tl.store(cells_ptr + place * HIDDEN + column, c, mask=mask)
    if SAVE_GATES:
        gates_ptrs = gates_ptr + place * (4 * HIDDEN) + column
        dtype: tl.constexpr = gates_ptr.dtype.element_ty
        tl.store(gates_ptrs, i.to(dtype), mask=mask)
        tl.store(gates_ptrs + HIDDEN, f.to(dtype), mask=mask)
        tl.store(gates_ptrs + 2 * HIDDEN, g.to(dtype), mask=mask)
        tl.store(gates_ptrs + 3 * HIDDEN, o.to(dtype), mask=mask)


class _ForwardSteps(Steps):
    def __init__(
        self,
        length: int,
        shape: Shape,
        x: Tensor,
        varlen: bool,
        reverse: bool,
        save_gates: bool,
        save_cells: bool,
    ) -> None:
        """Make buffers for `length` steps of inputs like x [.., B, D*4H]."""
        super().__init__(length, x.device)
        batch_size, columns = x.shape[1:]
        width = shape.directions * shape.hidden_size
        float32 = {"device": x.device, "dtype": torch.float32}
        self.shape, self.reverse = shape, reverse
        self.weight = x.new_empty(shape.groups, shape.head_size, 4 * shape.head_size)
        self.h = x.new_empty(shape.groups, batch_size, shape.head_size)
        self.preact = torch.empty(shape.groups, batch_size, 4 * shape.head_size, **float32)
        self.c = torch.empty(shape.directions, batch_size, shape.hidden_size, **float32)
        self.lengths = torch.empty(batch_size, dtype=torch.int64, device=x.device) if varlen else None
        self.x = torch.empty_like(x) if length == len(x) else x.new_empty(length, batch_size, columns)
        self.output = x.new_empty(length, batch_size, width)
        self.cells = torch.empty(length, batch_size, width, **float32) if save_cells else None
        self.gates = torch.empty_like(self.x) if save_gates else None
        self.settings: dict[str, Any] = {
            "DIRECTIONS": shape.directions,
            "HIDDEN": shape.hidden_size,
            "HEAD": shape.head_size,
            "BLOCK": BLOCK,
            "VARLEN": varlen,
            "SAVE_GATES": save_gates,
            "SAVE_CELLS": save_cells,
            "APPROX": approximate(x),
        }

    def begin(
        self, seq_len: int, weight_hh: Tensor, h_0: Tensor, c_0: Tensor, lengths: Tensor | None
    ) -> None:
        """Set the state before the first step of a sequence of `seq_len`."""
        self.position[1].fill_(seq_len)
        self.weight.copy_(by_group(weight_hh, 4).transpose(1, 2))
        self.h.copy_(units_by_group(h_0, self.shape.head_size))
        self.c.copy_(c_0)
        if self.lengths is not None and lengths is not None:
            self.lengths.copy_(lengths)

    def take(self, k: int) -> None:
        """The product with the state before, then everything else."""
        shape, batch_size = self.shape, self.h.shape[1]
        with matmul_precision(shape.arithmetic):
            product(self.h, self.weight, self.preact)
        _lstm_forward_step_kernel[(triton.cdiv(shape.head_size, BLOCK), batch_size, shape.groups)](
            self.preact, self.x, self.h, self.c, self.lengths, self.position, self.output, self.cells,
            self.gates, k, batch_size, int(self.reverse),
            **self.settings,
        )  # fmt: skip


def forward(
    shape: Shape,
    x_proj: Tensor,
    weight_hh: Tensor,
    h_0: Tensor,
    c_0: Tensor,
    lengths: Tensor | None,
    reverse: bool,
    save_gates: bool,
    save_cells: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """As `launch.forward`, step by step; all tensors contiguous."""
    seq_len, device = len(x_proj), x_proj.device
    flipped = [reverse or d == 1 for d in range(shape.directions)]
    x = arranged(x_proj, flipped)
    options = (lengths is not None, reverse, save_gates, save_cells)
    steps = steps_for(
        ("lstm forward", shape, *options),
        seq_len,
        device,
        lambda length: _ForwardSteps(length, shape, x, *options),
    )
    width = shape.directions * shape.hidden_size
    output = x.new_empty(seq_len, shape.batch_size, width)
    cells = x.new_empty(output.shape if save_cells else 0, dtype=torch.float32)
    gates = x.new_empty(x.shape if save_gates else 0)
    with steps.lock:
        steps.begin(seq_len, weight_hh, h_0, c_0, lengths)
        for start, whole, part in chunks(seq_len, steps.length):
            steps.x[part].copy_(x[whole])
            steps.run(start)
            output[whole].copy_(steps.output[part])
            if steps.cells is not None:
                cells[whole].copy_(steps.cells[part])
            if steps.gates is not None:
                gates[whole].copy_(steps.gates[part])
        h_n = units_by_direction(steps.h, shape.directions).to(h_0.dtype, copy=True)
        c_n = steps.c.to(c_0.dtype, copy=True)
    output = arranged(output, flipped)
    return (
        output,
        h_n,
        c_n,
        arranged(cells, flipped) if save_cells else cells,
        arranged(gates, flipped) if save_gates else gates,
    )
