"""Runs a command that cannot outlive whoever started it.

    python -m rnnlab.tracking.guard COMMAND...      with a pipe as standard input

The guard leads a process group of its own, holding the command and all that it starts. When the pipe's
other end closes, which even a `kill -9` of the starter brings about, or a signal comes, or the command
ends, the whole group is ended.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
from types import FrameType

_PR_SET_PDEATHSIG = 1
_GRACE = 5.0
"""Seconds between asking the group to end and killing it."""


class _Stop(Exception):
    """A signal asked the guard to end."""


def main(command: list[str]) -> None:
    """Run `command` until it ends or this process is to end; then end the group, this process included."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=_die_with_parent)
        while child.poll() is None:
            readable, _, _ = select.select([sys.stdin], [], [], 0.2)
            if readable and not os.read(sys.stdin.fileno(), 1):
                break
    except _Stop:
        pass
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        os.killpg(0, signal.SIGTERM)
        _await_group()
        os.killpg(0, signal.SIGKILL)


def _stop(number: int, frame: FrameType | None) -> None:
    raise _Stop


def _die_with_parent() -> None:
    """In the child: end when the guard itself is killed. Linux only; elsewhere the pipe has to do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _await_group() -> None:
    """Wait until this process is the last of its group, for a few seconds at most."""
    import psutil

    psutil.wait_procs(psutil.Process().children(recursive=True), timeout=_GRACE)


if __name__ == "__main__":
    main(sys.argv[1:])
