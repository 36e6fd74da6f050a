"""Real-valued series: values against the text, mistakes, and Japanese Vowels."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from rnnlab.api import InputError
from rnnlab.data.encoding import encode
from rnnlab_plugins.datasets.config import TimeSeriesConfig
from rnnlab_plugins.datasets.time_series import TimeSeries

Write = Callable[[str, str], str]
HEADER = "#about\n@problemName Test\n@timestamps false\n@classLabel true a b\n@data\n"


def test_unequal_lengths_and_channels(write: Write) -> None:
    path = write("a.ts", HEADER + "1,2,3:4,5,6:a\n-1e2 : 0.5 : b\n")
    first, second = TimeSeries(TimeSeriesConfig(train=path)).read().splits["train"]
    assert isinstance(first.source, np.ndarray) and isinstance(second.source, np.ndarray)
    assert first.source.dtype == np.float32
    assert first.source.tolist() == [[1, 4], [2, 5], [3, 6]]
    assert second.source.tolist() == [[-100, 0.5]]
    assert (first.target, second.target) == ("a", "b")


def test_channels_are_standardised_by_train_alone(write: Write) -> None:
    config = TimeSeriesConfig(
        train=write("a.ts", HEADER + "0,2:5,5:a\n"),
        val=write("b.ts", HEADER + "100:5:a\n"),
        test=write("c.ts", HEADER + "3:6:b\n"),
    )
    splits = encode(TimeSeries(config).read(), config).splits
    assert splits["train"].source.row(0).tolist() == [[-1, 0], [1, 0]]
    assert splits["test"].source.row(0).tolist() == [[2, 1]]
    raw = config.model_copy(update={"standardise": False})
    assert encode(TimeSeries(raw).read(), raw).splits["test"].source.row(0).tolist() == [[3, 6]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2:a\n", "a.ts:1: expected a header that ends with '@data', got '1,2:a'; give a .ts file"),
        ("@problemName x\n", "a.ts: expected a line '@data' before the series, got none; give a .ts file"),
        (
            HEADER + "1,?:a\n",
            "a.ts:6: expected a number at every step, got 1 missing ('?') in channel 1; fill",
        ),
        (
            HEADER + "1:NaN,1:a\n",
            "a.ts:6: expected a number at every step, got 1 missing ('NaN') in channel 2",
        ),
        (
            HEADER + "1,x:a\n",
            "a.ts:6: expected numbers separated by ',', got could not convert string to float",
        ),
        (
            HEADER + "1:2:a\n1:a\n",
            "a.ts:7: expected 2 channels and a class, separated by ':', got 1 channels",
        ),
        (HEADER + "1,2\n", "a.ts:6: expected 1 channels and a class, separated by ':', got 0 channels"),
        (
            HEADER + "1:\n",
            "a.ts:6: expected 1 channels and a class, separated by ':', got 1 channels and the class ''",
        ),
        (HEADER + "1,2:3:a\n", "a.ts:6: expected channels of one length, got lengths 1, 2; pad or resample"),
        (
            "@timeStamps true\n",
            "a.ts:1: expected series without time stamps, got '@timeStamps true'; resample",
        ),
        ("@classLabel false\n", "a.ts:1: expected series with a class label, got '@classLabel false'; add"),
    ],
)
def test_mistakes_name_file_and_line(write: Write, text: str, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        TimeSeries(TimeSeriesConfig(train=write("a.ts", text))).read()


def test_splits_have_the_same_channels(write: Write) -> None:
    config = TimeSeriesConfig(train=write("a.ts", HEADER + "1:2:a\n"), test=write("b.ts", HEADER + "1:a\n"))
    with pytest.raises(InputError, match=r"b\.ts:6: expected 2 channels and a class"):
        TimeSeries(config).read()


@pytest.mark.real_data
def test_japanese_vowels(real_data: Callable[[str], str]) -> None:
    config = TimeSeriesConfig(
        train=real_data("japanese_vowels/JapaneseVowels_TRAIN.ts"),
        test=real_data("japanese_vowels/JapaneseVowels_TEST.ts"),
    )
    corpus = TimeSeries(config).read()
    train, test = corpus.splits["train"], corpus.splits["test"]
    assert (len(train), len(test)) == (270, 370)
    assert Counter(e.target for e in train) == dict.fromkeys("123456789", 30)
    assert [Counter(e.target for e in test)[c] for c in "123456789"] == [31, 35, 88, 44, 29, 24, 40, 50, 29]
    assert {np.shape(e.source)[1] for e in train} == {12}
    lengths = [len(e.source) for e in (*train, *test)]
    assert (min(lengths), max(lengths)) == (7, 29)
    splits = encode(corpus, config).splits
    assert {name: len(split) for name, split in splits.items()} == {"train": 243, "val": 27, "test": 370}
    values = splits["train"].source.values[:-1]
    assert values.mean(0).abs().max() < 1e-5
    assert (values.std(0) - 1).abs().max() < 1e-3
