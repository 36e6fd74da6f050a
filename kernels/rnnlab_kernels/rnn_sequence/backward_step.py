"""RNN backward for what no kernel can hold: a product of torch's and an elementwise kernel in every step."""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from rnnlab_kernels.gradients import initial_hidden_gradient
from rnnlab_kernels.plan import Shape
from rnnlab_kernels.rnn_sequence.nonlinearity import preactivation_gradient
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
def _rnn_backward_step_kernel(
    d_h_ptr,  # [D*N, B, P] float32: d_preact of the step read after this one, times the weight
    d_output_ptr,  # [C, B, D*H], from the last step read to the first, as all that has C steps
    d_h_n_ptr,  # [D, B, H] float32
    lengths_ptr,  # [B], read if VARLEN
    position_ptr,  # [steps before this chunk, T]
    output_ptr,  # [C, B, D*H]
    d_preact_ptr,  # [C, B, D*H]
    factor_ptr,  # [D*N, B, P]: d_preact of this step, for the product
    k,
    batch_size,
    reverse,
    DIRECTIONS: tl.constexpr,
    HIDDEN: tl.constexpr,
    HEAD: tl.constexpr,
    BLOCK: tl.constexpr,
    VARLEN: tl.constexpr,
    NONLINEARITY: tl.constexpr,
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

    place = ((tl.cast(k, tl.int64) * batch_size + row) * DIRECTIONS + direction) * HIDDEN + column
    state = (group * batch_size + row) * HEAD + units
    h = tl.load(output_ptr + place, mask=mask & live, other=0.0).to(tl.float32)
    d_h = tl.load(d_h_ptr + state, mask=mask & live, other=0.0)
    d_h += tl.load(d_output_ptr + place, mask=mask & live, other=0.0).to(tl.float32)
    d_h_n_ptrs = d_h_n_ptr + (direction * batch_size + row) * HIDDEN + column
    d_h += tl.load(d_h_n_ptrs, mask=mask & ends, other=0.0)
    d_preact = preactivation_gradient(d_h, h, NONLINEARITY).to(d_preact_ptr.dtype.element_ty)
    tl.store(d_preact_ptr + place, d_preact, mask=mask)
    tl.store(factor_ptr + state, d_preact, mask=mask)


class _BackwardSteps(Steps):
    def __init__(
        self, length: int, shape: Shape, output: Tensor, varlen: bool, nonlinearity: str, reverse: bool
    ) -> None:
        """Make buffers for `length` steps of outputs like those [.., B, D*H]."""
        super().__init__(length, output.device)
        batch_size, columns = output.shape[1:]
        float32 = {"device": output.device, "dtype": torch.float32}
        self.shape, self.reverse = shape, reverse
        self.weight = output.new_empty(shape.groups, shape.head_size, shape.head_size)
        self.factor = output.new_empty(shape.groups, batch_size, shape.head_size)
        self.d_h = torch.empty_like(self.factor, dtype=torch.float32)
        self.d_h_n = torch.empty(shape.directions, batch_size, shape.hidden_size, **float32)
        self.lengths = torch.empty(batch_size, dtype=torch.int64, device=output.device) if varlen else None
        self.output = output.new_empty(length, batch_size, columns)
        self.d_output = torch.empty_like(self.output)
        self.d_preact = torch.empty_like(self.output)
        self.settings: dict[str, Any] = {
            "DIRECTIONS": shape.directions,
            "HIDDEN": shape.hidden_size,
            "HEAD": shape.head_size,
            "BLOCK": BLOCK,
            "VARLEN": varlen,
            "NONLINEARITY": nonlinearity,
        }

    def begin(self, seq_len: int, weight_hh: Tensor, d_h_n: Tensor, lengths: Tensor | None) -> None:
        """Set the gradients after the last step of a sequence of `seq_len`."""
        self.position[1].fill_(seq_len)
        self.weight.copy_(by_group(weight_hh, 1))
        self.d_h.zero_()
        self.d_h_n.copy_(d_h_n)
        if self.lengths is not None and lengths is not None:
            self.lengths.copy_(lengths)

    def take(self, k: int) -> None:
        """The gradient of the preactivations, then its product with the weight for the next step."""
        shape, batch_size = self.shape, self.factor.shape[1]
        _rnn_backward_step_kernel[(triton.cdiv(shape.head_size, BLOCK), batch_size, shape.groups)](
            self.d_h, self.d_output, self.d_h_n, self.lengths, self.position, self.output, self.d_preact,
            self.factor, k, batch_size, int(self.reverse),
            **self.settings,
        )  # fmt: skip
        with matmul_precision(shape.arithmetic):
            product(self.factor, self.weight, self.d_h)


def backward(
    shape: Shape,
    d_output: Tensor,
    d_h_n: Tensor,
    weight_hh: Tensor,
    lengths: Tensor | None,
    output: Tensor,
    nonlinearity: str,
    reverse: bool,
) -> tuple[Tensor, Tensor]:
    """As `launch.backward`, step by step; all tensors contiguous."""
    seq_len, device = len(output), output.device
    flipped = [not (reverse or d == 1) for d in range(shape.directions)]
    options = (lengths is not None, nonlinearity, reverse)
    steps = steps_for(
        ("rnn backward", shape, *options),
        seq_len,
        device,
        lambda length: _BackwardSteps(length, shape, output, *options),
    )
    output, d_output = arranged(output, flipped), arranged(d_output, flipped)
    d_preact = torch.empty_like(output)
    with steps.lock:
        steps.begin(seq_len, weight_hh, d_h_n, lengths)
        for start, whole, part in chunks(seq_len, steps.length):
            steps.output[part].copy_(output[whole])
            steps.d_output[part].copy_(d_output[whole])
            steps.run(start)
            d_preact[whole].copy_(steps.d_preact[part])
    d_preact = arranged(d_preact, flipped)
    return d_preact, initial_hidden_gradient(d_preact, d_h_n, weight_hh, lengths, reverse)
