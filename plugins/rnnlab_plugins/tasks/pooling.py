"""One vector for a whole sequence."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from rnnlab_plugins.tasks.padding import step_mask


def pool(kind: Literal["last", "mean", "max"], output: Tensor, last: Tensor, lengths: Tensor) -> Tensor:
    """Summarise the valid steps of each row; a row of length 0 gives its initial state or zeros.

    Args:
        kind: `last` takes what each direction ends with, which backwards is at the first step; `mean` and
            `max` go over all steps.
        output: what the stack gives [T, B, D*S], zero at padding.
        last: what each direction of it ends with [B, D*S], as `Stack.last_output` has it.
        lengths: valid steps per row [B].

    Returns:
        [B, D*S].
    """
    if kind == "last":
        return last
    if kind == "mean":
        return output.sum(0) / lengths.clamp(min=1)[:, None]
    padding = ~step_mask(lengths, output.shape[0])
    largest = output.masked_fill(padding[..., None], float("-inf")).amax(0)
    return largest.masked_fill((lengths == 0)[:, None], 0.0)
