"""The lab's shipper: one process that carries every run's journal to MLflow.

    python -m rnnlab.tracking.shipper LAB_DIR

It follows all runs while any is alive, waits out a store that does not answer, and ends when there is
nothing left to do. Started by `launch.ensure_shipper`, never waited for.
"""

from __future__ import annotations

import argparse
import os
import time
import traceback
from enum import Enum
from pathlib import Path

from rnnlab.lab import liveness
from rnnlab.lab.lab import Lab
from rnnlab.lab.run import Run
from rnnlab.tracking.launch import LOCK
from rnnlab.tracking.mirror import Mirror
from rnnlab.tracking.record import tracked
from rnnlab.tracking.store import Refused, Stores, Unreachable

YIELD = ".shipper.yield"
"""A file by which `rnnlab sync` asks the shipper to let go of its lock."""


class Backoff:
    """When to try again: after 1 s, then ever later, at most every 30 s."""

    def __init__(self) -> None:
        self._delay, self._next = 0.0, 0.0

    @property
    def ready(self) -> bool:
        """Whether the next try is due."""
        return time.monotonic() >= self._next

    def failed(self) -> None:
        """Wait, twice as long as the last time."""
        self._delay = min(30.0, 2 * self._delay or 1.0)
        self._next = time.monotonic() + self._delay


class Outcome(Enum):
    """What became of one look at a run."""

    SENT = "there was something, and MLflow has it now"
    QUIET = "nothing new"
    WAITING = "there is something, and MLflow would not take it yet"


class Shipper:
    """Ships all runs of a lab.

    Args:
        lab: the lab.
        poll: seconds between looks at the journals.
        linger: seconds to stay when all is done, so that a sweep's next run finds a shipper at work.
        patience: seconds to go on trying, after the last run has ended, while a store does not answer.
    """

    def __init__(self, lab: Lab, poll: float = 0.5, linger: float = 5.0, patience: float = 120.0) -> None:
        self.lab, self.poll, self.linger, self.patience = lab, poll, linger, patience
        self._stores = Stores(lab.path)
        self._mirrors: dict[str, Mirror | None] = {}
        self._away: dict[str | None, Backoff] = {}
        self._stuck: dict[str, Backoff] = {}

    def run(self) -> None:
        """Ship until nothing is left; returns at once if another shipper is at work."""
        while (lock := liveness.acquire(self.lab.path / LOCK)) is not None:
            (self.lab.path / YIELD).unlink(missing_ok=True)
            try:
                left = self._follow()
            finally:
                lock.release()
            # A run that started meanwhile saw the lock held and relies on this shipper: look once more.
            if left is None or self._unsettled() <= left:
                return

    def _follow(self) -> set[tuple[object, ...]] | None:
        """Ship in rounds. Returns what had to be left to `rnnlab sync`, or None if asked to yield."""
        calm_since = None
        while not (self.lab.path / YIELD).exists():
            runs = self._runs()
            outcomes = {self._look(mirror) for mirror in runs if not mirror.settled}
            if Outcome.SENT in outcomes or any(mirror.live for mirror in runs):
                calm_since = None
            elif calm_since is None:
                calm_since = time.monotonic()
            elif time.monotonic() - calm_since >= self._limit(outcomes):
                return self._unsettled()
            if Outcome.SENT not in outcomes:
                time.sleep(self.poll)
        return None

    def _limit(self, outcomes: set[Outcome]) -> float:
        return self.patience if Outcome.WAITING in outcomes else self.linger

    def _runs(self) -> list[Mirror]:
        """The mirrors of all runs that want to be shipped."""
        found = [Run(path.parent) for path in self.lab.path.glob("*/config.yaml")]
        for run in found:
            if run.id not in self._mirrors:
                self._mirrors[run.id] = self._open(run)
        gone = self._mirrors.keys() - {run.id for run in found}
        for run_id in gone:
            del self._mirrors[run_id]
        return [mirror for mirror in self._mirrors.values() if mirror is not None]

    def _open(self, run: Run) -> Mirror | None:
        try:
            return Mirror(run) if tracked(run) else None
        except Exception:
            # One run's broken config.yaml must not keep the others from MLflow.
            _log(f"run {run.id} is left out:\n{traceback.format_exc()}")
            return None

    def _unsettled(self) -> set[tuple[object, ...]]:
        """Runs that are alive or not wholly shipped, each with how far it has come."""
        return {
            (mirror.run.id, mirror.live, *mirror.signature())
            for mirror in self._runs()
            if mirror.live or not mirror.settled
        }

    def _look(self, mirror: Mirror) -> Outcome:
        """Ship the run's next piece, unless its store or the run itself is being waited for."""
        away = self._away.get(mirror.record.uri)
        stuck = self._stuck.get(mirror.run.id)
        if (away and not away.ready) or (stuck and not stuck.ready):
            return Outcome.WAITING
        try:
            sent = mirror.advance(self._stores)
        except Unreachable as error:
            _log(str(error))
            mirror.failed(str(error))
            self._away.setdefault(mirror.record.uri, Backoff()).failed()
            return Outcome.WAITING
        except Refused as error:
            _log(str(error))
            return self._wait_for(mirror, str(error))
        except Exception as error:
            # The boundary between runs: what breaks one is logged and tried again, and the others go on.
            if not mirror.run.config_path.exists():
                return Outcome.QUIET  # its folder was deleted while we looked at it
            _log(traceback.format_exc())
            return self._wait_for(mirror, f"{type(error).__name__}: {error}")
        self._away.pop(mirror.record.uri, None)
        self._stuck.pop(mirror.run.id, None)
        return Outcome.SENT if sent else Outcome.QUIET

    def _wait_for(self, mirror: Mirror, error: str) -> Outcome:
        mirror.failed(error)
        self._stuck.setdefault(mirror.run.id, Backoff()).failed()
        return Outcome.WAITING


def _log(text: str) -> None:
    print(time.strftime("%Y-%m-%d %H:%M:%S"), text, flush=True)


def main() -> None:
    """The command line of the process; see the module's description."""
    parser = argparse.ArgumentParser(description="carry the runs of a lab to MLflow")
    parser.add_argument("lab", type=Path)
    parser.add_argument("--linger", type=float, default=5.0, help="seconds to stay when all is done")
    parser.add_argument("--patience", type=float, default=120.0, help="seconds to wait for an absent server")
    options = parser.parse_args()
    os.nice(10)  # training comes first
    Shipper(Lab(options.lab), linger=options.linger, patience=options.patience).run()


if __name__ == "__main__":
    main()
