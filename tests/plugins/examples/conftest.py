"""An environment with the examples in it."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[3] / "plugins" / "examples"


@pytest.fixture(scope="session")
def examples() -> Path:
    """Their folder."""
    return EXAMPLES


@pytest.fixture(scope="module")
def installed(environment, tmp_path_factory):
    """The environment with every example in it, built from copies: building may write beside the sources."""
    folder = tmp_path_factory.mktemp("examples")
    environment.run(f"cp -r {shlex.quote(str(EXAMPLES))}/*/ . && pip install --quiet ./*/", folder)
    return environment
