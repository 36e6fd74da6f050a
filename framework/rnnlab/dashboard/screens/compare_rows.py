"""The table beside the curves: what runs were told to do, and what came of it, one column for each."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnlab.dashboard.catalogue.catalogue import Catalogue
from rnnlab.dashboard.feed.snapshot import RunSnapshot
from rnnlab.dashboard.screens.run_words import clock
from rnnlab.dashboard.widgets.axes import short

OTHER_DATA = "other data: none is best"


@dataclass(frozen=True)
class Cell:
    """One run's value as text; `best` of its row, alone or with others."""

    text: str
    best: bool = False


@dataclass(frozen=True)
class TableRow:
    """One line.

    Attributes:
        label: what it says of each run; a section's title.
        cells: one for each run; a single one of what they have in common; none in a title.
        differs: whether the runs are not all equal in it.
        metric: the curve that it is of, "" if of none.
    """

    label: str
    cells: tuple[Cell, ...] = ()
    differs: bool = False
    metric: str = ""


def rows(runs: Sequence[RunSnapshot], catalogue: Catalogue, only_differences: bool = False) -> list[TableRow]:
    """The whole table: parameters that differ, scores, how training went, what the runs have in common.

    Args:
        catalogue: says which way a task's metrics are better; before it is known, only the loss and what
            picks the best checkpoint have a best value.
        only_differences: leave out what is equal in all runs.
    """
    better = directions(runs, catalogue) if same_task(runs) else {}
    facts, parameters = list(_facts(runs)), list(_parameters(runs))
    sections = [
        ("parameters that differ", [row for row in parameters if row.differs]),
        ("at the best checkpoint", _scores(runs, lambda run: run.best, ("val/",), better)),
        ("on test", _scores(runs, lambda run: run.last, ("test/",), better)),
        ("latest", _scores(runs, lambda run: run.last, ("val/", "train/"), better)),
        ("run", [row for row in facts if row.differs]),
        ("in common", [row for row in facts + parameters if not row.differs]),
    ]
    table: list[TableRow] = []
    for title, found in sections:
        shown = [row for row in found if row.differs or not only_differences]
        if shown:
            scored = any(row.metric for row in shown)
            table.append(TableRow(f"{title} ({OTHER_DATA})" if scored and not same_task(runs) else title))
            table += shown
    return table


def same_task(runs: Sequence[RunSnapshot]) -> bool:
    """Whether the runs learn the same from the same data, so that their scores can be compared."""
    return len({(run.config.get("task.type"), run.config.get("dataset.type")) for run in runs}) <= 1


def directions(runs: Sequence[RunSnapshot], catalogue: Catalogue) -> dict[str, str]:
    """Metric without its split -> "max" or "min"; those on which tasks disagree are left out."""
    found: dict[str, set[str]] = {"loss": {"min"}, "tokens_per_second": {"max"}}
    for run in runs:
        entry = catalogue.get("task", str(run.config.get("task.type", "")))
        known = {**(entry.metrics if entry is not None else {})}
        if run.monitor:
            known[run.monitor] = run.better
        for metric, direction in known.items():
            found.setdefault(metric, set()).add(direction)
    return {metric: ways.pop() for metric, ways in found.items() if len(ways) == 1}


def best_step(run: RunSnapshot) -> int | None:
    """The step at which the monitored metric was best on validation; None before the first evaluation."""
    series = run.series.get(f"val/{run.monitor}")
    if series is None or not np.isfinite(series.values).any():
        return None
    pick = np.nanargmax if run.better == "max" else np.nanargmin
    return int(series.steps[pick(np.where(np.isfinite(series.values), series.values, np.nan))])


def _scores(
    runs: Sequence[RunSnapshot],
    of: Callable[[RunSnapshot], Mapping[str, float]],
    splits: tuple[str, ...],
    better: Mapping[str, str],
) -> list[TableRow]:
    keys = dict.fromkeys(key for run in runs for key in of(run))
    found = []
    for key in sorted((key for key in keys if key.startswith(splits)), key=lambda key: _rank(key, runs)):
        values = [of(run).get(key) for run in runs]
        marks = _best(values, better.get(key.partition("/")[2], ""))
        texts = [short(value) if value is not None else "-" for value in values]
        cells = tuple(Cell(text, mark) for text, mark in zip(texts, marks, strict=True))
        found.append(TableRow(key, cells, len(set(map(str, values))) > 1, key))
    return found


def _rank(key: str, runs: Sequence[RunSnapshot]) -> tuple[int, int, str]:
    """Validation first; of each split what picks the best checkpoint, then the loss."""
    split, _, metric = key.partition("/")
    first = 0 if any(run.monitor == metric for run in runs) else 1 if metric == "loss" else 2
    return (0 if split == "val" else 1), first, metric


def _best(values: Sequence[float | None], direction: str) -> list[bool]:
    """Which of the values are the best; none where all are equal, or no direction is better."""
    finite = [value for value in values if value is not None and math.isfinite(value)]
    if not direction or len(set(finite)) < 2:
        return [False] * len(values)
    best = max(finite) if direction == "max" else min(finite)
    return [value == best for value in values]


def _facts(runs: Sequence[RunSnapshot]) -> Iterator[TableRow]:
    known: tuple[tuple[str, Callable[[RunSnapshot], Any]], ...] = (
        ("state", lambda run: run.state),
        ("steps", lambda run: f"{run.step:,}/{run.total_steps:,}" if run.total_steps else f"{run.step:,}"),
        ("best step", lambda run: f"{step:,}" if (step := best_step(run)) is not None else None),
        ("took", lambda run: clock(run.seconds) if run.seconds is not None else None),
        ("weights", lambda run: f"{run.parameters:,}" if run.parameters else None),
        ("backend", lambda run: run.backend or None),
        ("device", lambda run: run.started.device if run.started else None),
    )
    for label, fact in known:
        texts = ["-" if (value := fact(run)) is None else value for run in runs]
        if set(texts) != {"-"}:
            yield _row(label, texts)


def _parameters(runs: Sequence[RunSnapshot]) -> Iterator[TableRow]:
    """Every key of the configs, in their order; "-" where a run has no such key."""
    for key in dict.fromkeys(key for run in runs for key in run.config):
        texts = [_written(run.config[key]) if key in run.config else "-" for run in runs]
        yield _row(key, texts)


def _row(label: str, texts: Sequence[str]) -> TableRow:
    differs = len(set(texts)) > 1
    return TableRow(label, tuple(map(Cell, texts if differs else texts[:1])), differs)


def _written(value: Any) -> str:
    """As a config file has it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)
