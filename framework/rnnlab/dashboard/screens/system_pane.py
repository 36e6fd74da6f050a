"""The machine and the worker of a run."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from rnnlab.dashboard.feed.snapshot import RunSnapshot, System
from rnnlab.dashboard.screens.frame import gigabytes
from rnnlab.dashboard.widgets.axes import short
from rnnlab.dashboard.widgets.glyphs import Glyphs, printable
from rnnlab.dashboard.widgets.sparkline import sparkline

CURVE = 16
"""Characters of a small curve."""
KNOWN = {"cpu_percent": ("cpu", "%"), "memory_mib": ("memory", " MiB")}


class SystemPane(VerticalScroll, can_focus=True):
    """Processor, memory and GPU now; what the run's worker used; where it runs."""

    DEFAULT_CSS = """
    SystemPane > Static { height: auto; width: 1fr; }
    """

    def __init__(self, glyphs: Glyphs, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._glyphs = glyphs
        self._shown: tuple[System, RunSnapshot] | None = None

    def compose(self) -> ComposeResult:
        yield Static()

    def set_system(self, system: System, run: RunSnapshot) -> None:
        """Show both."""
        if self._shown is not None and self._shown[0] is system and self._shown[1] is run:
            return
        self._shown = system, run
        grid = Table.grid(padding=(0, 1))
        grid.add_column(no_wrap=True, style="dim")
        grid.add_column(overflow="fold")
        for name, text in [("machine", _machine(system)), ("gpu", _gpu(system)), *self._worker(run)]:
            grid.add_row(name, Text(text))
        self.query_one(Static).update(grid)

    def _worker(self, run: RunSnapshot) -> list[tuple[str, str]]:
        """What it uses, and where it runs."""
        rows = []
        for key, series in run.series.items():
            kind, _, name = key.partition("/")
            if kind == "system" and not name.startswith("machine_") and len(series):
                label, unit = KNOWN.get(name, (name.replace("_", " "), ""))
                curve = sparkline(series.values, CURVE, self._glyphs)
                rows.append((f"worker {label}", f"{short(float(series.values[-1]))}{unit}  {curve}"))
        if (started := run.started) is not None:
            threads = f"{started.threads} thread" + ("s" if started.threads != 1 else "")
            rows.append(("runs on", f"{started.device}, {started.dtype}, {threads}"))
        if run.parameters:
            rows.append(("parameters", f"{run.parameters:,}"))
        if started is not None:
            rows.append(("backend", printable(started.backend_reason or started.backend)))
        return rows


def _machine(system: System) -> str:
    if not system.memory_total_bytes:
        return "not measured yet"
    used, total = gigabytes(system.memory_bytes), gigabytes(system.memory_total_bytes)
    return f"cpu {system.cpu_percent:.0f}%  memory {used} of {total}"


def _gpu(system: System) -> str:
    if system.gpu is None:
        return "none"
    used, total = gigabytes(system.gpu.memory_bytes), gigabytes(system.gpu.memory_total_bytes)
    return f"{system.gpu.percent:.0f}%  memory {used} of {total}"
