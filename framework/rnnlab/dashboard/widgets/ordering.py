"""The rows and columns of a table, and the order of its rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """One run.

    Attributes:
        key: tells rows apart, as a run's id does.
        values: by the key of a column; absent and None are shown as "-".
    """

    key: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Column:
    """What a table shows of each row.

    Attributes:
        key: in a row's values.
        label: the heading; "" is the key.
        width: in cells; 0 measures the heading and some of the rows.
        right: aligned to the right, as numbers should be.
        text: how a value is written; None is `str`.
        style: of a value: "bold", "$text-success" or "#rrggbb", "" for none.
        order: what a value is sorted by; None is the value.
        sortable: by click or key.
    """

    key: str
    label: str = ""
    width: int = 0
    right: bool = False
    text: Callable[[Any], str] | None = None
    style: Callable[[Any], str] | None = None
    order: Callable[[Any], Any] | None = None
    sortable: bool = True

    @property
    def heading(self) -> str:
        """The label, or the key."""
        return self.label or self.key

    def written(self, row: Row) -> str:
        """The row's value as text."""
        value = row.values.get(self.key)
        if value is None:
            return "-"
        return self.text(value) if self.text else str(value)


def ordered(rows: Sequence[Row], column: Column, reverse: bool) -> list[int]:
    """Indices of `rows`, sorted by `column`.

    Equal values keep the order in which they were given, in both directions; numbers come before text, which
    is compared without regard to case; None and NaN stand last in both directions.
    """
    keys: list[tuple[int, Any]] = []
    present, missing = [], []
    for index, row in enumerate(rows):
        value = row.values.get(column.key)
        if column.order and value is not None:
            value = column.order(value)
        if value is None or (isinstance(value, float) and math.isnan(value)):
            keys.append((2, 0))
            missing.append(index)
            continue
        number = isinstance(value, (int, float))
        keys.append((0, value) if number else (1, str(value).casefold()))
        present.append(index)
    present.sort(key=keys.__getitem__, reverse=reverse)
    return present + missing
