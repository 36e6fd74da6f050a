"""The batch: what a task sees of the data."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

IGNORE = -100
"""Target id of a step that has no label: padding, or a step the data leave unlabelled."""


@dataclass(frozen=True)
class Batch:
    """B examples, padded, time-major.

    Attributes:
        source: token ids [T, B] int64, or features [T, B, F] float32; zero at padding.
        lengths: valid steps of each source row [B] int64.
        target: class [B]; labels [T, B] with IGNORE at padding and unlabelled steps; or output token ids
            [M, B], each row ending with eos_id, IGNORE at padding. None when there is nothing to compare with.
        target_lengths: valid steps of each target row, eos included [B]; asynchronous mode only.
        indices: which examples of the split these are [B], so that scores can be matched to references.
    """

    source: Tensor
    lengths: Tensor
    target: Tensor | None
    target_lengths: Tensor | None
    indices: Tensor

    def to(self, device: torch.device) -> Batch:
        """The same batch on `device`."""
        move = {
            name: value.to(device, non_blocking=True) if isinstance(value, Tensor) else value
            for name, value in vars(self).items()
        }
        return Batch(**move)

    @property
    def size(self) -> int:
        """B."""
        return self.lengths.shape[0]
