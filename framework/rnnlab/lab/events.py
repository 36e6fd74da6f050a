"""What a run writes to its journal: frozen records, one JSON line each.

`events.jsonl` is the truth of a run. Everything else (MLflow, the progress line, the dashboard) is made
from it and can be made again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

RunState = str
"""One of "created", "running", "finished", "stopped", "failed", or "crashed", which is never written."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """Base of all events.

    Attributes:
        time: milliseconds since the epoch, set when the event is written.
        step: the optimizer step it belongs to; 0 before the first.
    """

    name: ClassVar[str] = ""
    time: int = 0
    step: int = 0


@dataclass(frozen=True, kw_only=True)
class RunStarted(Event):
    """Written before the first step, and again after each resume.

    Attributes:
        pid: the worker process.
        resumed_from: the optimizer step of the checkpoint it goes on from, None for a fresh start.
        total_steps: optimizer steps planned (fewer if it stops early).
        parameters: trainable parameters of the model.
        monitor, better: the validation metric that picks the best checkpoint, and "max" or "min" of it.
        backend: the backend that runs the stack. backend_reason: why that one.
        backends: the backend of each stack by its role ("encoder"), which a resumed run takes again.
        device, dtype: where and in what precision. threads: torch's intra-op threads.
        data: name, digest, licence, and examples per split.
        versions: python, torch, rnnlab and the plugins' distributions.
        baselines: metric -> score of the most frequent answer on the test split.
    """

    name: ClassVar[str] = "run_started"
    pid: int
    resumed_from: int | None = None
    total_steps: int = 0
    parameters: int = 0
    monitor: str = "loss"
    better: str = "min"
    backend: str = ""
    backend_reason: str = ""
    backends: Mapping[str, str] = field(default_factory=dict)
    device: str = "cpu"
    dtype: str = "float32"
    threads: int = 1
    data: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    baselines: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Metrics(Event):
    """Numbers at a step. Keys: `train/loss`, `train/grad_norm`, `train/learning_rate`,
    `train/tokens_per_second`, `val/<metric>`, `test/<metric>`, `best/<metric>`, `system/<name>`."""

    name: ClassVar[str] = "metrics"
    values: Mapping[str, float]
    epoch: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Samples(Event):
    """A few answers of the model beside the truth. Each item has source, target and prediction as text."""

    name: ClassVar[str] = "samples"
    split: str
    items: list[Mapping[str, str]]


@dataclass(frozen=True, kw_only=True)
class Gates(Event):
    """What the gates and states of the recurrent stack did while it read one example, always the same one.

    Large networks and long examples are shown in part, so that an event stays below 200 kB.

    Attributes:
        split: where the example is from. source: the example as text, "" if it has none.
        layers: one record for each layer and direction, with `layer` and `direction` from 0 (1 reads
            backwards), `units`, the indices of the units shown, and `gates`: name of a gate or state -> its
            values as T lists of one number per unit, to three decimals, the first step first.
    """

    name: ClassVar[str] = "gates"
    split: str
    source: str = ""
    layers: list[Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Checkpoint(Event):
    """A checkpoint is durable on disk; `path` is relative to the run's folder."""

    name: ClassVar[str] = "checkpoint"
    path: str
    best: bool = False


@dataclass(frozen=True, kw_only=True)
class Message(Event):
    """A line for the log, level "info", "warning" or "error"."""

    name: ClassVar[str] = "message"
    level: str
    text: str


@dataclass(frozen=True, kw_only=True)
class RunEnded(Event):
    """The run ended in an orderly way.

    Attributes:
        state: "finished", "stopped" or "failed".
        reason: why, in words.
        seconds, cpu_seconds: wall and processor time of training, summed over resumes.
        scores: final scores, for example `test/accuracy`.
    """

    name: ClassVar[str] = "run_ended"
    state: RunState
    reason: str = ""
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    scores: Mapping[str, float] = field(default_factory=dict)


KINDS: dict[str, type[Event]] = {
    kind.name: kind for kind in (RunStarted, Metrics, Samples, Gates, Checkpoint, Message, RunEnded)
}


def to_line(event: Event) -> bytes:
    """The event as one JSON line, newline included. Numbers that JSON lacks are written as strings."""
    record = {"event": event.name} | {key: plain(value) for key, value in vars(event).items()}
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def from_line(line: bytes) -> Event | None:
    """The event of a line, or None for a torn line or a kind this version does not know."""
    try:
        record = json.loads(line)
        kind = KINDS.get(record.pop("event"))
        if kind is None:
            return None
        known = {key: value for key, value in record.items() if key in kind.__dataclass_fields__}
        for key in ("values", "scores", "baselines"):
            if key in known:
                known[key] = {metric: float(value) for metric, value in known[key].items()}
        return kind(**known)
    except (ValueError, KeyError, AttributeError, TypeError):
        return None


def plain(value: Any) -> Any:
    """`value` in types that JSON has: numbers it lacks (NaN, infinities) become strings."""
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value
