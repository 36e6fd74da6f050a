"""Validates on what it trains on."""

from rnnlab.api import Corpus, Dataset, DatasetSpec, Example, hookimpl

WORDS = [f"{n:b}" for n in range(1, 64)]


class Splits(Dataset):
    licence = "CC0-1.0"
    citation = "made here"

    def read(self):
        examples = [Example(tuple(word), word[-1]) for word in WORDS]
        return Corpus("class", {"train": examples, "val": examples})


@hookimpl
def rnnlab_datasets():
    yield DatasetSpec(
        "splits", f"{__name__}:Splits", summary="Validates on what it trains on.", modes=("class",)
    )
