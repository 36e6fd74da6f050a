"""The batch: what a task sees of the data."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

IGNORE = -100
"""Target id of a step that has no label: padding, or a step the data leave unlabelled."""

UNKNOWN = -1
"""Reference id of a label or target token that the training split never had: equal to no answer a model can
give, so that the answer counts as wrong. In `Batch.target` such a label is IGNORE, for it has no
probability to learn."""


@dataclass(frozen=True)
class Batch:
    """B examples, padded, time-major.

    Attributes:
        source: token ids [T, B] int64, or features [T, B, F] float32; zero at padding.
        lengths: valid steps of each source row [B] int64; T is the largest, but at least 1.
        target: class [B], IGNORE where training never saw the class; labels [T, B] with IGNORE at padding,
            unlabelled steps and labels training never saw; or output token ids [M, B], each row ending with
            eos_id, IGNORE at padding. int64. None when there is nothing to compare with.
        target_lengths: valid steps of each target row, eos included [B]; asynchronous mode only.
        indices: which examples of the split these are [B], so that scores can be matched to references.
    """

    source: Tensor
    lengths: Tensor
    target: Tensor | None
    target_lengths: Tensor | None
    indices: Tensor

    @property
    def tokens(self) -> int:
        """Valid source steps; waits for the device if the batch is on a GPU."""
        return int(self.lengths.sum())

    def to(self, device: torch.device) -> Batch:
        """The same batch on `device`."""
        move = {
            name: value.to(device, non_blocking=True) if isinstance(value, Tensor) else value
            for name, value in vars(self).items()
        }
        return Batch(**move)
