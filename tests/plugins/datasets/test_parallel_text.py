"""Pairs of sequences: two files, one file, mistakes, Multi30k and CMUdict's own split."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from rnnlab.api import Example, InputError
from rnnlab.data.encoding import encode
from rnnlab_plugins.datasets.cmudict import G2P
from rnnlab_plugins.datasets.config import G2PConfig, ParallelTextConfig
from rnnlab_plugins.datasets.parallel_text import ParallelText

Write = Callable[[str, str], str]


def test_two_files(write: Write) -> None:
    config = ParallelTextConfig(
        train=write("a.de", "Ein Mann.\nEin Hund.\n"),
        train_target=write("a.en", "A man.\nA dog."),
        lowercase=True,
    )
    corpus = ParallelText(config).read()
    assert corpus.splits["train"] == [
        Example(("ein", "mann", "."), ("a", "man", ".")),
        Example(("ein", "hund", "."), ("a", "dog", ".")),
    ]
    assert (corpus.mode, corpus.target_separator, corpus.merge_references) == ("asynchronous", " ", False)


def test_pairs_with_one_source_are_right_answers_of_one_test_example(write: Write) -> None:
    path = write("a.tsv", "read\tR IY D\nred\tR EH D\nread\tR EH D\n")
    config = ParallelTextConfig(
        train=path, val=path, test=path, source_tokenizer="characters", target_tokenizer="space"
    )
    data = encode(ParallelText(config).read(), config)
    assert data.sizes == {"train": 3, "val": 2, "test": 2}
    ids = data.schema.target.ids
    assert data.splits["test"].references[0] == [
        [ids[p] for p in answer] for answer in (("R", "IY", "D"), ("R", "EH", "D"))
    ]


def test_long_pairs_leave_train_alone(write: Write) -> None:
    path = write("a.tsv", "a b\tx\nc\ty z w\nd\tu\n")
    splits = ParallelText(ParallelTextConfig(train=path, test=path, max_len=2)).read().splits
    assert [e.source for e in splits["train"]] == [("a", "b"), ("d",)]
    assert len(splits["test"]) == 3


def test_options_reach_the_corpus(write: Write) -> None:
    config = ParallelTextConfig(
        train=write("a.tsv", "a\tb c"), target_tokenizer="characters", target_min_count=3
    )
    corpus = ParallelText(config).read()
    assert (corpus.target_separator, corpus.target_min_count, corpus.tokenizer) == ("", 3, "words")
    assert corpus.splits["train"][0].target == ("b", " ", "c")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a\tb\nc d\n",
            r"a\.tsv:2: expected 'source<TAB>target', got 'c d'; mend the line, or name the file",
        ),
        ("a\tb\tc", r"a\.tsv:1: expected 'source<TAB>target', got 'a\\tb\\tc'"),
        ("a\t ", r"a\.tsv:1: expected text on both sides, got 'a' and ' '; fill or remove the line"),
    ],
)
def test_mistakes_name_file_and_line(write: Write, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        ParallelText(ParallelTextConfig(train=write("a.tsv", text))).read()


def test_files_of_unequal_length_are_refused(write: Write) -> None:
    config = ParallelTextConfig(train=write("a.de", "a\nb\n"), train_target=write("a.en", "a\n"))
    with pytest.raises(InputError) as caught:
        ParallelText(config).read()
    assert re.search(r"a\.en: expected 2 lines, as .*a\.de has, got 1", str(caught.value))


@pytest.mark.real_data
def test_multi30k(real_data: Callable[[str], str]) -> None:
    files = {"train": "train", "val": "val", "test": "test_2016_flickr"}
    paths = {split: real_data(f"multi30k_en_de/{file}.en.gz") for split, file in files.items()}
    targets = {f"{split}_target": real_data(f"multi30k_en_de/{file}.de.gz") for split, file in files.items()}
    options = {"source_tokenizer": "space", "target_tokenizer": "space"}
    splits = ParallelText(ParallelTextConfig.model_validate(paths | targets | options)).read().splits
    assert {name: len(split) for name, split in splits.items()} == {"train": 29000, "val": 1014, "test": 1000}
    assert sum(len(e.source) for e in splits["train"]) == 345020
    assert sum(len(e.target) for e in splits["train"]) == 322383


@pytest.mark.real_data
def test_the_dictionarys_own_split_is_the_packaged_one(real_data: Callable[[str], str]) -> None:
    files = {"train": "train.tsv.gz", "val": "dev.tsv", "test": "test.tsv"}
    paths = {split: real_data(f"cmudict_g2p/{file}") for split, file in files.items()}
    options = {"source_tokenizer": "characters", "target_tokenizer": "space"}
    ours = ParallelText(ParallelTextConfig.model_validate(paths | options)).read().splits
    theirs = G2P(G2PConfig(stress=True)).read().splits
    assert {name: len(split) for name, split in ours.items()} == {"train": 117769, "val": 2654, "test": 13550}
    for name in files:
        assert set(ours[name]) == set(theirs[name])
