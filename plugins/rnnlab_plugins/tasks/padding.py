"""What is valid in a padded, time-major batch."""

from __future__ import annotations

import torch
from torch import Tensor


def step_mask(lengths: Tensor, seq_len: int) -> Tensor:
    """True at valid steps.

    Args:
        lengths: valid steps per row [B], integer.
        seq_len: T.

    Returns:
        Bool [T, B].
    """
    return torch.arange(seq_len, device=lengths.device)[:, None] < lengths


def reverse_steps(x: Tensor, lengths: Tensor) -> Tensor:
    """`x` [T, B, ...] with the valid steps of each row in reverse order; padding stays where it is."""
    steps = torch.arange(x.shape[0], device=x.device)[:, None]
    reversed_steps = torch.where(steps < lengths, lengths - 1 - steps, steps)
    return x[reversed_steps, torch.arange(x.shape[1], device=x.device)]
