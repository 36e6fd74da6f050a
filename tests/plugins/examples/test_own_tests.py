"""The examples' own tests, where the examples are installed."""

from __future__ import annotations

import shlex

import pytest


@pytest.mark.slow
def test_they_pass(installed, examples, tmp_path):
    folders = shlex.join(str(path) for path in sorted(examples.glob("*/tests")))
    options = "-q -p no:cacheprovider -c /dev/null --import-mode=importlib"
    said = installed.run(f"pytest {options} {folders}", tmp_path)
    assert " passed" in said and " failed" not in said
