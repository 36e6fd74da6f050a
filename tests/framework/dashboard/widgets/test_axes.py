"""Ticks are round and few; numbers are short."""

import math

import pytest

from rnnlab.dashboard.widgets.axes import log_ticks, position_text, round_ticks, short, tick_labels


@pytest.mark.parametrize(
    ("low", "high", "most", "labels"),
    [
        (0, 1, 3, ["0.0", "0.5", "1.0"]),
        (0, 1, 6, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (-0.07, 2.6, 6, ["0.0", "0.5", "1.0", "1.5", "2.0", "2.5"]),
        (0, 1500, 4, ["0", "500", "1k", "1.5k"]),
        (0.1, 0.9, 3, ["0.25", "0.50", "0.75"]),
        (0, 379, 4, ["0", "100", "200", "300"]),
        (0, 2_400_000, 3, ["0", "1M", "2M"]),
        (-1, 1, 3, ["-1", "0", "1"]),
        (1e-5, 4e-5, 4, ["1e-5", "2e-5", "3e-5", "4e-5"]),
        (0.9991, 0.9994, 4, ["0.9991", "0.9992", "0.9993", "0.9994"]),
        (3, 3, 4, ["3"]),
    ],
)
def test_linear_ticks(low, high, most, labels):
    assert tick_labels(round_ticks(low, high, most)) == labels


def test_steps_have_no_halves():
    assert round_ticks(0, 3, 8) == pytest.approx([0, 0.5, 1, 1.5, 2, 2.5, 3])
    assert round_ticks(0, 3, 8, whole=True) == [0, 1, 2, 3]
    assert round_ticks(0, 12, 5, whole=True) == [0, 5, 10]


@pytest.mark.parametrize(
    ("low", "high", "most", "labels"),
    [
        (0.001, 10, 6, ["0.001", "0.01", "0.1", "1", "10"]),
        (0.05, 2, 8, ["0.05", "0.1", "0.2", "0.5", "1", "2"]),
        (1e-9, 1, 4, ["1e-9", "1e-6", "0.001", "1"]),
        (0.31, 0.42, 3, ["0.35", "0.40"]),
    ],
)
def test_logarithmic_ticks(low, high, most, labels):
    assert tick_labels(log_ticks(low, high, most)) == labels


def test_no_range_makes_too_many_ticks():
    for span in (1e-8, 0.37, 1, 77, 1e6, 3e11):
        for most in range(1, 12):
            for low in (0.0, -span / 3, 0.123 * span):
                ticks = round_ticks(low, low + span, most)
                assert len(ticks) <= most
                assert all(low - span * 1e-6 <= tick <= low + span * (1 + 1e-6) for tick in ticks)
    assert round_ticks(math.nan, 1, 3) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.13144, "0.1314"),
        (0.0, "0"),
        (9214.4, "9214"),
        (12_345, "12.35k"),
        (3.2e7, "32M"),
        (3e-5, "3e-5"),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
    ],
)
def test_short_numbers(value, text):
    assert short(value) == text


def test_a_step_is_written_in_full():
    assert position_text(123_456.0) == "123,456"
    assert position_text(0.25) == "0.25"
