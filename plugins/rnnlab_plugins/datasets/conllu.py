"""Treebanks in CoNLL-U: words to parts of speech."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import cast

from rnnlab.api import Corpus, Dataset, Example
from rnnlab_plugins.datasets.config import ConlluConfig
from rnnlab_plugins.datasets.text_files import malformed, read_lines

FORM, UPOS, XPOS = 1, 3, 4
WORD_ID = re.compile(r"\d+")
SKIPPED_ID = re.compile(r"\d+-\d+|\d+\.\d+")
"""A multiword token's range (8-9), whose words follow, and an empty node (8.1), which nobody wrote."""


class Conllu(Dataset):
    """The FORM of each word to its UPOS or XPOS; a word whose tag is `_` has no label."""

    licence = "user's own"
    citation = "user's own"

    def read(self) -> Corpus:
        """Splits that are not given are taken from train."""
        config = cast(ConlluConfig, self.config)
        splits = {name: list(self._sentences(path)) for name, path in config.files.items()}
        return Corpus("synchronous", splits, tokenizer="space", lowercase=config.lowercase)

    def _sentences(self, path: str) -> Iterator[Example]:
        config = cast(ConlluConfig, self.config)
        column = UPOS if config.label == "upos" else XPOS
        words: list[str] = []
        tags: list[str | None] = []
        for number, line in enumerate((*read_lines(path), ""), 1):
            if line.startswith("#"):
                continue
            if line.strip():
                fields = line.split("\t")
                if len(fields) != 10:
                    got = f"{len(fields)} in {line[:40]!r}"
                    raise malformed(path, number, "10 tab-separated columns", got, "give a CoNLL-U file")
                if WORD_ID.fullmatch(fields[0]):
                    words.append(fields[FORM].lower() if config.lowercase else fields[FORM])
                    tags.append(None if fields[column] == "_" else fields[column])
                elif not SKIPPED_ID.fullmatch(fields[0]):
                    raise malformed(
                        path, number, "an ID such as 8, 8-9 or 8.1", repr(fields[0]), "mend the line"
                    )
            elif words:
                yield Example(tuple(words), tuple(tags))
                words, tags = [], []
