"""Encoding: vocabularies from train alone, unknown labels, references, digests."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

from rnnlab.config.section import TokenDatasetConfig
from rnnlab.data.batch import IGNORE, UNKNOWN
from rnnlab.data.dataset import Corpus, Example
from rnnlab.data.encoding import EncodedData, encode
from rnnlab.data.vocabulary import OUTSIDE
from rnnlab.errors import InputError


def words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def class_corpus() -> Corpus:
    return Corpus(
        "class",
        {
            "train": [Example(words("a b a"), "x"), Example(words("a c"), "y"), Example((), "x")],
            "val": [Example(words("a new"), "x")],
            "test": [Example(words("c"), "never seen"), Example(words("c"), "y")],
        },
    )


def labelling_corpus() -> Corpus:
    return Corpus(
        "synchronous",
        {
            "train": [Example(words("k ae t"), (None, "1", None)), Example(words("ae"), ("0",))],
            "val": [Example(words("ae"), ("0",))],
            "test": [Example(words("t ae k"), (None, "2", "1"))],
        },
    )


def translation_corpus(**options: object) -> Corpus:
    return Corpus(
        "asynchronous",
        {
            "train": [Example(words("a"), words("p q")), Example(words("b"), words("q r"))],
            "val": [Example(words("a"), words("p"))],
            "test": [Example(words("a"), words("p new"), (words("q"), words("<unk> <eos>")))],
        },
        **options,  # pyright: ignore[reportArgumentType]
    )


def encoded(corpus: Corpus, **options: int) -> EncodedData:
    return encode(corpus, TokenDatasetConfig.model_validate(options))


def test_vocabularies_hold_the_training_split_alone() -> None:
    schema = encoded(class_corpus()).schema
    assert schema.source is not None
    assert schema.source.tokens == ("<unk>", "a", "b", "c")
    assert schema.target.tokens == ("x", "y")


def test_min_count_makes_rare_source_tokens_unknown() -> None:
    data = encoded(class_corpus(), min_count=2)
    assert data.schema.source is not None
    assert data.schema.source.tokens == ("<unk>", "a")
    assert data.splits["train"].source.row(0).tolist() == [1, 0, 1]


def test_a_class_never_trained_on_is_wrong_whatever_the_answer_and_has_no_loss() -> None:
    test = encoded(class_corpus()).splits["test"]
    assert test.references == [UNKNOWN, 1]
    batch = test.batch(torch.tensor([0, 1]))
    assert batch.target is not None
    assert batch.target.tolist() == [IGNORE, 1]


def test_unlabelled_steps_are_ignored_and_unknown_labels_are_wrong() -> None:
    test = encoded(labelling_corpus()).splits["test"]
    assert test.schema.target.tokens == ("0", "1")
    assert test.references == [[IGNORE, UNKNOWN, 1]]
    batch = test.batch(torch.tensor([0]))
    assert batch.target is not None
    assert batch.target[:, 0].tolist() == [IGNORE, IGNORE, 1]
    assert batch.target_lengths is None


def test_target_rows_end_with_eos_and_padding_is_ignored() -> None:
    data = encoded(translation_corpus())
    target = data.schema.target
    assert target.tokens == ("<unk>", "<bos>", "<eos>", "q", "p", "r")
    batch = data.splits["test"].batch(torch.tensor([0]))
    assert batch.target is not None and batch.target_lengths is not None
    assert batch.target[:, 0].tolist() == [4, 0, 2]
    assert batch.target_lengths.tolist() == [3]


def test_a_reference_with_an_unknown_token_matches_no_answer() -> None:
    data = encoded(translation_corpus())
    references = data.splits["test"].references
    # "new" was never trained on; "<unk>" is a token as any other; "<eos>" inside a target is not the end.
    assert references == [[[4, UNKNOWN], [3], [0, UNKNOWN]]]
    assert data.schema.answer(references[0][0], []) == f"p {OUTSIDE}"


def test_target_min_count() -> None:
    data = encoded(translation_corpus(target_min_count=2))
    assert data.schema.target.tokens == ("<unk>", "<bos>", "<eos>", "q")
    assert data.splits["train"].references == [[[UNKNOWN, 3]], [[3, UNKNOWN]]]


def test_sizes_tokens_and_texts() -> None:
    data = encoded(class_corpus())
    assert data.sizes == {"train": 3, "val": 1, "test": 2}
    assert data.splits["train"].tokens == 5
    assert data.splits["val"].texts(0) == ("a new", "x")
    assert encoded(labelling_corpus()).splits["test"].texts(0) == ("t ae k", "_ 2 1")
    assert encoded(translation_corpus(target_separator="")).splits["train"].texts(1) == ("b", "qr")
    summary = data.summary("mine", licence="MIT")
    assert (summary["name"], summary["licence"], summary["digest"]) == ("mine", "MIT", data.digest)


def test_features_are_standardised_by_the_training_split() -> None:
    train = [
        Example(np.array([[0, 5], [4, 5]], np.float32), "x"),
        Example(np.array([[2, 5]], np.float32), "y"),
    ]
    other = [Example(np.array([[2, 7]], np.float32), "x")]
    data = encoded(Corpus("class", {"train": train, "val": other, "test": other}, standardise=True))
    assert data.schema.features == 2
    assert data.schema.mean == (2.0, 5.0)
    assert data.schema.std == pytest.approx(((8 / 3) ** 0.5, 1.0))
    std = (8 / 3) ** 0.5
    assert torch.allclose(data.splits["train"].source.row(0), torch.tensor([[-2 / std, 0], [2 / std, 0]]))
    assert torch.equal(data.splits["test"].source.row(0), torch.tensor([[0.0, 2.0]]))


def test_digest_is_of_the_content() -> None:
    digest = encoded(class_corpus()).digest
    assert digest == "085af262aff10a74"
    assert encoded(class_corpus(), min_count=2).digest == digest
    assert encoded(class_corpus(), limit=2).digest != digest
    splits = dict(class_corpus().splits)
    splits["test"] = splits["test"][::-1]
    assert encoded(Corpus("class", splits)).digest != digest


def test_digest_does_not_depend_on_hash_randomisation() -> None:
    program = (
        "from rnnlab.data.encoding import encode\nfrom rnnlab.data.dataset import Corpus, Example\n"
        "from rnnlab.config.section import TokenDatasetConfig\n"
        "train = [Example((str(i % 7), str(i)), str(i % 3)) for i in range(50)]\n"
        "data = encode(Corpus('class', {'train': train}), TokenDatasetConfig(limit=30))\n"
        "print(data.digest, data.schema.source.tokens)"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]


@pytest.mark.parametrize(
    ("mode", "example", "message"),
    [
        ("synchronous", Example(("a", "b"), ("x",)), "expected 2 labels, one a step, got 1"),
        ("class", Example(("a",), ("x",)), "expected one label, got tuple"),
        ("asynchronous", Example(("a",), "x"), "expected a tuple of labels or tokens, got str"),
        ("class", Example("text", "x"), "expected a tuple of tokens, got str"),  # pyright: ignore
        ("class", Example(np.zeros((2, 3), np.float64), "x"), "expected features float32, got float64"),
        ("class", Example(np.full((2, 3), np.nan, np.float32), "x"), "expected finite features"),
        ("synchronous", Example(("a",), (None,)), "must have a label somewhere, got none"),
    ],
)
def test_an_example_that_does_not_fit_the_mode_is_refused(mode: str, example: Example, message: str) -> None:
    splits = {"train": [example], "val": [example], "test": [example]}
    with pytest.raises(InputError, match=message):
        encoded(Corpus(mode, splits))  # pyright: ignore[reportArgumentType]
