"""A curve in one line of text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnnlab.dashboard.widgets.glyphs import UNICODE, Glyphs


def sparkline(values: Sequence[float] | np.ndarray, width: int, glyphs: Glyphs = UNICODE) -> str:
    """`values` as at most `width` characters, one level each, from the lowest value to the highest.

    More values than `width` are averaged over equal shares; NaN and infinities are left out, and a share
    without any finite value is a space. Equal values stand at the middle level. No values: "".
    """
    array = np.asarray(values, dtype=float).ravel()
    if width <= 0 or not array.size:
        return ""
    finite = np.isfinite(array)
    count = min(width, array.size)
    starts = np.arange(count) * array.size // count
    totals = np.add.reduceat(np.where(finite, array, 0.0), starts)
    counts = np.add.reduceat(finite.astype(int), starts)
    means = np.divide(totals, counts, out=np.full(count, np.nan), where=counts > 0)
    shown = counts > 0
    if not shown.any():
        return " " * count
    low, high = float(means[shown].min()), float(means[shown].max())
    top = len(glyphs.levels) - 1
    share = (means - low) / (high - low) if high > low else np.where(shown, 0.5, np.nan)
    levels = np.floor(np.where(shown, share, 0.0) * top + 0.5).astype(int)
    return "".join(glyphs.levels[level] if there else " " for level, there in zip(levels, shown, strict=True))
