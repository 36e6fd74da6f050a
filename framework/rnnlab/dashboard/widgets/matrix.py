"""Fitting a matrix into fewer or more cells, and the labels beside it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.cells import cell_len

from rnnlab.dashboard.widgets.axes import round_ticks


def shares(length: int, count: int) -> np.ndarray:
    """Where each of `count` shares of `length` values begins; values are repeated where they are fewer."""
    return np.arange(count) * length // count


def resample(values: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """`values` [any, any] as [rows, columns]: the mean of each share, or each value repeated.

    NaN counts for nothing; a share of nothing but NaN is NaN.
    """
    finite = np.isfinite(values)
    total, count = np.where(finite, values, 0.0), finite.astype(float)
    for axis, size in ((0, rows), (1, columns)):
        starts = shares(values.shape[axis], size)
        # reduceat gives the single value where two shares begin at the same place, as repetition needs.
        total, count = np.add.reduceat(total, starts, axis), np.add.reduceat(count, starts, axis)
    return np.divide(total, count, out=np.full((rows, columns), np.nan), where=count > 0)


def row_labels(names: Sequence[str], rows: int, per_line: int) -> dict[int, str]:
    """Names by line, all of them or those at round indices.

    `names` are drawn in `rows`, of which a line holds `per_line`.
    """
    lines = rows // per_line
    ticks = range(len(names))
    if len(names) > lines:
        ticks = [int(tick) for tick in round_ticks(0, len(names) - 1, max(1, lines // 3), whole=True)]
    labels: dict[int, str] = {}
    for tick in ticks:
        labels.setdefault(_cell(len(names), rows, tick) // per_line, names[tick])
    return labels


def column_labels(names: Sequence[str], columns: int, label: str) -> str:
    """A line of `columns` cells: names at round indices, each from its column on, and `label` at the right.

    Where every column has room for its name, all names are shown.
    """
    cells = [" "] * columns
    end = columns - len(label) - 1 if label and len(label) + 2 <= columns // 3 else columns
    if end < columns:
        cells[end + 1 :] = label
    each = max((cell_len(name) for name in names), default=0) + 1
    if len(names) * each <= end:
        shown = range(len(names))
    else:
        shown = [int(tick) for tick in round_ticks(0, len(names) - 1, max(1, columns // 10), whole=True)]
    free = 0
    for index in shown:
        at, text = _cell(len(names), columns, index), names[index]
        if cell_len(text) == len(text) and free <= at <= end - len(text):
            cells[at : at + len(text)] = text
            free = at + len(text) + 1
    return "".join(cells)


def _cell(length: int, cells: int, index: int) -> int:
    """The first of `cells` that shows the value at `index` of `length`."""
    starts = shares(length, cells)
    if cells >= length:
        return int(np.searchsorted(starts, index, "left"))
    return int(np.searchsorted(starts, index, "right")) - 1
