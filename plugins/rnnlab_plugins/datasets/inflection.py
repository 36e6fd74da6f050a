"""English inflection, from the lookup table of LemmInflect."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import cast

from rnnlab.api import Corpus, Dataset, Example
from rnnlab_plugins.datasets.config import InflectionConfig
from rnnlab_plugins.datasets.hashing import split_of
from rnnlab_plugins.datasets.installed import installed_file
from rnnlab_plugins.datasets.text_files import read_lines

TAGS = {
    "noun": ("NNS",),
    "adj": ("JJR", "JJS"),
    "adv": ("RBR", "RBS"),
    "verb": ("VBD", "VBN", "VBG", "VBZ"),
}
"""Category of a line -> what its fields after the second hold, in order."""

LETTERS = re.compile("[a-z]+")


def forms(line: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Lemma, tag and right forms for each field of a line `lemma,category,form/other,...` that is kept.

    A field is empty where there is no such form; a participle stands only where it may differ from the past.
    What no model of letters could learn is left out:

    - lemmas and forms that are not all of a-z: names, hyphens, accents, spaces;
    - a noun's own lemma among its plurals, which marks mass nouns (`saliva,noun,saliva/salivas`), and with it
      the few nouns that truly do not change, such as sheep;
    - verbs with shifted or wrong fields (`wrought,verb,wrought,,,wrought`): VBG must end in -ing, VBZ in -s.
    """
    lemma, category, *fields = line.split(",")
    if not LETTERS.fullmatch(lemma):
        return
    found = {}
    for tag, field in zip(TAGS[category], fields, strict=True):
        spellings = tuple(form for form in field.split("/") if LETTERS.fullmatch(form))
        found[tag] = tuple(form for form in spellings if tag != "NNS" or form != lemma)
    endings = {"VBG": "ing", "VBZ": "s"}
    if all(
        form.endswith(end) and form != lemma for tag, end in endings.items() for form in found.get(tag, ())
    ):
        yield from ((lemma, tag, right) for tag, right in found.items() if right)


class Inflection(Dataset):
    """A tag and a lemma's letters to the letters of the form: `VBD w a l k` to `w a l k e d`."""

    licence = "MIT"
    citation = (
        "LemmInflect by Brad Jascob, from the SPECIALIST Lexicon of the US National Library of Medicine"
    )

    def read(self) -> Corpus:
        """Split by lemma, its forms together: 10 % test, 5 % val. Other spellings are right answers too."""
        tags = cast(InflectionConfig, self.config).tags
        splits: dict[str, list[Example]] = {"train": [], "val": [], "test": []}
        for line in read_lines(installed_file("lemminflect", "resources", "infl_lu.csv.gz")):
            for lemma, tag, (form, *others) in forms(line):
                if tag in tags:
                    example = Example((tag, *lemma), tuple(form), tuple(map(tuple, others)))
                    splits[split_of(lemma, val=50)].append(example)
        return Corpus(
            "asynchronous",
            splits,
            tokenizer="tagged",
            target_separator="",
            notes={"splits": "by lemma: test if sha1(lemma) mod 1000 < 100, val if < 150"},
        )
