"""What the events of one run add up to."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from rnnlab.dashboard.feed.series import Series, SeriesBuffer
from rnnlab.lab.events import Checkpoint, Event, Gates, Message, Metrics, RunEnded, RunStarted, Samples

LOG_LINES = 500
SPEED_MARKS, MARK_MS = 60, 500
"""The speed is that of the last 30 seconds, or of longer where a step takes longer than half a second."""


class History:
    """Takes events in the journal's order.

    Attributes:
        started, ended: the latest start, and the end unless a resume came after it.
        starts: the times of all starts, milliseconds since the epoch.
        samples, gates: the latest. log: what `RunSnapshot.log` says.
        step: the highest so far. epoch: epochs done.
        last: metric -> latest value. best: metric -> value at the best checkpoint.
    """

    def __init__(self) -> None:
        self.started: RunStarted | None = None
        self.ended: RunEnded | None = None
        self.starts: list[int] = []
        self.samples: Samples | None = None
        self.gates: Gates | None = None
        self.log: deque[Message] = deque(maxlen=LOG_LINES)
        self.step, self.epoch = 0, 0.0
        self.last: dict[str, float] = {}
        self.best: dict[str, float] = {}
        self._buffers: dict[str, SeriesBuffer] = {}
        self._views: dict[str, Series] = {}
        self._marks: deque[tuple[int, int]] = deque(maxlen=SPEED_MARKS)
        self._now = (0, 0)

    @property
    def nbytes(self) -> int:
        """Memory of the curves, bytes."""
        return sum(buffer.nbytes for buffer in self._buffers.values())

    @property
    def series(self) -> Mapping[str, Series]:
        """Every curve as it is now."""
        for key, buffer in self._buffers.items():
            if key not in self._views or len(self._views[key]) != len(buffer):
                self._views[key] = buffer.view()
        return MappingProxyType(dict(self._views))

    def take(self, events: Iterable[Event]) -> None:
        """Take in further events."""
        points: dict[str, tuple[list[int], list[float], list[int]]] = {}
        for event in events:
            self.step = max(self.step, event.step)
            if isinstance(event, Metrics):
                self._take_metrics(event, points)
            elif isinstance(event, RunStarted):
                self.started, self.ended = event, None
                self.starts.append(event.time)
                self._marks.clear()
                self._mark(event)
            elif isinstance(event, RunEnded):
                self.ended = event
                self.last |= event.scores
            elif isinstance(event, Samples):
                self.samples = event
            elif isinstance(event, Gates):
                self.gates = event
            if (line := in_log(event)) is not None:
                self.log.append(line)
        for key, columns in points.items():
            self._buffers.setdefault(key, SeriesBuffer()).extend(*columns)

    def eta_seconds(self) -> float | None:
        """Until the last step at the recent speed, counted from the last event; None before there is one."""
        if self.started is None or not self._marks:
            return None
        (since, first), (now, step) = self._marks[0], self._now
        if now <= since or step <= first:
            return None
        return max(0, self.started.total_steps - step) * (now - since) / (step - first) / 1000

    def trim(self) -> None:
        """Give back unused memory; for a run that has ended."""
        for buffer in self._buffers.values():
            buffer.trim()
        self._views.clear()

    def thin(self, keys: Iterable[str], count: int) -> None:
        """Forget every curve but `keys`, and those but for `count` points each."""
        self._buffers = {key: self._buffers[key] for key in keys if key in self._buffers}
        for buffer in self._buffers.values():
            buffer.thin(count)
        self._views.clear()
        self.gates = None

    def _take_metrics(
        self, event: Metrics, points: dict[str, tuple[list[int], list[float], list[int]]]
    ) -> None:
        self.last |= event.values
        self.epoch = max(self.epoch, event.epoch)
        if "train/loss" in event.values:
            self._mark(event)
        for key, value in event.values.items():
            if key.startswith("best/"):
                self.best["val/" + key.removeprefix("best/")] = value
                continue
            steps, values, times = points.setdefault(key, ([], [], []))
            steps.append(event.step)
            values.append(value)
            times.append(event.time)

    def _mark(self, event: Event) -> None:
        self._now = (event.time, event.step)
        if not self._marks or event.time - self._marks[-1][0] >= MARK_MS:
            self._marks.append(self._now)


def in_log(event: Event) -> Message | None:
    """The line of the log that an event gets; None for those without one."""
    level = "info"
    if isinstance(event, Message):
        return event
    if isinstance(event, RunStarted):
        verb = "started" if event.resumed_from is None else f"resumed at step {event.resumed_from}"
        text = f"{verb}: {event.parameters:,} parameters, {event.total_steps:,} steps, {event.device}"
        text += f", backend {event.backend_reason or event.backend}"
    elif isinstance(event, RunEnded):
        level = "error" if event.state == "failed" else "info"
        text = f"{event.state}: {event.reason}" if event.reason else event.state
    elif isinstance(event, Checkpoint):
        text = f"{event.path}, the best so far" if event.best else event.path
    elif isinstance(event, Metrics):
        scored = [key for key in event.values if key.startswith(("val/", "test/"))]
        text = "  ".join(f"{key} {event.values[key]:.4g}" for key in scored)
    else:
        return None
    return Message(time=event.time, step=event.step, level=level, text=text) if text else None
