"""Measure the whole dashboard on a pseudo-terminal of 140x40, with labs of its own in a temporary folder.

    .venv/bin/python framework/benchmarks/dashboard_app.py [--runs 1000] [--writers 8] [--rate 200]

First a lab of finished runs: from fork to the list, then from a key to what it changes, for filtering and for
sorting. Then processes write journals as workers do while Runs and then Live are watched: processor time of
the dashboard, from a typed letter to its place on the screen, and whether the last step shown is the last
one written.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from dashboard_feed import make_finished, make_run, say

from rnnlab.lab.lab import Lab

PATIENCE = 120.0
ESCAPE = re.compile(rb"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-Z\\^_])")
LETTERS = 40


class Screen:
    """The dashboard on a terminal."""

    def __init__(self, lab: Path) -> None:
        command = [sys.executable, "-P", "-m", "rnnlab.cli.main", "--runs-dir", str(lab)]
        self.began = time.perf_counter()
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            os.environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONUTF8": "1"}
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 140, 0, 0))
            os.execv(command[0], command)
        self._process = psutil.Process(self.pid)

    def cpu(self) -> float:
        """Processor seconds used so far."""
        times = self._process.cpu_times()
        return times.user + times.system

    def wait(self, sign: str, since: float | None = None) -> float:
        """Seconds until text that matches `sign` is written, counted from `since` (now)."""
        began = time.perf_counter() if since is None else since
        seen = b""
        while not re.search(sign.encode(), ESCAPE.sub(b"", seen)):
            if not select.select([self._terminal], [], [], PATIENCE)[0]:
                raise TimeoutError(f"no {sign!r} within {PATIENCE:.0f} s; got {seen[-1000:]!r}")
            seen += os.read(self._terminal, 1 << 16)
        return time.perf_counter() - began

    def rest(self, seconds: float) -> None:
        """Read for so long: the header line is never at rest."""
        until = time.monotonic() + seconds
        self.watch(lambda: time.monotonic() < until)

    def watch(self, going: Callable[[], bool]) -> None:
        """Read what is written while `going`."""
        while going():
            if select.select([self._terminal], [], [], 0.01)[0]:
                os.read(self._terminal, 1 << 16)

    def press(self, keys: str) -> float:
        """Press keys; returns when that was."""
        os.write(self._terminal, keys.encode())
        return time.perf_counter()

    def end(self) -> None:
        """Leave it by q."""
        self.press("q")
        deadline = time.monotonic() + PATIENCE
        while os.waitpid(self.pid, os.WNOHANG)[0] == 0:
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
            if select.select([self._terminal], [], [], 0.05)[0]:
                try:
                    os.read(self._terminal, 1 << 16)
                except OSError:  # the other end has closed
                    continue


def finished_lab(lab: Lab, count: int) -> None:
    """Open, filter and sort a lab of finished runs."""
    for number in range(count):
        make_finished(lab, number)
    print(f"\n{count:,} finished runs")
    screen = Screen(lab.path)
    say("fork to the list of all runs", milliseconds([screen.wait(rf"\b{count} runs", screen.began)]))
    screen.wait(r"reading \d+", screen.began)
    screen.rest(5.0)
    say("processor time until all journals are read", f"{screen.cpu():.1f} s")
    screen.press("/")
    screen.rest(0.3)
    screen.press("cell:lst")
    screen.rest(1.0)
    say(
        "filter: a key to the number of matches",
        milliseconds([screen.wait(rf"{count // 2} of", screen.press("m"))]),
    )
    screen.press("\x1b")
    screen.rest(1.0)
    times = []
    for _ in range(6):
        times.append(screen.wait(r"by \w+", screen.press(">")))
        screen.rest(0.5)
    say("sort by another column: a key to the answer", milliseconds(times))
    screen.end()


def live_lab(lab: Lab, count: int, rate: float, seconds: float) -> None:
    """Watch processes that write."""
    for name, key in (("Runs", "1"), ("Live", "2")):
        runs = [make_run(lab, number) for number in range(count)]
        screen = Screen(lab.path)
        screen.wait(r"\d+ runs", screen.began)
        screen.press(key)
        screen.rest(1.0)
        start = time.time() + 2.0
        writer = [sys.executable, str(Path(__file__).with_name("dashboard_feed.py")), "--rate", str(rate)]
        writer += ["--seconds", str(seconds), "--write"]
        writers = [subprocess.Popen([*writer, str(run.path), str(start)]) for run in runs]
        screen.watch(lambda start=start: time.time() < start)
        cpu, began = screen.cpu(), time.perf_counter()
        if name == "Runs":
            screen.press("/")
            lags = [letter(screen, index) for index in range(LETTERS)]
            screen.press("\x1b")
        else:
            lags = []
        screen.watch(lambda writers=writers: any(writer.poll() is None for writer in writers))
        used, wall = screen.cpu() - cpu, time.perf_counter() - began
        print(f"\n{count} processes writing {rate:.0f} events/s each for {seconds:.0f} s, {name} is watched")
        say("processor time of the dashboard", f"{used:.2f} s in {wall:.1f} s, {used / wall:.3f} of a core")
        if lags:
            lags.sort()
            p95 = lags[int(0.95 * (len(lags) - 1))]
            middle = statistics.median(lags)
            say(
                "typed letter to its place on the screen",
                f"median {1e3 * middle:.0f} ms, p95 {1e3 * p95:.0f} ms",
            )
        screen.end()


def letter(screen: Screen, index: int) -> float:
    """Type a letter that stands nowhere else into the filter, or take it away; seconds until it shows."""
    screen.rest(0.07 + 0.013 * (index % 7))  # not in step with the redraws
    if index % 2 == 0:
        return screen.wait("Q", screen.press("Q"))
    return screen.wait("filter, e.g.", screen.press("\x7f"))


def milliseconds(seconds: list[float]) -> str:
    """Median and maximum in words."""
    if len(seconds) == 1:
        return f"{1e3 * seconds[0]:.0f} ms"
    return f"median {1e3 * statistics.median(seconds):.0f} ms, max {1e3 * max(seconds):.0f} ms"


def main() -> None:
    """Both measurements, printed as they come."""
    parser = argparse.ArgumentParser(description="measure the whole dashboard on a pseudo-terminal")
    parser.add_argument("--runs", type=int, default=1000, help="finished runs of the first lab")
    parser.add_argument("--writers", type=int, default=8, help="processes that write at the same time")
    parser.add_argument("--rate", type=float, default=200.0, help="events a second of each")
    parser.add_argument("--seconds", type=float, default=15.0, help="how long they write")
    options = parser.parse_args()
    print(f"{os.cpu_count()} processors, python {sys.version.split()[0]}, load {os.getloadavg()[0]:.1f}")
    folder = Path(tempfile.mkdtemp(prefix="rnnlab-dashboard-"))
    try:
        finished_lab(Lab(folder / "finished"), options.runs)
        live_lab(Lab(folder / "live"), options.writers, options.rate, options.seconds)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
