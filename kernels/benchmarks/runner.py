"""The run: jobs for a worker that may fail, within a budget of seconds."""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.connection
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from multiprocessing.connection import Connection
from typing import Any

from cases import Case, predict
from checking import PASSES
from measure import Row, Settings
from worker import Job, serve

Clock = Callable[[], float]
LIVES = 4
"""Workers that one case may use up."""


class Worker:
    """A worker process and the wire to it.

    Args:
        patience: seconds without a word after which it is taken to hang.
    """

    def __init__(self, settings: Settings, patience: float) -> None:
        self.patience = patience
        context = multiprocessing.get_context("spawn")
        self.wire, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, settings), daemon=True)
        self.process.start()
        theirs.close()

    def ask(self, job: Job, hear: Callable[[str, Any], object]) -> str | None:
        """Do one job; return None, or how the worker was lost. `hear` takes what it sends, but "done".

        Without a word for `patience` seconds the worker is lost.
        """
        try:
            self.wire.send(job)
            while True:
                if not self.wire.poll(self.patience):
                    self.end(kill=True)
                    return f"no answer in {self.patience:.0f} s; its process was ended"
                kind, what = self.wire.recv()
                if kind == "done":
                    return None
                if kind == "sick":
                    self.end(kill=False)
                    return f"the device refused further work: {what}"
                hear(kind, what)
        except (EOFError, OSError):
            self.end(kill=False)
            return f"its process ended with exit code {self.process.exitcode}"

    def end(self, kill: bool) -> None:
        """Stop the process: politely, or at once."""
        with contextlib.suppress(OSError):
            if not kill:
                self.wire.send(None)
        self.wire.close()
        if not kill:
            self.process.join(10)
        if self.process.is_alive():
            self.process.kill()
            self.process.join(10)


class Run:
    """Measures cases one after another and writes down each.

    Args:
        result: the record that is saved; "ceilings", "cases" and "skipped" are filled in.
        save: called after every case.
        hire: starts a worker.
        budget: seconds from now.
    """

    def __init__(
        self,
        result: dict[str, Any],
        settings: Settings,
        save: Callable[[], object],
        hire: Callable[[], Worker],
        budget: float,
        clock: Clock = time.monotonic,
        say: Callable[[str], object] = print,
    ) -> None:
        self.result, self.settings, self.save, self.hire = result, settings, save, hire
        self.clock, self.say = clock, say
        self.deadline = clock() + budget
        self.worker: Worker | None = None
        self.predicted = self.spent = 0.0

    def ceilings(self) -> None:
        """Measure what the machine can do."""

        def hear(kind: str, what: Any) -> None:
            if kind == "ceilings":
                self.result["ceilings"] = what

        lost = self.ask(Job(), hear)
        if lost is not None:
            self.result["ceilings"] = {"failed": lost}
        self.save()

    def cases(self, cases: Iterable[Case]) -> None:
        """Measure, in order, every case that still fits; write down those that do not."""
        for case in cases:
            expected = self.expected(case)
            left = self.deadline - self.clock()
            if expected > left:
                reason = f"expected {expected:.1f} s, {max(left, 0):.1f} s were left"
                self.result["skipped"].append({"case": case.name, "reason": reason})
                self.say(f"skipped   {case.name}: {reason}")
                continue
            start = self.clock()
            record = self.one(case)
            record["seconds"] = self.clock() - start
            self.predicted += self.raw(case)
            self.spent += record["seconds"]
            self.result["cases"].append(record)
            self.save()
            self.say(f"{record['seconds']:6.1f} s  {case.name}: {brief(record)}")

    def raw(self, case: Case) -> float:
        """Seconds that a case takes by `predict`."""
        return predict(case, len(self.settings.contestants(case)), self.settings.seconds)

    def expected(self, case: Case) -> float:
        """Seconds that a case takes, by `predict` and by how far that was too low until now."""
        slower = self.spent / self.predicted if self.predicted > 0 else 1.0
        return self.raw(case) * max(1.0, slower)

    def one(self, case: Case) -> dict[str, Any]:
        """Measure a case, with a new worker and without the culprit each time one is lost."""
        rows: dict[tuple[str, str], Row] = {}
        plan: list[str] = []
        at = ""

        def hear(kind: str, what: Any) -> None:
            nonlocal at
            if kind == "at":
                at = what
            elif kind == "row":
                rows[what["contestant"], what["pass"]] = what
            elif kind == "plan":
                plan[:] = what

        excluded: set[str] = set()
        lost: list[str] = []
        for _ in range(LIVES):
            at = ""
            failure = self.ask(Job(case, frozenset(excluded)), hear)
            if failure is None:
                break
            lost.append(f"{at or 'start'}: {failure}")
            for who in self.settings.contestants(case):
                if who.name == at:
                    excluded.add(at)
                    for kind in PASSES:
                        told = rows.get((at, kind), {})
                        if "ms" not in told and "failed" not in told:
                            row = {"contestant": at, "family": who.family, "dtype": who.dtype, "pass": kind}
                            rows[at, kind] = row | {
                                "seq_len": case.seq_len,
                                "note": who.note,
                                "failed": failure,
                            }
            if self.clock() > self.deadline:
                break
        return asdict(case) | {
            "name": case.name,
            "plan": plan,
            "lost_workers": lost,
            "rows": list(rows.values()),
        }

    def ask(self, job: Job, hear: Callable[[str, Any], object]) -> str | None:
        """As `Worker.ask`, by a worker that is hired when there is none."""
        if self.worker is None:
            self.worker = self.hire()
        lost = self.worker.ask(job, hear)
        if lost is not None:
            self.worker = None
        return lost

    def close(self, kill: bool) -> None:
        """Send the worker home; `kill` it where it may be at work."""
        if self.worker is not None:
            self.worker.end(kill)
            self.worker = None


def brief(record: dict[str, Any]) -> str:
    """A case on one line: forward+backward milliseconds, or the forward's, or that it failed."""
    best: dict[str, str] = {}
    for row in record["rows"]:
        best[row["contestant"]] = f"{row['ms']:.2f} ms" if "ms" in row else f"failed ({row['failed'][:60]})"
    return ", ".join(f"{name} {told}" for name, told in best.items())


def warm_up(
    cases: list[Case], settings: Settings, jobs: int, seconds: float, clock: Clock = time.monotonic
) -> int:
    """Compile our kernels for `cases` in `jobs` processes at once; return how many cases got ready.

    Triton keeps what it compiles on disk, where the measuring process finds it. Ends after `seconds`.
    """
    deadline = clock() + seconds
    waiting, ready = list(reversed(cases)), 0
    workers = [Worker(settings, seconds) for _ in range(min(jobs, len(cases)))]
    wires: dict[Connection, Worker] = {worker.wire: worker for worker in workers}
    for worker in workers:
        worker.wire.send(Job(waiting.pop(), warm=True))
    while wires and (left := deadline - clock()) > 0:
        for wire in multiprocessing.connection.wait(list(wires), timeout=left):
            assert isinstance(wire, Connection)
            try:
                kind, _ = wire.recv()
            except (EOFError, OSError):
                del wires[wire]
                continue
            if kind == "done":
                ready += 1
                if waiting:
                    wire.send(Job(waiting.pop(), warm=True))
                else:
                    del wires[wire]
            elif kind == "sick":
                del wires[wire]
    for worker in workers:
        worker.end(kill=True)
    return ready
