"""What the screens draw from: the lab and its runs at one moment, frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rnnlab.dashboard.feed.series import Series
from rnnlab.lab.events import Gates, Message, RunEnded, RunStarted, RunState, Samples

__all__ = ["Gpu", "LabSnapshot", "RunSnapshot", "Series", "System"]

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True, eq=False)
class RunSnapshot:
    """One run at one moment. Two snapshots of equal id and version are the same object.

    A run is learnt in three stages: its status, its config with the first and last events, its whole
    journal. What a stage has not told yet is empty or None.

    Attributes:
        id: the run's name. path: its folder.
        state: "created", "running", "finished", "stopped", "failed" or "crashed".
        reason: why it ended, in words; "" if nobody said.
        started: the latest start, None before it is known. ended: None while it runs, a resume included.
        starts: the times of all starts in `series`, milliseconds since the epoch, in order.
        step, total_steps: optimizer steps done and planned; 0 planned when not known.
        epoch: epochs done.
        series: metric ("train/loss", "val/accuracy", "system/cpu_percent") -> its curve.
        last: metric -> its latest value.
        best: metric ("val/accuracy") -> its value at the best checkpoint.
        monitor: the metric that picks the best checkpoint, without its split; "" before it is known.
        better: "max" or "min" of it.
        samples: the latest answers beside the truth. gates: the latest picture; of focused runs alone.
        log: messages, and starts, evaluations, checkpoints and ends as messages, oldest first.
        config: dotted key ("cell.type", "stack.hidden_size") -> value.
        backend: the backend that runs it, "" before it is known. parameters: trainable ones, 0 likewise.
        seconds: wall time of training, None before it ended.
        created: milliseconds since the epoch.
        eta_seconds: until the last step, by the recent speed, counted from the last event; None if unknown.
        tokens_per_second: the latest speed.
        complete: whether the whole journal is in `series`.
        problem: why part of the run cannot be read, "" if all can.
        version: grows with each change.
    """

    id: str
    path: Path
    state: RunState
    reason: str = ""
    started: RunStarted | None = None
    starts: tuple[int, ...] = ()
    ended: RunEnded | None = None
    step: int = 0
    total_steps: int = 0
    epoch: float = 0.0
    series: Mapping[str, Series] = field(default_factory=lambda: NOTHING)
    last: Mapping[str, float] = field(default_factory=lambda: NOTHING)
    best: Mapping[str, float] = field(default_factory=lambda: NOTHING)
    monitor: str = ""
    better: str = "min"
    samples: Samples | None = None
    gates: Gates | None = None
    log: tuple[Message, ...] = ()
    config: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    backend: str = ""
    parameters: int = 0
    seconds: float | None = None
    created: int = 0
    eta_seconds: float | None = None
    tokens_per_second: float | None = None
    complete: bool = False
    problem: str = ""
    version: int = 0

    @property
    def progress(self) -> float:
        """Share of the planned steps that is done, 0 to 1."""
        return min(1.0, self.step / self.total_steps) if self.total_steps else 0.0

    @property
    def score(self) -> tuple[str, float] | None:
        """The metric that stands for the run and its value: the monitored one on test, else the best on
        validation; None before the first evaluation."""
        test, val = f"test/{self.monitor}", f"val/{self.monitor}"
        if test in self.last:
            return test, self.last[test]
        return (val, self.best[val]) if val in self.best else None


@dataclass(frozen=True)
class Gpu:
    """The first GPU: use in percent."""

    percent: float
    memory_bytes: int
    memory_total_bytes: int


@dataclass(frozen=True)
class System:
    """The machine: processor use in percent of all cores, memory, a GPU if there is one."""

    cpu_percent: float = 0.0
    memory_bytes: int = 0
    memory_total_bytes: int = 0
    gpu: Gpu | None = None


@dataclass(frozen=True, eq=False)
class LabSnapshot:
    """The lab at one moment.

    Attributes:
        runs: the newest first.
        version: grows with each change.
        system: the machine.
        loading: runs whose config or journal is not read yet.
        problem: why the lab cannot be read, "" if it can.
    """

    runs: tuple[RunSnapshot, ...] = ()
    version: int = 0
    system: System = field(default_factory=System)
    loading: int = 0
    problem: str = ""

    def find(self, run_id: str) -> RunSnapshot | None:
        """The run of that name."""
        return next((run for run in self.runs if run.id == run_id), None)
