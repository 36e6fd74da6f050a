"""The windows against the file, the errors' lines, and what every data set and preset is checked for."""

import csv
from pathlib import Path

import numpy as np
import pytest

from rnnlab.api import InputError
from rnnlab.testing import conformance
from rnnlab_nino.config import NinoConfig
from rnnlab_nino.dataset import SHIPPED, Nino

test_dataset = conformance("dataset", "nino")
test_preset = conformance("preset", "nino")


def test_windows_are_the_files_months_in_order():
    with SHIPPED.open() as file:
        table = [(row["month"], float(row["temperature"])) for row in csv.DictReader(file)]
    assert [month for month, _ in table] == [f"{y}-{m:02d}" for y in range(1950, 2011) for m in range(1, 13)]
    splits = Nino(NinoConfig(window=6, ahead=2)).read().splits
    assert {name: len(split) for name, split in splits.items()} == {"train": 505, "val": 67, "test": 139}
    for name, first in (("train", 0), ("val", 512), ("test", 586)):
        for start, example in enumerate(splits[name], first):
            months = [value for _, value in table[start : start + 6]]
            assert example.source.dtype == np.float32
            np.testing.assert_array_equal(example.source[:, 0], np.float32(months))
            assert (example.target == "warmer") == (table[start + 7][1] > months[-1])


def test_a_file_of_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    lines = [f"{2000 + i // 12}-{i % 12 + 1:02d},{i % 7}" for i in range(100)]
    (tmp_path / "mine.csv").write_text("\n".join(["month,temperature", *lines]))
    monkeypatch.chdir(tmp_path)
    config = NinoConfig(file="mine.csv", window=3, ahead=1)
    assert config.file == str(tmp_path / "mine.csv")
    assert len(Nino(config).read().splits["train"]) == 70 - 3


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("month,temperature\n2000-01,1\n2000-02,warm\n", "mine.csv:3: expected a month and a temperature"),
        ("month,kelvin\n2000-01,280\n", "mine.csv:2: expected a month and a temperature"),
        ("month,temperature\n2000-01,1\n", "expected 15 months or more in split 'train', got 1"),
        (None, "mine.csv: cannot be read"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line(tmp_path: Path, text: str | None, line: str):
    path = tmp_path / "mine.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError) as raised:
        Nino(NinoConfig(file=str(path))).read()
    assert line in str(raised.value) and "\n" not in str(raised.value)
