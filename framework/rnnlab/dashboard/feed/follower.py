"""The thread that follows a lab and gives out snapshots of it."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING

from rnnlab.dashboard.feed.snapshot import LabSnapshot
from rnnlab.dashboard.feed.watched import WatchedRun
from rnnlab.errors import in_words
from rnnlab.lab.lab import Lab
from rnnlab.lab.run import Run

if TYPE_CHECKING:
    from rnnlab.dashboard.feed.system import SystemMeter

SLICE_SECONDS, PAUSE_SECONDS = 0.010, 0.005
"""Loading works in slices and leaves pauses between them, so that the screen's thread can draw and answer."""
LOADING_SECONDS = 0.1
"""Between two snapshots while it loads."""
RESCAN_SECONDS = 2.0
SWEEP_SECONDS = 2.0
"""How often an ended run is looked at: it may be resumed, or deleted."""
MEMORY = 256 << 20


class Follower:
    """Follows every run of a lab in a thread of its own.

    `snapshot` may be called from any thread at any time; it takes no lock and reads no file. A run whose
    worker is killed is "crashed" there after about one interval. Runs that have ended are listed at once
    from their status files, then summarised, then read whole in the background, the newest first; running
    and focused ones are read before all others.
    """

    def __init__(
        self,
        lab: Lab,
        interval: float = 0.25,
        *,
        on_change: Callable[[LabSnapshot], None] | None = None,
        memory: int = MEMORY,
    ) -> None:
        """
        Args:
            lab: its folder need not exist yet.
            interval: seconds between two looks at the running runs.
            on_change: called in the follower's thread with each snapshot that differs from the one before;
                must not raise, and not call `stop`.
            memory: bytes of curves kept in full; beyond them, runs that have ended and are not in focus keep
                a coarse picture of a few curves.
        """
        self.lab, self.interval = lab, interval
        self._on_change, self._memory = on_change, memory
        self._runs: dict[str, WatchedRun] = {}
        self._order: list[WatchedRun] = []
        self._focus: frozenset[str] = frozenset()
        self._snapshot = LabSnapshot()
        self._meter: SystemMeter | None = None
        self._scanned, self._rescan, self._folder_time = 0.0, 0.0, 0
        self._next_look, self._next_publication, self._hurry = 0.0, 0.0, False
        self._sweep: deque[WatchedRun] = deque()
        self._wake, self._stopping = threading.Event(), False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start following."""
        self._stopping = False
        self._thread = threading.Thread(target=self._follow, name="rnnlab-feed", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop following; the last snapshot stays."""
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=5.0)
            self._thread = None

    def snapshot(self) -> LabSnapshot:
        """The lab as last seen; the same object for as long as nothing has changed."""
        return self._snapshot

    def focus(self, run_ids: Collection[str]) -> None:
        """Name the runs on the screen: they are read first, in full, and have `gates`."""
        self._focus = frozenset(run_ids)
        self._wake.set()

    def refresh(self) -> None:
        """Look at everything now, for example after a run was started or deleted."""
        self._wake.set()

    def _follow(self) -> None:
        while not self._stopping:
            self._hurry = self._wake.is_set()
            self._wake.clear()
            problem, busy = "", False
            try:
                busy = self._tick()
            except Exception as error:  # the thread must outlive whatever the disk holds; the screen says so
                problem = in_words(error)
            if not busy or time.monotonic() >= self._next_publication:
                self._next_publication = time.monotonic() + LOADING_SECONDS
                self._publish(problem)
            self._wake.wait(PAUSE_SECONDS if busy else self.interval)

    def _tick(self) -> bool:
        """Look at what may have changed, and load a little. Returns whether more waits to be loaded."""
        now = time.monotonic()
        if self._hurry or now >= self._next_look:
            self._next_look = now + self.interval
            self._scan()
            self._each(self._order, lambda watched: watched.focus(watched.run.id in self._focus))
            self._each([watched for watched in self._order if watched.hot], WatchedRun.observe)
            self._each(self._due(), lambda watched: watched.observe(ask=False))
            self._drop([watched for watched in self._order if watched.gone])
            self._relieve()
        return self._load()

    def _scan(self) -> None:
        """Find new runs, and those whose folder is gone."""
        try:
            folder_time = self.lab.path.stat().st_mtime_ns
        except FileNotFoundError:
            self._drop(self._order)
            self._folder_time = 0
            return
        now = time.time()
        if folder_time == self._folder_time and not self._hurry and now - self._scanned < self._rescan:
            return
        self._scanned, self._folder_time, self._rescan = now, folder_time, RESCAN_SECONDS
        with os.scandir(self.lab.path) as entries:
            names = {entry.name for entry in entries if entry.is_dir() and not entry.name.startswith(".")}
        self._drop([watched for watched in self._order if watched.run.id not in names])
        found = []
        for name in names - self._runs.keys():
            run = Run(self.lab.path / name)
            if run.config_path.is_file():
                found.append(WatchedRun(run))
            elif now - folder_time / 1e9 < RESCAN_SECONDS:
                self._rescan = 0.0  # a run's folder is made before its config: look again at the next tick
        self._each(found, WatchedRun.observe)
        self._runs |= {watched.run.id: watched for watched in found if not watched.gone}
        self._sort()

    def _sort(self) -> None:
        self._order = sorted(self._runs.values(), key=lambda run: (run.created, run.run.id), reverse=True)

    def _drop(self, gone: Iterable[WatchedRun]) -> None:
        for watched in list(gone):
            self._runs.pop(watched.run.id, None)
        if len(self._runs) < len(self._order):
            self._sort()

    def _due(self) -> list[WatchedRun]:
        """Those ended runs whose turn it is."""
        if not self._sweep:
            self._sweep.extend(watched for watched in self._order if not watched.hot)
        count = int(len(self._order) * self.interval / SWEEP_SECONDS) + 1
        return [self._sweep.popleft() for _ in range(min(count, len(self._sweep)))]

    def _each(self, runs: Iterable[WatchedRun], look: Callable[[WatchedRun], object]) -> None:
        """Look at each; what one run's files hold must not hide the others."""
        for watched in runs:
            try:
                look(watched)
            except Exception as error:
                watched.fail(in_words(error))

    def _load(self) -> bool:
        """Read for one slice of time: running and focused runs, then summaries, then whole journals."""
        end = time.monotonic() + SLICE_SECONDS
        for watched, step in self._waiting():
            self._each((watched,), step)
            if time.monotonic() >= end:
                return True
        return False

    def _waiting(self) -> Iterable[tuple[WatchedRun, Callable[[WatchedRun], object]]]:
        """What is to be done, the most wanted first."""
        for group in ([run for run in self._order if run.hot], [run for run in self._order if not run.hot]):
            for watched in group:
                if not watched.summarised:
                    yield watched, WatchedRun.summarise
            for watched in group:
                while not watched.complete:
                    yield watched, self._read

    def _read(self, watched: WatchedRun) -> None:
        watched.read()
        if watched.complete:
            self._relieve()

    def _relieve(self) -> None:
        """Give up curves of runs that have ended, the oldest first, until memory suffices."""
        held = sum(watched.nbytes for watched in self._order)
        if held <= self._memory:
            return
        for watched in reversed(self._order):
            if watched.complete and not (watched.hot or watched.thinned):
                held -= watched.nbytes
                watched.thin()
                held += watched.nbytes
                if held <= self._memory:
                    return

    def _publish(self, problem: str) -> None:
        """Give out a new snapshot if anything has changed."""
        before = self._snapshot
        self._each(self._order, WatchedRun.snapshot)
        runs = tuple(watched.snapshot() for watched in self._order)
        loading = sum(not (watched.summarised and watched.complete) for watched in self._order)
        system = self._meter.read() if self._meter is not None else before.system
        same = len(runs) == len(before.runs) and all(a is b for a, b in zip(runs, before.runs, strict=True))
        if not same or (loading, system, problem) != (before.loading, before.system, before.problem):
            self._snapshot = LabSnapshot(runs, before.version + 1, system, loading, problem)
            if self._on_change is not None:
                self._on_change(self._snapshot)
        if self._meter is None:
            # Only once there is something to show: psutil and the GPU's library take their time to load.
            from rnnlab.dashboard.feed.system import SystemMeter

            self._meter = SystemMeter()
