"""The contract of a data set: read the examples; vocabularies, encoding, digest and batches are the core's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from rnnlab.config.section import DatasetConfig
from rnnlab.plugins.spec import Mode

Tokenizer = Literal["space", "characters", "words"]
"""How a line typed by a user becomes source tokens: split at spaces, into characters, or by a word regex."""


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


@dataclass(frozen=True)
class Corpus:
    """What a data set's `read` returns.

    Attributes:
        mode: what the targets are.
        splits: "train", "val" and "test" -> examples. A missing "val" is taken from "train" (10 %, fixed seed).
        tokenizer: how `rnnlab predict` splits a line into source tokens.
        lowercase: whether typed text is lower-cased first, as the sources were.
        target_separator: what joins target tokens for reading: "" for characters, " " for words.
    """

    mode: Mode
    splits: dict[str, Sequence[Example]]
    tokenizer: Tokenizer = "space"
    lowercase: bool = False
    target_separator: str = " "
    notes: dict[str, str] = field(default_factory=dict)


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
