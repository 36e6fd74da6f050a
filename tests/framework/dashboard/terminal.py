"""A real pseudo-terminal with a program in it, and what a user sees there."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyte

KEYS = {"enter": b"\r", "escape": b"\x1b", "tab": b"\t", "right": b"\x1b[C", "down": b"\x1b[B"}
PATIENCE = 90.0


class Terminal:
    """A program on a terminal of its own.

    Attributes:
        pid: the program's process. raw: every byte it wrote.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 140,
        rows: int = 40,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.raw = b""
        self._code: int | None = None
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            for name in ("COLUMNS", "LINES"):  # what is said of the tests' own terminal
                os.environ.pop(name, None)
            settings = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONUTF8": "1"}
            os.execve(command[0], list(command), os.environ | settings | dict(env or {}))

    def text(self) -> str:
        """The lines of the screen."""
        self._read(0.0)
        return "\n".join(line.rstrip() for line in self._screen.display)

    def until(self, condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:
        """Wait for `condition`, reading what the program writes; returns what it gave."""
        deadline = time.monotonic() + seconds
        while not (outcome := condition()):
            assert time.monotonic() < deadline, f"not within {seconds} s; the screen:\n{self.text()}"
            self._read(0.05)
        return outcome

    def see(self, *texts: str, seconds: float = PATIENCE) -> None:
        """Wait until all of them stand on the screen."""
        self.until(lambda: all(text in self.text() for text in texts), seconds)

    def press(self, *keys: str) -> None:
        """Keys by name (`enter`, `ctrl+r`), or texts to type."""
        for key in keys:
            control = key.removeprefix("ctrl+")
            sent = bytes([ord(control) - 96]) if control != key else KEYS.get(key, key.encode())
            os.write(self._fd, sent)

    def resize(self, columns: int, rows: int) -> None:
        """Give it another size, as dragging a window's corner does."""
        self._screen.resize(rows, columns)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def modes(self) -> list[Any]:
        """What `stty -a` would tell."""
        return termios.tcgetattr(self._fd)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def ended(self) -> bool:
        """Whether the program is gone."""
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._code = os.waitstatus_to_exitcode(status)
        return self._code is not None

    def code(self, seconds: float = PATIENCE) -> int:
        """Wait for its end: the exit code, or minus the signal's number."""
        self.until(self.ended, seconds)
        self._read(0.0)
        assert self._code is not None
        return self._code

    def hang_up(self) -> None:
        """Close the terminal, as closing its window does."""
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1

    def close(self) -> None:
        """Close the terminal, and see that the program is gone."""
        self.hang_up()
        if self._code is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)

    def _read(self, seconds: float) -> None:
        if self._fd < 0:  # hung up: nothing will come
            time.sleep(seconds)
            return
        while select.select([self._fd], [], [], seconds)[0]:
            try:
                found = os.read(self._fd, 1 << 16)
            except OSError:  # the other end is closed
                return
            if not found:
                return
            self.raw += found
            self._stream.feed(found)
            seconds = 0.0
