"""Asking what a run would be: full validation and size, from processes in which the plugins are loaded."""

from __future__ import annotations

import json
import selectors
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from rnnlab.dashboard.catalogue.installation import Installation
from rnnlab.dashboard.form.command import Command

SECONDS = 60.0
"""How long an answer may take: the first size reads the data."""


@dataclass(frozen=True)
class Verdict:
    """What a run of a command would be.

    Attributes:
        problems: everything wrong with it, a line each, as `Form.take_problems` takes them.
        config: the resolved experiment; empty if there are problems, or if its size was asked for.
        parameters: trainable parameters. steps: optimizer steps planned. examples: split -> examples.
        backend, backend_reason, device: what would run it, why, and where.
        provisional: whether a run measures backends first, and might take another.
        seconds: how long the answer took.
    """

    problems: tuple[str, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    parameters: int | None = None
    steps: int | None = None
    examples: Mapping[str, int] = field(default_factory=dict)
    backend: str = ""
    backend_reason: str = ""
    device: str = ""
    provisional: bool = False
    seconds: float = 0.0


class Consultant:
    """Two processes, each started when first asked: a light one checks, one with torch finds sizes.

    Its methods wait for the answer and may be called from any thread.
    """

    def __init__(self, installation: Installation) -> None:
        self._processes = {"check": _Answerer(installation), "size": _Answerer(installation)}

    def check(self, command: Command) -> Verdict:
        """Validate wholly, as `rnnlab run` would."""
        return self._ask("check", command)

    def size(self, command: Command) -> Verdict:
        """Parameters and steps. The first time torch is imported and the data are read."""
        return self._ask("size", command)

    def restart(self) -> None:
        """Look for the plugins anew at the next question, after something was installed or edited."""
        self.close()

    def close(self) -> None:
        """End the processes. They end by themselves when this process does."""
        for process in self._processes.values():
            process.close()

    def _ask(self, what: str, command: Command) -> Verdict:
        began = time.monotonic()
        request = {"do": what, "source": command.source, "overrides": list(command.overrides)}
        answer = self._processes[what].ask(request)
        known = {key: value for key, value in answer.items() if key in Verdict.__dataclass_fields__ and value}
        return Verdict(
            **{**known, "problems": tuple(answer["problems"]), "seconds": time.monotonic() - began}
        )


class _Answerer:
    """A `python -m rnnlab.execution.dry_run`, asked one thing at a time and started again if it died."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._lock = threading.Lock()

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._lock:
            try:
                process = self._alive()
                assert process.stdin is not None and process.stdout is not None
                process.stdin.write(json.dumps(request).encode() + b"\n")
                process.stdin.flush()
                return json.loads(_line(process.stdout))
            except (OSError, ValueError) as error:
                why = self._last_words() or str(error)
                self._end()
                return {"problems": [f"no answer from the process that loads the plugins: {why}"]}

    def close(self) -> None:
        process = self._process
        if process is not None:
            process.kill()  # also frees a thread that waits for its answer
        with self._lock:
            self._end()

    def _alive(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._log = tempfile.TemporaryFile()  # noqa: SIM115 - it is closed in _end
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "rnnlab.execution.dry_run"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                env=self._installation.environment(),
                start_new_session=True,
            )
        return self._process

    def _last_words(self) -> str:
        if self._log is None:
            return ""
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
        if self._log is not None:
            self._log.close()
        self._process = self._log = None


def _line(stream: IO[bytes]) -> bytes:
    """The next line. Raises TimeoutError when there is none for SECONDS, EOFError when there will be none."""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        if not selector.select(SECONDS):
            raise TimeoutError(f"it took longer than {SECONDS:.0f} s")
    line = stream.readline()
    if not line:
        raise ConnectionError("it ended")
    return line
