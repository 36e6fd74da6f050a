"""`rnnlab bench`."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import platform
import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rnnlab.cli.app import App, plugins_dir_option

if TYPE_CHECKING:
    import torch

STDOUT = "-"


@click.command()
@click.option("--cell", "cells", metavar="NAME", multiple=True, help="Only this cell; repeat for more.")
@click.option("--backend", "backends", metavar="NAME", multiple=True, help="Only this backend.")
@click.option("--dtype", "dtypes", metavar="NAME", multiple=True, help="A dtype, or tf32 [default: float32].")
@click.option("--device", metavar="NAME", help="cpu or cuda [default: a GPU if there is one].")
@click.option("--shapes", metavar="T,B,I,H", multiple=True, help="Sizes; several in quotes, or repeated.")
@click.option("--lengths", is_flag=True, help="Rows of unequal length, from a quarter of T to T.")
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="Of torch, on a CPU.")
@click.option("--quick", is_flag=True, help="Small shapes and few repeats: a look, no result.")
@click.option("--json", "file", metavar="[FILE]", is_flag=False, flag_value=STDOUT, help="Write JSON.")
@plugins_dir_option
@click.pass_obj
def bench(
    app: App,
    cells: tuple[str, ...],
    backends: tuple[str, ...],
    dtypes: tuple[str, ...],
    device: str | None,
    shapes: tuple[str, ...],
    lengths: bool,
    threads: int,
    quick: bool,
    file: str | None,
) -> None:
    """Time cells on backends side by side, forwards and with gradients.

    \b
    rnnlab bench --quick
    rnnlab bench --cell lstm --shapes "128,32,64,128 256,8,64,512" --lengths
    rnnlab bench --dtype float32 --dtype bfloat16 --json result.json

    Each backend's results are compared with the loop's in float64 first; a wrong one is not timed, and makes
    the exit code 1. Times are medians of measurements taken in turns. Columns `x reference` and `x fastest`
    say how many times as fast a backend is as the one of lowest rank and as the fastest.
    """
    import torch

    from rnnlab.benchmarking.bench import QUICK_SHAPES, SHAPES, Setting, Shape
    from rnnlab.benchmarking.bench import bench as measure
    from rnnlab.benchmarking.timing import QUICK, THOROUGH, clock
    from rnnlab.cli.tables import print_json, print_table
    from rnnlab.verification.combinations import Filters, chosen_devices, combinations

    torch.set_num_threads(threads)
    where = torch.device(chosen_devices([device] if device else [])[-1])
    filters = Filters(cells, backends, dtypes or ("float32",), (where.type,))
    settings: dict[tuple[str, str], list[Any]] = {}
    for each in combinations(app.registry, filters):
        if not each.variant.options:  # a cell's other options seldom change how long it takes
            settings.setdefault((each.variant.label, each.precision.name), []).append(each)
    sizes = [Shape.parse(text) for given in shapes for text in given.split()]
    sizes = sizes or list(QUICK_SHAPES if quick else SHAPES)
    rows: list[dict[str, Any]] = []
    for combined in settings.values():
        for shape in sizes:
            first = combined[0]
            setting = Setting(first.variant, shape, first.precision, where, lengths)
            compared = [each.backend for each in combined]
            effort = QUICK if quick else THOROUGH
            found = measure(setting, compared, app.registry, effort, clock(where))
            labels = {"cell": first.variant.label, "dtype": first.precision.name, "shape": str(shape)}
            rows += [labels | asdict(row) for row in found]
    document = _machine(where, threads) | {
        "shapes": list(map(str, sizes)),
        "lengths": lengths,
        "quick": quick,
        "rows": rows,
    }
    if file == STDOUT:
        print_json(document)
    else:
        print_table([_shown(row) for row in rows], COLUMNS, "nothing was measured")
        if file:
            Path(file).write_text(json.dumps(document, indent=1) + "\n")
            click.echo(f"\nwritten to {file}")
    if any(row["result"] == "wrong" for row in rows):
        raise click.exceptions.Exit(1)


COLUMNS = (
    "cell",
    "dtype",
    "T,B,I,H",
    "pass",
    "backend",
    "result",
    "milliseconds",
    "x reference",
    "x fastest",
    "reason",
)


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """A row under the headings of the table."""
    return row | {
        "T,B,I,H": row["shape"],
        "pass": row["direction"],
        "x reference": row["speed_of_reference"],
        "x fastest": row["speed_of_fastest"],
    }


def _machine(where: torch.device, threads: int) -> dict[str, Any]:
    """What a figure must stand beside: the command, the device and the versions."""
    import torch

    versions = {"python": platform.python_version()}
    for name in ("rnnlab", "torch", "triton"):
        if importlib.util.find_spec(name) is not None:
            versions[name] = importlib.metadata.version(name)
    on_gpu = where.type == "cuda"
    if on_gpu:
        versions |= {"cuda": str(torch.version.cuda), "cudnn": str(torch.backends.cudnn.version())}
    return {
        "command": shlex.join(["rnnlab", *sys.argv[1:]]),
        "device": torch.cuda.get_device_name(where) if on_gpu else _processor(),
        "threads": threads,
        "platform": platform.platform(),
        "versions": versions,
    }


def _processor() -> str:
    """The CPU's name, as Linux knows it."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
