"""The contract of a data set: read the examples; vocabularies, digest and batches are the core's work."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, cast

import numpy as np

from rnnlab.config.section import DatasetConfig
from rnnlab.data.tokenizing import Tokenizer, tokenize
from rnnlab.plugins.spec import Mode


@dataclass(frozen=True)
class Example:
    """One example, as read.

    Attributes:
        source: tokens (T strings), or real-valued features, float32 [T, F].
        target: by mode: one label; T labels, None where a step has none; or M tokens.
        references: other right answers (asynchronous mode), each a tuple of tokens; `target` is one too.
    """

    source: tuple[str, ...] | np.ndarray
    target: str | tuple[str | None, ...]
    references: tuple[tuple[str, ...], ...] = ()


def right_answers(example: Example) -> tuple[tuple[str, ...], ...]:
    """Target and references of an example in asynchronous mode."""
    return (cast("tuple[str, ...]", example.target), *example.references)


@dataclass(frozen=True)
class Corpus:
    """What a data set's `read` returns.

    Attributes:
        mode: what the targets are.
        splits: "train", "val" and "test" -> examples. A missing "val" or "test" is taken from "train", 10 %
            each, by a fixed seed that is not the run's.
        tokenizer: how `rnnlab predict` splits a line into source tokens.
        lowercase: whether typed text is lower-cased first, as the sources were.
        target_separator: what joins target tokens for reading: "" for characters, " " for words.
        target_min_count: target tokens seen fewer times than this in training become the unknown token
            (asynchronous mode).
        merge_references: make one example of all those of an evaluation split that have the same source, each
            one's target a right answer (asynchronous mode).
        standardise: shift and scale each feature to mean 0 and variance 1 over the steps of the training
            split.
        notes: what a reader of a run should know of the data, by topic.
    """

    mode: Mode
    splits: Mapping[str, Sequence[Example]]
    tokenizer: Tokenizer = "space"
    lowercase: bool = False
    target_separator: str = " "
    target_min_count: int = 1
    merge_references: bool = False
    standardise: bool = False
    notes: Mapping[str, str] = field(default_factory=dict)


class Dataset(ABC):
    """A named source of examples.

    Class attributes:
        licence: the licence of the data, for example "BSD-2-Clause".
        citation: where the data come from.
    """

    licence: ClassVar[str] = ""
    citation: ClassVar[str] = ""

    def __init__(self, config: DatasetConfig) -> None:
        self.config = config

    @abstractmethod
    def read(self) -> Corpus:
        """Read every split.

        Raises:
            InputError: a file is missing or malformed; the message names file, line and what was expected.
        """

    @staticmethod
    def tokenize(text: str, tokenizer: Tokenizer, lowercase: bool = False) -> tuple[str, ...]:
        """Tokens of a line exactly as `rnnlab predict` will split what a user types."""
        return tokenize(text, tokenizer, lowercase)
