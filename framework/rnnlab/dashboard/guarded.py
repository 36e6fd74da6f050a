"""A process that ends with the dashboard, however that ends."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence

END_SECONDS = 12.0


class Guarded:
    """A command under `rnnlab.tracking.guard`: it and all in its process group end when this process does,
    `kill -9` included. A run started from it lives on, as it leads a session of its own."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], *, show: bool = False) -> None:
        """
        Args:
            command: its words.
            env: its environment.
            show: let it write to the terminal; otherwise what it writes is kept for `last_words`.
        """
        self._log = None if show else tempfile.TemporaryFile()  # noqa: SIM115 - closed in end
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "rnnlab.tracking.guard", *command],
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=self._log,
            env=dict(env),
            start_new_session=True,
        )

    @property
    def alive(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def wait(self) -> None:
        """Wait until it ends by itself."""
        self._process.wait()

    def last_words(self) -> str:
        """The last line it wrote; "" if it wrote none."""
        if self._log is None:
            return ""
        self._log.seek(0)
        lines = [line.strip() for line in self._log.read().decode(errors="replace").splitlines()]
        return next((line.removeprefix("error: ") for line in reversed(lines) if line), "")

    def end(self, wait: bool = True) -> None:
        """End it and everything in its group; without `wait` that goes on after this returns."""
        assert self._process.stdin is not None
        self._process.stdin.close()  # the guard's sign
        if wait:
            try:
                self._process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._log is not None:
            self._log.close()
