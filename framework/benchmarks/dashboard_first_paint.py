"""How long until the dashboard shows something: from fork to text, on a pseudo-terminal of 140x40.

    python framework/benchmarks/dashboard_first_paint.py [--runs-dir DIR] [--count 5]

Prints JSON: milliseconds until the first line of the frame is there (`frame_ms`), until the lab has been read
and its number of runs is on the screen (`runs_ms`), and from q to the end of the process (`quit_ms`); and the
processor time, user and system, that the process had taken by then (`frame_cpu_ms`, `runs_cpu_ms`, in steps
of 10 ms): on a machine that does other work this tells more. Each measured value, and the median.

A start that is not counted comes first: python keeps what it compiles, here in a folder of its own.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import platform
import pty
import re
import select
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time

import psutil

FRAME, RUNS = re.compile(rb"1 Runs"), re.compile(rb"(?<!\d)\d+ runs?\b")
SECONDS = 60.0


def measure(command: list[str], compiled: str) -> dict[str, float]:
    """Start `command`, wait until it has painted, press q.

    Args:
        command: its words.
        compiled: the folder for compiled modules.
    """
    began = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONUTF8": "1"}
        os.environ["PYTHONPYCACHEPREFIX"] = compiled
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 140, 0, 0))
        os.execv(command[0], command)
    seen, times = b"", {}
    while "runs_ms" not in times:
        readable, _, _ = select.select([terminal], [], [], SECONDS)
        if not readable or time.perf_counter() - began > SECONDS:
            os.kill(pid, signal.SIGKILL)
            raise SystemExit(f"nothing to see within {SECONDS:.0f} s; got {seen[-2000:]!r}")
        seen += os.read(terminal, 1 << 16)
        for name, sign in (("frame", FRAME), ("runs", RUNS)):
            if f"{name}_ms" not in times and sign.search(seen):
                times[f"{name}_ms"] = 1000 * (time.perf_counter() - began)
                used = psutil.Process(pid).cpu_times()
                times[f"{name}_cpu_ms"] = 1000 * (used.user + used.system)
    pressed = time.perf_counter()
    os.write(terminal, b"q")
    while _read(terminal):
        pass
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code:
        raise SystemExit(f"the dashboard ended with code {code}")
    return times | {"quit_ms": 1000 * (time.perf_counter() - pressed)}


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # the other end has closed
        return b""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs-dir", default="runs", help="the lab [default: runs]")
    parser.add_argument("--count", type=int, default=5, help="starts [default: 5]")
    given = parser.parse_args()
    command = [sys.executable, "-P", "-m", "rnnlab.cli.main", "--runs-dir", given.runs_dir]
    with tempfile.TemporaryDirectory() as compiled:
        measure(command, compiled)
        found = [measure(command, compiled) for _ in range(given.count)]
    figures = {
        name: {
            "median": round(statistics.median(each[name] for each in found)),
            "all": [round(each[name]) for each in found],
        }
        for name in found[0]
    }
    machine = {"python": platform.python_version(), "cores": os.cpu_count(), "load": os.getloadavg()[0]}
    print(json.dumps({"command": command, **figures, **machine}, indent=1))


if __name__ == "__main__":
    main()
