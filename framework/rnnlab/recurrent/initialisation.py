"""How recurrent weights start."""

from __future__ import annotations

from torch import nn

from rnnlab.errors import InputError
from rnnlab.recurrent.cell import Cell


def orthogonal_recurrent_(cell: Cell) -> None:
    """Make each gate's block [H, H] of every parameter named `weight_hh` orthogonal, in place.

    An orthogonal matrix keeps the length of what it multiplies, so that neither the hidden state nor its
    gradient shrinks or grows by the recurrent weights at the start (Saxe et al. 2014; Le et al. 2015).

    Raises:
        InputError: the cell has no such parameter.
    """
    weights = [weight for name, weight in cell.named_parameters() if name.rpartition(".")[2] == "weight_hh"]
    if not weights:
        raise InputError(
            f"stack.recurrent_init 'orthogonal' needs a parameter named weight_hh, "
            f"{type(cell).__name__} has none; use stack.recurrent_init=torch"
        )
    for weight in weights:
        for block in weight.detach().split(cell.hidden_size):
            nn.init.orthogonal_(block)
