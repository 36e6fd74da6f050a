"""Real labs, whose journals are written by other processes; and the dashboard without a terminal: a scene is
played on it, and what stands on the screen is read as text."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import yaml
from textual.scrollbar import ScrollBar

from rnnlab.dashboard.app import Dashboard
from rnnlab.lab.events import Metrics, RunEnded, RunStarted
from rnnlab.lab.journal import Journal
from rnnlab.lab.lab import Lab

PATIENCE = 60.0

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


class Stage:
    """A dashboard at work.

    Attributes:
        app: the dashboard. pilot: presses its keys.
    """

    def __init__(self, app: Dashboard, pilot: Any) -> None:
        self.app, self.pilot = app, pilot

    @property
    def screen(self) -> Any:
        return self.app.screen

    async def press(self, *keys: str) -> None:
        """Press keys, and let what follows from them happen."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        """Press the keys of a text."""
        names = {
            ".": "full_stop",
            "/": "slash",
            "<": "less_than_sign",
            ":": "colon",
            " ": "space",
            "-": "minus",
        }
        await self.press(*(names.get(letter, letter) for letter in text))

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until it holds; shows the screen if it never does."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, self.text()
            await asyncio.sleep(0.02)

    async def see(self, text: str) -> None:
        """Wait until the screen shows it."""
        await self.until(lambda: text in self.text())

    async def loaded(self, count: int) -> None:
        """Wait until `count` runs are read in full."""
        await self.until(lambda: len(self.app.snapshot.runs) == count and not self.app.snapshot.loading)

    async def told(self, text: str) -> None:
        """Wait for a notification that holds it."""
        await self.until(lambda: any(text in notice.message for notice in self.app._notifications))

    def text(self) -> str:
        """What is on the screen, its lines without the blanks at their ends."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)

    def lines(self) -> list[str]:
        """The same as lines."""
        return self.text().splitlines()


@pytest.fixture
def play() -> Callable[..., None]:
    """`play(app, scene, size=(140, 40))`: runs the dashboard and `await scene(stage)` on it.

    With `notifications=True` it shows them, over whatever else there is.
    """

    def play(
        app: Dashboard,
        scene: Callable[[Stage], Awaitable[None]],
        size: tuple[int, int] = (140, 40),
        notifications: bool = False,
    ) -> None:
        async def run() -> None:
            async with app.run_test(size=size, notifications=notifications) as pilot:
                await scene(Stage(app, pilot))

        asyncio.run(run())

    return play


@pytest.fixture(autouse=True)
def own_settings(tmp_path, monkeypatch):
    """No test reads the settings, the catalogue or the lab of whoever runs it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("RNNLAB_RUNS_DIR", raising=False)
    monkeypatch.setattr(ScrollBar, "renderer", ScrollBar.renderer)  # ASCII changes it for the whole process


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
