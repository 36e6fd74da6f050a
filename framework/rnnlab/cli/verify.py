"""`rnnlab verify`."""

from __future__ import annotations

import os
import sys
from collections import Counter
from math import isfinite
from typing import TYPE_CHECKING, Any

import click

from rnnlab.cli.app import App, plugins_dir_option

if TYPE_CHECKING:
    from rnnlab.verification.verify import Verdict


@click.command()
@click.option("--cell", "cells", metavar="NAME", multiple=True, help="Only this cell; repeat for more.")
@click.option("--backend", "backends", metavar="NAME", multiple=True, help="Only this backend.")
@click.option("--dtype", "dtypes", metavar="NAME", multiple=True, help="Only this dtype, or tf32.")
@click.option("--device", "devices", metavar="NAME", multiple=True, help="Only cpu or cuda.")
@click.option("--hidden-size", "hidden_sizes", type=click.IntRange(1, 16384), multiple=True, help="Units H.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@plugins_dir_option
@click.pass_obj
def verify(
    app: App,
    cells: tuple[str, ...],
    backends: tuple[str, ...],
    dtypes: tuple[str, ...],
    devices: tuple[str, ...],
    hidden_sizes: tuple[int, ...],
    as_json: bool,
) -> None:
    """Compare every cell on every backend, in every dtype, with the loop that defines it.

    \b
    rnnlab verify
    rnnlab verify --backend torch --dtype float32
    rnnlab --plugins-dir my_plugins verify --cell ugrnn

    Errors are parts of the largest entry of a tensor. Exit 1 if a combination is wrong; one that a backend
    does not support is not.
    """
    import torch

    from rnnlab.cli.tables import print_json, print_table
    from rnnlab.verification.combinations import Filters, combinations
    from rnnlab.verification.verify import verify as verdict_on

    torch.set_num_threads(1)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # or two runs on a GPU may differ
    chosen = combinations(app.registry, Filters(cells, backends, dtypes, devices))
    with click.progressbar(chosen, label="verify", file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        rows = [_row(verdict_on(each, app.registry, hidden_sizes)) for each in bar]
    counts = Counter(row["result"] for row in rows)
    if as_json:
        print_json(rows)
    else:
        shown = [row | {key: _short(row[key]) for key in ("worst_error", "allowed")} for row in rows]
        columns = ("cell", "backend", "device", "dtype", "result", "worst_error", "allowed", "where")
        print_table(shown, columns, "nothing was verified")
        results = ("ok", "wrong", "not supported")
        click.echo(f"\n{', '.join(f'{counts[result]} {result}' for result in results)}")
    if counts["wrong"]:
        raise click.exceptions.Exit(1)


def _row(verdict: Verdict) -> dict[str, Any]:
    """A verdict as a row; an error that is not finite has no number."""
    of, worst = verdict.combination, verdict.worst
    return {
        "cell": of.variant.label,
        "backend": of.backend.name,
        "device": of.device,
        "dtype": of.precision.name,
        "result": verdict.result,
        "worst_error": worst.error if worst and isfinite(worst.error) else None,
        "allowed": worst.allowed if worst else None,
        "where": verdict.where,
    }


def _short(number: float | None) -> str:
    return "" if number is None else f"{number:.1e}"
