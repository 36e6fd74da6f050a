"""Vocabularies: tokens to ids and back, made from the training split alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

UNK, BOS, EOS = "<unk>", "<bos>", "<eos>"
OUTSIDE = "<outside>"


@dataclass(frozen=True)
class Vocabulary:
    """An ordered set of tokens; the id of a token is its place.

    Attributes:
        tokens: V strings, special ones first, then by falling count (ties in alphabetical order).
    """

    tokens: tuple[str, ...]
    ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", {token: i for i, token in enumerate(self.tokens)})

    @classmethod
    def build(
        cls, sequences: Iterable[Iterable[str]], specials: Sequence[str] = (), min_count: int = 1
    ) -> Vocabulary:
        """Count the tokens of `sequences` and keep those seen `min_count` times or more."""
        counts = Counter(chain.from_iterable(sequences))
        kept = sorted((t for t in counts if counts[t] >= min_count), key=lambda t: (-counts[t], t))
        return cls((*specials, *(t for t in kept if t not in specials)))

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def unk_id(self) -> int | None:
        """Id of the unknown token; None when the vocabulary is closed."""
        return self.ids.get(UNK)

    @property
    def bos_id(self) -> int:
        """Id of the token that begins a target sequence."""
        return self.ids[BOS]

    @property
    def eos_id(self) -> int:
        """Id of the token that ends a target sequence."""
        return self.ids[EOS]

    def encode(self, tokens: Iterable[str]) -> np.ndarray:
        """Ids int64 [T]; tokens not in the vocabulary become `unk_id`.

        Raises:
            KeyError: a token is unknown and the vocabulary is closed.
        """
        unk = self.unk_id
        if unk is None:
            return np.fromiter((self.ids[t] for t in tokens), dtype=np.int64)
        return np.fromiter((self.ids.get(t, unk) for t in tokens), dtype=np.int64)

    def decode(self, ids: Iterable[int]) -> list[str]:
        """Tokens of `ids`; an id outside the vocabulary, such as a reference's UNKNOWN, reads OUTSIDE."""
        return [self.tokens[i] if 0 <= i < len(self.tokens) else OUTSIDE for i in ids]

    def to_dict(self) -> dict[str, list[str]]:
        """For JSON."""
        return {"tokens": list(self.tokens)}

    @classmethod
    def from_dict(cls, fields: dict[str, list[str]]) -> Vocabulary:
        """What `to_dict` gave."""
        return cls(tuple(fields["tokens"]))
