"""Baselines on handmade data, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rnnlab.config.section import TokenDatasetConfig
from rnnlab.data.baselines import baselines, most_frequent
from rnnlab.data.dataset import Corpus, Example
from rnnlab.data.encoding import encode
from rnnlab.plugins.spec import Mode


def scores(mode: Mode, train: list[Example], test: list[Example], min_count: int = 1) -> dict[str, float]:
    corpus = Corpus(mode, {"train": train, "val": test, "test": test})
    return baselines(encode(corpus, TokenDatasetConfig(limit=None, min_count=min_count)), "test")


def test_class() -> None:
    train = [Example(("a",), label) for label in "xxy"]
    test = [Example(("a",), label) for label in ("x", "y", "z", "x")]
    assert scores("class", train, test) == {"most_frequent": 0.5}


def test_synchronous_counts_labelled_steps_only() -> None:
    train = [
        Example(("the", "dog", "runs"), ("D", "N", None)),
        Example(("dog", "the", "cat"), ("N", "D", "N")),
    ]
    test = [Example(("the", "cat", "new", "new"), ("D", None, "N", "V"))]
    # "cat" has no label; N is the commonest and right once in three; the -> D and new -> N are right.
    assert scores("synchronous", train, test) == {
        "most_frequent": pytest.approx(1 / 3),
        "most_frequent_per_token": pytest.approx(2 / 3),
    }


def test_per_token_counts_tokens_that_min_count_makes_unknown() -> None:
    train = [Example(("a", "b", "c"), ("A", "B", "C"))]
    assert scores("synchronous", train, train, min_count=2)["most_frequent_per_token"] == 1.0


def test_synchronous_features_have_no_tokens_to_count_by() -> None:
    example = Example(np.zeros((2, 1), np.float32), ("A", "A"))
    assert scores("synchronous", [example], [example]) == {"most_frequent": 1.0}


def test_asynchronous_takes_any_reference() -> None:
    train = [Example(("a",), ("p",)), Example(("b",), ("p",)), Example(("c",), ("q", "r"))]
    test = [
        Example(("a",), ("x",), (("p",),)),
        Example(("q",), ("q",)),
        Example(("z",), ("p", "p"), (("z",),)),
        Example(("w",), ("q", "r")),
    ]
    assert scores("asynchronous", train, test) == {"most_frequent": 0.25, "copy": 0.5}


def test_ties_go_to_the_smallest() -> None:
    assert most_frequent(["b", "a", "b", "a"]) == "a"
