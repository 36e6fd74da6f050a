"""Length-bucketed batches: little padding, the same batches again for the same seed and epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil

import numpy as np
import torch

from rnnlab.data.batch import Batch
from rnnlab.data.encoding import EncodedSplit
from rnnlab.data.ragged import Ragged

BUCKET_BATCHES = 50
"""Batches a bucket holds: enough to find rows of like length, few enough for batches to differ by epoch."""


class Batcher:
    """Batches of a split for training.

    An epoch is a fixed function of (seed, epoch): the examples are shuffled, sorted by length within
    buckets of 50 batches, cut, and the batches shuffled. Every example comes once; only one batch may be
    smaller.
    """

    def __init__(self, split: EncodedSplit, batch_size: int, seed: int) -> None:
        self.split, self.batch_size, self.seed = split, batch_size, seed

    def __len__(self) -> int:
        """Batches an epoch."""
        return ceil(len(self.split) / self.batch_size)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of one epoch from number `start` on, as if those before it had been taken."""
        for rows in self.plan(epoch)[start:]:
            yield self.split.batch(torch.from_numpy(rows))

    def plan(self, epoch: int) -> list[np.ndarray]:
        """Which examples make up each batch of an epoch, int64 [B] each."""
        rng = np.random.default_rng((self.seed, epoch))
        order = rng.permutation(len(self.split))
        bucket = self.batch_size * BUCKET_BATCHES
        rows = np.concatenate(
            [_by_length(self.split, order[i : i + bucket]) for i in range(0, len(order), bucket)]
        )
        batches = [rows[i : i + self.batch_size] for i in range(0, len(rows), self.batch_size)]
        return [batches[i] for i in rng.permutation(len(batches))]

    @staticmethod
    def in_order(split: EncodedSplit, batch_size: int) -> Iterator[Batch]:
        """Every example of a split once, the longest first: what does not fit into memory fails at once."""
        rows = _by_length(split, np.arange(len(split)))[::-1].copy()
        for i in range(0, len(rows), batch_size):
            yield split.batch(torch.from_numpy(rows[i : i + batch_size]))


def collate(sources: Sequence[np.ndarray]) -> Batch:
    """A batch of sources alone, ids int64 [T] or features float32 [T, F] each, in the order given."""
    lengths = np.fromiter(map(len, sources), dtype=np.int64)
    rows = torch.arange(len(sources))
    source, padded_lengths = Ragged.pack(np.concatenate(sources), lengths, 0).gather(rows)
    return Batch(source, padded_lengths, None, None, rows)


def _by_length(split: EncodedSplit, rows: np.ndarray) -> np.ndarray:
    """`rows` from short to long source; among equals, by the target's length where it has its own."""
    lengths = split.source.lengths.numpy()[rows]
    if split.schema.mode == "asynchronous" and isinstance(split.target, Ragged):
        return rows[np.lexsort((split.target.lengths.numpy()[rows], lengths))]
    return rows[np.argsort(lengths, kind="stable")]
