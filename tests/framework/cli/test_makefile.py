"""`make help` lists every target, and nothing else."""

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_help_has_a_line_for_each_target():
    asked = ["make", "--no-print-directory", "help"]
    # Not as a part of the make that runs the tests, which would say so in between.
    alone = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    shown = subprocess.run(asked, cwd=ROOT, env=alone, capture_output=True, text=True, check=True).stdout
    listed = [re.fullmatch(r"make (\w+)  +\S.*", line)[1] for line in shown.splitlines()]
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1].split()
    assert sorted(listed) == sorted(set(phony) - {"help"})
