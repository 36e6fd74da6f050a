"""The process that touches the GPU. It may die, hang or poison its device: `runner.py` starts another."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection

import torch
from cases import Case
from ceilings import measure_ceilings
from identity import plan_of
from measure import Ring, Settings, SickDevice


@dataclass(frozen=True)
class Job:
    """What a worker is asked: the ceilings where `case` is None, else that case."""

    case: Case | None = None
    excluded: frozenset[str] = frozenset()
    warm: bool = False


def serve(connection: Connection, settings: Settings) -> None:
    """Do jobs as they come in until None does.

    Sends pairs: ("at", who is about to run), ("row", a row), ("ceilings", numbers), ("plan", lines),
    ("sick", why the device is lost), and ("done", None) after each job.
    """
    with contextlib.suppress(EOFError, BrokenPipeError, KeyboardInterrupt):
        while (job := connection.recv()) is not None:
            try:
                _do(job, connection, settings)
            except SickDevice as sick:
                connection.send(("sick", str(sick)))
                return
            connection.send(("done", None))


def _do(job: Job, connection: Connection, settings: Settings) -> None:
    def announce(who: str) -> None:
        connection.send(("at", who))

    if job.case is None:
        announce("start")
        connection.send(("ceilings", measure_ceilings(torch.device(settings.device), announce)))
        return
    if job.warm:
        # Kernels do not depend on how many steps there are. An error comes back when the case is measured.
        with contextlib.suppress(Exception):
            Ring(replace(job.case, seq_len=2), settings, print, print).warm()
        return
    connection.send(("plan", plan_of(job.case, torch.device(settings.device))))
    Ring(job.case, settings, lambda row: connection.send(("row", row)), announce, job.excluded).measure()
