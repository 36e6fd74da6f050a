"""Held-out splits, merged references and the limit."""

from __future__ import annotations

import pytest

from rnnlab.data.dataset import Corpus, Example
from rnnlab.data.splits import complete_splits
from rnnlab.errors import InputError


def examples(count: int, repeats: int = 1) -> list[Example]:
    return [Example((f"s{i}",), f"{r}") for i in range(count) for r in range(repeats)]


def test_missing_splits_come_from_train_a_tenth_each() -> None:
    splits = complete_splits(Corpus("class", {"train": examples(100)}))
    assert {name: len(split) for name, split in splits.items()} == {"train": 80, "val": 10, "test": 10}
    sources = [e.source for split in splits.values() for e in split]
    assert len(sources) == len(set(sources)) == 100


def test_a_given_split_stays_as_it_is() -> None:
    given = examples(3)
    splits = complete_splits(Corpus("class", {"train": examples(100), "test": given, "odd": given}))
    assert splits["test"] == splits["odd"] == given
    assert (len(splits["train"]), len(splits["val"])) == (90, 10)
    assert list(splits) == ["train", "val", "test", "odd"]


def test_held_out_splits_are_the_same_each_time() -> None:
    first, second = (complete_splits(Corpus("class", {"train": examples(50)})) for _ in range(2))
    assert first == second
    assert [e.source[0] for e in first["test"]] == ["s4", "s24", "s33", "s44", "s45"]


def test_equal_sources_leave_train_together() -> None:
    splits = complete_splits(Corpus("class", {"train": examples(30, repeats=4)}))
    sources = [{e.source[0] for e in splits[name]} for name in ("train", "val", "test")]
    assert [len(s) for s in sources] == [24, 3, 3]
    assert len(set.union(*sources)) == 30


def test_limit_keeps_a_prefix_of_one_shuffle_and_leaves_evaluation_whole() -> None:
    corpus = Corpus("class", {"train": examples(100), "val": examples(7), "test": examples(9)})
    small, large = complete_splits(corpus, 5), complete_splits(corpus, 20)
    assert len(small["train"]) == 5
    assert small["train"] == large["train"][:5]
    assert small["train"] != corpus.splits["train"][:5]
    assert (len(small["val"]), len(small["test"])) == (7, 9)
    assert len(complete_splits(corpus, 1000)["train"]) == 100


def test_answers_to_one_source_become_references_outside_train() -> None:
    pairs = [Example(("a",), ("x",)), Example(("b",), ("y",)), Example(("a",), ("z",), (("x",), ("w",)))]
    corpus = Corpus("asynchronous", {"train": pairs, "val": pairs, "test": pairs}, merge_references=True)
    splits = complete_splits(corpus)
    assert splits["train"] == pairs
    assert splits["test"] == [Example(("a",), ("x",), (("z",), ("w",))), Example(("b",), ("y",))]


def test_an_empty_split_is_refused() -> None:
    with pytest.raises(InputError, match="split 'val' must have at least one example, got none"):
        complete_splits(Corpus("class", {"train": examples(3), "val": []}))
    with pytest.raises(InputError, match="split 'train' must have at least one example"):
        complete_splits(Corpus("class", {"test": examples(3)}))


def test_too_little_to_share_out_is_refused() -> None:
    with pytest.raises(InputError, match="more than 2 different sources to take test and val from, got 2"):
        complete_splits(Corpus("class", {"train": examples(2, repeats=5)}))
