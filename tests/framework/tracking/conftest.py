"""Runs made by hand, real workers to kill, and real MLflow servers."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from rnnlab.lab.events import Metrics, RunEnded, RunStarted
from rnnlab.lab.journal import Journal
from rnnlab.lab.lab import Lab
from rnnlab.lab.run import Run
from rnnlab.tracking.store import Store

STARTED = RunStarted(
    pid=1,
    total_steps=100,
    parameters=12_345,
    backend="reference",
    backend_reason="no GPU here",
    data={"name": "tiny", "digest": "a" * 64, "licence": "CC0-1.0", "examples": {"train": 80, "test": 20}},
    versions={"torch": "2.13.0"},
    baselines={"accuracy": 0.5},
)


def make_run(lab: Lab, name: str = "demo", **config: Any) -> Run:
    """A run's folder with a config and nothing else."""
    run = lab.create_run(name)
    sections = {
        "name": name,
        "cell": {"type": "lstm", "forget_bias": 1.0},
        "task": {"type": "sequence_labelling"},
        "dataset": {"type": "tiny", "limit": None},
        "stack": {"hidden_size": 32, "bidirectional": False},
        "training": {"learning_rate": 0.001, "epochs": 2},
        "tracking": {"enabled": True, "uri": None, "experiment": "rnnlab"},
    }
    run.config_path.write_text(yaml.safe_dump(sections | config))
    return run


def write_history(run: Run, steps: range, *, end: str = "finished") -> None:
    """What a worker writes, from the first of `steps` on; with `end` empty it vanishes without a word."""
    journal = Journal(run.events_path)
    run.write_status(state="running")
    journal.write(STARTED if steps.start == 0 else RunStarted(pid=1, resumed_from=steps.start))
    for step in steps:
        journal.write(Metrics(step=step + 1, values={"train/loss": 1 / (step + 1), "train/grad_norm": 0.1}))
    if end:
        journal.write(RunEnded(step=steps.stop, state=end, reason="as asked", scores={"test/accuracy": 0.75}))
        run.write_status(state=end)
    journal.close()


def points(database: Path, key: str = "train/loss") -> list[tuple[int, float]]:
    """(step, value) of every stored point, duplicates and all, oldest step first."""
    with closing(sqlite3.connect(database, timeout=30)) as connection:
        query = "SELECT step, value FROM metrics WHERE key = ? ORDER BY step"
        return connection.execute(query, (key,)).fetchall()


def rows(database: Path) -> int:
    """Stored metric points, of all keys and runs."""
    with closing(sqlite3.connect(database, timeout=30)) as connection:
        return connection.execute("SELECT count(*) FROM metrics").fetchone()[0]


def until(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Wait for `condition` to hold and return what it gave."""
    deadline = time.monotonic() + seconds
    while not (outcome := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {condition}"
        time.sleep(0.05)
    return outcome


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """An empty lab; nothing is ever written into the working directory."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    (tmp_path / "runs").mkdir()
    return Lab(tmp_path / "runs")


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that MLflow has made its tables in, to be copied: making them takes more than a second."""
    lab_path = tmp_path_factory.mktemp("template")
    Store(lab_path, None).client.search_experiments()
    return lab_path / "mlflow.db"


WORKER = """
import sys, time
from pathlib import Path
from rnnlab.lab import liveness
from rnnlab.lab.events import Metrics, RunEnded, RunStarted
from rnnlab.lab.journal import Journal
from rnnlab.lab.run import Run
from rnnlab.tracking.launch import ensure_shipper

assert not {"mlflow", "torch"} & sys.modules.keys()
run, first, last, pause = Run(Path(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
if len(sys.argv) > 5:
    time.sleep(max(0.0, float(sys.argv[5]) - time.time()))
assert liveness.acquire(run.lock_path) is not None
run.write_status(state="running")
ensure_shipper(run.path.parent, run)
journal = Journal(run.events_path)
journal.write(RunStarted(pid=1, resumed_from=first or None))
for step in range(first + 1, last + 1):
    journal.write(Metrics(step=step, values={"train/loss": 1.0 / step}))
    time.sleep(pause)
journal.write(RunEnded(step=last, state="finished"))
run.write_status(state="finished")
ensure_shipper(run.path.parent, run)
"""


@pytest.fixture
def worker(lab: Lab) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts a worker: `worker(run, first_step, last_step, pause, start_at)`. Ends all it started."""
    workers: list[subprocess.Popen[bytes]] = []

    def start(run: Run, first: int, last: int, pause: float = 0.0, *start: float) -> subprocess.Popen[bytes]:
        numbers = [str(number) for number in (first, last, pause, *start)]
        workers.append(subprocess.Popen([sys.executable, "-c", WORKER, str(run.path), *numbers]))
        return workers[-1]

    yield start
    for process in workers:
        process.kill()
        process.wait()
    stop_shippers(lab)


def shippers(lab: Lab) -> list[psutil.Process]:
    """The lab's shipper processes."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if "rnnlab.tracking.shipper" in words and str(lab.path) in words:
            found.append(process)
    return found


def stop_shippers(lab: Lab) -> None:
    """Kill the lab's shippers, as a crash would."""
    for process in shippers(lab):
        process.kill()
    until(lambda: not [p for p in shippers(lab) if p.status() != psutil.STATUS_ZOMBIE])


class Server:
    """A real MLflow server with a store of its own, which can go away and come back at the same address."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.database = folder, folder / "server.db"
        folder.mkdir()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = f"-m mlflow server --workers 1 --host 127.0.0.1 --port {self.port}".split()
        command += ["--backend-store-uri", f"sqlite:///{self.database}"]
        command += ["--artifacts-destination", str(self.folder / "kept")]
        quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
        self._process = subprocess.Popen(
            [sys.executable, *command],
            cwd=self.folder,
            env=os.environ | quiet,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        until(self.answers)

    def answers(self) -> bool:
        """Whether it is up."""
        try:
            with urllib.request.urlopen(f"{self.uri}/health", timeout=2) as reply:
                return reply.status == 200
        except OSError:
            return False

    def stop(self) -> None:
        """Take it away at once."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server that is not started yet."""
    server = Server(tmp_path / "server")
    yield server
    server.stop()
