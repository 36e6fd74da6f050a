"""What is drawn of a series of samples: its smoothed curve and its dots."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from rnnlab.dashboard.widgets.glyphs import BRAILLE_BITS

NEGLIGIBLE = 1e-18


def smooth(x: np.ndarray, y: np.ndarray, weight: float, distance: float) -> np.ndarray:
    """The exponential moving average of `y`, without bias at its beginning.

    A sample counts `weight ** ((x_i - x_j) / distance)` at x_i: at samples `distance` apart this is the
    usual moving average, and a series sampled more rarely is smoothed as much per step, not per sample.

    Args:
        x: float64 [n], never falling.
        y: float64 [n]; what is not finite counts for nothing and stays NaN.
        weight: 0 (no smoothing) up to, but below, 1.
        distance: in units of x, above 0.
    """
    finite = np.isfinite(y)
    if weight <= 0 or not finite.any():
        return np.where(finite, y, np.nan)
    total = np.where(finite, y, 0.0)
    count = finite.astype(float)
    reach = 1
    while reach < len(y):  # after each pass a sum holds twice as many samples: log2(n) passes, no Python loop
        decay = weight ** ((x[reach:] - x[:-reach]) / distance)
        if decay.max() < NEGLIGIBLE:
            break
        total[reach:] += decay * total[:-reach]
        count[reach:] += decay * count[:-reach]
        reach *= 2
    return np.divide(total, count, out=np.full(len(y), np.nan), where=finite)


def usual_gap(xs: Iterable[np.ndarray]) -> float:
    """The smallest of the series' usual distances between samples: what `smooth` takes for one."""
    gaps = []
    for x in xs:
        steps = np.diff(x)
        steps = steps[steps > 0]
        if len(steps):
            gaps.append(float(np.median(steps)))
    return min(gaps, default=1.0)


def trace(
    x: np.ndarray,
    y: np.ndarray,
    x_range: tuple[float, float],
    y_range: tuple[float, float],
    width: int,
    height: int,
) -> np.ndarray:
    """The dots of a curve, bool [height, width], row 0 at the top.

    Each column of dots is filled from the lowest to the highest value that falls on it, so that a single
    high sample among thousands is seen. A sample that is not finite leaves a gap; what lies outside
    `y_range` is cut off.
    """
    (x_low, x_high), (low, high) = x_range, y_range
    there = np.flatnonzero(np.isfinite(y) & (x >= x_low) & (x <= x_high))
    if not len(there):
        return np.zeros((height, width), bool)
    scale = (width - 1) / (x_high - x_low) if x_high > x_low else 0.0
    column = np.floor((x[there] - x_low) * scale + 0.5).astype(np.int64)
    row = np.clip((high - y[there]) / (high - low) * (height - 1), -1e6, 1e6)
    top, bottom = np.full(width, np.inf), np.full(width, -np.inf)
    np.minimum.at(top, column, row)
    np.maximum.at(bottom, column, row)

    joined = np.flatnonzero((np.diff(there) == 1) & (np.diff(column) > 0))
    if len(joined):
        span = column[joined + 1] - column[joined]
        count = span + 1
        segment = np.repeat(np.arange(len(joined)), count)
        offset = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        start, rise = row[joined][segment], (row[joined + 1] - row[joined])[segment]
        before = start + rise * np.clip((offset - 0.5) / span[segment], 0, 1)
        after = start + rise * np.clip((offset + 0.5) / span[segment], 0, 1)
        columns = column[joined][segment] + offset
        np.minimum.at(top, columns, np.minimum(before, after))
        np.maximum.at(bottom, columns, np.maximum(before, after))

    # Half-open, so that a gentle slope is one dot thick and neighbouring columns still touch.
    first = np.floor(np.where(np.isfinite(top), top, height) + 0.5)
    last = np.maximum(np.ceil(np.where(np.isfinite(bottom), bottom, -height) + 0.5) - 1, first)
    rows = np.arange(height)[:, None]
    return (rows >= first) & (rows <= last) & np.isfinite(top)


def compose(masks: list[np.ndarray], raw: int) -> tuple[np.ndarray, np.ndarray]:
    """The braille bits of each character cell, and which mask colours it (-1: none), both [rows, columns].

    Args:
        masks: of `trace`, each [4 rows, 2 columns] times the size in cells.
        raw: how many of the first masks are raw curves: they give way to the others in the cells they share.
    """
    rows, columns = masks[0].shape[0] // 4, masks[0].shape[1] // 2
    bits = np.zeros((rows, columns), np.uint8)
    owner = np.full((rows, columns), -1, np.int64)
    most = np.zeros((rows, columns), np.int64)
    for index in [*range(raw, len(masks)), *range(raw)]:
        cells = masks[index].reshape(rows, 4, columns, 2)
        pattern = (cells * BRAILLE_BITS[:, None, :]).sum(axis=(1, 3)).astype(np.uint8)
        if index < raw:
            pattern[(owner >= raw)] = 0
        count = np.where(pattern > 0, cells.sum(axis=(1, 3)), 0)
        bits |= pattern
        owner[count > most] = index
        most = np.maximum(most, count)
    return bits, owner
