"""What the dashboard does not load, whatever is opened in it."""

import subprocess
import sys

OPEN_EVERYTHING = """
import asyncio, sys
from pathlib import Path
from rnnlab.dashboard.app import Dashboard
from rnnlab.lab.lab import Lab

async def main():
    app = Dashboard(Lab(Path(sys.argv[1])))
    async with app.run_test(size=(140, 40)) as pilot:
        async def until(condition):
            while not condition():
                await pilot.pause(0.02)

        await until(lambda: app.snapshot.runs and app.catalogue.complete)
        opened = []
        for key in "12346":
            await pilot.press(key)
            await pilot.pause(0.3)
            opened.append(type(app.screen).__name__)
            await pilot.press("f1")
            await until(lambda: type(app.screen).__name__ == "HelpPanel")
            await pilot.press("escape")
            await until(lambda: type(app.screen).__name__ == opened[-1])
        await pilot.press("1", "ctrl+p")
        await until(lambda: type(app.screen).__name__ == "CommandPalette")
        print(*opened)

asyncio.run(main())
heavy = ("torch", "mlflow", "pandas", "torchmetrics", "sklearn", "pydantic", "requests", "sqlalchemy")
print(*(name for name in heavy if name in sys.modules))
training = ("rnnlab.training", "rnnlab.recurrent", "rnnlab.data.")
print(*(name for name in sys.modules if name.startswith(training)))
"""


def test_every_screen_opened_and_nothing_heavy_loaded(lab, finished_run):
    finished_run()
    finished_run("other")
    done = subprocess.run(
        [sys.executable, "-c", OPEN_EVERYTHING, str(lab.path)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    opened, heavy, training = done.stdout.splitlines()
    assert opened.split() == ["RunsScreen", "LiveScreen", "CompareScreen", "LaunchScreen", "PluginsScreen"]
    assert (heavy, training) == ("", "")
