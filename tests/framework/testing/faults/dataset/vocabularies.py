"""Reads one split in other letters."""

from rnnlab.api import Corpus, Dataset, DatasetSpec, Example, hookimpl

WORDS = [f"{n:b}" for n in range(1, 64)]


class Vocabularies(Dataset):
    licence = "CC0-1.0"
    citation = "made here"

    def read(self):
        examples = [Example(tuple(word), word[-1]) for word in WORDS]
        test = [Example(tuple("xy" * n), "0") for n in range(1, 9)]
        return Corpus("class", {"train": examples, "test": test})


@hookimpl
def rnnlab_datasets():
    yield DatasetSpec(
        "vocabularies",
        f"{__name__}:Vocabularies",
        summary="Reads one split in other letters.",
        modes=("class",),
    )
