"""CoNLL-U: words and tags, what is skipped, mistakes, and a treebank."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from rnnlab.api import Example, InputError
from rnnlab_plugins.datasets.config import ConlluConfig
from rnnlab_plugins.datasets.conllu import Conllu

Write = Callable[[str, str], str]


def row(number: str, form: str, upos: str, xpos: str) -> str:
    return "\t".join((number, form, "_", upos, xpos, "_", "0", "root", "_", "_"))


TEXT = "\n".join(
    (
        "# text = Don't",
        row("1-2", "Don't", "_", "_"),
        row("1", "Do", "AUX", "VB"),
        row("2", "n't", "PART", "RB"),
        row("2.1", "go", "VERB", "VB"),
        "",
        "",
        row("1", "Hm", "_", "UH"),
    )
)


def test_words_of_integer_ids_alone(write: Write) -> None:
    corpus = Conllu(ConlluConfig(train=write("a.conllu", TEXT))).read()
    assert corpus.mode == "synchronous"
    assert corpus.splits["train"] == [Example(("Do", "n't"), ("AUX", "PART")), Example(("Hm",), (None,))]


def test_the_treebanks_own_tags_and_lowercase(write: Write) -> None:
    config = ConlluConfig(train=write("a.conllu", TEXT), label="xpos", lowercase=True)
    assert Conllu(config).read().splits["train"] == [
        Example(("do", "n't"), ("VB", "RB")),
        Example(("hm",), ("UH",)),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# c\n1\tword\tNOUN\n", "a.conllu:2: expected 10 tab-separated columns, got 3 in '1\\tword\\tNOUN'"),
        (row("x", "a", "X", "X"), "a.conllu:1: expected an ID such as 8, 8-9 or 8.1, got 'x'; mend the line"),
    ],
)
def test_mistakes_name_file_and_line(write: Write, text: str, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        Conllu(ConlluConfig(train=write("a.conllu", text))).read()


@pytest.mark.real_data
def test_english_web_treebank(real_data: Callable[[str], str]) -> None:
    paths = {
        split: real_data(f"ud_english_ewt/en_ewt-ud-{file}.conllu.gz")
        for split, file in (("train", "train"), ("val", "dev"), ("test", "test"))
    }
    splits = Conllu(ConlluConfig.model_validate(paths)).read().splits
    assert {name: len(split) for name, split in splits.items()} == {"train": 12544, "val": 2001, "test": 2077}
    assert {name: sum(len(e.source) for e in split) for name, split in splits.items()} == {
        "train": 204577,
        "val": 25147,
        "test": 25094,
    }
    assert len({tag for e in splits["train"] for tag in e.target}) == 17
    assert splits["val"][0] == Example(
        ("From", "the", "AP", "comes", "this", "story", ":"),
        ("ADP", "DET", "PROPN", "VERB", "DET", "NOUN", "PUNCT"),
    )
