"""Readings of Chinese phrases, from pypinyin's dictionary."""

from __future__ import annotations

import json

from rnnlab.api import Corpus, Dataset, Example
from rnnlab_plugins.datasets.hashing import split_of
from rnnlab_plugins.datasets.installed import installed_file
from rnnlab_plugins.datasets.text_files import read_lines


class Pinyin(Dataset):
    """A phrase's characters to their pinyin with tone marks; many characters are read by their neighbours."""

    licence = "MIT"
    citation = "phrases_dict of pypinyin by mozillazg"

    def read(self) -> Corpus:
        """Split by phrase: 10 % test, 5 % val. Of a phrase's alternatives the first is taken."""
        phrases = json.loads("\n".join(read_lines(installed_file("pypinyin", "phrases_dict.json"))))
        splits: dict[str, list[Example]] = {"train": [], "val": [], "test": []}
        for phrase, readings in phrases.items():
            example = Example(tuple(phrase), tuple(alternatives[0] for alternatives in readings))
            splits[split_of(phrase, val=50)].append(example)
        return Corpus(
            "synchronous",
            splits,
            tokenizer="characters",
            notes={"splits": "by phrase: test if sha1(phrase) mod 1000 < 100, val if < 150"},
        )
