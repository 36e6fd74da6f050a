"""Labelled tokens: parallel files, columns, mistakes, and Snips."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from rnnlab.api import Example, InputError
from rnnlab_plugins.datasets.config import TokenLabelsConfig
from rnnlab_plugins.datasets.token_labels import TokenLabels

Write = Callable[[str, str], str]
EXPECTED = [Example(("Play", "Yesterday"), ("O", "B-track")), Example(("Stop",), ("O",))]


def test_parallel_files(write: Write) -> None:
    config = TokenLabelsConfig(
        train=write("seq.in", "Play Yesterday \n\nStop\n"), train_target=write("seq.out", "O B-track\n\nO")
    )
    assert TokenLabels(config).read().splits["train"] == EXPECTED


@pytest.mark.parametrize(
    "text",
    [
        "Play\tO\nYesterday\tB-track\n\nStop\tO\n",
        "Play O\nYesterday B-track\n\n\nStop O",
        "-DOCSTART- -X- -X- O\n\nPlay VB I-VP O\nYesterday NN I-NP B-track\n \nStop VB I-VP O\n\n",
    ],
    ids=["tabs", "spaces", "four columns"],
)
def test_columns(write: Write, text: str) -> None:
    assert TokenLabels(TokenLabelsConfig(train=write("a.txt", text))).read().splits["train"] == EXPECTED


def test_lowercase_leaves_labels_alone(write: Write) -> None:
    config = TokenLabelsConfig(train=write("a.txt", "Play B-X"), lowercase=True)
    assert TokenLabels(config).read().splits["train"] == [Example(("play",), ("B-X",))]


def test_mistakes_name_file_and_line(write: Write) -> None:
    def message(config: TokenLabelsConfig) -> str:
        with pytest.raises(InputError) as caught:
            TokenLabels(config).read()
        return str(caught.value)

    sentences = write("seq.in", "a b\nc d\n")
    short = TokenLabelsConfig(train=sentences, train_target=write("short.out", "X Y\n"))
    assert re.search(r"short\.out: expected 2 lines, as .*seq\.in has, got 1; give files", message(short))
    uneven = TokenLabelsConfig(train=sentences, train_target=write("uneven.out", "X Y\nX\n"))
    assert re.search(r"uneven\.out:2: expected 2 labels, one a token of .*seq\.in:2, got 1", message(uneven))
    lonely = TokenLabelsConfig(train=write("a.txt", "a X\nb\n"))
    assert re.search(r"a\.txt:2: expected a token and a label, got 'b'; mend the line", message(lonely))


@pytest.mark.real_data
def test_snips(real_data: Callable[[str], str]) -> None:
    files = {"train": "train", "val": "valid", "test": "test"}
    paths = {split: real_data(f"snips_slots/{file}.seq.in") for split, file in files.items()}
    targets = {f"{split}_target": real_data(f"snips_slots/{file}.seq.out") for split, file in files.items()}
    splits = TokenLabels(TokenLabelsConfig.model_validate(paths | targets)).read().splits
    assert {name: len(split) for name, split in splits.items()} == {"train": 13084, "val": 700, "test": 700}
    assert {name: sum(len(e.source) for e in split) for name, split in splits.items()} == {
        "train": 117700,
        "val": 6384,
        "test": 6354,
    }
    assert len({label for e in splits["train"] for label in e.target}) == 72
    assert splits["train"][0].target == ("O", "O", "B-artist", "O", "B-album", "O", "B-service", "I-service")
