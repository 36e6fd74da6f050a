"""LSTM backward for what no kernel can hold: a product of torch's and an elementwise kernel in every step."""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from rnnlab_kernels.device import approximate
from rnnlab_kernels.gradients import initial_hidden_gradient
from rnnlab_kernels.lstm_sequence.backward_tile import cell_gradient
from rnnlab_kernels.plan import Shape
from rnnlab_kernels.stepping import (
    Steps,
    arranged,
    by_group,
    chunks,
    matmul_precision,
    product,
    steps_for,
)

BLOCK = 128


@triton.jit(do_not_specialize=["k", "batch_size", "reverse"])
def _lstm_backward_step_kernel(
    d_h_ptr,  # [D*N, B, P] float32: d_preact of the step read after this one, times the weight
    d_output_ptr,  # [C, B, D*H], from the last step read to the first, as all that has C steps
    d_h_n_ptr,  # [D, B, H] float32
    d_c_ptr,  # [D, B, H] float32, updated
    lengths_ptr,  # [B], read if VARLEN
    position_ptr,  # [steps before this chunk, T]
    cells_ptr,  # [C+1, B, D*H]; the one after a step's is the one before it in time of reading
    gates_ptr,  # [C, B, D*4H]
    d_preact_ptr,  # [C, B, D*4H]
    factor_ptr,  # [D*N, B, 4P]: d_preact of this step, for the product
    k,
    batch_size,
    reverse,
    DIRECTIONS: tl.constexpr,
    HIDDEN: tl.constexpr,
    HEAD: tl.constexpr,
    BLOCK: tl.constexpr,
    VARLEN: tl.constexpr,
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
    ends = step == 0
    if VARLEN:
        backwards = reverse + direction
        t = (1 - backwards) * (seq_len - 1) + (2 * backwards - 1) * step
        length = tl.load(lengths_ptr + row).to(tl.int32)
        live = live & (t < length)
        # Where the row's reading ended: read forwards at its length, read backwards at step 0.
        ends = live & (t == (1 - backwards) * (length - 1))

    place = (tl.cast(k, tl.int64) * batch_size + row) * DIRECTIONS + direction
    state = (direction * batch_size + row) * HIDDEN + column
    gates_ptrs = gates_ptr + place * (4 * HIDDEN) + column
    i = tl.load(gates_ptrs, mask=mask & live, other=0.0).to(tl.float32)
    f = tl.load(gates_ptrs + HIDDEN, mask=mask & live, other=0.0).to(tl.float32)
    g = tl.load(gates_ptrs + 2 * HIDDEN, mask=mask & live, other=0.0).to(tl.float32)
    o = tl.load(gates_ptrs + 3 * HIDDEN, mask=mask & live, other=0.0).to(tl.float32)
    c = tl.load(cells_ptr + place * HIDDEN + column, mask=mask & live, other=0.0)
    before = place + batch_size * DIRECTIONS
    c_previous = tl.load(cells_ptr + before * HIDDEN + column, mask=mask & live, other=0.0)
    d_h = tl.load(d_h_ptr + (group * batch_size + row) * HEAD + units, mask=mask & live, other=0.0)
    d_h += tl.load(d_output_ptr + place * HIDDEN + column, mask=mask & live, other=0.0).to(tl.float32)
    d_h += tl.load(d_h_n_ptr + state, mask=mask & ends, other=0.0)
    old_d_c = tl.load(d_c_ptr + state, mask=mask, other=0.0)

    d_i, d_f, d_g, d_o, d_c = cell_gradient(  # pyright: ignore[reportGeneralTypeIssues]
        i, f, g, o, c, c_previous, d_h, old_d_c, APPROX
    )
    tl.store(d_c_ptr + state, d_c, mask=mask & live)
    dtype: tl.constexpr = d_preact_ptr.dtype.element_ty
    d_preact_ptrs = d_preact_ptr + place * (4 * HIDDEN) + column
    tl.store(d_preact_ptrs, d_i.to(dtype), mask=mask)
    tl.store(d_preact_ptrs + HIDDEN, d_f.to(dtype), mask=mask)
    tl.store(d_preact_ptrs + 2 * HIDDEN, d_g.to(dtype), mask=mask)
    tl.store(d_preact_ptrs + 3 * HIDDEN, d_o.to(dtype), mask=mask)
    factor_ptrs = factor_ptr + (group * batch_size + row) * (4 * HEAD) + units
    tl.store(factor_ptrs, d_i.to(dtype), mask=mask)
    tl.store(factor_ptrs + HEAD, d_f.to(dtype), mask=mask)
    tl.store(factor_ptrs + 2 * HEAD, d_g.to(dtype), mask=mask)
    tl.store(factor_ptrs + 3 * HEAD, d_o.to(dtype), mask=mask)


class _BackwardSteps(Steps):
    def __init__(self, length: int, shape: Shape, gates: Tensor, varlen: bool, reverse: bool) -> None:
        """Make buffers for `length` steps of gates like those [.., B, D*4H]."""
        super().__init__(length, gates.device)
        batch_size, columns = gates.shape[1:]
        width = shape.directions * shape.hidden_size
        float32 = {"device": gates.device, "dtype": torch.float32}
        self.shape, self.reverse = shape, reverse
        self.weight = gates.new_empty(shape.groups, 4 * shape.head_size, shape.head_size)
        self.d_h = torch.empty(shape.groups, batch_size, shape.head_size, **float32)
        self.factor = gates.new_empty(shape.groups, batch_size, 4 * shape.head_size)
        self.d_h_n = torch.empty(shape.directions, batch_size, shape.hidden_size, **float32)
        self.d_c = torch.empty_like(self.d_h_n)
        self.lengths = torch.empty(batch_size, dtype=torch.int64, device=gates.device) if varlen else None
        self.d_output = gates.new_empty(length, batch_size, width)
        self.cells = torch.empty(length + 1, batch_size, width, **float32)
        self.gates = gates.new_empty(length, batch_size, columns)
        self.d_preact = torch.empty_like(self.gates)
        self.settings: dict[str, Any] = {
            "DIRECTIONS": shape.directions,
            "HIDDEN": shape.hidden_size,
            "HEAD": shape.head_size,
            "BLOCK": BLOCK,
            "VARLEN": varlen,
            "APPROX": approximate(gates),
        }

    def begin(
        self, seq_len: int, weight_hh: Tensor, d_h_n: Tensor, d_c_n: Tensor, lengths: Tensor | None
    ) -> None:
        """Set the gradients after the last step of a sequence of `seq_len`."""
        self.position[1].fill_(seq_len)
        self.weight.copy_(by_group(weight_hh, 4))
        self.d_h.zero_()
        self.d_h_n.copy_(d_h_n)
        self.d_c.copy_(d_c_n)
        if self.lengths is not None and lengths is not None:
            self.lengths.copy_(lengths)

    def take(self, k: int) -> None:
        """The gradient of the preactivations, then its product with the weight for the next step."""
        shape, batch_size = self.shape, self.factor.shape[1]
        _lstm_backward_step_kernel[(triton.cdiv(shape.head_size, BLOCK), batch_size, shape.groups)](
            self.d_h, self.d_output, self.d_h_n, self.d_c, self.lengths, self.position, self.cells,
            self.gates, self.d_preact, self.factor, k, batch_size, int(self.reverse),
            **self.settings,
        )  # fmt: skip
        with matmul_precision(shape.arithmetic):
            product(self.factor, self.weight, self.d_h)


def backward(
    shape: Shape,
    d_output: Tensor,
    d_h_n: Tensor,
    d_c_n: Tensor,
    weight_hh: Tensor,
    c_0: Tensor,
    lengths: Tensor | None,
    cells: Tensor,
    gates: Tensor,
    reverse: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """As `launch.backward`, step by step; all tensors contiguous."""
    seq_len, device = len(gates), gates.device
    flipped = [not (reverse or d == 1) for d in range(shape.directions)]
    options = (lengths is not None, reverse)
    steps = steps_for(
        ("lstm backward", shape, *options),
        seq_len,
        device,
        lambda length: _BackwardSteps(length, shape, gates, *options),
    )
    gates, d_output = arranged(gates, flipped), arranged(d_output, flipped)
    cells = torch.cat([arranged(cells, flipped), c_0.transpose(0, 1).flatten(1)[None].float()])
    d_preact = torch.empty_like(gates)
    with steps.lock:
        steps.begin(seq_len, weight_hh, d_h_n, d_c_n, lengths)
        for start, whole, part in chunks(seq_len, steps.length):
            steps.gates[part].copy_(gates[whole])
            steps.d_output[part].copy_(d_output[whole])
            steps.cells[: part.stop + 1].copy_(cells[whole.start : whole.stop + 1])
            steps.run(start)
            d_preact[whole].copy_(steps.d_preact[part])
        d_c_0 = steps.d_c.clone()
    d_preact = arranged(d_preact, flipped)
    return d_preact, initial_hidden_gradient(d_preact, d_h_n, weight_hh, lengths, reverse), d_c_0
