"""One vector for a whole sequence."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from rnnlab.api import State
from rnnlab_plugins.tasks.padding import step_mask


def pool(kind: Literal["last", "mean", "max"], output: Tensor, state: State, lengths: Tensor) -> Tensor:
    """Summarise the valid steps of each row; a row of length 0 gives its initial state or zeros.

    Args:
        kind: `last` takes the top layer's final hidden state of each direction, which backwards is the one at
            the first step; `mean` and `max` go over the top layer's hidden states.
        output: hidden states of the top layer [T, B, D*S], zero at padding.
        state: final states, the hidden one [L*D, B, S] first.
        lengths: valid steps per row [B].

    Returns:
        [B, D*S].
    """
    if kind == "last":
        hidden = state[0]
        directions = output.shape[-1] // hidden.shape[-1]
        return hidden[-directions:].transpose(0, 1).flatten(1)
    if kind == "mean":
        return output.sum(0) / lengths.clamp(min=1)[:, None]
    padding = ~step_mask(lengths, output.shape[0])
    largest = output.masked_fill(padding[..., None], float("-inf")).amax(0)
    return largest.masked_fill((lengths == 0)[:, None], 0.0)
