"""Runs a worker as a detached process on this machine."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from rnnlab.api import Executor, Handle


class LocalExecutor(Executor):
    """One process a run, in a session of its own: closing the terminal that started it does not touch it.

    The worker's output goes to log.txt in the run's folder.
    """

    _processes: dict[str, subprocess.Popen[bytes]] = {}  # noqa: RUF012 - ours to reap, shared by instances

    def submit(self, run_dir: Path) -> Handle:
        """Start the worker of `run_dir`."""
        with (run_dir / "log.txt").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "rnnlab.execution.worker", str(run_dir)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._processes[str(process.pid)] = process
        return Handle(run_dir, str(process.pid))

    def poll(self, handle: Handle) -> int | None:
        """Exit code of a worker started by this process; None while it runs, or if another started it."""
        process = self._processes.get(handle.key)
        return process.poll() if process else None

    def cancel(self, handle: Handle) -> None:
        """Send SIGTERM; the worker finishes its step, saves and ends as stopped."""
        with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
            os.kill(int(handle.key), signal.SIGTERM)
