"""Measure the dashboard's feed on labs of its own, made in a temporary folder.

    .venv/bin/python framework/benchmarks/dashboard_feed.py [--runs 1000] [--writers 8] [--rate 200]

First a lab of finished runs is opened: time to the first list, to complete summaries, to every journal read,
how long another thread is kept waiting meanwhile, time to filter and to sort, memory. Then processes write
journals as workers do: is every event there at the end, and what did following them cost.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import yaml

from rnnlab.dashboard.feed.follower import Follower
from rnnlab.dashboard.feed.query import parse, value_of
from rnnlab.dashboard.feed.snapshot import LabSnapshot
from rnnlab.lab.events import Checkpoint, Gates, Metrics, RunEnded, RunStarted, Samples
from rnnlab.lab.journal import Journal
from rnnlab.lab.lab import Lab
from rnnlab.lab.run import Run

LOGGED, EVALUATIONS = 200, 10
PATIENCE = 300.0
QUERY = "cell:lstm val/loss<0.3 stack.hidden_size>=64"
SETTINGS = {
    "optimizer": "adam", "learning_rate": 0.001, "weight_decay": 0.0, "momentum": 0.0, "schedule": "cosine",
    "warmup_steps": 0, "clip_grad_norm": 1.0, "batch_size": 32, "eval_batch_size": 256, "epochs": 10,
    "max_steps": None, "eval_every": None, "log_every": 20, "samples": 4, "monitor": None, "patience": None,
    "device": "auto", "dtype": "float32", "threads": None, "deterministic": False,
}  # fmt: skip


def main() -> None:
    """Both measurements, printed as they come."""
    parser = argparse.ArgumentParser(description="measure the dashboard's feed")
    parser.add_argument("--runs", type=int, default=1000, help="finished runs of the first lab")
    parser.add_argument("--writers", type=int, default=8, help="processes that write at the same time")
    parser.add_argument("--rate", type=float, default=200.0, help="events a second of each")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long they write")
    parser.add_argument("--write", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        write(Run(Path(options.write[0])), options.rate, options.seconds, float(options.write[1]))
        return
    print(f"{os.cpu_count()} processors, python {sys.version.split()[0]}")
    folder = Path(tempfile.mkdtemp(prefix="rnnlab-feed-"))
    try:
        finished_lab(Lab(folder / "finished"), options.runs)
        live_lab(Lab(folder / "live"), options.writers, options.rate, options.seconds)
    finally:
        shutil.rmtree(folder)


def finished_lab(lab: Lab, count: int) -> None:
    """Open a lab of `count` finished runs."""
    for number in range(count):
        make_finished(lab, number)
    size = sum(path.stat().st_size for path in lab.path.glob("*/events.jsonl"))
    print(f"\n{count:,} finished runs, journals of {size / 1e6:.0f} MB together")
    process = psutil.Process()
    memory, cpu = process.memory_info().rss, time.process_time()
    follower = Follower(lab)
    began = time.perf_counter()
    follower.start()
    lag = Lag()
    wait(follower, lambda lab: len(lab.runs) == count, lag)
    say("first list", f"{1e3 * (time.perf_counter() - began):.0f} ms")
    wait(follower, lambda lab: all(run.config for run in lab.runs), lag)
    say("all configs, starts and ends", f"{time.perf_counter() - began:.2f} s")
    wait(follower, lambda lab: lab.loading == 0, lag)
    wall = time.perf_counter() - began
    say("all journals", f"{wall:.2f} s, {time.process_time() - cpu:.2f} s of processor time")
    say("memory", f"{(process.memory_info().rss - memory) / 2**20:.0f} MiB")
    say("another thread waits meanwhile", lag.describe())
    runs = follower.snapshot().runs
    assert all(len(run.series["train/loss"]) == LOGGED for run in runs), "points are missing"
    cpu, began = time.process_time(), time.perf_counter()
    time.sleep(5)
    say(
        "then at rest", f"{100 * (time.process_time() - cpu) / (time.perf_counter() - began):.1f} % of a core"
    )
    follower.stop()
    began = time.perf_counter()
    query = parse(QUERY)
    matched = [run for run in runs if query.matches(run)]
    say(f"filter by {QUERY!r}", f"{1e3 * (time.perf_counter() - began):.1f} ms, {len(matched)} match")
    for key in ("val/loss", "name"):
        began = time.perf_counter()
        sorted(runs, key=partial(value_of, key=key))
        say(f"sort by {key}", f"{1e3 * (time.perf_counter() - began):.1f} ms")


def live_lab(lab: Lab, count: int, rate: float, seconds: float) -> None:
    """Follow `count` processes that write `rate` events a second each."""
    runs = [make_run(lab, number) for number in range(count)]
    follower = Follower(lab)
    follower.start()
    follower.focus([run.id for run in runs])
    wait(follower, lambda lab: len(lab.runs) == count)
    start = time.time() + 2.0
    command = [sys.executable, __file__, "--rate", str(rate), "--seconds", str(seconds), "--write"]
    writers = [subprocess.Popen([*command, str(run.path), str(start)]) for run in runs]
    lag = Lag()
    wait(follower, lambda _: time.time() >= start, lag)
    cpu, began, lag = time.process_time(), time.perf_counter(), Lag()
    wait(follower, lambda _: all(writer.poll() is not None for writer in writers), lag)
    used, wall = time.process_time() - cpu, time.perf_counter() - began
    events = round(rate * seconds)
    wait(follower, lambda lab: all(run.state == "finished" and run.complete for run in lab.runs))
    follower.stop()
    lost = sum(events - len(run.series["train/loss"]) for run in follower.snapshot().runs)
    wrong = sum(
        run.series["train/loss"].steps.tolist() != list(range(1, events + 1))
        for run in follower.snapshot().runs
    )
    print(
        f"\n{count} processes writing {rate:.0f} events/s each for {seconds:.0f} s: {count * events:,} events"
    )
    say("lost", f"{lost}, runs with gaps or doubles {wrong}")
    say("processor time of the follower", f"{used:.2f} s in {wall:.1f} s, {used / wall:.3f} of a core")
    say("another thread waits meanwhile", lag.describe())


class Lag:
    """How much later than asked for this thread wakes: what a key press would feel."""

    def __init__(self) -> None:
        self._seconds: list[float] = []

    def rest(self, seconds: float = 0.01) -> None:
        """Sleep, and note by how much it was too long."""
        began = time.perf_counter()
        time.sleep(seconds)
        self._seconds.append(time.perf_counter() - began - seconds)

    def describe(self) -> str:
        """Median, 95th percentile and maximum."""
        ordered = sorted(self._seconds)
        p95 = ordered[int(0.95 * (len(ordered) - 1))]
        return (
            f"median {1e3 * ordered[len(ordered) // 2]:.1f} ms, p95 {1e3 * p95:.1f} ms, "
            f"max {1e3 * ordered[-1]:.1f} ms"
        )


def wait(follower: Follower, condition: Callable[[LabSnapshot], bool], lag: Lag | None = None) -> LabSnapshot:
    """Until the snapshot meets the condition."""
    lag, deadline = lag or Lag(), time.monotonic() + PATIENCE
    while not condition(snapshot := follower.snapshot()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {PATIENCE:.0f} s")
        lag.rest()
    return snapshot


def say(what: str, value: str) -> None:
    """One line of the result."""
    print(f"  {what:<58}{value}", flush=True)


def make_run(lab: Lab, number: int) -> Run:
    """A run's folder, with a config as long as a real one."""
    run = lab.create_run(f"demo{number}")
    config = {
        "name": f"demo{number}",
        "seed": number,
        "task": {"type": "sequence_labelling", "dropout": 0.0, "pooling": "last"},
        "dataset": {"type": "digits", "limit": None, "view": "pixels"},
        "cell": {"type": ("lstm", "rnn")[number % 2], "bias": True},
        "backend": {"type": "auto"},
        "stack": {"hidden_size": 32 * (1 + number % 4), "num_layers": 1, "bidirectional": False},
        "training": SETTINGS,
        "tracking": {"enabled": True, "uri": None, "experiment": "rnnlab", "system_every": 5.0},
    }
    run.config_path.write_text(yaml.safe_dump(config, sort_keys=False))
    return run


def make_finished(lab: Lab, number: int) -> None:
    """A run as a worker leaves it: 200 logged steps, 10 evaluations with samples, gates and checkpoints."""
    run = make_run(lab, number)
    picture: list[Mapping[str, Any]] = [
        {"layer": 0, "direction": 0, "units": list(range(16)), "gates": {"i": [[0.125] * 16] * 20}}
    ]
    items: list[Mapping[str, str]] = [{"source": "a b c", "target": "x", "prediction": "y"}] * 4
    journal = Journal(run.events_path)
    journal.write(RunStarted(pid=1, total_steps=20 * LOGGED, parameters=12_345, monitor="loss"))
    loss = 0.0
    for index in range(1, LOGGED + 1):
        step, loss = 20 * index, (number % 97) / 97 + 1 / index
        speeds = {"train/learning_rate": 1e-3, "train/tokens_per_second": 9e4}
        values = {"train/loss": loss, "train/grad_norm": 0.5} | speeds
        journal.write(Metrics(step=step, epoch=index / 20, values=values))
        if index % (LOGGED // EVALUATIONS) == 0:
            journal.write(
                Metrics(step=step, values={"val/loss": loss, "val/accuracy": 0.5, "best/loss": loss})
            )
            journal.write(Samples(step=step, split="val", items=items))
            journal.write(Gates(step=step, split="val", source="a b c", layers=picture))
            journal.write(Checkpoint(step=step, path=f"checkpoints/step-{step}", best=True))
    journal.write(RunEnded(step=20 * LOGGED, state="finished", reason="done", scores={"test/loss": loss}))
    journal.close()
    scores = {"val/loss": loss, "best/loss": loss, "test/loss": loss}
    run.write_status(state="finished", reason="done", step=20 * LOGGED, monitor="loss", scores=scores)


def write(run: Run, rate: float, seconds: float, start: float) -> None:
    """What a worker does, without the training."""
    from rnnlab.lab import liveness

    assert liveness.acquire(run.lock_path) is not None
    run.write_status(state="running")
    journal = Journal(run.events_path)
    events = round(rate * seconds)
    journal.write(RunStarted(pid=os.getpid(), total_steps=events, monitor="loss"))
    for step in range(1, events + 1):
        time.sleep(max(0.0, start + step / rate - time.time()))
        values = {"train/loss": 1 / step, "train/grad_norm": 0.5, "train/tokens_per_second": 9e4}
        journal.write(Metrics(step=step, epoch=step / events, values=values))
    journal.write(RunEnded(step=events, state="finished", reason="done"))
    run.write_status(state="finished", reason="done")


if __name__ == "__main__":
    main()
