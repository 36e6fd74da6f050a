"""Splits by hash: known words, shares, independence."""

from __future__ import annotations

from rnnlab_plugins.datasets.hashing import sample, split_of

WORDS = [f"word{i}" for i in range(20_000)]


def test_shares() -> None:
    splits = [split_of(word, val=50) for word in WORDS]
    assert abs(splits.count("test") / len(WORDS) - 0.10) < 0.01
    assert abs(splits.count("val") / len(WORDS) - 0.05) < 0.01


def test_a_sample_is_fixed_and_contains_the_smaller_one() -> None:
    small, large = sample(WORDS, 100), sample(reversed(WORDS), 5000)
    assert len(small) == 100 and len(large) == 5000
    assert small < large
    assert abs(sum(split_of(word) == "test" for word in large) / 5000 - 0.10) < 0.02
    assert sample(WORDS, None) == sample(WORDS, 10**6) == set(WORDS)
