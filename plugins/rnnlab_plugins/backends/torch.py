"""The backend of PyTorch's own recurrent functions.

Rows of unequal length are not packed: on a CPU a packed LSTM takes two to three times as long as this one,
where every row runs to the end of the batch with its state held still at the padding.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from rnnlab.api import Backend, Cell, Sequence, State

DTYPES = {
    "cpu": (torch.float32, torch.float64, torch.bfloat16),
    "cuda": (torch.float32, torch.float64, torch.bfloat16, torch.float16),
}

HOLDS = {
    # i shut and f open: c stands still.
    "lstm": (-1, 1, 0, 0),
    # h is zero, and so cannot grow without bound through the padding; the h of tanh is bounded as it is.
    "rnn_relu": (-1,),
}
"""Mode -> which gates are shut (-1) or opened (1) at padded steps."""


class TorchBackend(Backend):
    """torch.lstm, torch.rnn_tanh and torch.rnn_relu: oneDNN or ATen on CPUs, cuDNN on NVIDIA GPUs."""

    def supports(self, cell: Cell, device: torch.device, dtype: torch.dtype) -> str | None:
        if cell.equations not in ("lstm", "rnn"):
            promise = f"promises {cell.equations!r}" if cell.equations else "promises no equations"
            return f"PyTorch has the equations 'lstm' and 'rnn', the cell {promise}"
        if cell.equations == "rnn" and _mode(cell) not in ("rnn_tanh", "rnn_relu"):
            return f"nn.RNN has tanh and relu only, got {_mode(cell).removeprefix('rnn_')}"
        if set(cell.state_sizes()) != {cell.hidden_size}:
            return f"every state must have the hidden size {cell.hidden_size}, got {cell.state_sizes()}"
        if device.type not in DTYPES:
            return f"it runs on {' and '.join(DTYPES)}, got {device.type}"
        if dtype not in DTYPES[device.type]:
            names = [str(known).removeprefix("torch.") for known in (*DTYPES[device.type], dtype)]
            return f"on {device.type} it takes {', '.join(names[:-1])}, got {names[-1]}"
        return None

    def run(
        self, cell: Cell, x: Tensor, state: State, lengths: Tensor | None = None, reverse: bool = False
    ) -> Sequence:
        # Lengths on a GPU are not asked: the host would wait for the answer.
        if lengths is None or (not lengths.is_cuda and bool((lengths == len(x)).all())):
            output, state = _fused(cell, cell.weight_ih, x.flip(0) if reverse else x, state)
            return Sequence(output.flip(0) if reverse else output, state)

        seq_len, batch_size, _ = x.shape
        times = torch.arange(seq_len, device=x.device)[:, None]
        rows = torch.arange(batch_size, device=x.device)
        valid = times < lengths
        x = torch.where(valid[..., None], x, 0.0)
        # Reading a row backwards is reading it forwards with its valid steps in the opposite order.
        flipped = torch.where(valid, lengths - 1 - times, times) * batch_size + rows
        if reverse:
            x = _permute(x, flipped)
        output, final = _fused(cell, *_held(cell, x, valid), state)
        output = torch.where(valid[..., None], output, 0.0)
        h_n = torch.where((lengths > 0)[:, None], output[(lengths - 1).clamp(min=0), rows], state[0])
        return Sequence(_permute(output, flipped) if reverse else output, (h_n, *final[1:]))


def _mode(cell: Cell) -> str:
    """What nn.RNNBase calls mode, in small letters: "lstm", "rnn_tanh", "rnn_relu"."""
    return "lstm" if cell.equations == "lstm" else f"rnn_{getattr(cell.config, 'nonlinearity', None)}"


def _held(cell: Cell, x: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Give the cell one more input, 1 at padded steps, that holds the state there if the mode needs it.

    Args:
        cell: the cell, for its `weight_ih` [G*H, I].
        x: inputs [T, B, I].
        valid: boolean [T, B], False at padded steps.

    Returns:
        `weight_ih` [G*H, I+1] and `x` [T, B, I+1], or both as they were.
    """
    weight = cell.weight_ih
    if _mode(cell) not in HOLDS:
        return weight, x
    # So large that a gate is exactly 0 or 1 and its gradient exactly 0, whatever its other inputs; and so
    # small that its product with a gradient does not overflow.
    large = math.sqrt(torch.finfo(weight.dtype).max)
    holds = [weight.new_full((cell.hidden_size, 1), sign * large) for sign in HOLDS[_mode(cell)]]
    padding = (~valid).to(x.dtype)[..., None]
    return torch.cat([weight, torch.cat(holds)], dim=1), torch.cat([x, padding], dim=2)


def _fused(cell: Cell, weight_ih: Tensor, x: Tensor, state: State) -> Sequence:
    """Run one layer forwards over all T steps of x [T, B, I], with `weight_ih` in place of the cell's own."""
    mode = _mode(cell)
    biases = [bias for bias in (cell.bias_ih, cell.bias_hh) if bias is not None]
    weights = [weight_ih, cell.weight_hh, *biases]
    initial = [tensor[None].contiguous() for tensor in state]
    # What the backward pass needs is kept only if there will be one; cuDNN calls that training.
    train = torch.is_grad_enabled()
    if mode == "lstm":
        output, *final = torch.lstm(x, initial, weights, bool(biases), 1, 0.0, train, False, False)
    else:
        rnn = torch.rnn_tanh if mode == "rnn_tanh" else torch.rnn_relu
        output, *final = rnn(x, initial[0], weights, bool(biases), 1, 0.0, train, False, False)
    return Sequence(output, tuple(tensor[0] for tensor in final))


def _permute(x: Tensor, flipped: Tensor) -> Tensor:
    """Take x [T, B, F] in another order: `flipped` [T, B] are indices into its T*B rows."""
    return _Involution.apply(x.flatten(0, 1), flipped.flatten()).view_as(x)


class _Involution(Function):
    """Reorder rows by a permutation that is its own inverse, so that the gradient is a gather, no scatter."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, order: Tensor) -> Tensor:
        ctx.save_for_backward(order)
        return x.index_select(0, order)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, None]:
        (order,) = ctx.saved_tensors
        return _Involution.apply(grad_outputs[0], order), None
