"""Watching runs from the command that started them: a progress bar in a terminal, else lines."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from rnnlab.execution.executor import Executor, Handle
from rnnlab.lab.events import Event, Message, Metrics, RunEnded, RunStarted
from rnnlab.lab.journal import Tail
from rnnlab.lab.run import Run
from rnnlab.tracking.links import run_url, shown
from rnnlab.tracking.record import Record, tracked

POLL_SECONDS = 0.1
STAMP = "-MMDD-HHMMSS-xxxx"
"""What every run's id ends with; left out of the progress line."""
WIDE = 100
"""Columns from which on there is room for a bar."""
SETTLED_SECONDS = 2.0
"""No estimate of the time left before this."""
LINE_SECONDS = 10.0
"""Without a terminal, a line of training metrics at most this often; evaluations always get one."""


@dataclass
class Following:
    """A run that is watched: where its journal is read from, and what was last seen."""

    run: Run
    executor: Executor
    handle: Handle
    offset: int = 0
    total_steps: int | None = None
    monitor: str = "loss"
    step: int = 0
    metrics: dict[str, float] = field(default_factory=dict)
    began: tuple[float, int] | None = None
    ended: RunEnded | None = None
    exit_code: int | None = None

    def __post_init__(self) -> None:
        self.tail = Tail(self.run.events_path, self.offset)

    def take(self, event: Event) -> None:
        """Remember what the displays show."""
        self.step = max(self.step, event.step)
        if isinstance(event, RunStarted):
            self.total_steps, self.monitor = event.total_steps, event.monitor
            self.began = (time.monotonic(), event.step)
        elif isinstance(event, Metrics):
            self.metrics |= event.values
        elif isinstance(event, RunEnded):
            self.ended = event

    def seconds_left(self) -> float | None:
        """Estimated from the mean speed since the worker started; None before there is one."""
        if self.began is None or self.total_steps is None:
            return None
        since, first = self.began
        if self.step <= first or time.monotonic() - since < SETTLED_SECONDS:
            return None
        return (time.monotonic() - since) / (self.step - first) * (self.total_steps - self.step)

    def describe(self) -> str:
        """Loss, monitored score and speed, as far as known."""
        parts = []
        if "train/loss" in self.metrics:
            parts.append(f"loss {self.metrics['train/loss']:.4f}")
        if (score := self.metrics.get(f"val/{self.monitor}")) is not None:
            parts.append(f"val {self.monitor} {score:.4f}")
        if "train/tokens_per_second" in self.metrics:
            parts.append(f"{self.metrics['train/tokens_per_second'] / 1000:,.1f}k tokens/s")
        return "  ".join(parts)


def follow(
    runs: list[Following],
    next_run: Callable[[], Following | None] = lambda: None,
    console: Console | None = None,
) -> list[Following]:
    """Watch `runs` until all have ended; Ctrl-C (or SIGTERM) asks each of them to stop.

    Args:
        runs: what is watched from the start.
        next_run: asked for another run whenever one has ended, unless a stop was asked for.
        console: where to draw; the standard output if None.

    Returns:
        Every run that was watched, with its exit code.
    """
    console = console or Console()
    display = _Bars(console) if console.is_terminal else _Lines(console)
    running, done = list(runs), []
    stop_asked = False
    with _StopAsked() as signals, display:
        while running:
            if signals.asked():
                stop_asked = True
                console.print("stopping: each run finishes its step and saves ...")
                for item in running:
                    item.executor.cancel(item.handle)
            for item in list(running):
                exit_code = item.executor.poll(item.handle)
                while events := item.tail.poll():
                    for event in events:
                        item.take(event)
                        display.show(item, event)
                if exit_code is None:
                    continue
                item.exit_code = exit_code if exit_code in (0, 1, 2) else 1  # a signal's number is not ours
                running.remove(item)
                done.append(item)
                following = None if stop_asked else next_run()
                if following is not None:
                    running.append(following)
            time.sleep(POLL_SECONDS)
    for item in done:
        _conclude(item, console)
    return done


class _StopAsked:
    """SIGINT and SIGTERM as a flag, while it is entered."""

    def __init__(self) -> None:
        self._asked = False

    def __enter__(self) -> _StopAsked:
        self._before = {
            number: signal.signal(number, self._set) for number in (signal.SIGINT, signal.SIGTERM)
        }
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _set(self, number: int, frame: FrameType | None) -> None:
        self._asked = True

    def asked(self) -> bool:
        """Whether a signal came since the last call."""
        asked, self._asked = self._asked, False
        return asked


class _Bars:
    """One progress line a run, with a bar where the terminal is wide enough for it."""

    def __init__(self, console: Console) -> None:
        bar = [BarColumn(bar_width=20)] if console.width >= WIDE else []
        self._progress = Progress(
            TextColumn("{task.fields[label]}", markup=False),
            *bar,
            TextColumn("{task.completed}/{task.fields[steps]}"),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.description}", markup=False),
            console=console,
        )
        self._bars: dict[str, Any] = {}

    def __enter__(self) -> None:
        self._progress.start()

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, item: Following, event: Event) -> None:
        """Move the run's bar; a start and a message get lines above it."""
        if line := describe_event(item, event):
            self._progress.console.print(line, soft_wrap=True, markup=False, highlight=False)
        if item.run.id not in self._bars:
            label = item.run.id[: -len(STAMP)]
            self._bars[item.run.id] = self._progress.add_task("", total=None, label=label, steps="?")
        self._progress.update(
            self._bars[item.run.id],
            completed=item.step,
            total=item.total_steps,
            steps=item.total_steps or "?",
            description=item.describe(),
        )


class _Lines:
    """A line at each evaluation, and now and then in between."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last: dict[str, float] = {}

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...

    def show(self, item: Following, event: Event) -> None:
        """Print the event if it deserves a line."""
        if line := describe_event(item, event):
            self._print(line)
        elif isinstance(event, Metrics):
            now = time.monotonic()
            evaluated = any(key.startswith("val/") for key in event.values)
            if evaluated or now - self._last.get(item.run.id, 0.0) >= LINE_SECONDS:
                self._last[item.run.id] = now
                left = item.seconds_left()
                eta = "" if left is None else f"  ETA {left:.0f} s"
                self._print(f"{item.run.id}  step {item.step}/{item.total_steps}{eta}  {item.describe()}")

    def _print(self, line: str) -> None:
        self._console.print(line, soft_wrap=True, markup=False, highlight=False)


def describe_event(item: Following, event: Event) -> str:
    """The line that a start or a message gets; "" for other events."""
    if isinstance(event, RunStarted):
        verb = "start" if event.resumed_from is None else f"resume at step {event.resumed_from}"
        return (
            f"{item.run.id}  {verb}: {event.parameters:,} parameters, {event.total_steps:,} steps, "
            f"{event.device}, backend {_backend(event)}"
        )
    if isinstance(event, Message):
        return f"{item.run.id}  {event.level}: {event.text}"
    return ""


def _backend(event: RunStarted) -> str:
    """The backend and the first thing that is said for it; all of it is in log.txt."""
    name, _, reason = event.backend_reason.partition(": ")
    first = re.split(r"; | against | \(", reason)[0]
    return f"{name} ({first})" if name == event.backend and first else event.backend


def _mlflow(run: Run) -> str:
    """Where the run is in MLflow, or why it is not there yet."""
    if url := run_url(run):
        return f"(served by 'rnnlab ui'):\n  {url}"
    if not tracked(run):
        return f"was not told, tracking.enabled is false; 'rnnlab sync {run.id}' ships it"
    record = Record.load(run)
    if record.error:
        return f"does not have it yet: {record.error}; 'rnnlab sync' ships it"
    if record.run_id and record.uri:
        return f"has it in {shown(record.uri)}"
    return "is being told; 'rnnlab ui' shows the run"


def _conclude(item: Following, console: Console) -> None:
    """The last lines about a run: how it ended, its scores, what to do next."""

    def say(line: str) -> None:
        console.print(line, soft_wrap=True, markup=False, highlight=False)

    run, ended = item.run, item.ended
    if ended is None and item.total_steps is None and run.state == "created":
        say(f"{run.id}: stopped before its first step\n  start it: rnnlab resume {run.id}")
        return
    if ended is None and run.pid:
        click.echo(
            f"error: run {run.id} is already running (process {run.pid}); wait for it or stop it", err=True
        )
        return
    if ended is None and run.status.get("reason"):
        click.echo(f"error: {run.status['reason']}", err=True)
        return
    if ended is None:
        what = f"{run.id} crashed: its worker, process {item.handle.key}, ended without a last word"
        click.echo(f"error: {what}; its log is {run.log_path}; go on with 'rnnlab resume {run.id}'", err=True)
        return
    if ended.state == "failed":
        click.echo(f"error: {ended.reason}", err=True)
        return
    scores = "  ".join(f"{name} {score:.4f}" for name, score in ended.scores.items())
    say(f"{run.id}: {ended.state} ({ended.reason}) after {ended.seconds:.1f} s  {scores}")
    if ended.state == "stopped":
        say(f"  go on: rnnlab resume {run.id}")
    say(f"  MLflow {_mlflow(run)}")
