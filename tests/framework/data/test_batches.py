"""Batches: values, padding, order, resume."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnlab.config.section import DatasetConfig
from rnnlab.data.batch import IGNORE, Batch
from rnnlab.data.batches import Batcher
from rnnlab.data.dataset import Corpus, Example
from rnnlab.data.encoding import EncodedSplit, encode


def split_of_lengths(lengths: list[int], mode: str = "class") -> EncodedSplit:
    """A training split whose row i has lengths[i] source tokens spelt i; targets by mode."""
    rows = [(str(i),) * length for i, length in enumerate(lengths)]
    make: dict[str, Any] = {
        "class": lambda i, row: f"{i % 2}",
        "synchronous": lambda i, row: tuple(f"{t % 2}" for t in range(len(row))),
        "asynchronous": lambda i, row: (f"{i}",) * (i % 3),
    }
    examples = [Example(row, make[mode](i, row)) for i, row in enumerate(rows)]
    if mode == "synchronous":
        examples.append(Example(("last",), ("0",)))
    splits = {"train": examples, "val": examples, "test": examples}
    return encode(Corpus(mode, splits), DatasetConfig()).splits["train"]  # pyright: ignore[reportArgumentType]


def same(first: list[Batch], second: list[Batch]) -> bool:
    return len(first) == len(second) and all(
        torch.equal(a.source, b.source) and torch.equal(a.indices, b.indices)
        for a, b in zip(first, second, strict=True)
    )


def test_a_batch_holds_its_rows_padded_with_zero() -> None:
    split = split_of_lengths([3, 0, 1])
    batch = split.batch(torch.tensor([2, 0, 1]))
    assert split.schema.source is not None
    zero, two = split.schema.source.ids["0"], split.schema.source.ids["2"]
    assert batch.source.tolist() == [[two, zero, 0], [0, zero, 0], [0, zero, 0]]
    assert batch.lengths.tolist() == [1, 3, 0]
    assert batch.indices.tolist() == [2, 0, 1]
    assert batch.target is not None
    assert batch.target.tolist() == [0, 0, 1]
    assert (batch.source.dtype, batch.target.dtype, len(batch.lengths)) == (torch.int64, torch.int64, 3)


def test_labels_and_target_tokens_are_padded_with_ignore() -> None:
    labels = split_of_lengths([2, 0, 3], "synchronous").batch(torch.tensor([0, 1, 2])).target
    assert labels is not None
    assert labels.tolist() == [[0, IGNORE, 0], [1, IGNORE, 1], [IGNORE, IGNORE, 0]]
    batch = split_of_lengths([2, 1, 4], "asynchronous").batch(torch.tensor([0, 2]))
    assert batch.target is not None and batch.target_lengths is not None
    assert batch.target_lengths.tolist() == [1, 3]
    eos, two = 2, 3  # "2" is the commonest target token
    assert batch.target.T.tolist() == [[eos, IGNORE, IGNORE], [two, two, eos]]


def test_features_are_gathered_time_major() -> None:
    rows = [np.arange(6, dtype=np.float32).reshape(3, 2), np.full((1, 2), 9, np.float32)]
    examples = [Example(row, "x") for row in rows]
    splits = {"train": examples, "val": examples, "test": examples}
    batch = encode(Corpus("class", splits), DatasetConfig()).splits["train"].batch(torch.tensor([1, 0]))
    assert batch.source.dtype == torch.float32
    assert batch.source.tolist() == [[[9, 9], [0, 1]], [[0, 0], [2, 3]], [[0, 0], [4, 5]]]


def test_a_batch_of_empty_rows_has_one_step_of_padding() -> None:
    batch = split_of_lengths([0, 0, 2]).batch(torch.tensor([0, 1]))
    assert batch.source.tolist() == [[0, 0]]
    assert batch.lengths.tolist() == [0, 0]


@settings(max_examples=40, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 30), min_size=1, max_size=150),
    batch_size=st.integers(1, 20),
    mode=st.sampled_from(["class", "synchronous", "asynchronous"]),
)
def test_every_example_comes_once_an_epoch_in_full_batches(
    lengths: list[int], batch_size: int, mode: str
) -> None:
    split = split_of_lengths(lengths, mode)
    batcher = Batcher(split, batch_size, seed=3)
    for batches in (list(batcher.epoch(1)), list(Batcher.in_order(split, batch_size))):
        assert sorted(i for batch in batches for i in batch.indices.tolist()) == list(range(len(split)))
        assert len(batches) == len(batcher)
        assert sum(len(batch.lengths) < batch_size for batch in batches) <= 1
        for batch in batches:
            assert batch.lengths.tolist() == [len(split.examples[i].source) for i in batch.indices]


def test_an_epoch_is_a_function_of_seed_and_epoch() -> None:
    split = split_of_lengths([i % 13 for i in range(200)])
    epoch = list(Batcher(split, 8, seed=5).epoch(2))
    assert same(epoch, list(Batcher(split, 8, seed=5).epoch(2)))
    assert not same(epoch, list(Batcher(split, 8, seed=5).epoch(3)))
    assert not same(epoch, list(Batcher(split, 8, seed=6).epoch(2)))


@pytest.mark.parametrize("start", [0, 1, 24, 25])
def test_an_epoch_resumes_at_any_batch(start: int) -> None:
    batcher = Batcher(split_of_lengths([i % 13 for i in range(200)]), 8, seed=5)
    assert same(list(batcher.epoch(2, start=start)), list(batcher.epoch(2))[start:])


def test_buckets_leave_little_padding() -> None:
    lengths = np.random.RandomState(0).geometric(0.05, 20_000).clip(max=200).tolist()
    split = split_of_lengths(lengths)

    def padded(batches: list[torch.Tensor]) -> float:
        return sum(int(lengths.max()) * len(lengths) for lengths in batches) / sum(
            map(int, map(torch.sum, batches))
        )

    assert padded([split.source.lengths[rows] for rows in Batcher(split, 32, 0).plan(0)]) < 1.15
    assert padded([batch.lengths for batch in Batcher.in_order(split, 32)]) < 1.01
    assert padded(list(split.source.lengths.split(32))) > 3


def test_batches_of_an_epoch_do_not_come_by_length() -> None:
    split = split_of_lengths([i % 50 for i in range(2000)])
    longest = [int(batch.lengths.max()) for batch in Batcher(split, 20, 0).epoch(0)]
    assert abs(np.corrcoef(longest, range(len(longest)))[0, 1]) < 0.3


def test_evaluation_begins_with_the_longest() -> None:
    split = split_of_lengths([3, 9, 1, 9, 4])
    batches = list(Batcher.in_order(split, 2))
    assert [batch.lengths.tolist() for batch in batches] == [[9, 9], [4, 3], [1]]
