"""How long the Runs screen of the whole dashboard takes from a key to the picture, in a lab of finished runs.

    .venv/bin/python framework/benchmarks/dashboard_runs.py [--runs 1000] [--runs-dir DIR]

The lab is made in a temporary folder unless one is named. The dashboard runs on a screen of 140x40 that is
not shown, with its feed, preview and header. For sorting, filtering letter by letter, moving and marking: the
time from the key to the last picture that shows its effect, and the longest time for which the event loop
answered nothing meanwhile. Both while the journals are still being read and afterwards.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from dashboard_feed import make_finished
from textual import events

from rnnlab.dashboard.app import Dashboard
from rnnlab.lab.lab import Lab

PATIENCE = 120.0
QUIET_SECONDS = 0.08
"""With no picture for so long a key's effect is complete; the feed paints less often."""
NAMES = {
    "/": "slash",
    "<": "less_than_sign",
    ">": "greater_than_sign",
    ":": "colon",
    " ": "space",
    ".": "full_stop",
}
SCENES = {
    "sort by another column (>)": [">"] * 12,
    "reverse the order (i)": ["i"] * 6,
    "filter, letter by letter": ["/", *"cell:lstm val/loss<0.3"],
    "clear the filter (escape)": ["escape"],
    "next run, with its preview (j)": ["j"] * 20,
    "mark (space)": [" "] * 5,
}


class Watched(Dashboard):
    """Notes when it paints."""

    painted = 0.0

    def _display(self, screen: Any, renderable: Any) -> None:
        super()._display(screen, renderable)
        self.painted = time.perf_counter()


class Pulse:
    """Notes for how long the event loop does nothing else."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def beat(self) -> None:
        """Forever."""
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            self.longest = max(self.longest, time.perf_counter() - began - 0.001)


async def press(app: Watched, key: str) -> float:
    """Press a key; seconds until the last picture that follows."""
    began = time.perf_counter()
    app.post_message(events.Key(NAMES.get(key, key), key if len(key) == 1 else None))
    while True:
        await asyncio.sleep(0.005)
        now = time.perf_counter()
        if app.painted > began and now - app.painted > QUIET_SECONDS:
            return app.painted - began
        if now - began > PATIENCE:
            raise TimeoutError(f"nothing was drawn after {key!r}")


async def play(app: Watched, title: str) -> None:
    """Every scene once."""
    print(f"\n{title}")
    for scene, keys in SCENES.items():
        pulse = Pulse()
        beating = asyncio.create_task(pulse.beat())
        times = sorted([1e3 * await press(app, key) for key in keys])
        beating.cancel()
        print(
            f"  {scene:<34}median {times[len(times) // 2]:6.1f} ms, max {times[-1]:6.1f} ms; "
            f"longest silence {1e3 * pulse.longest:6.1f} ms",
            flush=True,
        )


async def measure(lab: Lab, count: int) -> None:
    """Open the lab, and play twice."""
    app = Watched(lab)
    began = time.perf_counter()
    async with app.run_test(size=(140, 40)) as pilot:
        while len(app.snapshot.runs) < count:
            await asyncio.sleep(0.005)
        print(f"{count:,} runs are listed after {time.perf_counter() - began:.2f} s")
        await play(app, "while the journals are read")
        while app.snapshot.loading:
            await asyncio.sleep(0.05)
        print(f"\nall journals read after {time.perf_counter() - began:.1f} s, the above included")
        await pilot.press("g")
        await play(app, "at rest")


def main() -> None:
    """Make the lab, if none is named, and measure."""
    parser = argparse.ArgumentParser(description="measure the Runs screen")
    parser.add_argument("--runs", type=int, default=1000, help="finished runs of the lab that is made")
    parser.add_argument("--runs-dir", help="a lab that is there already")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="rnnlab-runs-"))
    try:
        lab = Lab.open(options.runs_dir or folder / "lab")
        if not options.runs_dir:
            for number in range(options.runs):
                make_finished(lab, number)
        print(f"python {sys.version.split()[0]}")
        asyncio.run(measure(lab, len(lab.runs())))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
