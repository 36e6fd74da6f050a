"""What a task must know of the data to build its model and read its answers; saved with every run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rnnlab.data.tokenizing import Tokenizer, tokenize
from rnnlab.data.vocabulary import Vocabulary
from rnnlab.errors import InputError, in_words
from rnnlab.lab.run import replace_text
from rnnlab.plugins.spec import Mode


@dataclass(frozen=True)
class Schema:
    """Source and target of a data set.

    Attributes:
        mode: what the targets are.
        source: vocabulary of the source tokens; None when the source is real-valued.
        features: F, the width of a real-valued source; 0 for tokens.
        target: vocabulary of labels or target tokens (with bos and eos in asynchronous mode).
        tokenizer, lowercase, target_separator: see `Corpus`.
        unlabelled: ids of source tokens that no training example labels (synchronous mode), such as the
            consonants where vowels are labelled; whatever a model says of them is left out of its answer.
        mean, std: F numbers each by which features are standardised; empty when they stay as they are.
    """

    mode: Mode
    source: Vocabulary | None
    features: int
    target: Vocabulary
    tokenizer: Tokenizer = "space"
    lowercase: bool = False
    target_separator: str = " "
    unlabelled: tuple[int, ...] = ()
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    def encode_text(self, text: str) -> np.ndarray:
        """A line typed by a user as source ids int64 [T] or features float32 [T, F].

        Features are written one step after another, steps separated by ";" and values by ",".

        Raises:
            InputError: the line has no tokens, or its features are not numbers or not F wide.
        """
        if self.source is None:
            return self._encode_features(text)
        ids = self.source.encode(tokenize(text, self.tokenizer, self.lowercase))
        if not len(ids):
            raise InputError("the input has no tokens, expected at least one; give some text")
        return ids

    def _encode_features(self, text: str) -> np.ndarray:
        try:
            rows = [[float(value) for value in step.split(",")] for step in text.split(";") if step.strip()]
        except ValueError as error:
            raise InputError(
                f"expected numbers as 'a,b;a,b;...' (steps by ';'), got {text[:40]!r}: {error}"
            ) from None
        widths = {len(row) for row in rows}
        if widths != {self.features}:
            raise InputError(
                f"expected {self.features} values a step, got {sorted(widths)}; separate steps by ';'"
            )
        return self.standardise(np.asarray(rows, dtype=np.float32))

    def standardise(self, features: np.ndarray) -> np.ndarray:
        """Features float32 [T, F] as the model takes them."""
        if not self.mean:
            return features
        return ((features - np.asarray(self.mean)) / np.asarray(self.std)).astype(np.float32)

    def answer(self, prediction: int | Sequence[int], source: Sequence[int] | np.ndarray) -> str:
        """A model's answer as text.

        Args:
            prediction: in the form of `Evaluation.predictions`.
            source: what it is the answer to, ids [T] or features [T, F].
        """
        if isinstance(prediction, int):
            return self.target.decode([prediction])[0]
        words = self.target.decode(prediction)
        if self.mode == "asynchronous":
            return self.target_separator.join(words)
        if self.source is None:
            return " ".join(words)
        labelled = (token not in self.unlabelled for token in source)
        return " ".join(
            word if is_labelled else "_" for word, is_labelled in zip(words, labelled, strict=True)
        )

    def save(self, path: Path) -> None:
        """Write as JSON."""
        fields = vars(self) | {
            "source": self.source and self.source.to_dict(),
            "target": self.target.to_dict(),
        }
        replace_text(path, json.dumps(fields, ensure_ascii=False))

    @classmethod
    def load(cls, path: Path) -> Schema:
        """Read what `save` wrote.

        Raises:
            InputError: the file is missing or damaged.
        """
        try:
            return cls._from_fields(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise InputError(
                f"{path} is missing or damaged ({in_words(error)}); start the run again"
            ) from None

    @classmethod
    def _from_fields(cls, fields: dict[str, Any]) -> Schema:
        source = Vocabulary.from_dict(fields["source"]) if fields["source"] else None
        decoded = {
            "source": source,
            "target": Vocabulary.from_dict(fields["target"]),
            "unlabelled": tuple(fields["unlabelled"]),
            "mean": tuple(fields["mean"]),
            "std": tuple(fields["std"]),
        }
        return cls(**fields | decoded)
