"""Is `auto` within a tenth of the best backend: every supporting backend timed beside its choice.

    python framework/benchmarks/auto_choice.py --json auto_choice.json

Each line is a cell at a shape, forward and backward, rows of unequal length. `auto` is asked first, as for a
long run (preparation counts for nothing), with its measurements kept in a new folder; then all backends that
support the cell, those that advise against themselves too, are timed in turns at the very shape. The ratio is
that of the choice to the best, by medians over the turns; what else the machine does stands in every turn.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import torch

from rnnlab.api import Backend, Cell
from rnnlab.benchmarking.timing import Effort, clock, medians
from rnnlab.plugins.registry import Registry
from rnnlab.recurrent.measurement import Meter, Workload
from rnnlab.recurrent.selection import select_backend

SHAPES = ((8, 32, 64), (32, 64, 128), (64, 128, 256), (16, 20, 64), (1, 64, 128), (100, 10, 64))
"""B, T, H; the input size is H."""

CELLS = ("rnn", "lstm", "gru", "peephole_lstm")

ALLOWED = 1.10

EFFORT = Effort(repeats=25, seconds=0.02)

LONG_RUN = 1_000_000
"""Optimizer steps that any preparation is worth."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cells", nargs="+", default=CELLS)
    parser.add_argument("--shapes", nargs="+", default=[",".join(map(str, shape)) for shape in SHAPES])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--json", type=Path, help="where to write the table as JSON")
    arguments = parser.parse_args()
    os.environ.pop("RNNLAB_AUTO", None)
    torch.set_num_threads(1)
    registry = Registry.discover()
    installed = {spec.name for spec in registry.specs("cell")}
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        meter = Meter(Path(folder))
        for name in (cell for cell in arguments.cells if cell in installed):
            for text in arguments.shapes:
                shape = tuple(map(int, text.split(",")))
                rows.append(_row(registry, name, shape, torch.device(arguments.device), meter))
                print(_line(rows[-1]), flush=True)
    within = sum(row["ratio"] <= ALLOWED for row in rows)
    print(f"{within} of {len(rows)} within {ALLOWED - 1:.0%} of the best")
    if arguments.json:
        arguments.json.write_text(json.dumps({"of": _facts(), "rows": rows}, indent=1) + "\n")


def _row(
    registry: Registry, name: str, shape: tuple[int, ...], device: torch.device, meter: Meter
) -> dict[str, Any]:
    """One cell at one shape."""
    batch_size, seq_len, hidden_size = shape
    dtype = torch.float32
    spec = registry.get("cell", name)
    torch.manual_seed(0)
    options = registry.config_model(spec)()
    cell: Cell = registry.load(spec)(hidden_size, hidden_size, options).to(device)
    installed = [(each, registry.load(each)()) for each in registry.specs("backend")]
    workload = Workload(batch_size, seq_len, LONG_RUN)
    chosen = select_backend(installed, "auto", name, [cell], device, dtype, workload, meter)
    able: dict[str, Backend] = {
        each.name: backend for each, backend in installed if not backend.supports(cell, device, dtype)
    }
    x = torch.randn(seq_len, batch_size, hidden_size, device=device, requires_grad=True)
    state = tuple(torch.zeros(batch_size, size, device=device) for size in cell.state_sizes())
    upstream = torch.randn(seq_len, batch_size, cell.state_sizes()[0], device=device)
    lengths = torch.linspace(seq_len, (seq_len + 1) // 2, batch_size).round().long().to(device)

    def once(backend: Backend) -> None:
        output, _ = backend.run(cell, x, state, lengths)
        torch.autograd.grad(output, [x, *cell.parameters()], upstream, allow_unused=True)

    calls = {each: partial(once, backend) for each, backend in able.items()}
    seconds = medians(calls, EFFORT, clock(device))
    best = min(seconds.values())
    return {
        "cell": name,
        "shape": shape,
        "milliseconds": {each: taken * 1000 for each, taken in seconds.items()},
        "best": min(seconds, key=lambda each: seconds[each]),
        "auto": chosen.name,
        "ratio": seconds[chosen.name] / best,
        "reason": chosen.reason,
    }


def _line(row: dict[str, Any]) -> str:
    shown = "  ".join(f"{name} {taken:.2f}" for name, taken in sorted(row["milliseconds"].items()))
    verdict = "" if row["ratio"] <= ALLOWED else "  MISSED"
    shape = ",".join(map(str, row["shape"]))
    return f"{row['cell']:14} {shape:12} auto {row['auto']:10} {row['ratio']:.2f}  {shown}{verdict}"


def _facts() -> dict[str, Any]:
    return {
        "command": " ".join(["python", *sys.argv]),
        "machine": f"{os.cpu_count()} x {platform.processor() or platform.machine()}",
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "load": os.getloadavg(),
    }


if __name__ == "__main__":
    main()
