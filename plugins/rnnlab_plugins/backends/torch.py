"""The backend of PyTorch's own recurrent functions.

Rows of unequal length are not packed, which is slow on a CPU. `padded` and `unpadded` are two other exact
ways, and each cell has the one that `framework/benchmarks/variable_lengths.py` showed to be the faster: with
padding where one function runs all steps (cuDNN, oneDNN), else over the valid steps alone.
"""

from __future__ import annotations

import torch
from torch import Tensor

from rnnlab.api import Backend, Cell, Sequence, State
from rnnlab_plugins.backends import padded, unpadded
from rnnlab_plugins.backends.equations import wrong_weights

DTYPES = {
    "cpu": (torch.float32, torch.float64, torch.bfloat16),
    "cuda": (torch.float32, torch.float64, torch.bfloat16, torch.float16),
}

ONE_DNN = (torch.float32, torch.bfloat16)
"""Of these oneDNN has an LSTM on CPUs."""


class TorchBackend(Backend):
    """torch.lstm, torch.gru, torch.rnn_tanh and torch.rnn_relu: oneDNN or ATen on CPUs, cuDNN on GPUs."""

    def supports(self, cell: Cell, device: torch.device, dtype: torch.dtype) -> str | None:
        if cell.equations not in ("lstm", "gru", "rnn"):
            promise = f"promises {cell.equations!r}" if cell.equations else "promises no equations"
            return f"PyTorch has the equations 'lstm', 'gru' and 'rnn', the cell {promise}"
        if cell.equations == "rnn" and padded.mode_of(cell) not in ("rnn_tanh", "rnn_relu"):
            return f"nn.RNN has tanh and relu only, got {padded.mode_of(cell).removeprefix('rnn_')}"
        if wrong := wrong_weights(cell):
            return wrong
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
        lengths = None if lengths is None else lengths.long()
        # Lengths on a GPU are not asked: the host would wait for the answer.
        if lengths is None or (not lengths.is_cuda and bool((lengths == len(x)).all())):
            output, state = padded.fused(cell, cell.weight_ih, x.flip(0) if reverse else x, state)
            return Sequence(output.flip(0) if reverse else output, state)
        mode = padded.mode_of(cell)
        if x.is_cuda or (mode == "lstm" and x.dtype in ONE_DNN and torch.backends.mkldnn.is_available()):
            return padded.run(cell, x, state, lengths, reverse)
        weights = (cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh)
        return unpadded.run(mode, x, weights, state, unpadded.layout(lengths, len(x), reverse))
