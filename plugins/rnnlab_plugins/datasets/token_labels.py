"""Labelled tokens in the user's files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from rnnlab.api import Corpus, Dataset, Example, InputError
from rnnlab_plugins.datasets.config import TokenLabelsConfig
from rnnlab_plugins.datasets.text_files import malformed, read_lines


class TokenLabels(Dataset):
    """A label for every token.

    Two parallel files: a sentence a line, tokens by spaces, and as many labels on the same line of the other
    file. One file: a token and its label a line (the first and the last column, by tab or spaces), an empty
    line between sentences; `-DOCSTART-` lines are skipped.
    """

    licence = "user's own"
    citation = "user's own"

    def read(self) -> Corpus:
        """Splits that are not given are taken from train."""
        config = cast(TokenLabelsConfig, self.config)
        splits = {}
        for name, path in config.files.items():
            labels = config.targets.get(name)
            pairs = _parallel(path, labels) if labels else _columns(path)
            splits[name] = [
                Example(tuple(t.lower() for t in tokens) if config.lowercase else tuple(tokens), tuple(tags))
                for tokens, tags in pairs
            ]
        return Corpus("synchronous", splits, tokenizer="space", lowercase=config.lowercase)


def _parallel(path: str, labels_path: str) -> Iterator[tuple[list[str], list[str]]]:
    sentences, labels = read_lines(path), read_lines(labels_path)
    if len(sentences) != len(labels):
        raise InputError(
            f"{labels_path}: expected {len(sentences)} lines, as {path} has, got {len(labels)}; "
            "give files that match"
        )
    for number, (sentence, tags) in enumerate(zip(sentences, labels, strict=True), 1):
        pair = sentence.split(), tags.split()
        if len(pair[0]) != len(pair[1]):
            expected = f"{len(pair[0])} labels, one a token of {path}:{number}"
            raise malformed(labels_path, number, expected, str(len(pair[1])), "mend the line")
        if pair[0]:
            yield pair


def _columns(path: str) -> Iterator[tuple[list[str], list[str]]]:
    tokens: list[str] = []
    tags: list[str] = []
    for number, line in enumerate((*read_lines(path), ""), 1):
        fields = line.split("\t") if "\t" in line else line.split()
        if not line.strip():
            if tokens:
                yield tokens, tags
            tokens, tags = [], []
        elif fields[0] != "-DOCSTART-":
            if len(fields) < 2 or not fields[0] or not fields[-1].strip():
                raise malformed(path, number, "a token and a label", repr(line[:40]), "mend the line")
            tokens.append(fields[0])
            tags.append(fields[-1].strip())
