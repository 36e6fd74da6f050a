"""One run that is followed: its files, and what was read of them so far."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rnnlab.dashboard.feed.history import History
from rnnlab.dashboard.feed.records import flatten, load_config, tidy
from rnnlab.dashboard.feed.snapshot import RunSnapshot
from rnnlab.errors import InputError, in_words
from rnnlab.lab import liveness
from rnnlab.lab.events import Gates, RunEnded, RunStarted, RunState, from_line
from rnnlab.lab.journal import Tail
from rnnlab.lab.run import Run

HEAD, TAIL = 1 << 16, 1 << 14
"""Bytes at both ends of a journal in which a summary looks for the start and the end of the run."""
PIECE = 1 << 20
GATES = b'{"event":"gates"'
"""How a line with gates begins. They are the bulk of a journal, and only the latest is ever looked at."""
THIN_POINTS = 256


class Watched:
    """A file that may change, be replaced, come and go.

    Attributes:
        size, modified: bytes, and ns since the epoch, when last looked at.
        exists: whether it was there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None

    @property
    def exists(self) -> bool:
        return self._seen is not None

    @property
    def size(self) -> int:
        return self._seen[0] if self._seen else 0

    @property
    def modified(self) -> int:
        return self._seen[1] if self._seen else 0

    def changed(self) -> bool:
        """Look at it; whether it is another than at the last look."""
        before = self._seen
        try:
            found = self._path.stat()
            self._seen = (found.st_size, found.st_mtime_ns, found.st_ino)
        except FileNotFoundError:
            self._seen = None
        return self._seen != before


class WatchedRun:
    """Follows one run; used by one thread.

    Attributes:
        state: the run's state at the last `observe`.
        summarised: whether the config and both ends of the journal are read.
        complete: whether the whole journal is, as far as it was written at the last `observe`.
        thinned: whether curves were given up for memory.
        gone: whether the folder is no run any more.
        problem: what cannot be read, and why; "" if all can.
        nbytes: memory of its curves, bytes.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.state: RunState = "created"
        self.summarised = self.complete = self.thinned = self.gone = False
        self.problem = ""
        self._focused = False
        self._status: Mapping[str, Any] = {}
        self._config: Mapping[str, Any] = MappingProxyType({})
        self._files = Watched(run.config_path), Watched(run.status_path), Watched(run.events_path)
        self._created = 0
        self._ends: tuple[RunStarted | None, RunEnded | None] = (None, None)
        self._snapshot: RunSnapshot | None = None
        self._version = 0
        self._forget()

    @property
    def created(self) -> int:
        """When the run was made, milliseconds since the epoch."""
        return self._created

    @property
    def hot(self) -> bool:
        """Whether it is worth a look at each tick."""
        return self._focused or self.state in ("running", "created")

    def focus(self, focused: bool) -> None:
        """Have everything of it, the gates too; or no longer."""
        if focused == self._focused:
            return
        self._focused, self._snapshot = focused, None
        if focused and self.thinned:
            self._forget()
        self._history.gates = self._load_gates() if focused else None

    def observe(self, *, ask: bool = True) -> None:
        """Look at the files' dates, the status and, if `ask`, at whether the worker is alive."""
        config, status, events = self._files
        new_config, new_status = config.changed(), status.changed()
        self.gone = not config.exists
        if new_config:
            self._created = config.modified // 1_000_000
            self.summarised, self._snapshot = False, None
        if events.changed():
            self.complete = False
            if self.thinned or (not events.exists and self._tail.offset):
                self._forget()
        if self.gone or not (ask or new_status or new_config):
            return
        before, alive = (self.state, self._status), self._alive()
        # Only after asking: a worker seen dead has written its last word.
        if status.changed() or new_status:
            self._status = tidy(self.run.status)
        self.state = "running" if alive else self._status.get("state", "created")
        if not alive and self.state == "running" and not self._alive():
            self.state = "crashed"
        if (self.state, self._status) != before:
            self._snapshot = None

    def summarise(self) -> None:
        """Read the config, and the first and the last events."""
        self.summarised, self._snapshot = True, None
        try:
            self._config, self.problem = MappingProxyType(flatten(load_config(self.run.config_path))), ""
        except InputError as error:
            self.problem = str(error)
        self._ends = _ends(self.run.events_path)

    def read(self) -> None:
        """Read the next piece of the journal; sets `complete` when there is no more."""
        lines = self._tail.lines(PIECE)
        if self._tail.restarts != self._restarts:
            self._restarts, self._history, self._gates_at = self._tail.restarts, History(), None
            self._ends, self._snapshot = (None, None), None
        if lines:
            self._take(lines)
        self.complete = not lines or self._tail.offset >= self._files[2].size
        if self.complete and self.state not in ("running", "created"):
            self._history.trim()
        self.nbytes = self._history.nbytes
        if lines or (self._snapshot is not None and self._snapshot.complete != self.complete):
            self._snapshot = None

    def _take(self, lines: list[bytes]) -> None:
        events, gates = [], None
        place = self._tail.offset - sum(len(line) + 1 for line in lines)
        for line in lines:
            if line.startswith(GATES):
                gates, self._gates_at = line, place
            elif (event := from_line(line)) is not None:
                events.append(event)
            place += len(line) + 1
        if gates is not None and self._focused and (event := from_line(gates)) is not None:
            events.append(event)
        self._history.take(events)

    def thin(self) -> None:
        """Give up all but a coarse picture of the curves that stand for the run, to save memory."""
        keys = {"train/loss", "val/loss", f"val/{self._monitor()}"}
        self._history.thin(keys, THIN_POINTS)
        self.thinned, self._snapshot, self.nbytes = True, None, self._history.nbytes

    def fail(self, problem: str) -> None:
        """Note what went wrong with its files; it is tried again when they change."""
        self.summarised = self.complete = True
        if problem != self.problem:
            self.problem, self._snapshot = problem, None

    def snapshot(self) -> RunSnapshot:
        """The run now; the same object for as long as nothing has changed."""
        if self._snapshot is None:
            self._version += 1
            try:
                self._snapshot = self._take_snapshot()
            except Exception as error:  # events of the right names whose fields are of the wrong types
                self._history, self._ends, self._status = History(), (None, None), {}
                self.fail(in_words(error))
                self._snapshot = self._take_snapshot()
        return self._snapshot

    def _take_snapshot(self) -> RunSnapshot:
        history, status = self._history, self._status
        started = history.started or self._ends[0]
        ended = history.ended if self.complete else history.ended or self._ends[1]
        scores = status.get("scores", {})
        best = {"val/" + key[5:]: value for key, value in scores.items() if key.startswith("best/")}
        last = scores | history.last
        running = self.state == "running"
        return RunSnapshot(
            id=self.run.id,
            path=self.run.path,
            state=self.state,
            reason=self._reason(ended),
            started=started,
            starts=tuple(history.starts),
            ended=None if running else ended,
            step=max(history.step, status.get("step", 0)),
            total_steps=started.total_steps if started else status.get("total_steps", 0),
            epoch=history.epoch,
            series=history.series,
            last=MappingProxyType(last),
            best=MappingProxyType(best | history.best),
            monitor=self._monitor(),
            better=started.better if started else "min",
            samples=history.samples,
            gates=history.gates,
            log=tuple(history.log),
            config=self._config,
            backend=started.backend if started else status.get("backend", ""),
            parameters=started.parameters if started else status.get("parameters", 0),
            seconds=ended.seconds if ended and not running else None,
            created=self._created,
            eta_seconds=history.eta_seconds() if running else None,
            tokens_per_second=last.get("train/tokens_per_second"),
            complete=self.complete and not self.thinned,
            problem=self.problem,
            version=self._version,
        )

    def _monitor(self) -> str:
        started = self._history.started or self._ends[0]
        return started.monitor if started else self._status.get("monitor", "")

    def _reason(self, ended: RunEnded | None) -> str:
        if self.state in ("running", "created"):
            return ""
        if self.state == "crashed":
            return "its worker ended without a last word"
        return self._status.get("reason", "") or (ended.reason if ended else "")

    def _alive(self) -> bool:
        return liveness.holder(self.run.lock_path) > 0

    def _forget(self) -> None:
        """Begin again at the journal's start."""
        self._tail, self._history, self._restarts = Tail(self.run.events_path), History(), 0
        self._gates_at: int | None = None
        self.complete = self.thinned = False
        self.nbytes, self._snapshot = 0, None

    def _load_gates(self) -> Gates | None:
        """The latest gates, from where they stand in the journal."""
        if self._gates_at is None:
            return None
        with self.run.events_path.open("rb") as file:
            file.seek(self._gates_at)
            event = from_line(file.readline())
        return event if isinstance(event, Gates) else None


def _ends(path: Path) -> tuple[RunStarted | None, RunEnded | None]:
    """The first start, or the last if it stands near the journal's end, and the last word."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
            size = os.fstat(file.fileno()).st_size
            file.seek(max(len(head), size - TAIL))
            lines = head.splitlines() + file.read().splitlines()
    except FileNotFoundError:
        return None, None
    started = ended = None
    for line in lines:
        if not line.startswith((b'{"event":"run_started"', b'{"event":"run_ended"')):
            continue
        event = from_line(line)
        if isinstance(event, RunStarted):
            started, ended = event, None
        elif isinstance(event, RunEnded):
            ended = event
    return started, ended
