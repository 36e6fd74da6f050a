"""The shipper as a process: real workers, real kills, a real server that goes away."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from rnnlab.lab import liveness
from rnnlab.lab.lab import Lab
from rnnlab.lab.run import Run, read_json
from rnnlab.tracking.launch import LOCK, ensure_shipper
from rnnlab.tracking.sync import sync

from .conftest import Server, make_run, points, rows, shippers, until, write_history

pytestmark = pytest.mark.slow
StartWorker = Callable[..., subprocess.Popen[bytes]]


def shipped(run: Run, state: str = "finished") -> bool:
    """Whether MLflow has been told all of the run, its end included."""
    record = read_json(run.mlflow_path)
    return record.get("state") == state and record["offset"] == run.events_path.stat().st_size


def run_shipper(lab: Lab, *options: str) -> None:
    """A shipper in the foreground, from start to end."""
    command = [sys.executable, "-m", "rnnlab.tracking.shipper", str(lab.path), "--linger", "0", *options]
    subprocess.run(command, check=True, timeout=60)


def test_four_runs_at_once_on_a_fresh_lab_all_land(lab: Lab, worker: StartWorker) -> None:
    runs = [make_run(lab) for _ in range(4)]
    start = time.time() + 1.0
    workers = [worker(run, 0, 200, 0.001, start) for run in runs]
    assert [process.wait(60) for process in workers] == [0, 0, 0, 0]
    until(lambda: all(shipped(run) for run in runs))
    assert len(points(lab.path / "mlflow.db")) == 4 * 200
    assert len(shippers(lab)) <= 1
    # It lingers a little, then ends by itself.
    until(lambda: not liveness.holder(lab.path / LOCK))


def test_killed_worker_resumed_over_the_same_steps_is_stored_once(lab: Lab, worker: StartWorker) -> None:
    run = make_run(lab)
    first = worker(run, 0, 10_000, 0.001)
    until(lambda: run.events_path.exists() and run.events_path.read_bytes().count(b"\n") > 300)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    # The same moment may have torn a line.
    with run.events_path.open("ab") as journal:
        journal.write(b'{"event":"metrics","ti')
    until(lambda: shipped_state(run) == "crashed")
    mlflow_run = read_json(run.mlflow_path)["run_id"]

    assert worker(run, 100, 600).wait(60) == 0
    until(lambda: shipped(run))
    assert read_json(run.mlflow_path)["run_id"] == mlflow_run
    assert [step for step, _ in points(lab.path / "mlflow.db")] == list(range(1, 601))


def shipped_state(run: Run) -> str:
    """The state that MLflow was told last."""
    return read_json(run.mlflow_path).get("state", "")


def test_server_away_loses_nothing(lab: Lab, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.uri)
    run = make_run(lab)
    write_history(run, range(50), end="")
    began = time.monotonic()
    run_shipper(lab, "--patience", "0")
    assert time.monotonic() - began < 20, "an absent server is noticed in seconds"
    (result,) = sync(lab)
    assert result.error is not None
    assert (result.sent, result.pending) == (0, 51)
    assert result.error.startswith(
        f"MLflow at {server.uri} does not answer (connection refused); nothing is lost"
    )

    server.start()
    (result,) = sync(lab)
    assert (result.sent, result.pending, result.error) == (100, 0, None)
    server.stop()
    write_history(run, range(30, 80))
    (result,) = sync(lab)
    assert result.error is not None

    server.start()
    (result,) = sync(lab)
    assert (result.pending, result.error) == (0, None)
    assert [step for step, _ in points(server.database)] == list(range(1, 81))
    before = rows(server.database)
    run.mlflow_path.unlink()
    sync(lab)
    assert rows(server.database) == before
    kept = server.folder / "kept"
    assert [path.name for path in kept.rglob("*") if path.is_file()] == ["config.yaml"]
    assert not (lab.path / "mlflow.db").exists()


def test_a_run_without_tracking_is_shipped_only_when_named(lab: Lab) -> None:
    run = make_run(lab, tracking={"enabled": False})
    write_history(run, range(5))
    ensure_shipper(lab.path, run)
    assert not liveness.holder(lab.path / LOCK)
    run_shipper(lab)
    assert sync(lab) == []
    assert not run.mlflow_path.exists()
    (result,) = sync(lab, [run])
    assert (result.sent, result.error) == (12, None)


def test_a_broken_run_keeps_no_other_from_mlflow(lab: Lab, empty_store: Path) -> None:
    shutil.copy(empty_store, lab.path)
    broken, sound = make_run(lab, "broken"), make_run(lab, "sound")
    write_history(sound, range(5))
    write_history(broken, range(5))
    broken.config_path.write_text("cell: {type: lstm")
    run_shipper(lab)
    assert shipped(sound)


def test_sync_takes_over_from_a_shipper_and_hands_back(lab: Lab, worker: StartWorker) -> None:
    run, idle = make_run(lab), make_run(lab)
    process = worker(run, 0, 3000, 0.005)
    shipper = until(lambda: liveness.holder(lab.path / LOCK))
    until(lambda: shipped_state(run) == "running")
    write_history(idle, range(5))
    results = {result.run_id: result for result in sync(lab)}
    assert (results[idle.id].error, results[idle.id].pending) == (None, 0)
    assert results[run.id].error is None
    successor = until(lambda: liveness.holder(lab.path / LOCK))
    assert successor != shipper
    process.kill()
    process.wait()
    until(lambda: shipped_state(run) == "crashed")


def test_the_shipper_stays_while_a_run_is_alive(lab: Lab, empty_store: Path) -> None:
    shutil.copy(empty_store, lab.path)
    code = "import sys, time; from pathlib import Path; from rnnlab.lab import liveness;"
    code += "assert liveness.acquire(Path(sys.argv[1])); print(1, flush=True); time.sleep(60)"
    run = make_run(lab)
    with closing_process([sys.executable, "-c", code, str(run.lock_path)]) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        command = [sys.executable, "-m", "rnnlab.tracking.shipper", str(lab.path), "--linger", "0"]
        with closing_process(command) as shipper:
            until(lambda: liveness.holder(lab.path / LOCK) == shipper.pid)
            write_history(run, range(5), end="")
            until(lambda: shipped_state(run) == "running")
            assert shipper.poll() is None, "it stays while a run is alive"
            holder.kill()
            holder.wait()
            assert shipper.wait(30) == 0
    assert shipped_state(run) == "crashed"


class closing_process(closing):
    """A process that ends with the block."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE)

    def __enter__(self) -> subprocess.Popen[bytes]:
        return self.process

    def __exit__(self, *exc: object) -> None:
        self.process.kill()
        self.process.communicate()


def test_starting_a_shipper_imports_no_mlflow() -> None:
    code = """
import sys
from rnnlab.tracking import guard, launch, links, record, relocate, server
import rnnlab.cli.tracking
heavy = {"mlflow", "torch", "pandas", "sqlalchemy"} & sys.modules.keys()
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code], check=True)
