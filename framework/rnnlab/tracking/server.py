"""MLflow's own UI on the lab's store, as a process that leaves nothing behind. Imports no mlflow."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from rnnlab.errors import InputError, RnnlabError
from rnnlab.lab import liveness
from rnnlab.lab.lab import Lab
from rnnlab.lab.run import write_json
from rnnlab.tracking.links import DEFAULT_PORT, HOST, UI_ADDRESS, UI_LOCK, is_server, shown, ui_address
from rnnlab.tracking.record import Record
from rnnlab.tracking.relocate import DATABASE, relocate

LOG = ".mlflow-ui.log"
_START_SECONDS = 90.0
_STOP_SECONDS = 10.0
_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    # Background jobs are for language-model evaluations; without them two processes do instead of ten.
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}


def serve(lab: Lab, port: int | None = None, *, announce: Callable[[str], None] = print) -> None:
    """Serve MLflow's UI for this lab on 127.0.0.1 until Ctrl-C, SIGTERM or SIGHUP; blocks meanwhile.

    However this process ends, `kill -9` included, the server and all its processes end with it.

    Args:
        lab: the lab, with a store of its own.
        port: port to listen on; None for 5000, or any free one if that is taken.
        announce: called with each line for the user, among them the address once it answers.

    Raises:
        InputError: the lab has no store yet, or `port` is taken.
        RnnlabError: the server does not come up; its log is named.
    """
    root = lab.path.resolve()
    if not (root / DATABASE).exists():
        raise InputError(_no_store(lab))
    lock = liveness.acquire(root / UI_LOCK)
    if lock is None:
        announce(f"MLflow's UI on this lab is already at {ui_address(root) or 'an address not known yet'}")
        return
    try:
        chosen = _choose_port(port)
        if chosen != (port or DEFAULT_PORT):
            announce(f"port {DEFAULT_PORT} is taken; using {chosen}")
        relocate(root)
        with _signals_interrupt(), _server(root, chosen) as process:
            address = f"http://{HOST}:{chosen}"
            _await_answer(process, address, root / LOG)
            write_json(root / UI_ADDRESS, {"address": address, "pid": os.getpid()})
            announce(f"MLflow's UI: {address}  (Ctrl-C ends it)")
            code = process.wait()
            raise RnnlabError(f"MLflow's server ended by itself (exit code {code}); see {root / LOG}")
    except KeyboardInterrupt:
        announce("MLflow's UI has ended")
    finally:
        (root / UI_ADDRESS).unlink(missing_ok=True)
        lock.release()


def command(root: Path, port: int) -> list[str]:
    """The command line of MLflow's server for the store in `root`."""
    return [
        *(sys.executable, "-P", "-m", "mlflow", "server"),
        *("--backend-store-uri", f"sqlite:///{root / DATABASE}"),
        *("--default-artifact-root", str(root / "artifacts"), "--no-serve-artifacts"),
        *("--host", HOST, "--port", str(port), "--workers", "1"),
    ]


@contextmanager
def _server(root: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The server under a guard; on leaving, neither it nor any child of it is left."""
    with (root / LOG).open("wb") as log:
        guard = subprocess.Popen(
            [sys.executable, "-P", "-m", "rnnlab.tracking.guard", *command(root, port)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd=root,
            env=os.environ | _ENVIRONMENT,
            start_new_session=True,
        )
    try:
        yield guard
    finally:
        assert guard.stdin is not None
        guard.stdin.close()  # the guard's sign to end the group
        try:
            guard.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(guard.pid, signal.SIGKILL)
            guard.wait()


def _await_answer(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy has no part in 127.0.0.1
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with direct.open(f"{address}/health", timeout=2):
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.1)
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    raise RnnlabError(f"MLflow's server did not come up: {lines[-1] if lines else 'no output'}; see {log}")


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """Ctrl-C, SIGTERM and SIGHUP all interrupt, so that every way out cleans up.

    SIGINT is set too: a shell starts background jobs with it ignored.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    former = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _choose_port(port: int | None) -> int:
    if _is_free(port or DEFAULT_PORT):
        return port or DEFAULT_PORT
    if port is not None:
        raise InputError(
            f"port {port} on {HOST} is taken; give another with --port, or none for any free one"
        )
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _no_store(lab: Lab) -> str:
    servers = {Record.load(run).uri for run in lab.runs() if run.mlflow_path.exists()}
    elsewhere = sorted(shown(uri) for uri in servers if uri and is_server(uri))
    if elsewhere:
        return f"{lab.path} has no MLflow store of its own; its runs are at {', '.join(elsewhere)}: open that"
    return (
        f"{lab.path} has no MLflow store yet; start a run with 'rnnlab run PRESET', "
        "or ship runs that wait with 'rnnlab sync'"
    )
