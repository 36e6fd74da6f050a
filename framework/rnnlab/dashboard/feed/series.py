"""Curves in memory: buffers that grow, and frozen views of them that cost nothing to take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FIRST_CAPACITY = 16


@dataclass(frozen=True, eq=False)
class Series:
    """One metric of one run, every point of it; read-only.

    Attributes:
        steps: optimizer steps, strictly growing, int64 [n].
        values: float64 [n]; NaN and infinities are kept.
        times: when each was written, milliseconds since the epoch, int64 [n].
    """

    steps: np.ndarray
    values: np.ndarray
    times: np.ndarray

    def __len__(self) -> int:
        return len(self.steps)


class SeriesBuffer:
    """Takes points in; `view` gives out all so far.

    A view shares the buffer's memory: what it covers is never written again, and a buffer that needs more
    room moves to a new one and leaves the old to its views.
    """

    def __init__(self) -> None:
        self._size = 0
        self._allocate(FIRST_CAPACITY)

    def __len__(self) -> int:
        return self._size

    @property
    def nbytes(self) -> int:
        """Memory it holds, bytes."""
        return self._steps.nbytes + self._values.nbytes + self._times.nbytes

    def extend(self, steps: Sequence[int], values: Sequence[float], times: Sequence[int]) -> None:
        """Add points of growing steps; one that is not beyond the last is a repetition and is left out."""
        new_steps = np.asarray(steps, dtype=np.int64)
        new_values, new_times = np.asarray(values, dtype=np.float64), np.asarray(times, dtype=np.int64)
        last = self._steps[self._size - 1] if self._size else np.iinfo(np.int64).min
        highest = np.maximum.accumulate(np.concatenate(([last], new_steps)))
        fresh = new_steps > highest[:-1]
        if not fresh.all():
            new_steps, new_values, new_times = new_steps[fresh], new_values[fresh], new_times[fresh]
        end = self._size + len(new_steps)
        if end > len(self._steps):
            self._grow(max(end, 2 * len(self._steps)))
        self._steps[self._size : end] = new_steps
        self._values[self._size : end] = new_values
        self._times[self._size : end] = new_times
        self._size = end

    def view(self) -> Series:
        """All points so far."""
        return Series(*(_frozen(part[: self._size]) for part in (self._steps, self._values, self._times)))

    def trim(self) -> None:
        """Give back unused room; for a run that has ended."""
        if self._size < len(self._steps):
            self._grow(self._size)

    def thin(self, count: int) -> None:
        """Keep at most `count` points at equal distances, the first and the last among them."""
        if self._size > count:
            kept = np.linspace(0, self._size - 1, count).round().astype(np.int64)
            self._steps, self._values = self._steps[kept], self._values[kept]
            self._times, self._size = self._times[kept], count

    def _allocate(self, capacity: int) -> None:
        self._steps = np.empty(capacity, np.int64)
        self._values = np.empty(capacity, np.float64)
        self._times = np.empty(capacity, np.int64)

    def _grow(self, capacity: int) -> None:
        old = (self._steps, self._values, self._times)
        self._allocate(capacity)
        for new, part in zip((self._steps, self._values, self._times), old, strict=True):
            new[: self._size] = part[: self._size]


def _frozen(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array
