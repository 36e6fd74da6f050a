"""The hooks, all of them. A plugin is a module or object with functions of these names marked `@hookimpl`.

Registration hooks run at every start, listings included: yield Spec records and import nothing heavy.
Lifecycle hooks run inside the training process; one that raises is reported in the run's log and the
run goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pluggy

from rnnlab.plugins.spec import BackendSpec, CellSpec, DatasetSpec, ExecutorSpec, PresetSpec, TaskSpec

if TYPE_CHECKING:
    from rnnlab.lab.run import RunInfo, RunState

GROUP = "rnnlab"
hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


class Registration:
    """Called once at start; every result is checked and collected."""

    @hookspec
    def rnnlab_cells(self) -> Iterable[CellSpec]:
        """Recurrent cells: `yield CellSpec("gru", "my_package.gru:GRU", "my_package.config:GRUConfig")`."""
        ...

    @hookspec
    def rnnlab_tasks(self) -> Iterable[TaskSpec]:
        """Tasks: the model around the recurrent stack, its loss and metrics, for one mode."""
        ...

    @hookspec
    def rnnlab_datasets(self) -> Iterable[DatasetSpec]:
        """Data sets: readers that turn files or packages into named splits of examples."""
        ...

    @hookspec
    def rnnlab_backends(self) -> Iterable[BackendSpec]:
        """Backends: ways of running a cell over a sequence."""
        ...

    @hookspec
    def rnnlab_executors(self) -> Iterable[ExecutorSpec]:
        """Executors: where a run's worker process is started."""
        ...

    @hookspec
    def rnnlab_presets(self) -> Iterable[PresetSpec]:
        """Presets: packaged experiments, one YAML file each."""
        ...


class Lifecycle:
    """Called in the training process of every run, in installed order."""

    @hookspec
    def rnnlab_run_start(self, run: RunInfo) -> None:
        """After seeding and building, before the first step (again after a resume)."""

    @hookspec
    def rnnlab_interval(self, run: RunInfo, step: int, metrics: Mapping[str, float]) -> None:
        """At each logging interval: not each step."""

    @hookspec
    def rnnlab_eval_end(self, run: RunInfo, split: str, step: int, metrics: Mapping[str, float]) -> None:
        """After an evaluation of `split`."""

    @hookspec
    def rnnlab_checkpoint(self, run: RunInfo, path: Path, step: int) -> None:
        """After a checkpoint is durable on disk."""

    @hookspec
    def rnnlab_run_end(self, run: RunInfo, state: RunState, reason: str) -> None:
        """Always called when the run ends in an orderly way: finished, stopped or failed."""
