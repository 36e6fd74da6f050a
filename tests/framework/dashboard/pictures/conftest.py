"""A lab that is the same every time, to the millisecond, and pictures of the dashboard on it."""

from __future__ import annotations

import asyncio
import json
import math
import os
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import yaml

from rnnlab.dashboard.app import Dashboard
from rnnlab.dashboard.catalogue import Catalogue, Installation
from rnnlab.dashboard.catalogue.__main__ import catalogue as describe
from rnnlab.dashboard.feed.snapshot import System
from rnnlab.dashboard.feed.system import SystemMeter
from rnnlab.dashboard.screens import run_rows
from rnnlab.dashboard.widgets.glyphs import UNICODE
from rnnlab.lab.events import Event, Gates, Message, Metrics, RunEnded, RunStarted, Samples
from rnnlab.lab.journal import to_line
from rnnlab.lab.lab import Lab
from rnnlab.lab.run import Run
from rnnlab.plugins.registry import Registry

BEGAN = 1_767_323_045_000
"""2 January 2026, 03:04:05 UTC, in milliseconds."""
STEPS, EVERY = 400, 40
SHOWN = {
    *(("cell", name) for name in ("rnn", "lstm")),
    *(("task", name) for name in ("sequence_classification", "sequence_labelling")),
    *(("dataset", "digits"), ("backend", "torch"), ("executor", "local"), ("preset", "digits")),
}
"""The plugins in the pictures."""
KEPT = Path(__file__).parent
WRITE = "RNNLAB_PICTURES"


@pytest.fixture(autouse=True)
def same_place_and_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The lab is `runs`, the clock stands, and nothing is told of the machine."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.setattr(run_rows.time, "time", lambda: BEGAN / 1000 + 7200)
    monkeypatch.setattr(SystemMeter, "read", lambda self: System())
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def gallery(same_place_and_time: None) -> Lab:
    """Three finished runs: two cells, two sizes, one with a failure."""
    lab = Lab(Path("runs").absolute())
    for index, (cell, size, floor) in enumerate((("lstm", 96, 0.1), ("rnn", 64, 0.5), ("lstm", 64, 0.2))):
        make_run(lab, index, cell, size, floor)
    return lab


def make_run(lab: Lab, index: int, cell: str, size: int, floor: float) -> None:
    """A finished run with the same curves every time."""
    began = BEGAN + 600_000 * index
    run = Run(lab.path / f"digits-{cell}-0102-03{4 + 10 * index:02}05-00{index}a")
    run.path.mkdir(parents=True)
    config = {
        "name": "digits",
        "seed": index,
        "task": {"type": "sequence_classification", "pooling": "last"},
        "dataset": {"type": "digits", "limit": None, "view": "pixels"},
        "cell": {"type": cell, "bias": True},
        "backend": {"type": "auto"},
        "stack": {"hidden_size": size, "num_layers": 1, "bidirectional": False},
        "training": {"optimizer": "adam", "learning_rate": 0.005, "batch_size": 32, "epochs": 10},
    }
    run.config_path.write_text(yaml.safe_dump(config, sort_keys=False))
    run.events_path.write_bytes(b"".join(map(to_line, events(began, floor))))
    scores = {"val/loss": floor, "val/accuracy": 1 - floor, "test/accuracy": 0.99 - floor}
    run.write_status(
        state="finished", reason="all 400 steps done", step=STEPS, monitor="accuracy", scores=scores
    )
    for path in (run.config_path, run.events_path, run.status_path):
        os.utime(path, (began / 1000, began / 1000))


def events(began: int, floor: float) -> list[Event]:
    """The journal of a run."""
    written: list[Event] = [
        RunStarted(
            time=began, pid=1, total_steps=STEPS, parameters=38_986, monitor="accuracy", better="max",
            backend="torch", backend_reason="torch: highest-ranked backend", device="cpu", dtype="float32",
            threads=1,
        ),
        Message(time=began, level="info", text="train 1,257, val 180, test 360 examples"),
    ]  # fmt: skip
    for step in range(10, STEPS + 1, 10):
        now, ripple = began + 50 * step, 0.05 * math.sin(step)
        loss = floor + 2.2 * math.exp(-step / 90) * (1 + ripple)
        speed = {"train/tokens_per_second": 80_000.0, "train/learning_rate": 0.005 * (1 - step / STEPS)}
        values = {"train/loss": loss, "train/grad_norm": 1 / (1 + step / 50) + ripple} | speed
        written.append(Metrics(time=now, step=step, epoch=step / 40, values=values))
        if step % EVERY == 0:
            scores = {"val/loss": loss * 1.1, "val/accuracy": 1 - loss / 3}
            written.append(Metrics(time=now, step=step, epoch=step / 40, values=scores))
    items = [
        {
            "source": "64 steps of 1 feature",
            "target": str(digit),
            "prediction": str(digit if digit != 3 else 8),
        }
        for digit in range(4)
    ]
    written.append(Samples(time=began + 50 * STEPS, step=STEPS, split="val", items=items))
    written.append(
        Gates(time=began + 50 * STEPS, step=STEPS, split="val", source="64 steps", layers=[layer()])
    )
    scores = {"test/accuracy": 0.99 - floor, "test/loss": floor}
    end = began + 50 * STEPS
    written.append(
        RunEnded(
            time=end, step=STEPS, state="finished", reason="all 400 steps done", seconds=20.0, scores=scores
        )
    )
    return written


def layer() -> dict:
    """Gates and states of 16 units over 64 steps: waves of different lengths."""
    units = range(16)

    def wave(shift: float, low: float) -> list[list[float]]:
        return [
            [
                round(low + (1 - low) * (0.5 + 0.5 * math.sin((step + 3 * shift) / (unit + 2))), 3)
                for unit in units
            ]
            for step in range(64)
        ]

    gates = {name: wave(shift, -1.0 if name in "gch" else 0.0) for shift, name in enumerate("ifgohc")}
    return {"layer": 0, "direction": 0, "units": list(units), "gates": gates}


@pytest.fixture(scope="session")
def known_plugins() -> Catalogue:
    """A few of the built-in plugins, whatever else is installed, of no version."""
    described = json.loads(json.dumps(describe(Registry.discover(enabled=False), load=True)))
    entries = [entry for entry in described["entries"] if (entry["kind"], entry["name"]) in SHOWN]
    entries = [{**entry, "version": "1.0"} for entry in entries]
    return Catalogue.from_dict({**described, "entries": entries, "problems": []}, fresh=True)


class Posing(Dashboard):
    """The dashboard with a catalogue that is there at once."""

    def __init__(self, lab: Lab, plugins: Catalogue) -> None:
        super().__init__(lab, Installation.of(), glyphs=UNICODE)
        self._plugins = plugins

    def look_at_plugins(self, anew: bool = False) -> None:
        self._take_catalogue(self._plugins)


@pytest.fixture
def same_picture(tmp_path: Path) -> Callable[[Dashboard, str], Awaitable[None]]:
    """`await same_picture(app, name)`: what the app comes to show is the picture kept under that name."""

    async def compare(app: Dashboard, name: str) -> None:
        kept = KEPT / f"{name}.svg"
        before = kept.read_text(encoding="utf-8") if kept.exists() else ""
        drawn = normal(app.export_screenshot(title="rnnlab"))
        since = began = time.monotonic()
        while drawn != before or os.environ.get(WRITE):
            await asyncio.sleep(0.05)
            last, drawn = drawn, normal(app.export_screenshot(title="rnnlab"))
            now = time.monotonic()
            since = now if drawn != last else since
            # What other threads are asked may take its time; but a screen that stands still will not change.
            if now - since > STILL_SECONDS or now - began > PATIENCE:
                break
        if os.environ.get(WRITE):
            kept.write_text(drawn, encoding="utf-8")
        elif drawn != before:
            new = tmp_path / f"{name}.svg"
            new.write_text(drawn, encoding="utf-8")
            assert text_of(drawn) == text_of(before), f"look at {new} beside {kept}; {REMEDY}"
            assert drawn == before, f"other colours: look at {new} beside {kept}; {REMEDY}"

    return compare


STILL_SECONDS, PATIENCE = 5.0, 30.0
REMEDY = f"if it is as it should be: {WRITE}=1 pytest tests/framework/dashboard/pictures"


def normal(svg: str) -> str:
    """Without the number that Textual draws for each picture, and without fonts from elsewhere."""
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    return re.sub(r"terminal-\d+", "terminal", svg)


def text_of(svg: str) -> list[str]:
    """The pieces of text in the order they are drawn."""
    return [piece.replace("&#160;", " ") for piece in re.findall(r"<text[^>]*>(.*?)</text>", svg)]
