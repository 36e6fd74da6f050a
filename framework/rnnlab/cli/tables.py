"""Tables of runs and presets, for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from rnnlab.config.presets import Preset
from rnnlab.lab.run import Run

PLAIN_WIDTH = 250
"""Columns given to a table that is not shown in a terminal, so that nothing is cut."""


def print_table(rows: Sequence[Mapping[str, Any]], columns: Iterable[str], empty: str) -> None:
    """Print `rows` under `columns`; `empty` is said when there are none."""
    if not rows:
        click.echo(empty)
        return
    console = Console(markup=False)
    if not console.is_terminal:
        console = Console(width=PLAIN_WIDTH, markup=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        numeric = all(isinstance(row.get(column), (int, float, type(None))) for row in rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    console.print(table)


def print_json(value: Any) -> None:
    """Print `value` as indented JSON."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=1))


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

    status, config = run.status, run.config
    state = run.state
    metric, score = headline(status)
    baselines = status.get("baselines") or {}
    return {
        "run": run.id,
        "preset": config["name"],
        "state": state,
        "task": config["task"]["type"],
        "dataset": config["dataset"]["type"],
        "cell": config["cell"]["type"],
        "backend": status.get("backend") or config["backend"]["type"],
        "step": status.get("step", 0),
        "steps": status.get("total_steps"),
        "metric": metric,
        "score": score,
        "baseline": max(baselines.values()) if baselines else None,
        "seconds": status.get("seconds"),
        "cpu_seconds": status.get("cpu_seconds"),
        "reason": status.get("reason", ""),
        "mlflow": run_url(run),
    }


def headline(status: Mapping[str, Any]) -> tuple[str | None, float | None]:
    """The score that stands for a run, and its name: the monitored metric on test, else on validation."""
    scores, monitor = status.get("scores") or {}, status.get("monitor")
    for name in (f"test/{monitor}", f"best/{monitor}"):
        if name in scores:
            return name, float(scores[name])
    return None, None


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4f}" if abs(value) < 10 else f"{value:.1f}"
    return str(value)
