"""Measure the dashboard's widgets: what charts cost while they are redrawn, how soon a long table is there.

    .venv/bin/python framework/benchmarks/dashboard_widgets.py [--seconds 10] [--json]

The widgets run in an app without a terminal, on a screen of 160 x 45. What is counted is the processor time
of the whole process (the widget's drawing, Textual's layout and its writing of escape codes to nowhere).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from textual.app import App, ComposeResult
from textual.widget import Widget

from rnnlab.dashboard.widgets.heatmap import Heatmap
from rnnlab.dashboard.widgets.line_chart import Line, LineChart
from rnnlab.dashboard.widgets.ordering import Column, Row
from rnnlab.dashboard.widgets.run_table import RunTable

SIZE = (160, 45)
LINES, POINTS, ROWS = 4, 2000, 10_000


class Bench(App[None]):
    """One widget on a screen."""

    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self.widget = widget

    def compose(self) -> ComposeResult:
        yield self.widget


async def share_of_core(
    widget: Widget, update: Callable[[int], None], hertz: float, seconds: float
) -> dict[str, float]:
    """CPU seconds per second while `update` is called `hertz` times a second, less the idle app's."""
    app = Bench(widget)
    async with app.run_test(size=SIZE) as pilot:
        update(0)
        await pilot.pause()
        began = time.process_time()
        await asyncio.sleep(1.0)
        idle = time.process_time() - began
        began, deadline, times = time.process_time(), time.perf_counter() + seconds, 0
        start = time.perf_counter()
        while time.perf_counter() < deadline:
            times += 1
            update(times)
            await asyncio.sleep(max(0.0, start + times / hertz - time.perf_counter()))
        spent = time.process_time() - began
        draw = time.perf_counter()
        for again in range(20):
            update(again)
            for line in range(SIZE[1]):
                widget.render_line(line)
        draw = (time.perf_counter() - draw) / 20
    took = time.perf_counter() - start - 20 * draw
    return {"cpu": spent / took - idle, "updates_per_second": times / took, "drawing_ms": draw * 1000}


def charts(smoothing: float) -> tuple[Widget, Callable[[int], None]]:
    """A chart of four noisy curves, each of which moves on by a sample at every update."""
    chart = LineChart("loss", x_label="step")
    chart.smoothing = smoothing
    steps = np.arange(POINTS + 100_000.0)
    noise = np.random.default_rng(0).normal(0, 0.1, (LINES, POINTS))

    def update(times: int) -> None:
        curve = 2.5 * np.exp(-np.arange(POINTS) / 400)
        chart.set_series(
            [
                Line(
                    f"run-{index}",
                    steps[times : times + POINTS],
                    curve + np.roll(noise[index], times) + index,
                )
                for index in range(LINES)
            ]
        )

    return chart, update


def heatmaps() -> tuple[Widget, Callable[[int], None]]:
    """64 units over 128 steps: as large as a Gates event can be."""
    heatmap = Heatmap("forget gate")
    values = np.random.default_rng(0).random((64, 128))

    def update(times: int) -> None:
        heatmap.set_values(np.roll(values, times, axis=1), 0, 1, "unit", "time")

    return heatmap, update


def table_rows() -> tuple[list[Row], list[Column]]:
    """10,000 runs with twelve values each."""
    chance = random.Random(0)
    names = ["state", "task", "dataset", "cell", "backend"]
    numbers = ["loss", "acc", "best", "lr", "step", "age"]
    rows = [
        Row(
            f"run-{index:05d}",
            {
                "run": f"lstm-copy-{index:05d}",
                **{name: chance.choice(["lstm", "gru", "rnn", "copy", "torch"]) for name in names},
                **{number: chance.random() for number in numbers},
            },
        )
        for index in range(ROWS)
    ]
    columns = [Column("run"), *(Column(name) for name in names)]
    return rows, columns + [Column(number, right=True, text="{:.4f}".format) for number in numbers]


def filter_rows(widget: RunTable, rows: list[Row]) -> None:
    """Show a fifth of the rows."""
    widget.set_rows([row for row in rows if row.values["cell"] == "lstm"])


async def table(repeats: int) -> dict[str, float]:
    """Medians in milliseconds; `mount_ms` is rows to first picture, less the same with an empty table."""
    rows, columns = table_rows()
    took: dict[str, list[float]] = {}

    def note(name: str, since: float) -> None:
        took.setdefault(name, []).append((time.perf_counter() - since) * 1000)

    for _ in range(repeats):
        widget = RunTable()
        since = time.perf_counter()
        async with Bench(widget).run_test(size=SIZE):
            note("app_with_empty_table_ms", since)
        widget = RunTable()
        since = time.perf_counter()
        widget.set_rows(rows, columns)
        note("set_rows_ms", since)
        async with Bench(widget).run_test(size=SIZE) as pilot:
            note("app_with_full_table_ms", since)
            actions = {
                "sort_ms": partial(widget.sort, "loss"),
                "filter_ms": partial(filter_rows, widget, rows),
                "sorted_update_ms": partial(widget.set_rows, rows),
                "key_ms": partial(widget.action_move, 1),
            }
            for name, action in actions.items():
                since = time.perf_counter()
                action()
                for line in range(SIZE[1]):
                    widget.render_line(line)
                note(name, since)
                await pilot.pause()
    found = {name: statistics.median(values) for name, values in took.items()}
    found["mount_ms"] = found["app_with_full_table_ms"] - found["app_with_empty_table_ms"]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each widget is redrawn")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = {
        f"LineChart {LINES} x {POINTS} at 4 Hz": asyncio.run(share_of_core(*charts(0.0), 4, options.seconds)),
        f"LineChart {LINES} x {POINTS} at 4 Hz, smoothed": asyncio.run(
            share_of_core(*charts(0.9), 4, options.seconds)
        ),
        "Heatmap 64 x 128 at 1 Hz": asyncio.run(share_of_core(*heatmaps(), 1, options.seconds)),
        f"RunTable {ROWS} rows, median of 5": asyncio.run(table(5)),
    }
    if options.json:
        print(json.dumps(found, indent=1))
        return
    for name, figures in found.items():
        print(name)
        for key, value in figures.items():
            print(f"  {key:26} {value:8.3f}")


if __name__ == "__main__":
    main()
