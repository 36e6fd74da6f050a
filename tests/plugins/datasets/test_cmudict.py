"""CMUdict: known words, and no word in two splits."""

from __future__ import annotations

from functools import cache

from rnnlab.api import Corpus, Example
from rnnlab_plugins.datasets.cmudict import G2P, Stress
from rnnlab_plugins.datasets.config import G2PConfig, StressConfig


@cache
def g2p() -> Corpus:
    return G2P(G2PConfig()).read()


@cache
def stress() -> Corpus:
    return Stress(StressConfig(words=None)).read()


def pronounced(corpus: Corpus, word: str) -> list[str]:
    everything = (example for split in corpus.splits.values() for example in split)
    return [" ".join(map(str, e.target)) for e in everything if e.source == tuple(word)]


def test_known_words() -> None:
    assert pronounced(g2p(), "abetted") == ["AH B EH T IH D"]
    assert pronounced(g2p(), "read") == ["R EH D", "R IY D"]
    # A comment follows it in the file; words with other marks are left out.
    assert pronounced(g2p(), "aalborg") == ["AO L B AO R G", "AA L B AO R G"]
    assert pronounced(g2p(), "a.m.") == []


def test_stress_digits_stay_if_asked_for() -> None:
    corpus = G2P(G2PConfig(stress=True)).read()
    assert pronounced(corpus, "abetted") == ["AH0 B EH1 T IH0 D"]
    symbols = {s for split in corpus.splits.values() for e in split for s in e.target}
    assert len(symbols) == 69


def test_g2p_splits_are_by_word() -> None:
    splits = g2p().splits
    words = {name: {e.source for e in split} for name, split in splits.items()}
    assert {name: len(w) for name, w in words.items()} == {"train": 109814, "val": 2485, "test": 12627}
    assert not words["train"] & words["val"] | words["train"] & words["test"] | words["val"] & words["test"]
    assert len({s for e in splits["train"] for s in e.target}) == 39
    assert g2p().merge_references


def test_g2p_takes_fewer_words_with_all_their_pronunciations() -> None:
    small = G2P(G2PConfig(words=1000)).read()
    chosen = {e.source for split in small.splits.values() for e in split}
    assert len(chosen) == 1000
    for name, split in small.splits.items():
        assert set(split) == {e for e in g2p().splits[name] if e.source in chosen}


def test_stress_of_known_words() -> None:
    train = stress().splits["train"]
    everything = [example for split in stress().splits.values() for example in split]
    assert Example(("AH", "B", "EH", "T", "IH", "D"), ("0", None, "1", None, "0", None)) in everything
    labels = {label for e in train for label in e.target}
    assert labels == {"0", "1", "2", None}
    vowels = {p for e in train for p, label in zip(e.source, e.target, strict=True) if label is not None}
    assert len(vowels) == 15
    assert not vowels & {
        p for e in train for p, label in zip(e.source, e.target, strict=True) if label is None
    }


def test_no_test_word_sounds_like_a_training_word() -> None:
    sounds = {name: {e.source for e in split} for name, split in stress().splits.items()}
    assert not sounds["train"] & (sounds["val"] | sounds["test"])


def test_stress_sizes() -> None:
    splits = Stress(StressConfig()).read().splits
    assert {name: len(split) for name, split in splits.items()} == {"train": 27377, "val": 1473, "test": 2965}
