"""A new executor passes its own test, untouched: it starts real runs."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.slow
def test_the_test_that_comes_with_it_passes(make, tmp_path):
    assert make("executor", "mine", "--file", "--to", str(tmp_path)).exit_code == 0
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
