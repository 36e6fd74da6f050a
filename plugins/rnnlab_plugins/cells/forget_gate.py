"""Where the bias of a forget gate starts."""

from __future__ import annotations

from rnnlab.api import Cell


def open_forget_gate(cell: Cell, forget_bias: float | None) -> None:
    """Let the forget gate's two biases, the second block of each, start at `forget_bias` together.

    Gers et al. (2000) start it above 0, so that the memory is kept at first; None leaves them as they are.
    """
    if forget_bias is not None and cell.bias_ih is not None and cell.bias_hh is not None:
        forget = slice(cell.hidden_size, 2 * cell.hidden_size)
        cell.bias_ih.detach()[forget] = forget_bias
        cell.bias_hh.detach()[forget] = 0.0
