"""Reads its words in the order of a set."""

from rnnlab.api import Corpus, Dataset, DatasetSpec, Example, hookimpl

WORDS = [f"{n:b}" for n in range(1, 64)]


class SameDigest(Dataset):
    licence = "CC0-1.0"
    citation = "made here"

    def read(self):
        examples = [Example(tuple(word), word[-1]) for word in set(WORDS)]
        return Corpus("class", {"train": examples})


@hookimpl
def rnnlab_datasets():
    yield DatasetSpec(
        "same-digest",
        f"{__name__}:SameDigest",
        summary="Reads its words in the order of a set.",
        modes=("class",),
    )
