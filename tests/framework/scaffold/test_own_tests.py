"""What `rnnlab plugins new` makes passes `rnnlab plugins check` and its own test, untouched."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

from rnnlab.cli.app import App
from rnnlab.cli.plugins_check import check

KINDS = ("cell", "task", "dataset", "backend")  # an executor's takes as long as all of them: test_executor.py


@pytest.mark.slow
def test_the_tests_that_come_with_it_pass(make, tmp_path):
    for kind in KINDS:
        assert make(kind, f"my-{kind}", "--file", "--to", str(tmp_path)).exit_code == 0
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    last = done.stdout.splitlines()[-1]
    assert " passed" in last and "failed" not in last


@pytest.mark.slow
def test_plugins_check_is_content(make, tmp_path):
    make("dataset", "my-data", "--file", "--to", str(tmp_path))
    said = CliRunner().invoke(check, ["--plugins-dir", str(tmp_path), "my-data"], obj=App())
    assert said.exit_code == 0 and said.output.splitlines()[-1].endswith(" ok, 0 failed, 0 skipped")
