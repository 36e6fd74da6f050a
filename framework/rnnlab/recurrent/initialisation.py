"""How recurrent weights start."""

from __future__ import annotations

from typing import Literal

from torch import nn

from rnnlab.errors import InputError
from rnnlab.recurrent.cell import Cell


def initialise_(cell: Cell, preset: Literal["torch", "orthogonal", "forget_bias"]) -> None:
    """Start the recurrent weights of a fresh cell by the preset `stack.recurrent_init`, in place.

    Raises:
        InputError: the cell has not what the preset is about.
    """
    if preset != "torch":
        orthogonal_recurrent_(cell, preset)
    if preset == "forget_bias":
        open_forget_gate_(cell)


def orthogonal_recurrent_(cell: Cell, preset: str = "orthogonal") -> None:
    """Make each gate's block [H, H] of every parameter named `weight_hh` orthogonal, in place.

    An orthogonal matrix keeps the length of what it multiplies, so that neither the hidden state nor its
    gradient shrinks or grows by the recurrent weights at the start (Saxe et al. 2014; Le et al. 2015).

    Raises:
        InputError: the cell has no such parameter; the line names `preset`.
    """
    weights = [weight for name, weight in cell.named_parameters() if name.rpartition(".")[2] == "weight_hh"]
    if not weights:
        raise InputError(
            f"stack.recurrent_init {preset!r} needs a parameter named weight_hh, "
            f"{type(cell).__name__} has none; use stack.recurrent_init=torch"
        )
    for weight in weights:
        for block in weight.detach().split(cell.hidden_size):
            nn.init.orthogonal_(block)


def open_forget_gate_(cell: Cell) -> None:
    """Let the bias of the gate named "f" start at 1, in place: `bias_ih` at 1 and `bias_hh` at 0 there.

    The memory is kept at first, and its gradient with it, before the net has learned when to keep it (Gers et
    al. 2000; Jozefowicz et al. 2015).

    Raises:
        InputError: the cell names no such gate, its biases are not one block of H entries a gate, or its
            option `forget_bias` is set.
    """
    name, size = type(cell).__name__, cell.hidden_size
    if "f" not in cell.gates:
        listed = f"has {', '.join(cell.gates)}" if cell.gates else "names none"
        raise InputError(
            f"stack.recurrent_init 'forget_bias' needs a gate named f, {name} {listed}; "
            "use stack.recurrent_init=orthogonal"
        )
    if (own := getattr(cell.config, "forget_bias", None)) is not None:
        raise InputError(
            f"stack.recurrent_init 'forget_bias' sets the bias that cell.forget_bias {own} of {name} sets; "
            "use cell.forget_bias=null or stack.recurrent_init=orthogonal"
        )
    biases = [bias for bias in (cell.bias_ih, cell.bias_hh) if bias is not None]
    if not biases:
        raise InputError(
            f"stack.recurrent_init 'forget_bias' needs a bias, {name} has none; "
            "use cell.bias=true or stack.recurrent_init=orthogonal"
        )
    if any(bias.shape != (len(cell.gates) * size,) for bias in biases):
        raise InputError(
            f"stack.recurrent_init 'forget_bias' needs biases of {len(cell.gates)} blocks of {size}, "
            f"{name} has {' and '.join(str(list(bias.shape)) for bias in biases)}; "
            "use stack.recurrent_init=orthogonal"
        )
    first = cell.gates.index("f") * size
    for bias, start in zip(biases, (1.0, 0.0), strict=False):
        bias.detach()[first : first + size] = start
