"""The machine and the worker of a run."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text
from textual.widgets import Static

from rnnlab.dashboard.feed.snapshot import RunSnapshot, System
from rnnlab.dashboard.screens.frame import gigabytes
from rnnlab.dashboard.widgets.axes import short
from rnnlab.dashboard.widgets.glyphs import Glyphs, printable
from rnnlab.dashboard.widgets.sparkline import sparkline

CURVE = 16
"""Characters of a small curve."""
KNOWN = {"cpu_percent": ("cpu", "%"), "memory_mib": ("memory", " MiB")}


class SystemPane(Static):
    """Processor, memory and GPU now; what the run's worker used; where it runs."""

    def __init__(self, glyphs: Glyphs, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._glyphs = glyphs

    def set_system(self, system: System, run: RunSnapshot) -> None:
        """Show both."""
        grid = Table.grid(padding=(0, 1))
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        dim = "dim"
        grid.add_row(Text("machine", dim), self._machine(system))
        grid.add_row(Text("gpu", dim), _gpu(system))
        for key, series in run.series.items():
            kind, _, name = key.partition("/")
            if kind != "system" or name.startswith("machine_"):
                continue
            label, unit = KNOWN.get(name, (name.replace("_", " "), ""))
            curve = sparkline(series.values, CURVE, self._glyphs)
            value = f"{short(float(series.values[-1]))}{unit}" if len(series) else ""
            grid.add_row(Text(f"worker {label}", dim), Text(f"{value}  {curve}"))
        if (started := run.started) is not None:
            threads = f"{started.threads} thread" + ("s" if started.threads != 1 else "")
            grid.add_row(Text("runs on", dim), Text(f"{started.device}, {started.dtype}, {threads}"))
            grid.add_row(Text("backend", dim), Text(printable(started.backend_reason or started.backend)))
        if run.parameters:
            grid.add_row(Text("parameters", dim), Text(f"{run.parameters:,}"))
        self.update(grid)

    def _machine(self, system: System) -> Text:
        if not system.memory_total_bytes:
            return Text("not measured yet")
        used, total = gigabytes(system.memory_bytes), gigabytes(system.memory_total_bytes)
        return Text(f"cpu {system.cpu_percent:.0f}%  memory {used} of {total}")


def _gpu(system: System) -> Text:
    if system.gpu is None:
        return Text("none")
    used, total = gigabytes(system.gpu.memory_bytes), gigabytes(system.gpu.memory_total_bytes)
    return Text(f"{system.gpu.percent:.0f}%  memory {used} of {total}")
