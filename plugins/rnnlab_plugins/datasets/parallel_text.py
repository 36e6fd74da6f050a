"""Pairs of sequences in the user's files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from rnnlab.api import Corpus, Dataset, Example, InputError
from rnnlab_plugins.datasets.config import ParallelTextConfig
from rnnlab_plugins.datasets.text_files import malformed, read_lines


class ParallelText(Dataset):
    """Two parallel files, line by line, or one of `source<TAB>target` lines.

    In a file of pairs, lines of a val or test split with the same source make one example with several right
    answers. Lines of parallel files stay apart, as translation scores are counted.
    """

    licence = "user's own"
    citation = "user's own"

    def read(self) -> Corpus:
        """Splits that are not given are taken from train."""
        config = cast(ParallelTextConfig, self.config)
        splits = {}
        for name, path in config.files.items():
            target_path = config.targets.get(name)
            pairs = _two_files(path, target_path) if target_path else _one_file(path)
            splits[name] = [self._example(*pair) for pair in pairs]
        if config.max_len is not None:
            splits["train"] = [
                example
                for example in splits["train"]
                if max(len(example.source), len(example.target)) <= config.max_len
            ]
        return Corpus(
            "asynchronous",
            splits,
            tokenizer=config.source_tokenizer,
            lowercase=config.lowercase,
            target_separator="" if config.target_tokenizer == "characters" else " ",
            target_min_count=config.target_min_count,
            merge_references=not config.targets,
        )

    def _example(self, path: str, number: int, source: str, target: str) -> Example:
        config = cast(ParallelTextConfig, self.config)
        example = Example(
            self.tokenize(source, config.source_tokenizer, config.lowercase),
            self.tokenize(target, config.target_tokenizer, config.lowercase),
        )
        if not len(example.source) or not example.target:
            raise malformed(
                path, number, "text on both sides", f"{source!r} and {target!r}", "fill or remove the line"
            )
        return example


def _two_files(path: str, target_path: str) -> Iterator[tuple[str, int, str, str]]:
    sources, targets = read_lines(path), read_lines(target_path)
    if len(sources) != len(targets):
        raise InputError(
            f"{target_path}: expected {len(sources)} lines, as {path} has, got {len(targets)}; "
            "give files that match"
        )
    for number, (source, target) in enumerate(zip(sources, targets, strict=True), 1):
        yield path, number, source, target


def _one_file(path: str) -> Iterator[tuple[str, int, str, str]]:
    for number, line in enumerate(read_lines(path), 1):
        fields = line.split("\t")
        if len(fields) != 2:
            remedy = "mend the line, or name the file of targets (train_target)"
            raise malformed(path, number, "'source<TAB>target'", repr(line[:40]), remedy)
        yield path, number, fields[0], fields[1]
