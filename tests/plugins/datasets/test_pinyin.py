"""Pinyin: known phrases, no phrase twice."""

from __future__ import annotations

from functools import cache

from rnnlab.api import Corpus
from rnnlab_plugins.datasets.config import PinyinConfig
from rnnlab_plugins.datasets.pinyin import Pinyin


@cache
def corpus() -> Corpus:
    return Pinyin(PinyinConfig()).read()


def test_known_phrases() -> None:
    readings = {"".join(map(str, e.source)): e.target for split in corpus().splits.values() for e in split}
    assert len(readings) == 47111
    assert readings["一丘之貉"] == ("yī", "qiū", "zhī", "hé")
    # The same character, read in two ways: bank and to walk; and the first of two readings of a phrase.
    assert readings["银行"] == ("yín", "háng")
    assert readings["行人"] == ("xíng", "rén")
    assert readings["朝阳"] == ("zhāo", "yáng")


def test_no_phrase_is_in_two_splits() -> None:
    phrases = {name: [e.source for e in split] for name, split in corpus().splits.items()}
    assert {name: len(split) for name, split in phrases.items()} == {
        "train": 39980,
        "val": 2382,
        "test": 4749,
    }
    assert len({phrase for split in phrases.values() for phrase in split}) == 47111
