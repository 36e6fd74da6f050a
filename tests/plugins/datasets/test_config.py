"""Options: absolute paths and pairs of files."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from rnnlab_plugins.datasets.config import ParallelTextConfig, TextClassesConfig, TokenLabelsConfig


def test_relative_paths_start_at_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = TextClassesConfig(train="data/train.tsv", test="/else/test.tsv")
    monkeypatch.chdir("/")
    assert config.files == {"train": str(tmp_path / "data/train.tsv"), "test": "/else/test.tsv"}


def test_a_users_home_is_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    assert TextClassesConfig(train="~/train.tsv").train == "/home/someone/train.tsv"


def test_files_come_in_pairs_or_alone() -> None:
    pairs = ParallelTextConfig(train="/a", train_target="/b", test="/c", test_target="/d")
    assert pairs.targets == {"train": "/b", "test": "/d"}
    with pytest.raises(ValidationError, match="val is given without val_target"):
        ParallelTextConfig(train="/a", train_target="/b", val="/c")
    with pytest.raises(ValidationError, match="test_target is given without test"):
        TokenLabelsConfig(train="/a", train_target="/b", test_target="/c")


def test_columns_are_numbers_without_a_header() -> None:
    assert TextClassesConfig(train="/a", header=False, label=2).label == 2
    with pytest.raises(ValidationError, match="label must be a column number without a header, got 'kind'"):
        TextClassesConfig(train="/a", header=False, label="kind")
