"""What is checked of a data set: its splits, that it reads the same everywhere, and what a run says of it."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np

from rnnlab.data.dataset import Corpus, Dataset, Example
from rnnlab.data.encoding import EncodedData, digest, encode
from rnnlab.data.splits import source_key
from rnnlab.testing.check import check, expect
from rnnlab.testing.subject import Subject

SHARED = 0.05
"""Part of an evaluation split that may be in another split too: real data hold some examples twice."""
KNOWN = 0.5
"""Part of the tokens of an evaluation split that training must have had."""

_READ = """
import json, sys
from rnnlab.data.encoding import digest
from rnnlab.plugins.registry import Registry

registry = Registry.discover()
spec = registry.get("dataset", sys.argv[1])
options = registry.config_model(spec).model_validate(json.loads(sys.argv[2]))
corpus = registry.load(spec)(options).read()
print(digest(corpus.mode, corpus.splits))
"""


class DatasetSubject(Subject):
    """A data set, read once."""

    @cached_property
    def dataset(self) -> Dataset:
        """The reader."""
        return self.target(self.section)

    @cached_property
    def corpus(self) -> Corpus:
        """What it reads."""
        return self.dataset.read()

    @cached_property
    def data(self) -> EncodedData:
        """The same, encoded as a run does."""
        return encode(self.corpus, self.section)


@check("dataset", "read, and the modes of the record; the message names split and example")
def reads(dataset: DatasetSubject) -> None:
    """It reads, in a mode that its record names, and every example fits that mode."""
    mode = dataset.corpus.mode
    expect(
        mode in dataset.spec.modes, f"it reads examples of mode {mode}, its record says {dataset.spec.modes}"
    )
    expect(dataset.data.splits, "it reads nothing")


@check("dataset", "how the splits are made: by example, by a hash of it, or by its group, never overlapping")
def splits(dataset: DatasetSubject) -> None:
    """Splits are disjoint: hardly an example is in two of them, source and target alike."""
    keys = {name: [_key(each) for each in split.examples] for name, split in dataset.data.splits.items()}
    for one, other in combinations(keys, 2):
        smaller, larger = sorted((one, other), key=lambda name: len(keys[name]))
        known = set(keys[larger])
        shared = sum(key in known for key in keys[smaller])
        expect(
            shared <= SHARED * len(keys[smaller]),
            f"{shared} of {len(keys[smaller])} examples of {smaller!r} are in {larger!r} too",
        )


def _key(example: Example) -> tuple[object, object]:
    return source_key(example), example.target


@check(
    "dataset", "read: what draws at random needs a seed of its own, and what goes over a set needs sorting"
)
def same_digest(dataset: DatasetSubject) -> None:
    """Every reading gives the same examples in order, in another process and for another seed too."""
    first = digest(dataset.corpus.mode, dataset.corpus.splits)
    random.seed(first)
    np.random.seed(int(first[:8], 16))
    again = dataset.target(dataset.section).read()
    expect(digest(again.mode, again.splits) == first, "read twice, its examples differ")
    hash_seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    done = subprocess.run(
        [sys.executable, "-c", _READ, dataset.name, dataset.section.model_dump_json()],
        env=os.environ | dataset.registry.environment() | {"PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=False,
    )
    last = (done.stderr.strip().splitlines() or ["no word"])[-1]
    expect(done.returncode == 0, f"another process cannot read it: {last}")
    expect(
        done.stdout.split()[-1] == first,
        "in another process, with another PYTHONHASHSEED, its examples differ",
    )


@check("dataset", "read: leave out what is empty, or read it otherwise")
def lengths(dataset: DatasetSubject) -> None:
    """Every source has at least one step, and every target sequence at least one token."""
    for name, split in dataset.data.splits.items():
        for number, example in enumerate(split.examples):
            expect(len(example.source), f"example {number} of split {name!r} has a source of no steps")
            expect(
                not isinstance(example.target, tuple) or example.target,
                f"example {number} of split {name!r} has a target of no tokens",
            )


@check("dataset", "read: the same tokenizing, case and labels in all splits; and min_count")
def vocabularies(dataset: DatasetSubject) -> None:
    """The vocabularies, made from training alone, cover at least half of every other split."""
    for name, split in dataset.data.splits.items():
        schema = split.schema
        if schema.source is not None:
            _expect_known(
                name,
                "source tokens",
                [token for each in split.examples for token in each.source],
                schema.source.ids,
            )
        _expect_known(
            name,
            "labels" if schema.mode != "asynchronous" else "target tokens",
            list(_targets(split.examples)),
            schema.target.ids,
        )


def _targets(examples: Any) -> Iterator[str]:
    for example in examples:
        given = (example.target,) if isinstance(example.target, str) else example.target
        yield from (each for each in given if each is not None)


def _expect_known(split: str, what: str, tokens: list[Any], ids: dict[str, int]) -> None:
    known = sum(token in ids for token in tokens)
    unknown = next((token for token in tokens if token not in ids), "")
    expect(
        known >= KNOWN * len(tokens),
        f"training had {known} of {len(tokens)} {what} of split {split!r}; not, for example, {unknown!r}",
    )


@check("dataset", "the class attributes licence and citation")
def licence(dataset: DatasetSubject) -> None:
    """Its licence is stated, and where it comes from."""
    expect(dataset.target.licence.strip(), 'licence is empty; write for example "CC-BY-4.0"')
    expect(dataset.target.citation.strip(), "citation is empty; write where the data come from")


@check(
    "dataset", "Corpus.tokenizer and Corpus.lowercase: they must split a typed line as read split the sources"
)
def typed(dataset: DatasetSubject) -> None:
    """A source typed as it is shown is read as it was: `rnnlab predict` sees what training saw."""
    split = dataset.data.splits["test"]
    schema = split.schema
    if schema.source is None:
        return
    rows = range(min(len(split), 200))
    wrong = [
        i for i in rows if schema.encode_text(split.texts(i)[0]).tolist() != split.source.row(i).tolist()
    ]
    # Of text split into words, what stood between them is lost, and with it now and then a border.
    expect(
        len(wrong) <= len(rows) * (0.5 if schema.tokenizer == "words" else 0),
        f"{len(wrong)} of {len(rows)} test sources are read otherwise when typed, "
        f"for example {split.texts(wrong[0])[0]!r}"
        if wrong
        else "",
    )


CHECKS = (reads, splits, same_digest, lengths, vocabularies, licence, typed)
