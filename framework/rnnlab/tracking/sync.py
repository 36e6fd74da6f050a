"""Shipping everything that is pending, now and in the foreground."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from rnnlab.errors import RnnlabError
from rnnlab.lab import liveness
from rnnlab.lab.lab import Lab
from rnnlab.lab.run import Run
from rnnlab.tracking.launch import LOCK, ensure_shipper
from rnnlab.tracking.mirror import Mirror
from rnnlab.tracking.record import tracked
from rnnlab.tracking.shipper import YIELD
from rnnlab.tracking.store import Refused, Stores, Unreachable


@dataclass(frozen=True)
class SyncResult:
    """What became of one run.

    Attributes:
        run_id: the run.
        sent: metric points sent.
        pending: journal events that MLflow does not have yet.
        error: why not, None if all is there.
    """

    run_id: str
    sent: int
    pending: int
    error: str | None = None


def sync(lab: Lab, runs: Sequence[Run] | None = None, *, timeout: float = 60.0) -> list[SyncResult]:
    """Ship what is pending; a run that its store no longer has is shipped as a whole.

    A shipper at work is asked to stand back meanwhile, and started again if a run is alive.

    Args:
        lab: the lab.
        runs: only these, even if their config says `tracking.enabled: false`; None for all that say true.
        timeout: seconds to wait for a shipper to stand back.

    Raises:
        RnnlabError: the shipper does not stand back. A store that does not answer is no exception but the
            `error` of each run bound for it.
    """
    chosen = [run for run in lab.runs() if tracked(run)] if runs is None else list(runs)
    if not chosen:
        return []
    lock = _take_over(lab, timeout)
    try:
        stores, away = Stores(lab.path), {}
        results = [_ship(Mirror(run), stores, away) for run in chosen]
    finally:
        lock.release()
        (lab.path / YIELD).unlink(missing_ok=True)
        # Whoever started a run meanwhile saw the lock held and started no shipper.
        if any(run.pid for run in lab.runs()):
            ensure_shipper(lab.path)
    return results


def _take_over(lab: Lab, timeout: float) -> liveness.Lock:
    deadline = time.monotonic() + timeout
    while (lock := liveness.acquire(lab.path / LOCK)) is None:
        if time.monotonic() > deadline:
            pid = liveness.holder(lab.path / LOCK)
            raise RnnlabError(
                f"process {pid} is shipping this lab and did not stand back in {timeout:g} s; "
                f"try again later, or end it with 'kill {pid}' (nothing is lost)"
            )
        (lab.path / YIELD).touch()  # again each time: a shipper that starts just now removes it
        time.sleep(0.05)
    return lock


def _ship(mirror: Mirror, stores: Stores, away: dict[str | None, str]) -> SyncResult:
    """Ship one run; `away` remembers which stores do not answer, so that each is waited for only once."""
    mirror.record.redirect(mirror.run)
    error = away.get(mirror.record.uri)
    if error is None:
        try:
            mirror.verify(stores)
            while mirror.advance(stores):
                pass
        except Unreachable as problem:
            error = away[mirror.record.uri] = str(problem)
        except Refused as problem:
            error = str(problem)
    if error is not None:
        mirror.failed(error)
    return SyncResult(mirror.run.id, mirror.sent, mirror.pending(), error)
