"""The schema: what users type, what they read, and a file in between."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rnnlab.config.section import DatasetConfig
from rnnlab.data.dataset import Corpus, Example
from rnnlab.data.encoding import encode
from rnnlab.data.schema import Schema
from rnnlab.data.vocabulary import BOS, EOS, UNK, Vocabulary
from rnnlab.errors import InputError

LETTERS = Vocabulary((UNK, "VBD", "a", "b"))


def test_a_typed_line_becomes_ids() -> None:
    schema = Schema("asynchronous", LETTERS, 0, LETTERS, tokenizer="tagged")
    assert schema.encode_text(" VBD abba ").tolist() == [1, 2, 3, 3, 2]
    words = Schema("class", LETTERS, 0, LETTERS, tokenizer="words", lowercase=True)
    assert words.encode_text("A, b").tolist() == [2, 0, 3]
    with pytest.raises(InputError, match="no tokens"):
        words.encode_text("  ")


def test_typed_features_are_standardised_as_the_data_were() -> None:
    schema = Schema("class", None, 2, LETTERS, mean=(1.0, 2.0), std=(2.0, 0.5))
    typed = schema.encode_text("1,2; 3,3")
    assert typed.dtype == np.float32
    assert typed.tolist() == [[0, 0], [1, 2]]
    with pytest.raises(InputError, match="expected 2 values a step"):
        schema.encode_text("1,2,3")
    with pytest.raises(InputError, match="expected numbers"):
        schema.encode_text("1,x")


def test_answers_read_as_text() -> None:
    target = Vocabulary((UNK, BOS, EOS, "a", "b"))
    assert Schema("asynchronous", LETTERS, 0, target, target_separator="").answer([3, 4, 4], [1]) == "abb"
    assert Schema("synchronous", LETTERS, 0, target).answer([3, 4], [1, 2]) == "a b"
    assert Schema("class", LETTERS, 0, target).answer(4, [1]) == "b"


@pytest.mark.parametrize("source", [LETTERS, None])
def test_a_saved_schema_comes_back(source: Vocabulary | None, tmp_path: Path) -> None:
    schema = Schema("class", source, 0 if source else 1, LETTERS, "words", True, mean=(0.1,), std=(3.0,))
    schema.save(tmp_path / "schema.json")
    assert Schema.load(tmp_path / "schema.json") == schema


def test_steps_that_are_never_labelled_are_left_out_of_an_answer() -> None:
    train = [Example(("k", "æ", "t"), (None, "1", None)), Example(("t", "u"), (None, "0"))]
    corpus = Corpus("synchronous", {"train": train, "val": train, "test": train})
    schema = encode(corpus, DatasetConfig()).schema
    assert schema.source is not None
    source = schema.source.encode(["t", "æ", "new", "u", "k"])
    one, zero = schema.target.encode(["1", "0"]).tolist()
    assert schema.answer([one, one, zero, zero, one], source) == "_ 1 0 0 _"
