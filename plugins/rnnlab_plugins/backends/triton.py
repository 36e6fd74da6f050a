"""The backend of this project's own kernels."""

from __future__ import annotations

import torch
from torch import Tensor

from rnnlab.api import Backend, Cell, Sequence, State
from rnnlab_kernels import lstm_sequence, measured, rnn_sequence
from rnnlab_kernels.device import refusal
from rnnlab_plugins.backends.equations import wrong_weights

NONLINEARITIES = ("tanh", "sigmoid", "relu")


class TritonBackend(Backend):
    """Triton kernels on a GPU, forward and backward; unequal lengths stay on the device."""

    def supports(self, cell: Cell, device: torch.device, dtype: torch.dtype) -> str | None:
        if cell.equations not in ("lstm", "rnn"):
            promise = f"promises {cell.equations!r}" if cell.equations else "promises no equations"
            return f"there are kernels for the equations 'lstm' and 'rnn', the cell {promise}"
        nonlinearity = getattr(cell.config, "nonlinearity", None)
        if cell.equations == "rnn" and nonlinearity not in NONLINEARITIES:
            return f"kernels have {', '.join(NONLINEARITIES)}, got {nonlinearity}"
        if set(cell.state_sizes()) != {cell.hidden_size}:
            return f"every state must have the hidden size {cell.hidden_size}, got {cell.state_sizes()}"
        return wrong_weights(cell) or refusal(device, dtype)

    def advice(self, cell: Cell, device: torch.device, dtype: torch.dtype) -> str | None:
        return measured.advice(cell.equations, cell.hidden_size, dtype, device)

    def run(
        self, cell: Cell, x: Tensor, state: State, lengths: Tensor | None = None, reverse: bool = False
    ) -> Sequence:
        bias = None if cell.bias_ih is None or cell.bias_hh is None else cell.bias_ih + cell.bias_hh
        weights = (cell.weight_ih, cell.weight_hh, bias)
        initial = [tensor[None] for tensor in state]
        if cell.equations == "lstm":
            output, h_n, c_n, _ = lstm_sequence(
                x, *weights, initial[0], initial[1], lengths, reverse=reverse, precision=_precision()
            )
            return Sequence(output, (h_n[0], c_n[0]))
        output, h_n = rnn_sequence(
            x,
            *weights,
            initial[0],
            lengths,
            nonlinearity=getattr(cell.config, "nonlinearity", "tanh"),
            reverse=reverse,
            precision=_precision(),
        )
        return Sequence(output, (h_n[0],))


def _precision() -> str:
    """How float32 is multiplied: as one TF32 product where the process lets cuBLAS do so, else as three."""
    return "tf32" if torch.backends.cuda.matmul.fp32_precision == "tf32" else "tf32x3"
