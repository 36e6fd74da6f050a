"""Draw a screen of the dashboard as it is on the runs of a lab: `make picture`.

    .venv/bin/python framework/docs/picture.py [SCREEN ...] [--runs-dir DIR] [--size 140x40] [--to DIR]

Writes `<screen>.svg` for each named of runs, live, compare, launch and plugins; Live alone by default.
Live shows the newest run, Compare the newest three.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from pathlib import Path

from rnnlab.dashboard.app import Dashboard
from rnnlab.dashboard.screens.frame import TABS
from rnnlab.lab.lab import Lab

HERE = Path(__file__).parent / "pictures"
PATIENCE = 60.0
SETTLED_SECONDS = 1.5
"""For what a screen asks other processes."""
COMPARED = 3


async def draw(screens: list[str], lab: Lab, size: tuple[int, int], theme: str, folder: Path) -> None:
    """Open the dashboard without a terminal, and each screen in turn.

    Raises:
        SystemExit: the lab has no runs, or they are not read in time.
    """
    app = Dashboard(lab)
    async with app.run_test(size=size) as pilot:
        app.theme = theme or app.theme
        deadline = time.monotonic() + PATIENCE
        while not (app.snapshot.runs and not app.snapshot.loading and app.catalogue.complete):
            if time.monotonic() > deadline:
                raise SystemExit(f"no runs to show in {lab.path}; 'make demo' makes some")
            await pilot.pause(0.05)
        newest = [run.id for run in app.snapshot.runs]
        for screen in screens:
            if screen == "compare":
                app.open_compare(newest[:COMPARED])
            elif screen == "live":
                app.open_live(newest[0])
            else:
                app.switch_mode(screen)
            await pilot.pause(SETTLED_SECONDS)
            path = folder / f"{screen}.svg"
            path.write_text(app.export_screenshot(title="rnnlab"), encoding="utf-8")
            print(path)


def main() -> None:
    """Read the arguments and draw."""
    parser = argparse.ArgumentParser(description="draw the dashboard's screens")
    known = [mode for _, mode, _ in TABS if mode != "sweeps"]
    parser.add_argument("screens", nargs="*", metavar="SCREEN", help=f"{', '.join(known)} [default: live]")
    parser.add_argument("--runs-dir", type=Path, help="the lab [default: as rnnlab has it]")
    parser.add_argument("--size", default="140x40", help="columns x rows [default: 140x40]")
    parser.add_argument("--theme", default="", help="one of Textual's")
    parser.add_argument("--to", type=Path, default=HERE, help="folder [default: framework/docs/pictures]")
    given = parser.parse_args()
    if unknown := set(given.screens) - set(known):
        parser.error(f"expected {', '.join(known)}, got {', '.join(sorted(unknown))}")
    columns, _, rows = given.size.partition("x")
    given.to.mkdir(parents=True, exist_ok=True)
    size = int(columns), int(rows)
    asyncio.run(draw(given.screens or ["live"], Lab.open(given.runs_dir), size, given.theme, given.to))


if __name__ == "__main__":
    main()
