"""Labelled texts: each format, each mistake, and TREC itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from rnnlab.api import Example, InputError
from rnnlab_plugins.datasets.config import TextClassesConfig
from rnnlab_plugins.datasets.text_classes import TextClasses

Write = Callable[[str, str], str]
EXPECTED = [Example(("Good", "film", "!"), "pos"), Example(("Bad", ",", "sad"), "neg")]


def read(train: str, **options: Any) -> list[Example]:
    return list(TextClasses(TextClassesConfig(train=train, **options)).read().splits["train"])


@pytest.mark.parametrize(
    ("name", "text", "options"),
    [
        ("a.tsv", "label\ttext\npos\tGood film!\nneg\tBad, sad\n", {}),
        ("a.tsv", "pos\tGood film!\nneg\tBad, sad", {"header": False}),
        ("a.tsv", "id\tGood film!\tpos\nid\tBad, sad\tneg\n", {"header": False, "text": 1, "label": 2}),
        ("a.csv", 'review,kind\nGood film!,pos\n"Bad, sad",neg\n', {"text": "review", "label": "kind"}),
        ("a.csv", 'review,kind\nGood film!,pos\n\n"Bad, sad",neg\n', {"text": 0, "label": 1}),
        ("a.csv", 'label,text\npos,"Good\nfilm!"\nneg,"Bad, sad"\n', {}),
        ("a.jsonl", '{"text": "Good film!", "label": "pos"}\n{"label": "neg", "text": "Bad, sad"}\n', {}),
        ("a.data", '{"t": "Good film!", "l": "pos"}\n{"l": "neg", "t": "Bad, sad"}\n',
         {"format": "jsonl", "text": "t", "label": "l"}),
        ("a.txt", "pos:x Good film !\nneg:y Bad , sad\n", {"format": "trec"}),
    ],
)  # fmt: skip
def test_formats(write: Write, name: str, text: str, options: dict[str, Any]) -> None:
    assert read(write(name, text), **options) == EXPECTED


def test_a_quotation_mark_is_text_in_tsv(write: Write) -> None:
    assert read(write("a.tsv", 'x\t"open\ny\tend"\n'), header=False, tokenizer="space") == [
        Example(('"open',), "x"),
        Example(('end"',), "y"),
    ]


def test_lowercase_tokenizer_and_numbers_as_labels(write: Write) -> None:
    path = write("a.jsonl", '{"text": "Ab c", "label": 1}')
    assert read(path, lowercase=True, tokenizer="characters") == [Example(("a", "b", " ", "c"), "1")]


def test_splits_given_and_not_given(write: Write) -> None:
    path = write("a.tsv", "x\ta\n")
    corpus = TextClasses(TextClassesConfig(train=path, test=path, header=False, lowercase=True)).read()
    assert list(corpus.splits) == ["train", "test"]
    assert (corpus.mode, corpus.tokenizer, corpus.lowercase) == ("class", "words", True)


@pytest.mark.parametrize(
    ("name", "text", "options", "message"),
    [
        (
            "a.txt",
            "x",
            {},
            "a.txt: expected a name ending in .tsv, .csv, .jsonl, .ndjson; rename it or set format",
        ),
        (
            "a.tsv",
            "kind\ttext\nx\ta",
            {},
            "a.tsv:1: expected a column 'label', got columns kind, text; set label",
        ),
        (
            "a.tsv",
            "x\ta",
            {"header": False, "label": 2},
            "a.tsv:1: expected a column 2 for label, got 2 columns",
        ),
        ("a.tsv", "label\ttext\nx\ta\nx\ta\tb", {}, "a.tsv:3: expected 2 columns, got 3; mend the line"),
        ("a.csv", 'label,text\nx,"a\nb"\ny,"c', {}, "a.csv:4: expected CSV, got unexpected end of data"),
        ("a.csv", "label,text\n,words", {}, "a.csv:2: expected a label and a text, got '' and 'words'"),
        ("a.tsv", "label\ttext\nx\t ", {}, "a.tsv:2: expected a label and a text, got 'x' and ' '; fill or"),
        (
            "a.jsonl",
            '{"text": "a", "label": "x"}\n{"text"',
            {},
            "a.jsonl:2: expected a JSON object with 'label'",
        ),
        (
            "a.jsonl",
            '{"text": "a"}',
            {},
            "a.jsonl:1: expected a JSON object with 'label' and 'text', got keys text",
        ),
        (
            "a.jsonl",
            '{"text": "x", "label": null}',
            {},
            "a.jsonl:1: expected text or a whole number in 'label', got null",
        ),
        ("a.jsonl", '{"text": ["x"], "label": "a"}', {}, "a.jsonl:1: expected text in 'text', got list"),
        ("a.jsonl", "[1]", {}, "a.jsonl:1: expected a JSON object with 'label' and 'text', got list"),
        (
            "a.txt",
            "DESC:x What ?\nWhat ?",
            {"format": "trec"},
            "a.txt:2: expected 'COARSE:fine text', got 'What ?'",
        ),
    ],
)
def test_mistakes_name_file_and_line(
    write: Write, name: str, text: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        read(write(name, text), **options)


@pytest.mark.real_data
def test_trec(real_data: Callable[[str], str]) -> None:
    config = TextClassesConfig(
        train=real_data("trec6/train.txt"), test=real_data("trec6/test.txt"), format="trec", tokenizer="space"
    )
    splits = TextClasses(config).read().splits
    assert (len(splits["train"]), len(splits["test"])) == (5452, 500)
    assert Counter(e.target for e in splits["train"]) == {
        "ABBR": 86, "DESC": 1162, "ENTY": 1250, "HUM": 1223, "LOC": 835, "NUM": 896
    }  # fmt: skip
    assert splits["train"][0] == Example(
        ("How", "did", "serfdom", "develop", "in", "and", "then", "leave", "Russia", "?"), "DESC"
    )
    fine = TextClasses(config.model_copy(update={"trec_labels": "fine"})).read().splits["train"]
    assert len({e.target for e in fine}) == 50
    assert fine[0].target == "DESC:manner"
