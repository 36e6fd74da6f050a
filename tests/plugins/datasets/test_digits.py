"""Digits against the file they come from."""

from __future__ import annotations

import csv
import gzip
from collections import Counter

import numpy as np
import pytest

from rnnlab.api import Corpus
from rnnlab_plugins.datasets.config import DigitsConfig
from rnnlab_plugins.datasets.digits import Digits
from rnnlab_plugins.datasets.installed import installed_file


def read(**options: str) -> Corpus:
    return Digits(DigitsConfig.model_validate(options)).read()


@pytest.mark.parametrize(("view", "shape"), [("rows", (8, 8)), ("pixels", (64, 1))])
def test_every_image_of_the_file_is_in_one_split(view: str, shape: tuple[int, int]) -> None:
    with gzip.open(installed_file("sklearn", "datasets", "data", "digits.csv.gz"), "rt") as file:
        rows = [tuple(map(float, row)) for row in csv.reader(file)]
    found = []
    for examples in read(view=view).splits.values():
        for example in examples:
            assert isinstance(example.source, np.ndarray) and isinstance(example.target, str)
            assert example.source.shape == shape and example.source.dtype == np.float32
            found.append((*(example.source.ravel() * 16).tolist(), float(example.target)))
    assert Counter(found) == Counter(rows)


def test_splits_are_stratified() -> None:
    splits = read().splits
    assert {name: len(split) for name, split in splits.items()} == {"train": 1257, "val": 180, "test": 360}
    counts = {name: Counter(e.target for e in split) for name, split in splits.items()}
    for label in "0123456789":
        total = sum(counts[name][label] for name in counts)
        assert abs(counts["test"][label] - total / 5) <= 1
        assert abs(counts["val"][label] - total / 10) <= 1


def test_pixels_are_the_rows_read_on() -> None:
    rows, pixels = read(view="rows").splits["test"][7].source, read(view="pixels").splits["test"][7].source
    assert isinstance(rows, np.ndarray) and isinstance(pixels, np.ndarray)
    assert rows.max() == 1.0
    assert np.array_equal(rows.ravel(), pixels.ravel())
