"""Vocabularies: order, specials, unknown and outside."""

from __future__ import annotations

import pytest

from rnnlab.data.vocabulary import OUTSIDE, UNK, Vocabulary


def test_by_falling_count_then_alphabet_after_the_specials() -> None:
    vocabulary = Vocabulary.build([["b", "a", "c"], ["c", "d", UNK]], (UNK,))
    assert vocabulary.tokens == (UNK, "c", "a", "b", "d")
    assert vocabulary.encode(["c", "zebra", "d"]).tolist() == [1, 0, 4]


def test_min_count() -> None:
    assert Vocabulary.build(["aab", "bc"], min_count=2).tokens == ("a", "b")


def test_a_closed_vocabulary_refuses_the_unknown() -> None:
    with pytest.raises(KeyError, match="zebra"):
        Vocabulary(("a",)).encode(["zebra"])


def test_ids_outside_read_as_such() -> None:
    assert Vocabulary(("a", "b")).decode([1, -1, 2, -100]) == ["b", OUTSIDE, OUTSIDE, OUTSIDE]


def test_dict_and_back() -> None:
    vocabulary = Vocabulary((UNK, "a"))
    assert Vocabulary.from_dict(vocabulary.to_dict()) == vocabulary
