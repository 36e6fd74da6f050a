"""Real labs: run folders made as the worker makes them, and journals written by other processes."""

import subprocess
import sys
import time

import pytest
import yaml

from rnnlab.dashboard.feed.follower import Follower
from rnnlab.lab.events import Metrics, RunEnded, RunStarted
from rnnlab.lab.journal import Journal
from rnnlab.lab.lab import Lab

WRITER = """
import sys, time
from pathlib import Path
from rnnlab.lab import liveness
from rnnlab.lab.events import Gates, Metrics, RunEnded, RunStarted
from rnnlab.lab.journal import Journal
from rnnlab.lab.run import Run

run, first, last, pause = Run(Path(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
assert liveness.acquire(run.lock_path) is not None
run.write_status(state="running")
journal = Journal(run.events_path)
journal.write(RunStarted(step=first, pid=1, resumed_from=first or None, total_steps=1000, monitor="loss"))
print("writing", flush=True)
for step in range(first + 1, last + 1):
    journal.write(Metrics(step=step, values={"train/loss": 1 / step}, epoch=step / 100))
    time.sleep(pause)
print("written", flush=True)
if "wait" in sys.argv:
    sys.stdin.read()
journal.write(RunEnded(step=last, state="finished", reason="done", seconds=2.0))
run.write_status(state="finished", reason="done")
"""


@pytest.fixture
def lab(tmp_path):
    return Lab(tmp_path / "runs")


@pytest.fixture
def make_run(lab):
    """Make a run's folder, as it is before its worker starts."""

    def make(name="demo", **config):
        run = lab.create_run(name)
        sections = {
            "name": name,
            "seed": 7,
            "task": {"type": "sequence_labelling"},
            "dataset": {"type": "tiny", "limit": None},
            "cell": {"type": "lstm"},
            "backend": {"type": "auto"},
            "stack": {"hidden_size": 64, "sizes": [1, 2]},
        }
        run.config_path.write_text(yaml.safe_dump(sections | config))
        return run

    return make


@pytest.fixture
def finished_run(make_run):
    """A run that has ended after `steps` steps."""

    def make(name="demo", steps=10, **config):
        run = make_run(name, **config)
        journal = Journal(run.events_path)
        journal.write(RunStarted(pid=1, total_steps=steps, parameters=99, backend="torch", monitor="loss"))
        for step in range(1, steps + 1):
            journal.write(Metrics(step=step, values={"train/loss": 1 / step}))
        journal.write(Metrics(step=steps, values={"val/loss": 0.5, "best/loss": 0.5}))
        journal.write(RunEnded(step=steps, state="finished", reason="done", scores={"test/loss": 0.25}))
        journal.close()
        scores = {"val/loss": 0.5, "best/loss": 0.5, "test/loss": 0.25}
        run.write_status(state="finished", reason="done", step=steps, monitor="loss", scores=scores)
        return run

    return make


@pytest.fixture
def writer():
    """Start a process that writes a journal: `writer(run, first, last, pause, "wait")`. All are ended."""
    processes = []

    def start(run, first, last, pause=0.0, *words):
        command = [sys.executable, "-c", WRITER, str(run.path), str(first), str(last), str(pause), *words]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        processes.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def follow(lab):
    """Start a follower of the lab."""
    followers = []

    def start(**options):
        follower = Follower(lab, 0.05, **options)
        followers.append(follower)
        follower.start()
        return follower

    yield start
    for follower in followers:
        follower.stop()


@pytest.fixture(scope="session")
def until():
    """Wait for a condition and return what it gave."""

    def wait(condition, seconds=20.0):
        deadline = time.monotonic() + seconds
        while not (outcome := condition()):
            assert time.monotonic() < deadline, f"not within {seconds} s"
            time.sleep(0.01)
        return outcome

    return wait
