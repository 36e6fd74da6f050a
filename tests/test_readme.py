"""The README's plugin works when pasted, and its commands exist."""

import re
import subprocess
import sys
from pathlib import Path

README = (Path(__file__).parents[1] / "README.md").read_text()
RNNLAB = [sys.executable, "-m", "rnnlab.cli.main"]


def test_the_cell_in_fifteen_lines_trains(tmp_path):
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len([line for line in code.splitlines() if line.strip()]) <= 15
    (tmp_path / "my_plugins").mkdir()
    (tmp_path / "my_plugins" / "ugrnn.py").write_text(code)
    (line,) = re.findall(r"^rnnlab (--plugins-dir .*)$", README, re.MULTILINE)
    small = [
        "training.max_steps=20",
        "tracking.enabled=false",
        "stack.num_layers=2",
        "stack.bidirectional=true",
    ]
    done = subprocess.run(
        [*RNNLAB, *line.split(), *small], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "finished (all 20 steps done)" in done.stdout
    (started,) = [line for line in done.stdout.splitlines() if "start: " in line]
    assert "backend reference" in started
    (log,) = (tmp_path / "runs").glob("*/log.txt")
    assert "torch cannot run ugrnn" in log.read_text()
    shown = subprocess.check_output(
        [*RNNLAB, "--plugins-dir", "my_plugins", "plugins", "show", "cell", "ugrnn"], cwd=tmp_path, text=True
    )
    assert "g, c = g.sigmoid(), c.tanh()" in shown


def test_every_command_of_the_readme_exists():
    from rnnlab.cli.main import COMMANDS

    named = set(
        re.findall(
            r"rnnlab (?:--\S+ \S+ )?([a-z]+)\b", "\n".join(re.findall(r"```\n(.*?)```", README, re.DOTALL))
        )
    )
    assert named - {"the"} <= set(COMMANDS)
    assert {"run", "predict", "ui"} <= named
