"""The time steps of a batch: in which order a direction reads them, and which ones do not exist.

A row of length L has the steps 0..L-1; the rest is padding. What stands there (NaN too) must reach no
result, so it is selected away and never multiplied by zero.
"""

from __future__ import annotations

import torch
from torch import Tensor


def reading_order(seq_len: int, backwards: bool) -> range:
    return range(seq_len - 1, -1, -1) if backwards else range(seq_len)


def in_time(steps: dict[int, Tensor]) -> Tensor:
    """Stack what a loop gathered under its steps' numbers 0..T-1, whichever way it went."""
    return torch.stack([steps[t] for t in range(len(steps))])


def valid_steps(seq_len: int, lengths: Tensor | None) -> Tensor | None:
    """Return [T, B, 1], True where t < length, for lengths [B]; None, for everything, if there are none."""
    if lengths is None:
        return None
    return (torch.arange(seq_len, device=lengths.device)[:, None] < lengths).unsqueeze(-1)


def usable(lengths: Tensor | None, seq_len: int) -> Tensor | None:
    """Return lengths [B] as kernels read them: side by side in memory, and within 0..T whoever made them."""
    return None if lengths is None else lengths.clamp(0, seq_len).contiguous()


def zero_padding(tensor: Tensor, lengths: Tensor | None) -> Tensor:
    """Return tensor [T, B, F] with zeros at padded steps."""
    valid = valid_steps(tensor.shape[0], lengths)
    return tensor if valid is None else torch.where(valid, tensor, 0.0)


def hold(valid: Tensor | None, t: int, new: Tensor, old: Tensor) -> Tensor:
    """Return the state [B, H] after step t: `new`, or `old` in rows where the step is padding."""
    return new if valid is None else torch.where(valid[t], new, old)
