"""RNN forward for what no kernel can hold: a product of torch's and an elementwise kernel in every step."""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from rnnlab_kernels.device import approximate
from rnnlab_kernels.plan import Shape
from rnnlab_kernels.rnn_sequence.nonlinearity import activate
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
def _rnn_forward_step_kernel(
    preact_ptr,  # [D*N, B, P] float32: the recurrent product
    x_ptr,  # [C, B, D*H], in the order of reading, as all that has C steps
    h_ptr,  # [D*N, B, P], updated
    lengths_ptr,  # [B], read if VARLEN
    position_ptr,  # [steps before this chunk, T]
    output_ptr,  # [C, B, D*H]
    k,
    batch_size,
    reverse,
    DIRECTIONS: tl.constexpr,
    HIDDEN: tl.constexpr,
    HEAD: tl.constexpr,
    BLOCK: tl.constexpr,
    VARLEN: tl.constexpr,
    NONLINEARITY: tl.constexpr,
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

    place = ((tl.cast(k, tl.int64) * batch_size + row) * DIRECTIONS + direction) * HIDDEN + column
    state = (group * batch_size + row) * HEAD + units
    preact = tl.load(preact_ptr + state, mask=mask, other=0.0)
    preact += tl.load(x_ptr + place, mask=mask, other=0.0).to(tl.float32)
    h = tl.where(live, activate(preact, NONLINEARITY, APPROX), 0.0).to(h_ptr.dtype.element_ty)
    tl.store(h_ptr + state, h, mask=mask & live)
    tl.store(output_ptr + place, h, mask=mask)


class _ForwardSteps(Steps):
    def __init__(
        self, length: int, shape: Shape, x: Tensor, varlen: bool, nonlinearity: str, reverse: bool
    ) -> None:
        """Make buffers for `length` steps of inputs like x [.., B, D*H]."""
        super().__init__(length, x.device)
        batch_size, columns = x.shape[1:]
        self.shape, self.reverse = shape, reverse
        self.weight = x.new_empty(shape.groups, shape.head_size, shape.head_size)
        self.h = x.new_empty(shape.groups, batch_size, shape.head_size)
        self.preact = torch.empty_like(self.h, dtype=torch.float32)
        self.lengths = torch.empty(batch_size, dtype=torch.int64, device=x.device) if varlen else None
        self.x = x.new_empty(length, batch_size, columns)
        self.output = torch.empty_like(self.x)
        self.settings: dict[str, Any] = {
            "DIRECTIONS": shape.directions,
            "HIDDEN": shape.hidden_size,
            "HEAD": shape.head_size,
            "BLOCK": BLOCK,
            "VARLEN": varlen,
            "NONLINEARITY": nonlinearity,
            "APPROX": approximate(x),
        }

    def begin(self, seq_len: int, weight_hh: Tensor, h_0: Tensor, lengths: Tensor | None) -> None:
        """Set the state before the first step of a sequence of `seq_len`."""
        self.position[1].fill_(seq_len)
        self.weight.copy_(by_group(weight_hh, 1).transpose(1, 2))
        self.h.copy_(units_by_group(h_0, self.shape.head_size))
        if self.lengths is not None and lengths is not None:
            self.lengths.copy_(lengths)

    def take(self, k: int) -> None:
        """The product with the state before, then everything else."""
        shape, batch_size = self.shape, self.h.shape[1]
        with matmul_precision(shape.arithmetic):
            product(self.h, self.weight, self.preact)
        _rnn_forward_step_kernel[(triton.cdiv(shape.head_size, BLOCK), batch_size, shape.groups)](
            self.preact, self.x, self.h, self.lengths, self.position, self.output, k, batch_size,
            int(self.reverse),
            **self.settings,
        )  # fmt: skip


def forward(
    shape: Shape,
    x_proj: Tensor,
    weight_hh: Tensor,
    h_0: Tensor,
    lengths: Tensor | None,
    nonlinearity: str,
    reverse: bool,
) -> tuple[Tensor, Tensor]:
    """As `launch.forward`, step by step; all tensors contiguous."""
    seq_len, device = len(x_proj), x_proj.device
    flipped = [reverse or d == 1 for d in range(shape.directions)]
    x = arranged(x_proj, flipped)
    options = (lengths is not None, nonlinearity, reverse)
    steps = steps_for(
        ("rnn forward", shape, *options),
        seq_len,
        device,
        lambda length: _ForwardSteps(length, shape, x, *options),
    )
    output = torch.empty_like(x)
    with steps.lock:
        steps.begin(seq_len, weight_hh, h_0, lengths)
        for start, whole, part in chunks(seq_len, steps.length):
            steps.x[part].copy_(x[whole])
            steps.run(start)
            output[whole].copy_(steps.output[part])
        h_n = units_by_direction(steps.h, shape.directions).to(h_0.dtype, copy=True)
    return arranged(output, flipped), h_n
