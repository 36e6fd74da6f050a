"""Where the tests' files come from."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], str]:
    """Write a file and get its path: write("train.tsv", text)."""

    def write_text(name: str, text: str) -> str:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return str(tmp_path / name)

    return write_text


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], str]:
    """Path of a file in RNNLAB_DATA (or ../shared/data); the test is skipped where it is missing."""

    def find(name: str) -> str:
        path = Path(os.environ.get("RNNLAB_DATA", REPOSITORY.parent / "shared" / "data")) / name
        if not path.exists():
            pytest.skip(f"{path} is missing; set RNNLAB_DATA to the folder of the data sets")
        return str(path)

    return find
