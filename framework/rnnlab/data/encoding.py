"""From a corpus to tensors: vocabularies made from the training split alone, encoded splits, a digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from rnnlab.config.section import DatasetConfig, TokenDatasetConfig
from rnnlab.data.batch import IGNORE, UNKNOWN, Batch
from rnnlab.data.checks import check_examples
from rnnlab.data.dataset import Corpus, Example, right_answers
from rnnlab.data.ragged import Ragged
from rnnlab.data.schema import Schema
from rnnlab.data.splits import complete_splits
from rnnlab.data.tokenizing import join
from rnnlab.data.vocabulary import BOS, EOS, UNK, Vocabulary
from rnnlab.plugins.spec import Mode


@dataclass(frozen=True, eq=False)
class EncodedSplit:
    """A split in memory.

    Attributes:
        schema: how to read the ids.
        examples: as read.
        source: rows of token ids int64, or of features float32 [_, F].
        target: class ids [E] int64; rows of label ids with IGNORE; or rows of target token ids, eos included.
    """

    schema: Schema
    examples: Sequence[Example]
    source: Ragged
    target: Tensor | Ragged
    _target_ids: Mapping[str, int] = field(repr=False)

    def __len__(self) -> int:
        return len(self.examples)

    @property
    def tokens(self) -> int:
        """Source steps of all examples."""
        return self.source.total

    @cached_property
    def references(self) -> list[Any]:
        """The right answers, one entry per example, for `Task.score`.

        An int (class); a list of ids, IGNORE where a step has no label; or a list of right answers, each a
        list of ids without eos. A label or target token that training never had is UNKNOWN, which equals
        nothing a model answers, `<unk>` included: a sequence it stands in is never matched.
        """
        ids = self._target_ids
        if self.schema.mode == "class":
            return [ids.get(cast(str, example.target), UNKNOWN) for example in self.examples]
        if self.schema.mode == "synchronous":
            known = {**ids, None: IGNORE}
            return [[known.get(label, UNKNOWN) for label in example.target] for example in self.examples]
        return [
            [[ids.get(token, UNKNOWN) for token in answer] for answer in right_answers(example)]
            for example in self.examples
        ]

    def batch(self, rows: Tensor) -> Batch:
        """The examples `rows` [B] int64 as a padded batch on the CPU."""
        source, lengths = self.source.gather(rows)
        if isinstance(self.target, Tensor):
            return Batch(source, lengths, self.target[rows], None, rows)
        target, target_lengths = self.target.gather(rows)
        if self.schema.mode == "synchronous":
            return Batch(source, lengths, target, None, rows)
        return Batch(source, lengths, target, target_lengths, rows)

    def texts(self, index: int) -> tuple[str, str]:
        """Source and target of one example for reading: tokens as read, "_" for a step without a label."""
        example, schema = self.examples[index], self.schema
        if isinstance(example.source, np.ndarray):
            source = f"{len(example.source)} steps of {schema.features} features"
        else:
            source = join(example.source, schema.tokenizer)
        if isinstance(example.target, str):
            return source, example.target
        separator = schema.target_separator if schema.mode == "asynchronous" else " "
        return source, separator.join("_" if token is None else token for token in example.target)


@dataclass(frozen=True, eq=False)
class EncodedData:
    """A data set ready for training.

    Attributes:
        schema: what a task must know of it.
        splits: "train", "val", "test", and others the data set has.
        digest: 16 hexadecimal digits that identify the examples of all splits, in order: the same on every
            machine and for every seed.
        notes: see `Corpus`.
    """

    schema: Schema
    splits: dict[str, EncodedSplit]
    digest: str
    notes: Mapping[str, str]

    @property
    def sizes(self) -> dict[str, int]:
        """Examples per split."""
        return {name: len(split) for name, split in self.splits.items()}

    def summary(self, name: str, licence: str = "") -> dict[str, Any]:
        """What a run's journal says of its data, in plain types."""
        return {
            "name": name,
            "licence": licence,
            "digest": self.digest,
            "examples": self.sizes,
            "steps": {split_name: split.tokens for split_name, split in self.splits.items()},
            "source_size": self.schema.features or len(self.schema.source or ()),
            "target_size": len(self.schema.target),
            "notes": dict(self.notes),
        }


def encode(corpus: Corpus, config: DatasetConfig) -> EncodedData:
    """Complete the splits, build the vocabularies from "train", turn everything into ids.

    Splits and limit do not depend on the run's seed. A source token that training never had (or had fewer
    than `min_count` times) becomes `<unk>`. Labels are a closed set, those of training; see
    `EncodedSplit.references` and `Batch.target` for what happens to others. Target tokens of asynchronous
    mode have `<unk>`, `<bos>` and `<eos>` before them.

    Raises:
        InputError: a split is empty, or an example does not fit the corpus's mode.
    """
    splits = complete_splits(corpus, config.limit)
    features = check_examples(corpus.mode, splits)
    min_count = config.min_count if isinstance(config, TokenDatasetConfig) else 1
    schema = _schema(corpus, splits["train"], features, min_count)
    target_ids = dict(schema.target.ids)
    if corpus.mode == "asynchronous":
        # A target token spelt like <eos> would end the sequence it stands in; it is encoded as unknown.
        del target_ids[BOS], target_ids[EOS]
    return EncodedData(
        schema,
        {name: _encode_split(schema, target_ids, examples) for name, examples in splits.items()},
        digest(corpus.mode, splits),
        corpus.notes,
    )


def digest(mode: Mode, splits: Mapping[str, Sequence[Example]]) -> str:
    """First 16 hexadecimal digits of the SHA-256 of all examples' content."""
    sha = hashlib.sha256(mode.encode())
    for name, examples in splits.items():
        content: list[Any] = [name]
        for example in examples:
            source = example.source
            if isinstance(source, np.ndarray):
                sha.update(source.astype("<f4").tobytes())
                source = source.shape
            content.append((source, example.target, example.references))
        sha.update(json.dumps(content, separators=(",", ":")).encode())
    return sha.hexdigest()[:16]


def _schema(corpus: Corpus, train: Sequence[Example], features: int, min_count: int) -> Schema:
    source, mean, std = None, (), ()
    if not features:
        sources = (cast("tuple[str, ...]", example.source) for example in train)
        source = Vocabulary.build(sources, (UNK,), min_count)
    elif corpus.standardise:
        steps = np.concatenate([cast(np.ndarray, example.source) for example in train]).astype(np.float64)
        # A feature that never changes stays at zero instead of dividing by it.
        std = tuple(np.where(steps.std(axis=0) > 0, steps.std(axis=0), 1.0).tolist())
        mean = tuple(steps.mean(axis=0).tolist())
    if corpus.mode == "class":
        target = Vocabulary.build([[cast(str, example.target) for example in train]])
    elif corpus.mode == "synchronous":
        target = Vocabulary.build(
            [label for label in example.target if label is not None] for example in train
        )
    else:
        tokens = (cast("tuple[str, ...]", example.target) for example in train)
        target = Vocabulary.build(tokens, (UNK, BOS, EOS), corpus.target_min_count)
    return Schema(
        mode=corpus.mode,
        source=source,
        unlabelled=_unlabelled(source, train) if corpus.mode == "synchronous" and source else (),
        features=features,
        target=target,
        tokenizer=corpus.tokenizer,
        lowercase=corpus.lowercase,
        target_separator=corpus.target_separator,
        mean=mean,
        std=std,
    )


def _unlabelled(vocabulary: Vocabulary, train: Sequence[Example]) -> tuple[int, ...]:
    labelled = {
        token
        for example in train
        for token, label in zip(example.source, example.target, strict=True)
        if label is not None
    }
    known = enumerate(vocabulary.tokens)
    return tuple(i for i, token in known if token not in labelled and i != vocabulary.unk_id)


def _encode_split(schema: Schema, target_ids: Mapping[str, int], examples: Sequence[Example]) -> EncodedSplit:
    return EncodedSplit(
        schema,
        examples,
        _encode_sources(schema, examples),
        _encode_targets(schema, target_ids, examples),
        target_ids,
    )


def _encode_sources(schema: Schema, examples: Sequence[Example]) -> Ragged:
    lengths = np.fromiter((len(example.source) for example in examples), dtype=np.int64)
    if schema.source is None:
        steps = np.concatenate([cast(np.ndarray, example.source) for example in examples])
        return Ragged.pack(schema.standardise(steps), lengths, 0.0)
    flat = schema.source.encode(chain.from_iterable(cast("tuple[str, ...]", e.source) for e in examples))
    return Ragged.pack(flat, lengths, 0)


def _encode_targets(schema: Schema, ids: Mapping[str, int], examples: Sequence[Example]) -> Tensor | Ragged:
    if schema.mode == "class":
        return torch.tensor([ids.get(cast(str, example.target), IGNORE) for example in examples])
    targets = [cast("tuple[str, ...]", example.target) for example in examples]
    lengths = np.fromiter(map(len, targets), dtype=np.int64)
    if schema.mode == "synchronous":
        flat = np.fromiter((ids.get(label, IGNORE) for label in chain.from_iterable(targets)), dtype=np.int64)
        return Ragged.pack(flat, lengths, IGNORE)
    unk, eos = ids[UNK], schema.target.eos_id
    flat = np.fromiter((ids.get(token, unk) for token in chain.from_iterable(targets)), dtype=np.int64)
    return Ragged.pack(np.insert(flat, np.cumsum(lengths), eos), lengths + 1, IGNORE)
