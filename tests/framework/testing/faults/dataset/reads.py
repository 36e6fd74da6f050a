"""Reads classes, and its record says one label a step."""

from rnnlab.api import Corpus, Dataset, DatasetSpec, Example, hookimpl

WORDS = [f"{n:b}" for n in range(1, 64)]


class Reads(Dataset):
    licence = "CC0-1.0"
    citation = "made here"

    def read(self):
        examples = [Example(tuple(word), word[-1]) for word in WORDS]
        return Corpus("class", {"train": examples})


@hookimpl
def rnnlab_datasets():
    yield DatasetSpec(
        "reads",
        f"{__name__}:Reads",
        summary="Reads classes, and its record says one label a step.",
        modes=("synchronous",),
    )
