"""The whole way in a real terminal: a real run is launched, watched, killed, resumed, and left alone."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from rnnlab.lab.events import Metrics, RunEnded, RunStarted
from rnnlab.lab.journal import read
from rnnlab.lab.run import read_json

from .terminal import Terminal

pytestmark = pytest.mark.slow
EPOCHS = 30


def dots(text: str) -> int:
    """How much of a curve there is on the screen."""
    return sum("\u2801" <= letter <= "\u28ff" for letter in text)


@pytest.fixture
def terminal(lab) -> Iterator[Terminal]:
    terminal = Terminal([sys.executable, "-m", "rnnlab.cli.main", "--runs-dir", str(lab.path)])
    yield terminal
    terminal.close()


def test_launch_watch_kill_resume_quit(lab, terminal) -> None:
    terminal.see("n starts one")

    # Launch: the preset, by the form; its number of epochs, typed over; an error is told where it is made.
    terminal.press("4")
    terminal.see("start from", "rnnlab --runs-dir", "run digits")
    terminal.press("right")
    terminal.see("run digits-rows")
    terminal.press("ctrl+f")
    terminal.see("esc shows all")
    terminal.press("epochs", "enter")
    terminal.see("▸ epochs")
    terminal.press("ctrl+u")
    terminal.see("got nothing")
    terminal.press("0")
    terminal.see("expected an integer >= 1, got 0")
    terminal.press("ctrl+u")
    terminal.see("got nothing")
    terminal.press(str(EPOCHS))
    terminal.see(f"training.epochs={EPOCHS}", "valid")
    terminal.press("ctrl+r")

    # Live: the curve moves.
    run = terminal.until(lambda: next(iter(lab.runs()), None))
    terminal.see(run.id, "running")
    terminal.until(lambda: dots(terminal.text()) > 10)
    before = terminal.text()
    terminal.until(lambda: dots(terminal.text()) > 0 and terminal.text() != before)

    # Killed: seen within two seconds, whatever it was doing.
    terminal.until(lambda: (run.checkpoints / "last").exists())
    os.kill(run.pid, signal.SIGKILL)
    killed = time.monotonic()
    terminal.see("crashed")
    assert time.monotonic() - killed < 2.0
    steps_then = max(event.step for event in read(run.events_path) if isinstance(event, Metrics))

    # Resumed from here; the dashboard goes, the run does not.
    terminal.press("R")
    terminal.see("running")
    terminal.until(lambda: run.pid)
    terminal.press("q")
    assert terminal.code() == 0
    assert run.state == "running"
    terminal.until(lambda: run.state == "finished")

    events = list(read(run.events_path))
    started = [event for event in events if isinstance(event, RunStarted)]
    ends = [event for event in events if isinstance(event, RunEnded)]
    assert [event.resumed_from is None for event in started] == [True, False]
    assert started[1].resumed_from <= steps_then < ends[0].step
    assert [end.state for end in ends] == ["finished"]

    # MLflow's record: complete, every point once.
    terminal.until(lambda: read_json(run.mlflow_path).get("offset") == run.events_path.stat().st_size)
    record = read_json(run.mlflow_path)
    losses = {
        event.step: event.values["train/loss"]
        for event in events
        if isinstance(event, Metrics) and "train/loss" in event.values
    }
    with closing(sqlite3.connect(lab.path / "mlflow.db", timeout=30)) as store:
        query = "SELECT step, value FROM metrics WHERE key = 'train/loss' AND run_uuid = ? ORDER BY step"
        stored = store.execute(query, (record["run_id"],)).fetchall()
        (status,) = store.execute(
            "SELECT status FROM runs WHERE run_uuid = ?", (record["run_id"],)
        ).fetchone()
    assert stored == sorted(losses.items())
    assert status == "FINISHED"
