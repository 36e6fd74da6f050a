"""Inflection: the file's format, known forms, lemmas in one split only."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from rnnlab.api import Corpus, Example
from rnnlab_plugins.datasets.config import InflectionConfig
from rnnlab_plugins.datasets.inflection import Inflection, forms


@cache
def corpus() -> Corpus:
    return Inflection(InflectionConfig()).read()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("zygote,noun,zygotes", {"NNS": ("zygotes",)}),
        (
            "assist,verb,assisted,,assisting,assists",
            {"VBD": ("assisted",), "VBG": ("assisting",), "VBZ": ("assists",)},
        ),
        ("glib,adj,glibber,glibbest", {"JJR": ("glibber",), "JJS": ("glibbest",)}),
        ("ever,adv,,", {}),
        (
            "outbid,verb,outbid/outbade,outbid,outbidding,outbids",
            {"VBD": ("outbid", "outbade"), "VBN": ("outbid",), "VBG": ("outbidding",), "VBZ": ("outbids",)},
        ),
        ("information,noun,informations/information", {"NNS": ("informations",)}),
        ("stamina,noun,stamina", {}),
        ("Aaron,noun,Aarons/Aaron", {}),
        ("pre-valence,noun,pre-valences", {}),
        ("caveman,noun,cavemen/cave men", {"NNS": ("cavemen",)}),
        ("wrought,verb,wrought,,,wrought", {}),
        ("typeset,verb,typeset,typeset,typeset,typesets", {}),
        ("torpedo,verb,torpedoes,torpedoed,torpedoing,torpedo", {}),
    ],
)
def test_forms_of_a_line(line: str, expected: dict[str, tuple[str, ...]]) -> None:
    assert {tag: right for _, tag, right in forms(line)} == expected


def inflected(source: str) -> list[str]:
    tag, lemma = source.split()
    everything = (example for split in corpus().splits.values() for example in split)
    return ["".join(map(str, e.target)) for e in everything if e.source == (tag, *lemma)]


def test_known_forms() -> None:
    assert inflected("VBD walk") == ["walked"]
    assert inflected("VBN write") == ["written"]
    assert inflected("NNS child") == ["children"]
    assert inflected("JJS big") == ["biggest"]
    assert inflected("VBZ carry") == ["carries"]


def test_other_spellings_are_references() -> None:
    assert Example(("NNS", *"chimaera"), tuple("chimaeras"), (tuple("chimaerae"),)) in [
        example for split in corpus().splits.values() for example in split
    ]


def test_no_lemma_is_in_two_splits() -> None:
    lemmas = {name: {e.source[1:] for e in split} for name, split in corpus().splits.items()}
    assert (
        not lemmas["train"] & lemmas["val"]
        | lemmas["train"] & lemmas["test"]
        | lemmas["val"] & lemmas["test"]
    )
    assert {name: len(split) for name, split in corpus().splits.items()} == {
        "train": 30631,
        "val": 1784,
        "test": 3636,
    }


def test_tags() -> None:
    counts = Counter(e.source[0] for e in corpus().splits["train"])
    assert set(counts) == {"NNS", "VBD", "VBN", "VBG", "VBZ", "JJR", "JJS", "RBR", "RBS"}
    only = Inflection(InflectionConfig(tags=("VBD",))).read().splits["train"]
    assert only == [e for e in corpus().splits["train"] if e.source[0] == "VBD"]
    assert corpus().tokenizer == "tagged"
