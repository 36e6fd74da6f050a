"""Tables of runs and presets, for people and as JSON."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from rnnlab.config.presets import Preset
from rnnlab.errors import InputError
from rnnlab.lab.events import plain
from rnnlab.lab.run import Run

UNBOUNDED = 100_000
"""Columns given to a table that is not shown in a terminal."""


def print_table(rows: Sequence[Mapping[str, Any]], columns: Iterable[str], empty: str) -> None:
    """Print `rows` under `columns`; `empty` is said when there are none.

    Without a terminal a row is one line, however long, so that nothing is cut.
    """
    if not rows:
        click.echo(empty)
        return
    # Both given, as rich would otherwise take TERM=dumb to be 80 columns wide, whatever the terminal says.
    width, height = shutil.get_terminal_size() if sys.stdout.isatty() else (UNBOUNDED, UNBOUNDED)
    console = Console(width=width, height=height, markup=False, highlight=False, emoji=False)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        numeric = all(isinstance(row.get(column), (int, float, type(None))) for row in rows)
        heading = column.replace("_", " ")
        table.add_column(
            heading, justify="right" if numeric else "left", overflow="fold", header_style="bold"
        )
    for row in rows:
        table.add_row(*(_cell(column, row.get(column)) for column in columns))
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        click.echo(line.rstrip())


def print_json(value: Any) -> None:
    """Print `value` as indented JSON."""
    click.echo(json.dumps(plain(value), ensure_ascii=False, indent=1, allow_nan=False))


def print_presets(presets: Iterable[Preset], as_json: bool) -> None:
    """The presets, each with its mode, data and expected score."""
    rows = [
        {
            "preset": preset.name,
            **{key: preset.about.get(key, "") for key in ("mode", "summary", "data", "expected", "needs")},
            "problem": preset.problem,
        }
        for preset in presets
    ]
    if as_json:
        print_json(rows)
        return
    print_table(rows, ("preset", "mode", "summary", "data", "expected"), "no preset is installed")
    for row in rows:
        if row["needs"]:
            click.echo(
                f"\n{row['preset']} needs your files: rnnlab run {row['preset']} {row['needs']}", nl=False
            )
        if row["problem"]:
            click.echo(f"\nerror: {row['problem']}", nl=False)
    click.echo()


def run_row(run: Run) -> dict[str, Any]:
    """What listings say of a run. `score` is on the test split once finished, on validation before that."""
    from rnnlab.tracking.links import run_url

    status = run.status
    try:
        config, problem = run.config, ""
    except InputError as error:
        config, problem = {}, str(error)
    metric, score = headline(status)
    baselines = status.get("baselines") or {}
    return {
        "run": run.id,
        "preset": config.get("name"),
        "state": run.state,
        **{kind: _type(config, kind) for kind in ("task", "dataset", "cell")},
        "backend": status.get("backend") or _type(config, "backend"),
        "step": status.get("step", 0),
        "steps": status.get("total_steps"),
        "metric": metric,
        "score": score,
        "baseline": max(baselines.values()) if baselines else None,
        "seconds": status.get("seconds"),
        "cpu_seconds": status.get("cpu_seconds"),
        "reason": problem or status.get("reason", ""),
        "mlflow": run_url(run),
    }


def _type(config: Mapping[str, Any], section: str) -> str | None:
    part = config.get(section)
    return part.get("type") if isinstance(part, Mapping) else None


def headline(status: Mapping[str, Any]) -> tuple[str | None, float | None]:
    """The score that stands for a run, and its name: the monitored metric on test, else on validation."""
    scores, monitor = status.get("scores") or {}, status.get("monitor")
    for name in (f"test/{monitor}", f"best/{monitor}"):
        if name in scores:
            return name, float(scores[name])
    return None, None


def _cell(column: str, value: Any) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, float):
        return f"{value:.1f}" if column == "seconds" or abs(value) >= 10 else f"{value:.4f}"
    return str(value)
