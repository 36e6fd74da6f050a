"""What a cell that promises the equations "rnn", "gru" or "lstm" must hold for a backend to run them."""

from __future__ import annotations

from rnnlab.api import Cell

GATES = {"rnn": 1, "gru": 3, "lstm": 4}
"""G, in each of the equations."""


def wrong_weights(cell: Cell) -> str | None:
    """None, or how the cell's parameters differ from those that `Cell` makes for its equations."""
    rows = GATES[cell.equations] * cell.hidden_size
    shapes = {"weight_ih": [rows, cell.input_size], "weight_hh": [rows, cell.hidden_size]}
    if cell.bias_ih is not None or cell.bias_hh is not None:
        shapes |= {"bias_ih": [rows], "bias_hh": [rows]}
    got = {name: list(parameter.shape) for name, parameter in cell.named_parameters()}
    if got == shapes:
        return None
    return f"the parameters must be {_listed(shapes)}, got {_listed(got)}"


def _listed(shapes: dict[str, list[int]]) -> str:
    return ", ".join(f"{name} {shape}" for name, shape in shapes.items())
