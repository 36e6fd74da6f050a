"""Rows of unequal length in one flat tensor, padded into time-major batches by one gather."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Ragged:
    """R rows one after another.

    Attributes:
        values: [N + 1] or [N + 1, F]: every row's values, and last of all the padding, which a gather
            points to wherever a row has ended.
        offsets: where each row begins [R + 1] int64; the last entry is N.
    """

    values: Tensor
    offsets: Tensor

    @classmethod
    def pack(cls, flat: np.ndarray, lengths: np.ndarray, padding: float) -> Ragged:
        """From the rows' values laid end to end [N] or [N, F] and their lengths [R]."""
        last = np.full((1, *flat.shape[1:]), padding, dtype=flat.dtype)
        values = torch.from_numpy(np.concatenate((flat, last)))
        offsets = torch.from_numpy(np.concatenate(([0], np.cumsum(lengths))).astype(np.int64))
        return cls(values, offsets)

    def __len__(self) -> int:
        """R."""
        return len(self.offsets) - 1

    @property
    def total(self) -> int:
        """N, the lengths' sum."""
        return int(self.offsets[-1])

    @property
    def lengths(self) -> Tensor:
        """Length of each row [R] int64."""
        return self.offsets.diff()

    def row(self, index: int) -> Tensor:
        """Values of one row, without padding."""
        return self.values[self.offsets[index] : self.offsets[index + 1]]

    def gather(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Pad some rows into a batch.

        Args:
            rows: which [B] int64.

        Returns:
            Values [T, B] or [T, B, F], T the longest row but at least 1, and the lengths [B] int64.
        """
        starts = self.offsets[rows]
        lengths = self.offsets[rows + 1] - starts
        steps = torch.arange(max(1, int(lengths.max()))).unsqueeze(1)
        where = torch.where(steps < lengths, starts + steps, self.total)
        return self.values[where], lengths
